//! Learnable encryption: Tanaka, "Learnable Image Encryption" (ICCE-TW 2018).
//!
//! The 8-bit samples of each block of 4 x 4 pixels are split into 96 values of 4 bits (32 in grey). They change places, and
//! some are reversed. All blocks of a picture share the key.
//!
//! Choices made here: the lower halves of a block's samples, row by row with the channels of a pixel side by side, are its
//! first values; the upper halves follow in the same order. `shuffle` draws which of these moves to each place, by the
//! permutation of [`etc`](crate::schemes::etc)'s K1. Then `reverse` draws for each place (below 2) whether the value that moved
//! there is reversed. The author's program reverses before and after shuffling, by bits that follow from the shuffling. Our
//! bits are independent, so there are as many keys as the literature counts: `96! * 2^96`.

use rand_core::TryCryptoRng;

use super::Step;
use crate::error::Result;
use crate::math::random;
use crate::schemes::etc::{MasterKey, Nonce};

/// The side of a block in pixels.
pub const BLOCK: usize = 4;

/// The steps for a sheet of whole blocks.
pub(super) fn steps(shape: [usize; 3], key: &MasterKey, nonce: &Nonce) -> Result<Vec<Step>> {
    let length = values(shape, 0).len();
    let mut shuffle = key.stream(nonce, b"safelight le v1 shuffle")?;
    let mut reverse = key.stream(nonce, b"safelight le v1 reverse")?;
    let block = draw(length, &mut shuffle, &mut reverse)?;
    let mut steps = vec![Step::default(); blocks(shape) * length];
    for number in 0..blocks(shape) {
        let values = values(shape, number);
        for (to, step) in values.iter().zip(&block) {
            steps[*to as usize] = Step { from: values[step.from as usize], ..*step };
        }
    }
    Ok(steps)
}

/// Draws the steps within one block, whose values are numbered within the block.
pub(super) fn draw(
    length: usize,
    shuffle: &mut impl TryCryptoRng,
    reverse: &mut impl TryCryptoRng,
) -> Result<Vec<Step>> {
    let order = random::permutation(shuffle, u32::try_from(length).unwrap_or(0))?;
    order.into_iter().map(|from| Ok(Step { from, reversed: random::index(reverse, 2)? == 1 })).collect()
}

/// The number of blocks of a sheet.
pub(super) const fn blocks([width, height, _]: [usize; 3]) -> usize {
    (width / BLOCK) * (height / BLOCK)
}

/// The indices of a block's values in the sheet, in their order within the block. Blocks are counted row by row.
#[expect(clippy::cast_possible_truncation, reason = "sheets with more values are refused")]
pub(super) fn values([width, _, channels]: [usize; 3], block: usize) -> Vec<u32> {
    let across = width / BLOCK;
    let (left, top) = (block % across * BLOCK, block / across * BLOCK);
    let samples = (0..BLOCK).flat_map(|y| {
        let row = ((top + y) * width + left) * channels;
        (row..row + BLOCK * channels).map(|sample| 2 * sample as u32)
    });
    let lower: Vec<u32> = samples.collect();
    lower.iter().copied().chain(lower.iter().map(|value| value + 1)).collect()
}
