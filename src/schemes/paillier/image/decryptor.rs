//! Decrypts rows of ciphertexts to pixel values.

use num_bigint::BigUint;
use num_traits::ToPrimitive as _;

use super::each;
use crate::error::{Code, Error, Result};
use crate::math::comb::Lookup;
use crate::math::montgomery::Limb;
use crate::math::random;
use crate::photo::Photo;
use crate::schemes::paillier::clear::ClearImage;
use crate::schemes::paillier::key::not_unit;
use crate::schemes::paillier::replay::Replay;
use crate::schemes::paillier::{Expectation, ImageHead, SecretKey, UnitCheck, shape};

/// The number of pixels to compare with the original photo, if it is given. If one pixel in a thousand was changed, this
/// detects it with a probability of 98 %.
const SAMPLES: u64 = 4096;

/// Which images to accept. The caller decides, never the file: a server that could choose whether its work is verified would
/// choose no verification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Only images made of photos that this key encrypted. The server's work is verified.
    #[default]
    Required,
    /// Also images made of photos that someone else encrypted with the public key. Those cannot be verified.
    WherePossible,
    /// Every image, without verification.
    None,
}

impl Check {
    /// All checks.
    pub const ALL: [Self; 3] = [Self::Required, Self::WherePossible, Self::None];

    /// The stable name, for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::WherePossible => "where-possible",
            Self::None => "none",
        }
    }

    /// The check with this name.
    ///
    /// # Errors
    /// [`Code::BadArgument`].
    pub fn from_name(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|check| check.as_str() == name).ok_or_else(|| {
            let message = format!("there is no check {name:?}; choose required, where-possible or none");
            Error::new(Code::BadArgument, message)
        })
    }
}

/// Decrypts an encrypted image row by row. Rows can be skipped and shared among workers, but each worker should take them in
/// ascending order: going back costs as much as starting again.
///
/// Every row takes the same time, whatever it contains. Errors are reported only at the end ([`Self::finish`]), so that timing
/// reveals neither where they are nor whether there are any.
pub struct ImageDecryptor {
    head: ImageHead,
    /// The masks that the result must have, if known.
    replay: Option<Replay>,
    /// The original photos to compare with, and the number of pixels to compare in each row.
    clear: Option<(ClearImage, u64)>,
    /// Ciphertexts that are not decrypted must also be units.
    units: UnitCheck,
    /// The first error.
    failure: Option<Error>,
}

impl ImageDecryptor {
    /// Prepares the decryption of an image whose header our encryptor and filters can have produced.
    ///
    /// If the key can derive the masks of the photos in the image ([`Self::checks`]), `check` decides whether the decryptor
    /// verifies that the result matches its header. Without verification, decryption is slower.
    ///
    /// # Errors
    /// [`Code::ForeignKey`] if it is encrypted under another key. [`Code::NotVerifiable`] if `check` is [`Check::Required`] and
    /// the key cannot derive all masks. [`Code::BadHeader`] if the history is unknown or, unless `check` is [`Check::None`], if
    /// no encrypted photo has this header after the filters of its history. [`Code::WrongResult`] if the header describes
    /// something impossible.
    pub fn new(key: &SecretKey, head: &ImageHead, check: Check, lookup: Lookup) -> Result<Self> {
        let mut decryptor = Self::unchecked(key, head)?;
        match (check, Self::checks(key, head)) {
            (Check::None, _) => return Ok(decryptor),
            (Check::WherePossible, false) => {}
            (Check::Required, false) => return Err(not_verifiable(key)),
            (Check::Required | Check::WherePossible, true) => decryptor.replay = Some(Replay::new(key, head)?),
        }
        shape::check(head)?;
        if decryptor.replay.is_some() {
            key.prepare(head.ciphertexts(), lookup);
        }
        Ok(decryptor)
    }

    fn unchecked(key: &SecretKey, head: &ImageHead) -> Result<Self> {
        if head.key != *key.public() {
            return Err(Error::new(
                Code::ForeignKey,
                format!(
                    "the image is encrypted under key {}, but this key is {}; use the key that encrypted it",
                    head.key.id(),
                    key.public().id()
                ),
            ));
        }
        Ok(Self { head: head.clone(), replay: None, clear: None, units: UnitCheck::new(&head.key), failure: None })
    }

    /// Also compares a random sample of pixels with the original photos. `photos` are the encrypted photos, in their order.
    ///
    /// # Errors
    /// [`Code::ImagesDiffer`] if sizes or number of the photos differ; [`Code::BadHeader`] if the history is unknown.
    pub fn compare_with(&mut self, photos: Vec<Photo>) -> Result<()> {
        let clear = ClearImage::new(&self.head, photos)?;
        let rows = u64::from(self.head.layout.tile().1);
        let each_row = clear.affordable(SAMPLES).div_ceil(rows);
        self.clear = Some((clear, each_row));
        Ok(())
    }

    /// Requires that exactly these filters were applied.
    ///
    /// # Errors
    /// [`Code::WrongResult`] if the header says something else; [`Code::NotVerifiable`] if the header is not verified
    /// ([`Self::verifies`]).
    pub fn expect(&self, expectation: &Expectation) -> Result<()> {
        if !self.verifies() {
            let message = "the filter can only be verified on images that this key encrypted";
            return Err(Error::new(Code::NotVerifiable, message));
        }
        expectation.check(&self.head)
    }

    /// Whether the decryptor verifies the server's work.
    #[must_use]
    pub const fn verifies(&self) -> bool {
        self.replay.is_some()
    }

    /// Whether the key can verify that the image matches its header. It can if it encrypted all photos in the image.
    #[must_use]
    pub fn checks(key: &SecretKey, head: &ImageHead) -> bool {
        key.derives_masks() && head.origins.iter().all(super::Origin::is_known)
    }

    /// Decrypts row `row` of ciphertexts, natively on all cores. Returns the pixel values: all slots of the first ciphertext
    /// outside the halo, then of the second, and so on; `None` for rows of the halo. Do not use the values before
    /// [`Self::finish`] has succeeded.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the row has the wrong length or does not exist.
    pub fn decrypt_row(&mut self, key: &SecretKey, row: u32, ciphertexts: &[Limb]) -> Result<Option<Vec<i32>>> {
        let width = self.head.key.square().width();
        let layout = &self.head.layout;
        if ciphertexts.len() != layout.columns() as usize * width || row >= layout.rows() {
            return Err(Error::new(Code::BadArgument, "the row does not fit the image"));
        }
        let (halo_x, halo_y) = (usize::from(layout.halo.0), u32::from(layout.halo.1));
        if !(halo_y..layout.rows() - halo_y).contains(&row) {
            self.units.add_row(ciphertexts);
            return Ok(None);
        }
        let (left, rest) = ciphertexts.split_at(halo_x * width);
        let (inner, right) = rest.split_at(layout.tile().0 as usize * width);
        self.units.add_row(left);
        self.units.add_row(right);
        let exponents = match &mut self.replay {
            Some(replay) => Some(replay.row(row)?),
            None => None,
        };
        let groups: Vec<_> = (0..).step_by(key.lanes()).zip(inner.chunks(width * key.lanes())).collect();
        let decrypt = |&(first, group): &(usize, &[Limb])| -> Result<(Vec<i32>, [bool; 2])> {
            let plaintexts = match &exponents {
                Some(row) => {
                    let row = &row[halo_x + first..];
                    key.unmask(group, &row[..group.len() / width])?
                }
                None => key.open(group),
            };
            let (mut values, mut right, mut pixels) = (Vec::new(), true, true);
            for (plaintext, fits) in &plaintexts {
                let (slots, fit) = self.unpack(plaintext);
                values.extend(slots);
                right &= fits;
                pixels &= fit;
            }
            Ok((values, [right, pixels]))
        };
        let mut values = Vec::with_capacity(layout.used_slots() as usize * layout.tile().0 as usize);
        let mut fits = [true; 2];
        for (group, [right, pixels]) in each(&groups, decrypt)? {
            values.extend(group);
            fits = [fits[0] & right, fits[1] & pixels];
        }
        let compared = self.compare(row, &values)?;
        let wrong = match fits {
            [false, _] if exponents.is_some() => Some(wrong_masks()),
            [false, _] => Some(not_unit()),
            [_, false] => Some(no_pixels()),
            _ => compared,
        };
        if let Some(error) = wrong {
            self.fail(error);
        }
        Ok(Some(values))
    }

    /// Records an error, which [`Self::finish`] reports if it is the first.
    pub fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    /// Compares a random sample of a row's values with the original photo; returns the first error.
    fn compare(&self, row: u32, values: &[i32]) -> Result<Option<Error>> {
        let Some((clear, count)) = &self.clear else { return Ok(None) };
        let (layout, encoding) = (&self.head.layout, &self.head.encoding);
        let mut wrong = None;
        for _ in 0..*count {
            let choice = random::index(&mut random::system(), values.len())?;
            let slots = layout.used_slots() as usize;
            let (cell, slot) = (choice / slots, choice % slots);
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let (channel, x, y) = layout.pixel(number(slot), number(cell) + u32::from(layout.halo.0), row);
            // Pixels beyond the edge are not part of the picture.
            if x >= i64::from(layout.width) || y >= i64::from(layout.height) {
                continue;
            }
            let expected = encoding.pixel(clear.raw(channel, x, y) + encoding.bias);
            if expected != i64::from(values[choice]) {
                wrong = wrong.or(Some((x, y)));
            }
        }
        Ok(wrong.map(|(x, y)| {
            Error::new(
                Code::WrongResult,
                format!(
                    "the pixel at {x}, {y} is not the filter's result for this photo: the server changed the result, \
                     or the photo is another one; do not rely on this result"
                ),
            )
        }))
    }

    /// Reports the first error. Do not use any decrypted value before this succeeds.
    ///
    /// # Errors
    /// [`Code::CiphertextNotUnit`], [`Code::WrongResult`] if a ciphertext does not match the header or a pixel does not match
    /// the original photo, [`Code::Damaged`] if a value is impossible (the ciphertexts were changed without regard to the
    /// format).
    pub fn finish(self) -> Result<()> {
        match self.failure {
            Some(error) => Err(error),
            None => self.units.finish(),
        }
    }

    /// The values in the slots of a plaintext, and whether all of them are possible pixels.
    fn unpack(&self, plaintext: &BigUint) -> (Vec<i32>, bool) {
        let (layout, encoding) = (&self.head.layout, &self.head.encoding);
        let mask = (1u64 << layout.slot_bits) - 1;
        let mut bytes = plaintext.to_bytes_le();
        let slots = layout.used_slots() as usize;
        let length = (slots * usize::from(layout.slot_bits)).div_ceil(8);
        let mut fits = plaintext.bits() <= slots as u64 * u64::from(layout.slot_bits);
        bytes.resize(length.max(bytes.len()) + 8, 0);
        let mut values = Vec::with_capacity(slots);
        for slot in 0..slots {
            let bit = slot * usize::from(layout.slot_bits);
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[bit / 8..bit / 8 + 8]);
            // At most 48 bits of a slot after at most 7 bits of its neighbour.
            let number = u64::from_le_bytes(word) >> (bit % 8) & mask;
            let number = number.to_i64().unwrap_or(i64::MAX);
            let value = i32::try_from(encoding.pixel(number));
            fits &= value.is_ok() & (encoding.low..=encoding.high).contains(&(number - encoding.bias));
            values.push(value.unwrap_or(0));
        }
        (values, fits)
    }
}

fn not_verifiable(key: &SecretKey) -> Error {
    let message = if key.derives_masks() {
        "this key did not encrypt the photo in this image, so the server's work cannot be verified; if you encrypted \
         the photo yourself, do not rely on this file; if someone else encrypted it for you, decrypt it without the \
         check"
    } else {
        "this key was made by another program and cannot derive masks, so the server's work cannot be verified; \
         decrypt the image without the check, or make a new key"
    };
    Error::new(Code::NotVerifiable, message)
}

fn wrong_masks() -> Error {
    Error::new(
        Code::WrongResult,
        "the server did not do what it says: it left out, repeated, weighted or moved ciphertexts; do not rely on \
         this result, and use another server",
    )
}

fn no_pixels() -> Error {
    Error::new(Code::Damaged, "the decrypted numbers are not pixels: the server did not do what its answer says")
}
