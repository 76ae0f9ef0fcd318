//! Files and standard streams, read carefully and written completely or not at all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::wire::{AGE_MAGIC, PROLOGUE_BYTES, Prologue};

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Stdin,
    File(PathBuf),
}

impl From<&OsStr> for Source {
    fn from(name: &OsStr) -> Self {
        if name == "-" { Self::Stdin } else { Self::File(name.into()) }
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
            Self::Stdin => Ok(Box::new(io::stdin())),
            Self::File(path) => {
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
    /// `too_long` is the code if there are more than `limit` bytes.
    pub(super) fn read(&self, limit: u64, too_long: Code) -> Result<Zeroizing<Vec<u8>>> {
        let reader = self.open()?;
        // With the whole room from the start, growing leaves no copies behind.
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
        self.read(1 << 16, Code::NotSafelight)
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

/// How an output is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// Readable by its owner alone, never written over another file, on the disk before it gets its name.
    Secret,
    /// Bytes; an older file of this name is replaced.
    Binary,
    /// Text, which may also go to a terminal.
    Text,
}

/// An output that appears under its name only when [`Sink::finish`] is called; else it vanishes.
pub(super) struct Sink(Target);

enum Target {
    /// A file beside the one to be written.
    Replace { file: NamedTempFile, path: PathBuf, care: Care },
    /// An unnamed file, so that a program behind a pipe sees a whole result or none.
    Stdout(File),
    /// A device, such as `/dev/null`, which nothing can replace.
    Device(File, PathBuf),
}

impl Sink {
    /// Begins an output. Everything that may stand in its way is found now, before any work is done.
    pub(super) fn create(name: &OsStr, care: Care) -> Result<Self> {
        if name == "-" {
            if care != Care::Text && io::stdout().is_terminal() {
                return Err(Error::new(
                    Code::BadArgument,
                    "standard output is a terminal, which cannot show binary data; name a file or use > or |",
                ));
            }
            return Ok(Self(Target::Stdout(tempfile::tempfile()?)));
        }
        let name = Path::new(name);
        if care == Care::Secret && name.symlink_metadata().is_ok() {
            return Err(exists(name));
        }
        // The file behind a link is replaced, not the link.
        let path = name.canonicalize().unwrap_or_else(|_| name.to_owned());
        match fs::metadata(&path) {
            Ok(data) if data.is_dir() => {
                return Err(Error::new(Code::Io, format!("{} is a folder; name a file", name.display())));
            }
            Ok(data) if !data.is_file() => {
                let file = File::options().write(true).open(&path).map_err(|error| about(name, "open", &error))?;
                return Ok(Self(Target::Device(file, path)));
            }
            Ok(_) if holds_secret_key(&path) => {
                return Err(Error::new(
                    Code::FileExists,
                    format!("{} is a secret key and is not overwritten; choose another name", name.display()),
                ));
            }
            _ => {}
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".safelight-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // What the umask makes of it, as for every other program; secrets are the owner's alone.
            builder.permissions(fs::Permissions::from_mode(if care == Care::Secret { 0o600 } else { 0o666 }));
        }
        let file = builder.tempfile_in(folder).map_err(|error| about(name, "write", &error))?;
        Ok(Self(Target::Replace { file, path, care }))
    }

    /// Gives the output its name, or passes it on to standard output.
    pub(super) fn finish(self) -> Result<()> {
        match self.0 {
            Target::Replace { file, path, care: Care::Secret } => {
                file.as_file().sync_all()?;
                file.persist_noclobber(&path).map_err(|failed| match failed.error.kind() {
                    io::ErrorKind::AlreadyExists => exists(&path),
                    _ => about(&path, "write", &failed.error),
                })?;
                Ok(())
            }
            Target::Replace { file, path, .. } => {
                file.persist(&path).map_err(|failed| about(&path, "write", &failed.error))?;
                Ok(())
            }
            Target::Stdout(mut file) => {
                file.seek(SeekFrom::Start(0))?;
                let mut out = io::stdout().lock();
                io::copy(&mut file, &mut out)
                    .and_then(|_| out.flush())
                    .map_err(|error| Error::new(Code::Io, format!("cannot write to standard output: {error}")))
            }
            Target::Device(file, path) => (&file).flush().map_err(|error| about(&path, "write", &error)),
        }
    }

    /// Writes all of it and finishes.
    pub(super) fn write_whole(mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes)?;
        self.finish()
    }

    /// What was written so far, from its start. Not for devices.
    pub(super) fn reread(&mut self) -> Result<Option<&mut File>> {
        let file = match &mut self.0 {
            Target::Replace { file, .. } => file.as_file_mut(),
            Target::Stdout(file) => file,
            Target::Device(..) => return Ok(None),
        };
        file.seek(SeekFrom::Start(0))?;
        Ok(Some(file))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Target::Replace { file, .. } => file.as_file_mut().write(bytes),
            Target::Stdout(file) | Target::Device(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads prologue and header from the start of a Safelight file. The rest of the reader is what follows.
pub(super) fn read_header(input: &mut dyn Read) -> Result<(Prologue, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(PROLOGUE_BYTES);
    // A short file is given as it is: whether it is ours at all is the better question.
    (&mut *input).take(PROLOGUE_BYTES as u64).read_to_end(&mut bytes)?;
    if is_protected(&bytes) {
        let message = "this is a protected key file; `safelight pubkey` and `unprotect` tell what is in it";
        return Err(Error::new(Code::WrongKind, message));
    }
    let prologue = Prologue::parse(&bytes)?;
    bytes.resize(prologue.total_bytes(), 0);
    input.read_exact(&mut bytes[PROLOGUE_BYTES..])?;
    Ok((prologue, bytes))
}

/// Writes text to standard output; a program that stopped listening is an error like any other.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Error::new(Code::Io, format!("cannot write to standard output: {error}")))
}

/// Writes a value to standard output as JSON over several lines.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let json = serde_json::to_string_pretty(value).map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    print(&(json + "\n"))
}

/// Whether these are the first [`PROLOGUE_BYTES`] of a key file under a passphrase.
fn is_protected(start: &[u8]) -> bool {
    start.len() == PROLOGUE_BYTES && AGE_MAGIC.starts_with(start)
}

/// A secret key file, protected or not.
fn holds_secret_key(path: &Path) -> bool {
    let mut start = [0; PROLOGUE_BYTES];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut start))
        .is_ok_and(|()| is_protected(&start) || Prologue::parse(&start).is_ok_and(|prologue| prologue.kind.is_secret()))
}

fn exists(path: &Path) -> Error {
    Error::new(
        Code::FileExists,
        format!("{} exists already and a key is never overwritten; choose another name", path.display()),
    )
}

fn about(path: &Path, verb: &str, error: &io::Error) -> Error {
    Error::new(Code::Io, format!("cannot {verb} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_appears_only_when_finished() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("out");
        let mut sink = Sink::create(path.as_os_str(), Care::Binary).expect("sink");
        sink.write_all(b"half").expect("write");
        drop(sink);
        assert_eq!(folder.path().read_dir().expect("folder").count(), 0);

        Sink::create(path.as_os_str(), Care::Binary).expect("sink").write_whole(b"whole").expect("write");
        assert_eq!(fs::read(&path).expect("file"), b"whole");
        Sink::create(path.as_os_str(), Care::Binary).expect("sink").write_whole(b"new").expect("write");
        assert_eq!(fs::read(&path).expect("file"), b"new");
        assert_eq!(Sink::create(path.as_os_str(), Care::Secret).err().map(|e| e.kind()), Some(Code::FileExists));
    }

    #[test]
    fn a_secret_that_appears_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("key");
        let sink = Sink::create(path.as_os_str(), Care::Secret).expect("sink");
        fs::write(&path, b"another").expect("write");
        assert_eq!(sink.write_whole(b"mine").expect_err("exists").kind(), Code::FileExists);
        assert_eq!(fs::read(&path).expect("file"), b"another");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_keeps_pointing_and_a_device_stays() {
        let folder = tempfile::tempdir().expect("folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, b"old").expect("write");
        std::os::unix::fs::symlink(&file, &link).expect("link");
        Sink::create(link.as_os_str(), Care::Binary).expect("sink").write_whole(b"new").expect("write");
        assert_eq!(fs::read(&file).expect("file"), b"new");
        assert!(link.is_symlink());
        Sink::create(OsStr::new("/dev/null"), Care::Binary).expect("sink").write_whole(b"new").expect("write");
    }
}
