//! What a file shows to someone without its key.

use std::io::Read;

use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::Kind;
use crate::error::{Code, Error, Result};
use crate::watch::Watch;

/// A file to describe: its header has been read, the rest has not.
pub struct Opened<'a> {
    /// The kind of the file.
    pub kind: Kind,
    /// Prologue, header and checksum.
    pub header: Zeroizing<Vec<u8>>,
    /// What follows the header.
    pub rest: &'a mut (dyn Read + Send),
    /// Whether to read the whole file and check all of it.
    pub check: bool,
    /// Observes the check.
    pub watch: &'a dyn Watch,
}

impl Opened<'_> {
    /// The whole file, which must not be longer than `most` bytes.
    ///
    /// # Errors
    /// [`Code::TrailingData`] for longer files, [`Code::Io`].
    pub fn whole(self, most: u64) -> Result<Zeroizing<Vec<u8>>> {
        let mut bytes = self.header;
        let left = most.saturating_sub(bytes.len() as u64);
        self.rest.take(left + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(Error::new(Code::TrailingData, "the file has extra data after its end; copy it again"));
        }
        Ok(bytes)
    }

    /// The file of a key, which ends after its header.
    ///
    /// # Errors
    /// As [`Self::whole`].
    pub fn key(self) -> Result<Zeroizing<Vec<u8>>> {
        let most = self.header.len() as u64;
        self.whole(most)
    }
}

/// What is known about a file: each fact has a name and a value for programs, or a line for people. By default, nothing but the
/// header was read.
#[derive(Debug, Default)]
pub struct Facts {
    /// Names and values, for programs.
    pub fields: Vec<(&'static str, Value)>,
    /// Titles and texts, for people.
    pub lines: Vec<(&'static str, String)>,
    /// The length of the file, if all of it was read.
    pub bytes: Option<u64>,
    /// The length that the header announces, if it was not compared with the file's.
    pub complete_bytes: Option<u64>,
    /// Whether all of the file was checked.
    pub checked: bool,
}

impl Facts {
    /// Facts about a file that was read as a whole.
    #[must_use]
    pub fn of_whole(bytes: usize) -> Self {
        Self { bytes: Some(bytes as u64), checked: true, ..Self::default() }
    }

    /// Adds a value for programs.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: impl Serialize) -> Self {
        // Numbers, texts and lists of them always have a value.
        self.fields.push((name, serde_json::to_value(value).unwrap_or_default()));
        self
    }

    /// Adds a line for people.
    #[must_use]
    pub fn line(mut self, title: &'static str, text: impl Into<String>) -> Self {
        self.lines.push((title, text.into()));
        self
    }
}
