//! Arithmetic modulo `n` on many numbers at a time: on the lower halves of pairs, and on numbers to add to the upper halves.

use num_bigint::BigUint;

use super::PairModulus;
use super::batch::{Batch, LowBatch};
use super::digits::{digit_of, limbs_of, subtract_if_not_below};
use crate::math::montgomery::{Limb, from_limbs, to_limbs};
use crate::math::words::Words;

impl PairModulus {
    /// `a b` modulo `n` if both are in Montgomery form; otherwise `a b / R`.
    #[must_use]
    pub fn mul_low(&self, a: &LowBatch, b: &LowBatch) -> LowBatch {
        let mut out = self.empty_low();
        self.kernel.mul_low(&self.constants, &mut out.0, &a.0, &b.0);
        out
    }

    /// The lower halves: the numbers modulo `n`.
    #[must_use]
    pub fn low(&self, batch: &Batch) -> LowBatch {
        let mut low = self.empty_low();
        low.0.copy_from_slice(&batch.0[..self.half()]);
        low
    }

    /// `batch + x n`: adds `x` to the upper halves. The result may be used in one product with a number below `n^2`.
    pub fn add_to_high(&self, batch: &mut Batch, x: &LowBatch) {
        let half = self.half();
        self.add_digits(&mut batch.0[half..], &x.0);
    }

    /// `x / R` modulo `n` for numbers below `n R / 16`, given as limbs, one for each lane. Lanes without a number are zero.
    #[must_use]
    pub fn load_low<'a>(&self, numbers: impl IntoIterator<Item = &'a [Limb]>) -> LowBatch {
        let (first, second) = self.two_parts(numbers);
        let mut reduced = self.empty();
        self.kernel.reduce(&self.constants, &mut reduced.0, &first.0);
        self.add_digits(&mut reduced.0[..self.half()], &second.0);
        self.low(&reduced)
    }

    /// Converts numbers below `n R / 16`, given as limbs, one for each lane, to Montgomery form. Lanes without a number are
    /// zero.
    #[must_use]
    pub fn enter_low<'a>(&self, numbers: impl IntoIterator<Item = &'a [Limb]>) -> LowBatch {
        self.mul_low(&self.load_low(numbers), &self.low(&self.cube))
    }

    /// A number below `n` in every lane, in plain form.
    #[must_use]
    pub fn plain_low(&self, number: &BigUint) -> LowBatch {
        let mut low = self.empty_low();
        let limbs = to_limbs(number, self.n_limbs.len());
        let (lanes, bits) = (self.lanes(), self.kernel.digit_bits());
        for (digit, words) in low.0.chunks_exact_mut(lanes).enumerate() {
            words.fill(digit_of(&limbs, digit, bits));
        }
        low
    }

    /// The numbers of all lanes without conversion, reduced. They must be below `2 n`.
    #[must_use]
    pub fn leave_low(&self, low: &LowBatch) -> Vec<BigUint> {
        let (lanes, bits) = (self.lanes(), self.kernel.digit_bits());
        let number = |lane| {
            let mut limbs = limbs_of(&low.0, lane, lanes, bits, self.n_limbs.len());
            subtract_if_not_below(&mut limbs, &self.n_limbs);
            from_limbs(&limbs)
        };
        (0..lanes).map(number).collect()
    }

    pub(super) fn empty_low(&self) -> LowBatch {
        LowBatch(Words::new(self.half()))
    }
}
