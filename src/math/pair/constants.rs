//! What a kernel needs to know of a modulus.

use num_bigint::BigUint;
use num_traits::One as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::digits::{all_limbs, digit_mask, digit_of};

/// The longest digits that are kept as floats too, in bits.
const FLOAT_BITS: u32 = 51;

/// What a kernel needs to know of a modulus.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Constants {
    /// Digits of `n`, least significant first.
    pub digits: Vec<u64>,
    /// The same as floats, for kernels with digits short enough for that.
    pub floats: Vec<f64>,
    /// `-1 / n` modulo the digit size.
    pub inverse: u64,
    /// Digits of `1 - R` modulo `n`: added to `R - 1 - m`, whose digits are the complements of a Montgomery quotient's, it
    /// makes a number congruent to `-m` that is not negative.
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

    /// Makes sure that slices hold `vectors` words for each digit: kernels read and write without looking.
    ///
    /// # Panics
    /// If they do not.
    pub(super) fn check_lengths<const N: usize>(&self, vectors: usize, lengths: [usize; N]) {
        assert!(lengths == [vectors * self.digits.len(); N], "batches of this modulus");
    }
}

/// A digit as float.
#[expect(clippy::cast_precision_loss, reason = "floats hold whole numbers of 53 bits")]
pub(super) fn float(digit: u64) -> f64 {
    digit as f64
}
