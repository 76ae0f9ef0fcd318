//! Encryption-then-compression (`EtC`) images: photos whose blocks are scrambled, which can still be stored as JPEG, sent
//! through photo sites, and used for learning.
//!
//! **This is obfuscation, not encryption in the sense of [`paillier`](crate::schemes::paillier).** It hides a picture from a
//! casual look. Pictures that share one key give each other away: four of them can be reassembled in seconds. Even if a picture
//! has its own key, large blocks fit together like a jigsaw puzzle. The attacks are in the `attack` module and their figures in
//! `docs/etc-attacks.md`, so that anyone can judge a setting; [`Resistance`] summarises them.
//!
//! # The steps
//!
//! Chuman, Sirichotedumrong, Kiya, "Encryption-Then-Compression Systems Using Grayscale-Based Image Encryption for JPEG Images"
//! (2019), and the original colour form. The picture is split into blocks of `B` x `B` pixels, and each step has its own key:
//!
//! | key | step |
//! |---|---|
//! | K1 | the blocks change places |
//! | K2 | each is rotated by 0, 90, 180 or 270 degrees, then not mirrored, or mirrored across, down, or both |
//! | K3 | half of them are negated: `p` becomes `255 - p` |
//! | K4 | the channels of each are permuted (six orders); pictures of one channel skip this |
//!
//! K1 to K4 are derived from one [`MasterKey`] and a [`Nonce`] that travels with the picture. By default, each picture has a
//! new nonce, so no two pictures are scrambled alike. Most published experiments use a fixed key.
//!
//! # The exact steps
//!
//! The random numbers of step `i` are those of `ChaCha20` (20 rounds, nonce zero, 64-bit counter from zero) under the 32 bytes
//! that HKDF-SHA-256 derives from the master key, with the picture's 16-byte nonce as salt (zeros for a fixed key) and
//! `safelight etc v1 K` followed by the digit `i` as info. They are taken 8 bytes at a time, little-endian. A number below `b`
//! is such a number modulo `b`; numbers not below `m - m mod b` with `m = 2^64 - 1` are skipped.
//!
//! The blocks are counted row by row. K1: start with `0, 1, 2, ...`. For each place from the last down to the second, swap its
//! number with that of a place at or before it, drawn from all of these. The number at a place is then the block that moves
//! there. Then, for each place in order: K2 gives the quarter turns (below 4, clockwise) and the mirror (below 4: bit 0 across,
//! bit 1 down, after rotation), K3 the negation (below 2), K4 the index into [`scramble::ORDERS`] (below 6).
//!
//! A sheet is the photo with its last column and row repeated until it consists of whole blocks; [`Form`] describes how the
//! grey forms convert colours.
//!
//! The [`Label`] must travel with a picture so that it can be unscrambled.

#[cfg(not(target_arch = "wasm32"))]
pub mod attack;
pub mod file;
pub mod form;
mod huffman;
pub mod label;
pub mod nonce;
pub mod resistance;
#[cfg(not(target_arch = "wasm32"))]
mod scheme;
pub mod scramble;
pub mod secret;
pub mod sheet;
pub mod wire;

pub use form::Form;
pub use label::Label;
pub use nonce::Nonce;
pub use resistance::Resistance;
#[cfg(not(target_arch = "wasm32"))]
pub use scheme::SCHEME;
pub use secret::MasterKey;
pub use sheet::Sheet;

use crate::error::{Code, Error, Result};
use crate::photo::Photo;
use scramble::Plan;

/// The smallest and the largest block, in pixels.
pub const BLOCKS: std::ops::RangeInclusive<u8> = 4..=64;

/// Options for scrambling a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is split into blocks.
    pub form: Form,
    /// The side of a block in pixels, one of [`BLOCKS`].
    pub block: u8,
    /// Whether every picture is scrambled in the same way. Such pictures give each other away.
    pub fixed_key: bool,
}

impl Settings {
    /// Settings with the usual block for this form: 16 in colour (JPEG's own unit with subsampled chroma), 8 in grey.
    #[must_use]
    pub const fn new(form: Form) -> Self {
        let block = match form {
            Form::Colour => 16,
            Form::Grey | Form::Grey420 => 8,
        };
        Self { form, block, fixed_key: false }
    }
}

/// Scrambles a photo. Returns the picture to store or send, and the label that must travel with it.
///
/// # Errors
/// [`Code::BadArgument`] for a block outside [`BLOCKS`], [`Code::ImageTooLarge`] if the picture would be too large for any
/// format, [`Code::NoRandomness`].
pub fn encrypt(photo: &Photo, key: &MasterKey, settings: Settings) -> Result<(Photo, Label)> {
    let nonce = if settings.fixed_key { Nonce::FIXED } else { Nonce::random()? };
    let label = Label::new(photo, key, settings, nonce)?;
    let sheet = Sheet::of_photo(photo, &label);
    let plan = Plan::new(key, &label)?;
    Ok((plan.scramble(&sheet).into_photo()?, label))
}

/// Unscrambles a photo. The result has the picture's notices.
///
/// # Errors
/// [`Code::ForeignKey`] if the label names another key, [`Code::ImagesDiffer`] if the picture's size differs from the label,
/// because it was resized or cropped on the way.
pub fn decrypt(picture: &Photo, label: &Label, key: &MasterKey) -> Result<Photo> {
    if label.key != key.id() {
        let message = format!("the picture was scrambled with key {}, but this is key {}", label.key, key.id());
        return Err(Error::new(Code::ForeignKey, message));
    }
    let sheet = Sheet::of_picture(picture, label)?;
    let plan = Plan::new(key, label)?;
    Ok(plan.unscramble(&sheet).to_photo(label)?.with_notices(picture.notices()))
}

#[cfg(test)]
mod tests;
