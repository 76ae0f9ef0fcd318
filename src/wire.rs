//! What all files of Safelight have in common, and the registry of their kinds.
//!
#![doc = include_str!("../docs/FORMAT.md")]

use crate::error::{Code, Error, Result};
use crate::json::unmarked;
use crate::math::checksum;

#[cfg(feature = "client")]
pub mod age;
#[cfg(not(target_arch = "wasm32"))]
pub mod facts;
mod kind;

pub use kind::{Kind, Scheme};

/// The media type of every Safelight file.
pub const MEDIA_TYPE: &str = "application/vnd.safelight";
/// The first bytes of every Safelight file.
pub const MAGIC: [u8; 8] = *b"\x89SLT\r\n\x1a\n";
/// The first bytes of a key file protected by a passphrase, which is an age file (version 1).
pub const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// The first line of such a file as text ("armored").
pub const AGE_ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
/// The number of bytes from the start of a file that [`is_age`] needs at most.
pub const AGE_START: usize = MAX_AGE_SPACE + AGE_ARMOR.len();
/// The most white space before or after an armored file, in bytes each.
pub const MAX_AGE_SPACE: usize = 1024;
/// The version of the format. Some kinds of files can have a later one: see [`Kind::version`].
pub const VERSION: u16 = 1;
/// The length of the prologue in bytes.
pub const PROLOGUE_BYTES: usize = 16;
/// The longest header, in bytes.
pub const MAX_HEADER: u32 = 65_536;

/// A text without a byte order mark, which editors for Windows add, and white space at its start.
pub(crate) fn age_text(start: &[u8]) -> &[u8] {
    unmarked(start).trim_ascii_start()
}

/// Whether a file starts like a key file protected by a passphrase, as bytes or as text. The first 16 bytes are enough, unless
/// the text starts with white space.
#[must_use]
pub fn is_age(start: &[u8]) -> bool {
    let like = |start: &[u8], mark: &[u8]| {
        let length = start.len().min(mark.len());
        length >= PROLOGUE_BYTES && start[..length] == mark[..length]
    };
    like(start, AGE_MAGIC) || like(age_text(start), AGE_ARMOR)
}

/// The first 16 bytes of a file, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prologue {
    /// The kind of the file.
    pub kind: Kind,
    /// The version of the format in which the file is written.
    pub version: u16,
    /// The length of the header in bytes.
    pub header_bytes: usize,
}

impl Prologue {
    /// Reads the first 16 bytes of a file.
    ///
    /// # Errors
    /// [`Code::NotSafelight`], [`Code::UnsupportedVersion`], [`Code::Truncated`], [`Code::BadHeader`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let known = bytes.len().min(MAGIC.len());
        if bytes[..known] != MAGIC[..known] {
            return Err(Error::new(Code::NotSafelight, "this is not a Safelight file: its signature is missing"));
        }
        let mut reader = Reader::new(bytes);
        reader.take(MAGIC.len())?;
        let version = reader.u16()?;
        let number = reader.u8()?;
        let newest = Kind::numbered(number).map_or(VERSION, Kind::version);
        if !(1..=newest).contains(&version) {
            return Err(Error::new(
                Code::UnsupportedVersion,
                format!("the file has format version {version}, but this program reads version {newest}; update it"),
            ));
        }
        let kind = Kind::numbered(number)
            .ok_or_else(|| Error::new(Code::BadHeader, format!("the file has the unknown kind {number}")))?;
        let scheme = reader.u8()?;
        if scheme != kind.scheme().number() {
            return Err(Error::new(Code::BadHeader, format!("the file has the unknown scheme {scheme}")));
        }
        let length = reader.u32()?;
        if length > MAX_HEADER {
            return Err(Error::new(Code::BadHeader, format!("the header of {length} bytes is too long")));
        }
        Ok(Self { kind, version, header_bytes: length as usize })
    }

    /// The length of prologue, header and header checksum in bytes.
    #[must_use]
    pub fn total_bytes(&self) -> usize {
        PROLOGUE_BYTES + self.header_bytes + 4
    }
}

/// A header whose checksum is right.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    /// The header's own bytes.
    pub header: &'a [u8],
    /// The version of the format in which the file is written.
    pub version: u16,
    /// Its checksum, which also goes into the checksum of each frame.
    pub crc: u32,
}

/// The size of a model or network, or of another file whose body follows its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The length of the file in bytes.
    pub bytes: u64,
    /// The approximate memory for its content, in bytes.
    pub memory: u64,
}

/// Reads prologue, header and checksum from the start of `bytes`.
///
/// # Errors
/// As [`Prologue::parse`], and [`Code::WrongKind`], [`Code::Truncated`], [`Code::Damaged`].
pub fn open(bytes: &[u8], kind: Kind) -> Result<Checked<'_>> {
    let prologue = Prologue::parse(bytes)?;
    let mut reader = Reader::new(bytes);
    let sealed = reader.take(PROLOGUE_BYTES + prologue.header_bytes)?;
    let crc = reader.u32()?;
    if checksum::hash(sealed) != crc {
        return Err(Error::new(Code::Damaged, "the file's header is damaged; send or copy the whole file again"));
    }
    if prologue.kind != kind {
        return Err(Error::new(
            Code::WrongKind,
            format!("this file is {}, but {} is needed here", prologue.kind.text(), kind.text()),
        ));
    }
    Ok(Checked { header: &sealed[PROLOGUE_BYTES..], version: prologue.version, crc })
}

/// The header of a file that ends after it.
pub(crate) fn whole(bytes: &[u8], kind: Kind) -> Result<&[u8]> {
    let header = open(bytes, kind)?.header;
    Reader::new(&bytes[PROLOGUE_BYTES + header.len() + 4..]).end()?;
    Ok(header)
}

/// An error inside a header whose checksum is right, so that the fault lies with its writer.
pub(crate) fn in_header(error: Error) -> Error {
    match error.kind() {
        Code::Truncated => Error::new(Code::BadHeader, "the file's header is shorter than its own fields say"),
        Code::TrailingData => Error::new(Code::BadHeader, "the file's header is longer than its own fields say"),
        _ => error,
    }
}

/// Puts prologue and checksum around a header.
pub(crate) fn seal(kind: Kind, header: &[u8]) -> Vec<u8> {
    seal_in(VERSION, kind, header)
}

/// The same, in another version of the format.
pub(crate) fn seal_in(version: u16, kind: Kind, header: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend([kind.number(), kind.scheme().number()]);
    // Headers are at most 65,536 bytes long by construction.
    bytes.extend(u32::try_from(header.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(header);
    let crc = checksum::hash(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// Reads numbers from the front of a byte string.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| Error::new(Code::Truncated, "the data ends too early; send or copy the whole file again"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    #[cfg(all(feature = "learn", not(target_arch = "wasm32")))]
    pub(crate) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    #[cfg(any(feature = "ckks", all(feature = "learn", not(target_arch = "wasm32"))))]
    pub(crate) fn f64(&mut self) -> Result<f64> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    pub(crate) fn end(&self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Error::new(Code::TrailingData, format!("there are {} extra bytes at the end", self.0.len())))
    }
}
