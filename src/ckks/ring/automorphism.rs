//! The maps `f(X) -> f(X^g)`, which rotate the slots of a vector or conjugate them.

/// The element of conjugation: `-1`, read modulo twice the degree.
pub const CONJUGATION: u64 = u64::MAX;

/// The element that rotates slots to the left by so many steps, or to the right by those below zero: `5^steps` modulo twice
/// the degree.
#[must_use]
pub fn rotation(degree: usize, steps: i64) -> u64 {
    let modulus = 2 * degree as u64;
    let steps = steps.rem_euclid((degree / 2).cast_signed() as i64);
    (0..steps).fold(1, |power, _| power * 5 % modulus)
}

/// Where each value comes from: place `i` has the value at the power `2 rev(i) + 1` of the root, so it gets the one at
/// that power times `g`.
#[expect(clippy::cast_possible_truncation, reason = "degrees have at most 17 bits")]
pub(super) fn permutation(degree: usize, element: u64) -> Vec<u32> {
    let (mask, shift) = (2 * degree as u64 - 1, u64::BITS - degree.trailing_zeros());
    let source = |i: u64| {
        let power = 2 * (i.reverse_bits() >> shift) + 1;
        let other = power.wrapping_mul(element) & mask;
        ((other >> 1).reverse_bits() >> shift) as u32
    };
    (0..degree as u64).map(source).collect()
}
