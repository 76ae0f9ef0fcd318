//! Files and standard streams, read carefully and written completely or not at all.

mod ledger;
mod part;
mod sink;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub(super) use self::ledger::reads;
#[cfg(feature = "client")]
pub(super) use self::ledger::reads_folder;
pub(super) use self::part::remove_all as remove_parts;
pub(super) use self::sink::{Care, Sink};
use crate::error::{Code, Error, Result};
use crate::wire::{self, PROLOGUE_BYTES, Prologue};

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Stdin,
    File(PathBuf),
}

impl From<&OsStr> for Source {
    /// The input that the user names. From here on, a named file counts as an input, even if it is never read.
    fn from(name: &OsStr) -> Self {
        if name == "-" {
            return Self::Stdin;
        }
        ledger::names(Path::new(name));
        Self::File(name.into())
    }
}

impl From<std::ffi::OsString> for Source {
    fn from(name: std::ffi::OsString) -> Self {
        Self::from(name.as_os_str())
    }
}

impl Source {
    /// Opens it for reading.
    pub(super) fn open(&self) -> Result<Box<dyn Read + Send>> {
        match self {
            Self::Stdin if io::stdin().is_terminal() => {
                Err(Error::new(Code::BadArgument, "standard input is a terminal; name a file or redirect one with <"))
            }
            Self::Stdin => {
                ledger::reads_stdin()?;
                Ok(Box::new(io::stdin()))
            }
            Self::File(path) => {
                reads(path)?;
                let file = File::open(path).map_err(|error| about(path, "open", &error))?;
                if file.metadata().is_ok_and(|data| data.is_dir()) {
                    return Err(Error::new(Code::Io, format!("{} is a folder; name a file", path.display())));
                }
                Ok(Box::new(file))
            }
        }
    }

    /// Its length in bytes, where that can be known before reading.
    pub(super) fn length(&self) -> Option<u64> {
        let Self::File(path) = self else { return None };
        fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|data| data.len())
    }

    /// Reads all of it into memory that is wiped afterwards.
    ///
    /// `too_long` is the error code if there are more than `limit` bytes.
    pub(super) fn read(&self, limit: u64, too_long: Code) -> Result<Zeroizing<Vec<u8>>> {
        let reader = self.open()?;
        // Reserve the full capacity at the start, so that growing leaves no copies in memory.
        let expected = self.length().unwrap_or(0).min(limit) + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(expected).unwrap_or(0)));
        reader.take(limit + 1).read_to_end(&mut bytes).map_err(|error| match self {
            Self::Stdin => error.into(),
            Self::File(path) => about(path, "read", &error),
        })?;
        if bytes.len() as u64 > limit {
            return Err(Error::new(too_long, format!("{self} is longer than {limit} bytes; choose the right file")));
        }
        Ok(bytes)
    }

    /// Reads a key file.
    pub(super) fn read_key(&self) -> Result<Zeroizing<Vec<u8>>> {
        self.read(1 << 17, Code::NotSafelight)
    }

    /// Standard input can be read only once.
    pub(super) fn check_one_stdin(sources: &[&Self]) -> Result<()> {
        if sources.iter().filter(|source| ***source == Self::Stdin).count() > 1 {
            return Err(Error::new(
                Code::BadArgument,
                "only one input can be standard input; name a file for the other",
            ));
        }
        Ok(())
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Reads the prologue and the header from the start of a Safelight file. Leaves the reader at the data after them.
pub(super) fn read_header(input: &mut dyn Read) -> Result<(Prologue, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(PROLOGUE_BYTES);
    // Parse even a short file: whether it is a Safelight file matters more than its length.
    (&mut *input).take(PROLOGUE_BYTES as u64).read_to_end(&mut bytes)?;
    if wire::is_age(&bytes) {
        let message = "this is a protected key file; see `safelight info`";
        return Err(Error::new(Code::WrongKind, message));
    }
    let prologue = Prologue::parse(&bytes)?;
    bytes.resize(prologue.total_bytes(), 0);
    input.read_exact(&mut bytes[PROLOGUE_BYTES..])?;
    Ok((prologue, bytes))
}

/// Writes text to standard output. A closed pipe, such as from `head`, is not an error.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(Code::Io, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a value to standard output as JSON over several lines.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let json = serde_json::to_string_pretty(value).map_err(|_| no_json())?;
    print(&(json + "\n"))
}

/// The error for a value that cannot be written as JSON, which does not occur in practice.
pub(super) fn no_json() -> Error {
    Error::new(Code::Internal, "a value cannot be written as JSON; please report it")
}

fn about(path: &Path, verb: &str, error: &io::Error) -> Error {
    Error::new(Code::Io, format!("cannot {verb} {}: {error}", path.display()))
}

/// The reason for an error, without the temporary name of an unfinished file.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" at path ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}
