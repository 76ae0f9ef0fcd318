//! The maps `f(X) -> f(X^g)`, which rotate the slots of a vector or conjugate them.

/// The element of conjugation: `-1`, read modulo twice the degree.
pub const CONJUGATION: u64 = u64::MAX;

/// The element that rotates slots to the left by `steps`, or to the right if it is negative: `5^steps` modulo twice the degree.
#[must_use]
pub fn rotation(degree: usize, steps: i64) -> u64 {
    let modulus = 2 * degree as u64;
    let steps = steps.rem_euclid((degree / 2).cast_signed() as i64);
    (0..steps).fold(1, |power, _| power * 5 % modulus)
}

use crate::math::limb::{BLOCK, Blocks, Limb};

/// The permutation of values by an automorphism.
///
/// Place `i` holds the value at the power `2 rev(i) + 1` of the root, so it receives the value at that power times `g`. The
/// eight places of a block differ only in the highest bits of their powers, so they come from a single block again. Their order
/// depends on `g` and on the carry into these bits.
pub(in super::super) struct Permutation(Blocks);

impl Permutation {
    /// The permutation for the automorphism of this element.
    #[expect(clippy::cast_possible_truncation, reason = "degrees have at most 17 bits")]
    pub(super) fn new(degree: usize, element: u64) -> Self {
        let blocks = degree / BLOCK;
        let bits = blocks.trailing_zeros();
        let reversed = |number: u64, bits: u32| if bits == 0 { 0 } else { number.reverse_bits() >> (u64::BITS - bits) };
        let source = |block: u64| {
            let power = (2 * reversed(block, bits) + 1).wrapping_mul(element);
            let (carry, low) = (power >> (bits + 1) & (BLOCK as u64 - 1), power >> 1 & (blocks as u64 - 1));
            (reversed(low, bits) << BLOCK.trailing_zeros() | carry) as u32
        };
        let order = |carry: usize| {
            let from = |place: usize| {
                let high =
                    reversed(place as u64, BLOCK.trailing_zeros()).wrapping_mul(element).wrapping_add(carry as u64);
                reversed(high & (BLOCK as u64 - 1), BLOCK.trailing_zeros())
            };
            std::array::from_fn(from)
        };
        Self(Blocks::new((0..blocks as u64).map(source).collect(), std::array::from_fn(order)))
    }

    /// Permutes the values.
    pub(in super::super) fn apply(&self, limb: Limb, values: &[u64], out: &mut [u64]) {
        limb.moved(out, values, &self.0);
    }
}
