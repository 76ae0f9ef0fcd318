//! The place of each pixel among the ciphertexts, and the meaning of the values in a slot.
//!
//! A plane of `width x height` pixels is cut into `grid.0 x grid.1` tiles of [`Layout::tile`] pixels each; the last tiles may
//! extend beyond the edge. All tiles of all planes share the same ciphertexts: ciphertext `(i, j)` holds, in slot
//! `(channel * grid.1 + tile row) * grid.0 + tile column`, the pixel `(i - halo.0, j - halo.1)` of that tile. So every tile
//! carries a copy of its neighbours' edge pixels and, at the photo's edge, the pixels of the [`Border`] policy.
//!
//! Slot `s` consists of `slot_bits` bits of the plaintext, starting at bit `s * slot_bits`.

use std::sync::Arc;

use super::key::PublicKey;
use super::origin::Origin;
use crate::error::{Code, Error, Result};

/// The maximum number of pixels of a photo.
pub const MAX_PIXELS: u64 = 1 << 24;
/// The widest halo, in pixels.
pub const MAX_HALO: u16 = 1024;
/// The widest slot, in bits.
pub const MAX_SLOT_BITS: u8 = 48;
/// The largest divisor.
pub const MAX_DIVISOR: i64 = (1 << 31) - 1;
/// The longest history of filters, in bytes.
pub const MAX_HISTORY: usize = 8192;
/// The maximum number of photos in one image.
pub const MAX_PHOTOS: usize = 16;

/// The pixels that the client uses outside the photo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Border {
    /// The nearest edge pixel.
    #[default]
    Replicate,
    /// The photo mirrored at its edge pixels, which are not repeated: `c b | a b c | b a`.
    Reflect,
    /// Black.
    Zero,
}

impl Border {
    /// All policies.
    pub const ALL: [Self; 3] = [Self::Replicate, Self::Reflect, Self::Zero];

    /// The policy's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replicate => "replicate",
            Self::Reflect => "reflect",
            Self::Zero => "zero",
        }
    }

    /// The policy with this name.
    ///
    /// # Errors
    /// [`Code::BadArgument`].
    pub fn from_name(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|border| border.as_str() == name).ok_or_else(|| {
            Error::new(Code::BadArgument, format!("no border policy '{name}'; choose replicate, reflect or zero"))
        })
    }

    /// The coordinate inside `0..size` used for `position`, or `None` for black. `size` is at least 1.
    #[must_use]
    pub fn source(self, position: i64, size: u32) -> Option<u32> {
        let size = i64::from(size);
        let inside = match self {
            _ if (0..size).contains(&position) => position,
            Self::Zero => return None,
            Self::Replicate => position.clamp(0, size - 1),
            Self::Reflect => {
                let period = (2 * (size - 1)).max(1);
                let folded = position.rem_euclid(period);
                folded.min(period - folded).min(size - 1)
            }
        };
        u32::try_from(inside).ok()
    }
}

/// The shape of an encrypted image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The photo's width in pixels, at least 1.
    pub width: u32,
    /// The photo's height in pixels, at least 1.
    pub height: u32,
    /// Colour planes: 1 (grey) or 3 (red, green, blue).
    pub channels: u8,
    /// The policy that the client used.
    pub border: Border,
    /// Tiles across and down.
    pub grid: (u16, u16),
    /// Pixels around each tile, left and right, above and below.
    pub halo: (u16, u16),
    /// The width of a slot in bits.
    pub slot_bits: u8,
}

impl Layout {
    /// Chooses the grid that needs the fewest ciphertexts under a key of `modulus_bits` bits.
    ///
    /// # Errors
    /// [`Code::ImageTooLarge`] or [`Code::BadArgument`] if a number is out of range.
    pub fn plan(
        (width, height): (u32, u32),
        channels: u8,
        border: Border,
        halo: (u16, u16),
        slot_bits: u8,
        modulus_bits: u16,
    ) -> Result<Self> {
        let mut layout = Self { width, height, channels, border, grid: (1, 1), halo, slot_bits };
        layout.check(modulus_bits)?;
        let tiles = slots(modulus_bits, slot_bits) / u32::from(channels);
        let candidates = (1..=tiles.min(width)).filter_map(|across| {
            let down = (tiles / across).min(height);
            Some((u16::try_from(across).ok()?, u16::try_from(down).ok()?))
        });
        let cost = |grid: (u16, u16)| {
            let tried = Self { grid, ..layout.clone() };
            u64::from(tried.columns()) * u64::from(tried.rows())
        };
        if let Some(best) = candidates.min_by_key(|&grid| cost(grid)) {
            // No tile may lie completely outside the photo: shrink the grid to the number of tiles of this size that are
            // needed.
            layout.grid = best;
            let (tile_width, tile_height) = layout.tile();
            let shrink = |size: u32, tile: u32, tiles: u16| u16::try_from(size.div_ceil(tile)).unwrap_or(tiles);
            layout.grid = (shrink(width, tile_width, best.0), shrink(height, tile_height, best.1));
        }
        Ok(layout)
    }

    /// Checks that every number is in range and the slots fit the key.
    ///
    /// # Errors
    /// [`Code::ImageTooLarge`] for a photo of more than [`MAX_PIXELS`], otherwise [`Code::BadArgument`].
    pub fn check(&self, modulus_bits: u16) -> Result<()> {
        let bad = |what: String| Err(Error::new(Code::BadArgument, what));
        if self.width == 0 || self.height == 0 {
            return bad("a photo has at least one pixel".into());
        }
        if u64::from(self.width) * u64::from(self.height) > MAX_PIXELS {
            return Err(Error::new(
                Code::ImageTooLarge,
                format!(
                    "the photo has {} x {} pixels, more than 16 megapixels ({MAX_PIXELS}); make it smaller first",
                    self.width, self.height
                ),
            ));
        }
        if !matches!(self.channels, 1 | 3) {
            return bad(format!("{} colour planes are not supported, only 1 or 3", self.channels));
        }
        if self.halo.0 > MAX_HALO || self.halo.1 > MAX_HALO {
            return bad(format!("a radius of more than {MAX_HALO} pixels is not supported"));
        }
        if !(8..=MAX_SLOT_BITS).contains(&self.slot_bits) {
            return bad(format!("slots have 8 to {MAX_SLOT_BITS} bits, not {}", self.slot_bits));
        }
        let (across, down) = (u32::from(self.grid.0), u32::from(self.grid.1));
        if across == 0 || down == 0 || across > self.width || down > self.height {
            return bad(format!("a grid of {across} x {down} tiles does not fit the photo"));
        }
        if across * down * u32::from(self.channels) > slots(modulus_bits, self.slot_bits) {
            return bad(format!("{across} x {down} tiles do not fit into a key of {modulus_bits} bits"));
        }
        Ok(())
    }

    /// The size of a tile without its halo, in pixels.
    #[must_use]
    pub fn tile(&self) -> (u32, u32) {
        (self.width.div_ceil(u32::from(self.grid.0)), self.height.div_ceil(u32::from(self.grid.1)))
    }

    /// The number of ciphertexts in a row: the tile's width with its halo.
    #[must_use]
    pub fn columns(&self) -> u32 {
        self.tile().0 + 2 * u32::from(self.halo.0)
    }

    /// The number of rows of ciphertexts: the tile's height with its halo.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.tile().1 + 2 * u32::from(self.halo.1)
    }

    /// The number of used slots in each plaintext.
    #[must_use]
    pub fn used_slots(&self) -> u32 {
        u32::from(self.grid.0) * u32::from(self.grid.1) * u32::from(self.channels)
    }

    /// The position `(channel, x, y)` of the pixel in slot `slot` of ciphertext `(column, row)`. Coordinates that are negative
    /// or beyond the photo's size belong to the halo or to a tile that extends beyond the edge.
    #[must_use]
    pub fn pixel(&self, slot: u32, column: u32, row: u32) -> (u8, i64, i64) {
        let (across, down) = (u32::from(self.grid.0), u32::from(self.grid.1));
        let (tile_width, tile_height) = self.tile();
        let (tile_x, tile_y) = (slot % across, slot / across % down);
        let x = i64::from(tile_x * tile_width) + i64::from(column) - i64::from(self.halo.0);
        let y = i64::from(tile_y * tile_height) + i64::from(row) - i64::from(self.halo.1);
        // At most 2, since there are at most three planes.
        (u8::try_from(slot / across / down).unwrap_or(u8::MAX), x, y)
    }
}

/// The number of slots in a plaintext. The packed number stays below `2^(modulus_bits - 1)`, and therefore below `n`.
#[must_use]
pub fn slots(modulus_bits: u16, slot_bits: u8) -> u32 {
    (u32::from(modulus_bits) - 1) / u32::from(slot_bits.max(1))
}

/// The meaning of the value in a slot: `slot = raw + bias`, and the pixel is `raw / divisor`, rounded half up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The smallest `raw` that can occur.
    pub low: i64,
    /// The largest `raw` that can occur.
    pub high: i64,
    /// The number added to every slot so that none is negative: `low + bias >= 0`.
    pub bias: i64,
    /// The divisor of `raw`, from 1 to [`MAX_DIVISOR`].
    pub divisor: i64,
}

impl Encoding {
    /// The eight-bit samples of a photo.
    pub const SAMPLES: Self = Self { low: 0, high: 255, bias: 0, divisor: 1 };

    /// Checks that the numbers are consistent and fit a slot of `slot_bits` bits.
    ///
    /// # Errors
    /// [`Code::SlotOverflow`] if the slot is too narrow, [`Code::BadHeader`] if the numbers are inconsistent.
    pub fn check(&self, slot_bits: u8) -> Result<()> {
        let limit = 1i64 << 62;
        let bounded = [self.low, self.high, self.bias].iter().all(|v| (-limit..limit).contains(v));
        if !bounded || self.low > self.high || self.low + self.bias < 0 || !(1..=MAX_DIVISOR).contains(&self.divisor) {
            return Err(Error::new(Code::BadHeader, "the bounds of the slots are inconsistent"));
        }
        let pixel = |raw: i64| i32::try_from(raw / self.divisor).is_ok_and(|v| v.abs() < 1 << 30);
        if !pixel(self.low) || !pixel(self.high) {
            return Err(Error::new(
                Code::SlotOverflow,
                "the filtered values are larger than 30 bits; use a larger divisor",
            ));
        }
        let needed = bits_for(self.high + self.bias);
        if needed > slot_bits {
            return Err(Error::new(
                Code::SlotOverflow,
                format!(
                    "the filter's weights need slots of {needed} bits, but the photo was encrypted with {slot_bits}; \
                     encrypt it again with --slot-bits {needed} (or --for with the filter)"
                ),
            ));
        }
        Ok(())
    }

    /// The pixel for the value in a slot: divided and rounded half up (towards positive infinity).
    #[must_use]
    pub fn pixel(&self, slot: i64) -> i64 {
        let raw = slot - self.bias;
        (2 * raw + self.divisor).div_euclid(2 * self.divisor)
    }
}

/// The number of bits for values from 0 to `largest`, at least 1.
#[must_use]
pub fn bits_for(largest: i64) -> u8 {
    u8::try_from(64 - largest.max(1).leading_zeros()).unwrap_or(64)
}

/// The description of an encrypted image, without its ciphertexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageHead {
    /// The key it is encrypted under.
    pub key: Arc<PublicKey>,
    /// The place of the pixels.
    pub layout: Layout,
    /// The meaning of the slots.
    pub encoding: Encoding,
    /// The applied filters, oldest first, as their canonical texts joined by "; ". After a filter of two images, those applied
    /// to the second image follow in brackets.
    pub history: String,
    /// The origins of the masks of the encrypted photos, in the order of the photos: 1 to [`MAX_PHOTOS`].
    pub origins: Vec<Origin>,
}

impl ImageHead {
    /// The total number of ciphertexts.
    #[must_use]
    pub fn ciphertexts(&self) -> u64 {
        u64::from(self.layout.columns()) * u64::from(self.layout.rows())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn borders() {
        let row = |border: Border, size| (-4..8).map(|x| border.source(x, size)).collect::<Vec<_>>();
        let some = |v: &[u32]| v.iter().map(|&x| Some(x)).collect::<Vec<_>>();
        assert_eq!(row(Border::Replicate, 3), some(&[0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2]));
        assert_eq!(row(Border::Reflect, 3), some(&[0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]));
        assert_eq!(row(Border::Reflect, 1), some(&[0; 12]));
        assert_eq!(row(Border::Reflect, 2), some(&[0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]));
        assert_eq!(Border::Zero.source(-1, 3), None);
    }

    #[test]
    fn rounding_is_half_up() {
        let encoding = Encoding { low: -100, high: 100, bias: 100, divisor: 4 };
        for (raw, pixel) in [(0, 0), (1, 0), (2, 1), (5, 1), (6, 2), (-1, 0), (-2, 0), (-3, -1), (-6, -1), (-7, -2)] {
            assert_eq!(encoding.pixel(raw + 100), pixel, "{raw}");
        }
    }

    #[test]
    fn a_512_photo_needs_few_ciphertexts() {
        let layout = Layout::plan((512, 512), 3, Border::Replicate, (1, 1), 12, 2048).expect("layout");
        let bytes = u64::from(layout.columns()) * u64::from(layout.rows()) * 512;
        assert!(bytes * 10 < 512 * 512 * 3 * 36, "{bytes} bytes are more than 3.6 per sample");
    }

    proptest! {
        #[test]
        fn every_pixel_lies_in_exactly_one_tile(width in 1u32..60, height in 1u32..60, colour in any::<bool>(), halo in (0u16..5, 0u16..5), slot_bits in 8u8..48) {
            let channels = if colour { 3 } else { 1 };
            let layout = Layout::plan((width, height), channels, Border::Replicate, halo, slot_bits, 2048).expect("layout");
            layout.check(2048).expect("a planned layout is valid");
            let mut seen = vec![0u8; (width * height) as usize * usize::from(channels)];
            for row in u32::from(halo.1)..layout.rows() - u32::from(halo.1) {
                for column in u32::from(halo.0)..layout.columns() - u32::from(halo.0) {
                    for slot in 0..layout.used_slots() {
                        let (channel, x, y) = layout.pixel(slot, column, row);
                        if x < i64::from(width) && y < i64::from(height) {
                            seen[usize::try_from((y * i64::from(width) + x) * i64::from(channels) + i64::from(channel)).expect("inside")] += 1;
                        }
                    }
                }
            }
            prop_assert!(seen.iter().all(|&count| count == 1));
        }
    }
}
