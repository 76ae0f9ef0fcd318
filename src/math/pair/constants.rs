//! A kernel's constants for a modulus.

use num_bigint::BigUint;
use num_traits::One as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::digits::{all_limbs, digit_mask, digit_of};

/// The maximum number of bits in digits that are also stored as floats.
const FLOAT_BITS: u32 = 51;

/// A kernel's constants for a modulus.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Constants {
    /// The digits of `n`, least significant first.
    pub digits: Vec<u64>,
    /// The same as floats, for kernels whose digits are short enough.
    pub floats: Vec<f64>,
    /// `-1 / n` modulo the digit size.
    pub inverse: u64,
    /// The digits of `1 - R` modulo `n`. Added to `R - 1 - m`, whose digits are the complements of a Montgomery quotient's
    /// digits, they give a nonnegative number congruent to `-m`.
    pub start: Vec<u64>,
}

impl Constants {
    pub(super) fn new(n: &BigUint, digits: usize, bits: u32) -> Self {
        let cut = |number: &BigUint| -> Vec<u64> {
            let limbs = all_limbs(number);
            (0..digits).map(|digit| digit_of(&limbs, digit, bits)).collect()
        };
        let n_digits = cut(n);
        let mut inverse = 1u64;
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(n_digits[0].wrapping_mul(inverse)));
        }
        let r = BigUint::one() << (digits as u64 * u64::from(bits));
        let start = cut(&((n + 1u8 - r % n) % n));
        let floats = if bits <= FLOAT_BITS { n_digits.iter().map(|&digit| float(digit)).collect() } else { Vec::new() };
        Self { digits: n_digits, floats, inverse: inverse.wrapping_neg() & digit_mask(bits), start }
    }

    /// Checks that the slices hold `vectors` words for each digit, because kernels access them unchecked.
    ///
    /// # Panics
    /// If a slice has another length.
    pub(super) fn check_lengths<const N: usize>(&self, vectors: usize, lengths: [usize; N]) {
        assert!(lengths == [vectors * self.digits.len(); N], "batches of this modulus");
    }
}

/// Converts a digit to a float.
#[expect(clippy::cast_precision_loss, reason = "floats hold whole numbers of 53 bits")]
pub(super) fn float(digit: u64) -> f64 {
    digit as f64
}
