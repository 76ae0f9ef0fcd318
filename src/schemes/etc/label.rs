//! The label that travels with a scrambled picture.
//!
//! A label is one line of text, such as `etc1 colour 16 640x480x3 key=0123456789abcdef nonce=00112233445566778899aabbccddeeff`.
//! It is stored in the file (in a text chunk of PNG or an application segment of JPEG). Photo sites remove such metadata, so
//! the user can also keep the line and give it for decryption. It contains no secrets.

use std::fmt;
use std::str::FromStr;

use super::form::Form;
use super::nonce::Nonce;
use super::secret::{KeyId, MasterKey};
use super::{BLOCKS, Settings};
use crate::error::{Code, Error, Result};
use crate::photo::{Limits, Photo};

/// The prefix of the first version.
const VERSION: &str = "etc1";
/// The longest label, in bytes.
pub const MAX_LENGTH: usize = 200;

/// The label of a scrambled picture; see the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The form that was split into blocks.
    pub form: Form,
    /// The side of a block in pixels.
    pub block: u8,
    /// The photo's width in pixels.
    pub width: u32,
    /// The photo's height in pixels.
    pub height: u32,
    /// The photo's channels: 1 or 3.
    pub channels: u8,
    /// The key that unscrambles it.
    pub key: KeyId,
    /// The nonce that the keys of the steps are derived with.
    pub nonce: Nonce,
}

impl Label {
    /// Makes the label of a photo that is about to be scrambled.
    ///
    /// # Errors
    /// [`Code::BadArgument`], [`Code::ImageTooLarge`].
    pub fn new(photo: &Photo, key: &MasterKey, settings: Settings, nonce: Nonce) -> Result<Self> {
        let (width, height, channels) = (photo.width(), photo.height(), photo.channels());
        Self { form: settings.form, block: settings.block, width, height, channels, key: key.id(), nonce }.checked()
    }

    /// Width and height in pixels, and channels, of the picture that is split into blocks.
    #[must_use]
    pub fn sheet_size(&self) -> (u32, u32, u8) {
        let padded = |side: u32, unit: u32| side.div_ceil(unit) * unit;
        let block = u32::from(self.block);
        match (self.form, self.channels) {
            (Form::Colour, channels) => (padded(self.width, block), padded(self.height, block), channels),
            (_, 1) => (padded(self.width, block), padded(self.height, block), 1),
            (Form::Grey, _) => (3 * padded(self.width, block), padded(self.height, block), 1),
            (Form::Grey420, _) => {
                let (width, height) = (padded(self.width, 2 * block), padded(self.height, 2 * block));
                (width + width / 2, height, 1)
            }
        }
    }

    /// The number of blocks.
    #[must_use]
    pub fn blocks(&self) -> usize {
        let (width, height, _) = self.sheet_size();
        let across = |side: u32| (side / u32::from(self.block)) as usize;
        across(width) * across(height)
    }

    /// The size of the key space in bits: the logarithm to base 2 of `n! * 16^n * 2^n * 6^n`, where only 8 of the 16 rotations
    /// and mirrors differ, without the last factor for one channel. This is the cost for an attacker who can only try keys.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "blocks are counted in millions at most")]
    pub fn key_space_bits(&self) -> f64 {
        let (_, _, channels) = self.sheet_size();
        let each = 3.0 + 1.0 + if channels == 3 { 6f64.log2() } else { 0.0 };
        (1..=self.blocks()).map(|i| (i as f64).log2() + each).sum()
    }

    fn checked(self) -> Result<Self> {
        if !BLOCKS.contains(&self.block) {
            let message = format!("blocks are from {} to {} pixels, not {}", BLOCKS.start(), BLOCKS.end(), self.block);
            return Err(Error::new(Code::BadArgument, message));
        }
        if !matches!(self.channels, 1 | 3) {
            return Err(Error::new(Code::BadArgument, format!("a photo has 1 or 3 channels, not {}", self.channels)));
        }
        Limits::default().check(self.width, self.height)?;
        let (width, height, _) = self.sheet_size();
        sheet_limits().check(width, height)?;
        Ok(self)
    }
}

/// The size limits of scrambled pictures.
#[must_use]
pub fn sheet_limits() -> Limits {
    Limits::default().of_scrambled()
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { form, block, width, height, channels, key, nonce } = self;
        write!(f, "{VERSION} {} {block} {width}x{height}x{channels} key={key} nonce=", form.as_str())?;
        if *nonce == Nonce::FIXED {
            return f.write_str("fixed");
        }
        nonce.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Label {
    type Err = Error;

    /// Reads a label.
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`] for a later version, [`Code::BadHeader`] for anything else.
    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::new(Code::BadHeader, "this is not the label of a scrambled picture; copy the whole line");
        if text.len() > MAX_LENGTH {
            return Err(bad());
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [version, form, block, size, key, nonce] = *fields.as_slice() else { return Err(bad()) };
        if version != VERSION {
            if version.starts_with("etc") {
                let message = format!("the label has version {version}, but this program reads {VERSION}; update it");
                return Err(Error::new(Code::UnsupportedVersion, message));
            }
            return Err(bad());
        }
        let sizes: Vec<u32> = size.split('x').map(str::parse).collect::<Result<_, _>>().map_err(|_| bad())?;
        let [width, height, channels] = *sizes.as_slice() else { return Err(bad()) };
        let key = KeyId(hex(key.strip_prefix("key=").ok_or_else(bad)?).ok_or_else(bad)?);
        let nonce = match nonce.strip_prefix("nonce=").ok_or_else(bad)? {
            "fixed" => Nonce::FIXED,
            text => Nonce(hex(text).ok_or_else(bad)?),
        };
        let label = Self {
            form: Form::from_name(form).ok_or_else(bad)?,
            block: block.parse().map_err(|_| bad())?,
            width,
            height,
            channels: channels.try_into().map_err(|_| bad())?,
            key,
            nonce,
        };
        label.checked().map_err(|error| Error::new(Code::BadHeader, format!("the label is invalid: {error}")))
    }
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
