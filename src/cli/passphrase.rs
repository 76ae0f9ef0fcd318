//! Passphrases of protected key files: asked for on the terminal, or taken from a file or the environment. Never from an
//! argument, which every user of the machine can see.

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use zeroize::Zeroizing;

use super::files::Source;
use crate::error::{Code, Error, Result};
use crate::wire::age;

const VARIABLE: &str = "SAFELIGHT_PASSPHRASE";
const LONGEST: u64 = 4096;

/// Where the passphrase of a protected key file comes from.
#[derive(Args, Clone, Debug)]
pub(super) struct PassphraseFlags {
    /// File whose first line is the key file's passphrase [default: the variable `SAFELIGHT_PASSPHRASE`, or a prompt]
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().map(Source::from))]
    passphrase_file: Option<Source>,
}

impl PassphraseFlags {
    /// Reads a key file, and decrypts a protected one.
    pub(super) fn read_key(&self, key: &Source) -> Result<Zeroizing<Vec<u8>>> {
        let bytes = key.read_key()?;
        if age::is_age(&bytes) { self.open(&bytes, key) } else { Ok(bytes) }
    }

    /// Opens what is in a protected key file.
    pub(super) fn open(&self, bytes: &[u8], key: &Source) -> Result<Zeroizing<Vec<u8>>> {
        age::open(bytes, &self.given()?.map_or_else(|| ask(&format!("Passphrase of {key}: ")), Ok)?)
    }

    /// The passphrase for a new protected file. It must be typed twice.
    pub(super) fn choose(&self) -> Result<Zeroizing<String>> {
        if let Some(given) = self.given()? {
            return Ok(given);
        }
        let first = ask("New passphrase: ")?;
        if *first != *ask("Repeat the passphrase: ")? {
            return Err(Error::new(Code::BadArgument, "the two passphrases differ; try again"));
        }
        Ok(first)
    }

    fn given(&self) -> Result<Option<Zeroizing<String>>> {
        if let Some(file) = &self.passphrase_file {
            let bytes = file.read(LONGEST, Code::BadArgument)?;
            let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let text = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line));
            let text = text.map_err(|_| Error::new(Code::BadArgument, "the passphrase file is not UTF-8 text"))?;
            return Ok(Some(Zeroizing::new(text.to_owned())));
        }
        Ok(std::env::var(VARIABLE).ok().map(Zeroizing::new))
    }
}

/// Asks on the terminal, even if standard input is something else.
fn ask(question: &str) -> Result<Zeroizing<String>> {
    rpassword::prompt_password(question).map(Zeroizing::new).map_err(|_| {
        let message = format!("there is no terminal to ask for the passphrase; use --passphrase-file or {VARIABLE}");
        Error::new(Code::BadArgument, message)
    })
}
