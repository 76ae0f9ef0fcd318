//! The steps for each block, and their application.

use rand_chacha::ChaCha20Rng;

use super::label::Label;
use super::secret::MasterKey;
use super::sheet::Sheet;
use crate::error::{Code, Error, Result};
use crate::math::random;

/// The six orders of three channels. Each entry says where a channel of the result comes from.
pub const ORDERS: [[u8; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// The transformation of one block on its way to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The block of the clear sheet that moves here, counted row by row.
    pub from: u32,
    /// Quarter turns, clockwise: 0 to 3.
    pub turns: u8,
    /// Mirrored afterwards: 1 across, 2 down, 3 both.
    pub mirror: u8,
    /// Whether samples are negated.
    pub negate: bool,
    /// The index into [`ORDERS`].
    pub order: u8,
}

/// The steps for all blocks of a sheet, in the order of their places in the scrambled one.
pub struct Plan {
    block: usize,
    /// The sheet's width in pixels.
    width: usize,
    channels: usize,
    steps: Vec<Step>,
}

impl Plan {
    /// The plan for a key and a label.
    ///
    /// # Errors
    /// None in practice.
    pub fn new(key: &MasterKey, label: &Label) -> Result<Self> {
        let count =
            u32::try_from(label.blocks()).map_err(|_| Error::new(Code::Internal, "there are too many blocks"))?;
        let numbers = |step| key.step(&label.nonce, step);
        let (mut places, mut turns, mut signs, mut orders) = (numbers(1)?, numbers(2)?, numbers(3)?, numbers(4)?);
        let order = random::permutation(&mut places, count)?;
        let (width, _, channels) = label.sheet_size();
        let steps = order.into_iter().map(|from| {
            Ok(Step {
                from,
                turns: draw(&mut turns, 4)?,
                mirror: draw(&mut turns, 4)?,
                negate: draw(&mut signs, 2)? == 1,
                order: if channels == 3 { draw(&mut orders, 6)? } else { 0 },
            })
        });
        let steps = steps.collect::<Result<_>>()?;
        Ok(Self { block: usize::from(label.block), width: width as usize, channels: usize::from(channels), steps })
    }

    /// The steps, in the order of the places in the scrambled sheet.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The side of a block in pixels.
    #[must_use]
    pub const fn block(&self) -> usize {
        self.block
    }

    /// The number of blocks across.
    #[must_use]
    pub const fn across(&self) -> usize {
        self.width / self.block
    }

    /// Applies all steps to a sheet of the label's size.
    #[must_use]
    pub fn scramble(&self, sheet: &Sheet) -> Sheet {
        let mut samples = vec![0; sheet.samples.len()];
        self.walk(|clear, scrambled, mask| samples[scrambled] = sheet.samples[clear] ^ mask);
        Sheet { samples, ..*sheet }
    }

    /// Undoes all steps.
    #[must_use]
    pub fn unscramble(&self, sheet: &Sheet) -> Sheet {
        let mut samples = vec![0; sheet.samples.len()];
        self.walk(|clear, scrambled, mask| samples[clear] = sheet.samples[scrambled] ^ mask);
        Sheet { samples, ..*sheet }
    }

    /// The origins of all samples: entry `i` is the position in the clear sheet of the sample at position `i` of the scrambled
    /// one, and whether it is negated there.
    #[must_use]
    pub fn origins(&self) -> Vec<(usize, bool)> {
        let mut origins = vec![(0, false); self.steps.len() * self.block * self.block * self.channels];
        self.walk(|clear, scrambled, mask| origins[scrambled] = (clear, mask != 0));
        origins
    }

    /// Calls `put(clear, scrambled, mask)` for every sample: its positions in the clear and in the scrambled sheet, and the
    /// mask that is applied by exclusive or.
    #[inline]
    fn walk(&self, put: impl FnMut(usize, usize, u8)) {
        // If the number of channels is a constant, the compiler unrolls the innermost loop.
        if self.channels == 3 { self.walk_with::<3>(put) } else { self.walk_with::<1>(put) }
    }

    #[inline]
    fn walk_with<const CHANNELS: usize>(&self, mut put: impl FnMut(usize, usize, u8)) {
        let (block, line) = (self.block, self.width * CHANNELS);
        let across = self.width / block;
        let corner = |number: usize| (number / across) * block * line + (number % across) * block * CHANNELS;
        for (place, step) in self.steps.iter().enumerate() {
            let (to, from) = (corner(place), corner(step.from as usize));
            let mask = if step.negate { 255 } else { 0 };
            // A single channel keeps its place.
            let order: [usize; CHANNELS] = std::array::from_fn(|c| ORDERS[usize::from(step.order)][c].into());
            // The origin of the first pixel, and the distances from there to the origins of the next pixel across and of the
            // next one down, which may be negative.
            let clear = |x, y| {
                let (u, v) = origin(step.turns, step.mirror, x, y, block - 1);
                from + v * line + u * CHANNELS
            };
            let first = clear(0, 0);
            let (right, down) = (clear(1, 0).wrapping_sub(first), clear(0, 1).wrapping_sub(first));
            for y in 0..block {
                let mut clear = first.wrapping_add(down.wrapping_mul(y));
                for scrambled in (to + y * line..).step_by(CHANNELS).take(block) {
                    for (c, source) in order.iter().enumerate() {
                        put(clear + source, scrambled + c, mask);
                    }
                    clear = clear.wrapping_add(right);
                }
            }
        }
    }
}

/// The position in a clear block of the pixel that is at `(x, y)` after rotation and mirroring. `last` is the index of the
/// block's last row and column.
#[must_use]
#[inline]
pub fn origin(turns: u8, mirror: u8, x: usize, y: usize, last: usize) -> (usize, usize) {
    let x = if mirror & 1 == 1 { last - x } else { x };
    let y = if mirror & 2 == 2 { last - y } else { y };
    match turns {
        0 => (x, y),
        1 => (y, last - x),
        2 => (last - x, last - y),
        _ => (last - y, x),
    }
}

/// A uniform number below `bound`.
fn draw(rng: &mut ChaCha20Rng, bound: u8) -> Result<u8> {
    Ok(u8::try_from(random::index(rng, bound.into())?).unwrap_or(0))
}
