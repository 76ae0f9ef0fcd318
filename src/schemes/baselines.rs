//! Other published learnable encryption schemes, to compare with [`etc`](crate::schemes::etc). **None of them is offered to
//! users**: like `EtC`, they are obfuscation. The attacks in [`attack`] break all of them under a fixed key, and two of them
//! under any key.
//!
//! All of them do the same: a picture consists of *values*, which change places, and some of which are reversed (`v` becomes
//! the greatest value minus `v`). They differ in the bits of a value, how far it moves, and which values share a key.
//!
//! | | values | moved | keys |
//! |---|---|---|---|
//! | [`le`] | 4 bits | anywhere within their block of 4 x 4 pixels | one for all blocks |
//! | [`ele`] | 4 bits | anywhere within their block, then the blocks change places | one per block |
//! | [`pe`] | 8 bits | to another channel of their pixel | one per pixel |
//!
//! All are one-to-one on pictures of whole blocks, so lossless files can be unscrambled exactly, as tested. After JPEG, the
//! 4-bit schemes are lost: an error of one in an upper half is an error of 16 in the sample, and a lower half is noise to begin
//! with.
//!
//! # The exact steps
//!
//! Random numbers are drawn as in [`etc`](crate::schemes::etc), from the streams whose HKDF information is `safelight `
//! followed by `le`, `ele` or `pe`, ` v1 ` and the step's name: `place`, `shuffle`, `reverse`, `order`. A new [`Nonce`] for
//! each picture gives each picture its own key; [`Nonce::FIXED`] is the fixed key. A photo is padded to whole blocks by
//! repeating its last column and row, and cropped to its size afterwards.

pub mod attack;
pub mod ele;
pub mod le;
pub mod pe;

use crate::error::{Code, Error, Result};
use crate::photo::Photo;
use crate::schemes::etc::{MasterKey, Nonce, Sheet};

/// One of the schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Learnable encryption (Tanaka 2018).
    Le,
    /// Extended learnable encryption (Madono, Tanaka, Onishi, Ogawa 2020).
    Ele,
    /// Pixel-based encryption (Sirichotedumrong, Kinoshita, Kiya 2019).
    Pe,
}

impl Scheme {
    /// All schemes.
    pub const ALL: [Self; 3] = [Self::Le, Self::Ele, Self::Pe];

    /// The name in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Le => "LE",
            Self::Ele => "ELE",
            Self::Pe => "PE",
        }
    }

    /// The side of a block in pixels.
    #[must_use]
    pub const fn block(self) -> usize {
        match self {
            Self::Le | Self::Ele => le::BLOCK,
            Self::Pe => 1,
        }
    }

    /// The greatest value.
    #[must_use]
    pub const fn greatest(self) -> u8 {
        match self {
            Self::Le | Self::Ele => 15,
            Self::Pe => 255,
        }
    }

    /// Pads a photo to whole blocks.
    #[must_use]
    pub fn sheet(self, photo: &Photo) -> Sheet {
        let whole = |side: u32| (side as usize).next_multiple_of(self.block());
        Sheet::padded(photo, whole(photo.width()), whole(photo.height()))
    }

    /// The values of a sheet: the samples, or the lower and the upper half of each.
    fn values(self, sheet: &Sheet) -> Vec<u8> {
        match self {
            Self::Le | Self::Ele => sheet.samples.iter().flat_map(|&sample| [sample & 15, sample >> 4]).collect(),
            Self::Pe => sheet.samples.clone(),
        }
    }

    /// The samples that consist of these values.
    fn samples(self, values: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Le | Self::Ele => values.as_chunks::<2>().0.iter().map(|&[low, high]| high << 4 | low).collect(),
            Self::Pe => values,
        }
    }
}

/// The origin of a value of the scrambled sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The value of the clear sheet that moves here. If values have 4 bits, the lower half of sample `i` is value `2 i` and the
    /// upper half `2 i + 1`.
    pub from: u32,
    /// Whether the value is reversed.
    pub reversed: bool,
}

/// The steps for all values of sheets of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    scheme: Scheme,
    /// The width, the height and the number of channels.
    shape: [usize; 3],
    steps: Vec<Step>,
}

impl Plan {
    /// Makes the plan for sheets of the same size as this one.
    ///
    /// # Errors
    /// [`Code::ImagesDiffer`] for a sheet that is not made of whole blocks of 1 or 3 channels, [`Code::ImageTooLarge`].
    pub fn new(scheme: Scheme, sheet: &Sheet, key: &MasterKey, nonce: &Nonce) -> Result<Self> {
        let shape = shape(sheet);
        check(scheme, sheet)?;
        let steps = match scheme {
            Scheme::Le => le::steps(shape, key, nonce),
            Scheme::Ele => ele::steps(shape, key, nonce),
            Scheme::Pe => pe::steps(shape, key, nonce),
        };
        Ok(Self { scheme, shape, steps: steps? })
    }

    /// The steps, in the order of the values of the scrambled sheet.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Applies all steps.
    ///
    /// # Errors
    /// [`Code::ImagesDiffer`] if the sheet has another size.
    pub fn scramble(&self, sheet: &Sheet) -> Result<Sheet> {
        self.apply(sheet, |values, out| {
            for (to, step) in self.steps.iter().enumerate() {
                out[to] = self.reversed(values[step.from as usize], *step);
            }
        })
    }

    /// Undoes all steps.
    ///
    /// # Errors
    /// [`Code::ImagesDiffer`] if the sheet has another size.
    pub fn unscramble(&self, sheet: &Sheet) -> Result<Sheet> {
        self.apply(sheet, |values, out| {
            for (to, step) in self.steps.iter().enumerate() {
                out[step.from as usize] = self.reversed(values[to], *step);
            }
        })
    }

    fn reversed(&self, value: u8, step: Step) -> u8 {
        if step.reversed { self.scheme.greatest() - value } else { value }
    }

    fn apply(&self, sheet: &Sheet, work: impl FnOnce(&[u8], &mut [u8])) -> Result<Sheet> {
        if shape(sheet) != self.shape {
            return Err(Error::new(Code::ImagesDiffer, "the plan is for pictures of another size or form"));
        }
        let values = self.scheme.values(sheet);
        let mut out = vec![0; values.len()];
        work(&values, &mut out);
        Ok(Sheet { samples: self.scheme.samples(out), ..*sheet })
    }
}

/// Scrambles a photo. The picture is larger if the photo does not consist of whole blocks.
///
/// # Errors
/// [`Code::ImageTooLarge`].
pub fn encrypt(photo: &Photo, scheme: Scheme, key: &MasterKey, nonce: &Nonce) -> Result<Photo> {
    let sheet = scheme.sheet(photo);
    Plan::new(scheme, &sheet, key, nonce)?.scramble(&sheet)?.into_photo()
}

/// Unscrambles a photo of this width and height.
///
/// # Errors
/// [`Code::ImagesDiffer`] if the picture's size does not match.
pub fn decrypt(picture: &Photo, (w, h): (u32, u32), scheme: Scheme, key: &MasterKey, nonce: &Nonce) -> Result<Photo> {
    let whole = |side: u32| u64::from(side).next_multiple_of(scheme.block() as u64);
    if (whole(w), whole(h)) != (picture.width().into(), picture.height().into()) {
        let message =
            format!("the picture's size does not match a photo of {w} x {h} pixels; it was resized or cropped");
        return Err(Error::new(Code::ImagesDiffer, message));
    }
    let sheet = Sheet::from(picture);
    let clear = Plan::new(scheme, &sheet, key, nonce)?.unscramble(&sheet)?;
    Photo::from_samples(w, h, picture.channels(), clear.corner(w as usize, h as usize))
}

fn shape(sheet: &Sheet) -> [usize; 3] {
    [sheet.width, sheet.height, sheet.channels]
}

/// Checks that this scheme can scramble a sheet.
fn check(scheme: Scheme, sheet: &Sheet) -> Result<()> {
    let [width, height, channels] = shape(sheet);
    let whole = |side: usize| side > 0 && side.is_multiple_of(scheme.block());
    if !whole(width) || !whole(height) || !matches!(channels, 1 | 3) || sheet.samples.len() != width * height * channels
    {
        let message = format!("{} needs whole blocks of {1} x {1} pixels", scheme.as_str(), scheme.block());
        return Err(Error::new(Code::ImagesDiffer, message));
    }
    if u32::try_from(2 * sheet.samples.len()).is_err() {
        return Err(Error::new(Code::ImageTooLarge, "the picture has too many values to be numbered"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
