//! Conversion of numbers to batches and back.
//!
//! To *load* a number `c = c_0 + c_1 R`, `c_0` is reduced by one Montgomery reduction, and `c_1` is added. The result is
//! `c / R`, for less than half of a product's work. As a number in Montgomery form it represents `c / R^2`. A product of loaded
//! numbers must be corrected at the end by the factor [`PairModulus::unload_factor`]. This correction is free, because
//! converting numbers from Montgomery form takes a product anyway.

use std::borrow::Cow;

use num_bigint::BigUint;
use num_integer::Integer as _;
use num_traits::One as _;

use super::PairModulus;
use super::batch::{Batch, LowBatch};
use super::digits::{add_one_if, all_limbs, digit_mask, digit_of, limbs_of, subtract_if_not_below};
use crate::math::montgomery::{Limb, add_product, from_limbs, to_limbs};

impl PairModulus {
    /// Loads plain numbers below `n^2`, given as limbs, one for each lane: `c / R^2` in Montgomery form. Lanes without a number
    /// are `1 / R^2`.
    #[must_use]
    pub fn load<'a>(&self, numbers: impl IntoIterator<Item = &'a [Limb]>) -> Batch {
        let filled = numbers.into_iter().chain(std::iter::repeat(&[1][..]));
        let (first, second) = self.two_parts(filled);
        let mut loaded = self.empty();
        self.kernel.reduce(&self.constants, &mut loaded.0, &first.0);
        self.add_digits(&mut loaded.0[..self.half()], &second.0);
        loaded
    }

    /// The plain factor that corrects a product of loaded numbers, to be passed to [`Self::leave_times`]. `count` is the number
    /// of loaded numbers in the product minus the number of those that it was divided by.
    ///
    /// # Panics
    /// Never: the factor is a power of two, and `n` is odd.
    #[must_use]
    pub fn unload_factor(&self, count: i64) -> BigUint {
        let squared = self.n().pow(2);
        let power = (BigUint::one() << (2 * self.bits_of_r())).modpow(&BigUint::from(count.unsigned_abs()), &squared);
        if count < 0 { power.modinv(&squared).expect("a power of two has an inverse") } else { power }
    }

    /// Converts plain numbers below `n^2`, given as limbs, one for each lane, to Montgomery form. Lanes without a number are
    /// one.
    #[must_use]
    pub fn enter<'a>(&self, numbers: impl IntoIterator<Item = &'a [Limb]>) -> Batch {
        let loaded = self.load(numbers);
        let mut entered = self.empty();
        self.mul(&mut entered, &loaded, &self.cube);
        entered
    }

    /// Like [`Self::enter`], for numbers of the big-number library.
    #[must_use]
    pub fn enter_numbers(&self, numbers: &[BigUint]) -> Batch {
        let limbs: Vec<_> = numbers.iter().map(|number| to_limbs(number, self.width())).collect();
        self.enter(limbs.iter().map(Vec::as_slice))
    }

    /// Loads plain numbers of any size modulo `n^2`, given as limbs, one for each lane: in Montgomery form, they represent
    /// `c / R`. Lanes without a number are zero.
    #[must_use]
    pub fn load_long(&self, numbers: &[&[Limb]]) -> Batch {
        // Each part has one digit less than R, so that it can be added to a number below 2 n.
        let size = self.digits - 1;
        let longest = numbers.iter().map(|number| number.len()).max().unwrap_or(0) * Limb::BITS as usize;
        let parts = longest.div_ceil(size * self.kernel.digit_bits() as usize);
        let mut sum = self.empty();
        let mut product = self.empty();
        for part in (0..parts).rev() {
            let digits = self.cut(numbers.iter().copied(), part * size, size);
            if part + 1 < parts {
                self.mul(&mut product, &sum, &self.part);
                std::mem::swap(&mut sum, &mut product);
            }
            self.add_digits(&mut sum.0[..self.half()], &digits.0);
        }
        sum
    }

    /// One number in every lane, in Montgomery form.
    #[must_use]
    pub fn broadcast(&self, number: &BigUint) -> Batch {
        self.enter_numbers(&vec![number.clone(); self.lanes()])
    }

    /// A number below `n^2` in every lane, in plain form.
    #[must_use]
    pub fn plain(&self, number: &BigUint) -> Batch {
        let mut batch = self.empty();
        let (h, l) = number.div_rem(&self.n());
        let half = self.half();
        for (words, number) in batch.0.chunks_exact_mut(half).zip([l, h]) {
            words.copy_from_slice(&self.plain_low(&number).0);
        }
        batch
    }

    /// Converts the numbers of all lanes from Montgomery form, fully reduced.
    #[must_use]
    pub fn leave(&self, batch: &Batch) -> Vec<BigUint> {
        self.leave_limbs(batch, self.width()).chunks_exact(self.width()).map(from_limbs).collect()
    }

    /// Like [`Self::leave`], as limbs, `width` for each lane. `width` must suffice for `n^2`.
    #[must_use]
    pub fn leave_limbs(&self, batch: &Batch, width: usize) -> Vec<Limb> {
        let lanes = self.lanes();
        let mut unit = self.empty();
        unit.0[..lanes].fill(1);
        self.leave_times(batch, &unit, width)
    }

    /// Like [`Self::leave_limbs`], times a [`Self::plain`] number.
    #[must_use]
    pub fn leave_times(&self, batch: &Batch, factor: &Batch, width: usize) -> Vec<Limb> {
        let mut plain = self.empty();
        self.mul(&mut plain, batch, factor);
        let size = self.n_limbs.len() - 1;
        let mut all = vec![0; self.lanes() * width];
        for (lane, out) in all.chunks_exact_mut(width).enumerate() {
            let (l, h) = self.halves(&plain, lane);
            out[..size].copy_from_slice(&l[..size]);
            for (i, &digit) in h[..size].iter().enumerate() {
                let carry = add_product(&mut out[i..i + size], &self.n_limbs[..size], digit);
                if let Some(next) = out.get_mut(i + size) {
                    *next = carry;
                }
            }
        }
        all
    }

    /// The halves of a plain number in a product, reduced below `n`, with a zero limb on top.
    #[must_use]
    pub fn halves(&self, plain: &Batch, lane: usize) -> (Vec<Limb>, Vec<Limb>) {
        let (half, lanes, bits, size) = (self.half(), self.lanes(), self.kernel.digit_bits(), self.n_limbs.len());
        // With R >= 16 n, both are below 2 n now.
        let mut l = limbs_of(&plain.0[..half], lane, lanes, bits, size);
        let mut h = limbs_of(&plain.0[half..], lane, lanes, bits, size);
        let carry = subtract_if_not_below(&mut l, &self.n_limbs);
        add_one_if(&mut h, carry);
        subtract_if_not_below(&mut h, &self.n_limbs);
        (l, h)
    }

    /// A batch of consecutive numbers from a row of batches, starting at number `first`. Numbers beyond the end of the row are
    /// one.
    #[must_use]
    pub fn gather<'a>(&self, row: &'a [Batch], first: usize) -> Cow<'a, Batch> {
        let lanes = self.lanes();
        let (group, shift) = (first / lanes, first % lanes);
        let left = row.get(group).unwrap_or(&self.one);
        if shift == 0 {
            return row.get(group).map_or_else(|| Cow::Owned(self.one.clone()), Cow::Borrowed);
        }
        let right = row.get(group + 1).unwrap_or(&self.one);
        let mut shifted = self.empty();
        let digits = shifted.0.chunks_exact_mut(lanes);
        for ((out, left), right) in digits.zip(left.0.chunks_exact(lanes)).zip(right.0.chunks_exact(lanes)) {
            out[..lanes - shift].copy_from_slice(&left[shift..]);
            out[lanes - shift..].copy_from_slice(&right[..shift]);
        }
        Cow::Owned(shifted)
    }

    /// The digits of one lane.
    #[must_use]
    pub fn lane(&self, batch: &Batch, lane: usize) -> Vec<u64> {
        batch.0.iter().skip(lane).step_by(self.lanes()).copied().collect()
    }

    /// The number of digits that [`Self::lane`] returns.
    #[must_use]
    pub fn lane_words(&self) -> usize {
        2 * self.digits
    }

    /// Sets one lane to digits that [`Self::lane`] returned.
    pub fn set_lane(&self, batch: &mut Batch, lane: usize, digits: &[u64]) {
        for (words, &digit) in batch.0.chunks_exact_mut(self.lanes()).zip(digits) {
            words[lane] = digit;
        }
    }

    /// Sets each lane to digits that [`Self::lane`] returned.
    ///
    /// # Panics
    /// If the number of slices is not the number of lanes, or a slice has the wrong length.
    pub fn set_lanes(&self, batch: &mut Batch, lanes: &[&[u64]]) {
        fn interleave<const N: usize>(words: &mut [u64], lanes: &[&[u64]]) {
            let lanes: [&[u64]; N] = std::array::from_fn(|lane| lanes[lane]);
            for (digit, words) in words.as_chunks_mut::<N>().0.iter_mut().enumerate() {
                *words = std::array::from_fn(|lane| lanes[lane][digit]);
            }
        }
        assert!(lanes.len() == self.lanes() && lanes.iter().all(|lane| lane.len() == self.lane_words()));
        match lanes.len() {
            1 => batch.0.copy_from_slice(lanes[0]),
            2 => interleave::<2>(&mut batch.0, lanes),
            4 => interleave::<4>(&mut batch.0, lanes),
            8 => interleave::<8>(&mut batch.0, lanes),
            _ => lanes.iter().enumerate().for_each(|(lane, digits)| self.set_lane(batch, lane, digits)),
        }
    }

    /// The lower and the upper halves of numbers below `R^2`: each number modulo `R`, and divided by `R`.
    pub(super) fn two_parts<'a>(&self, numbers: impl IntoIterator<Item = &'a [Limb]>) -> (LowBatch, LowBatch) {
        let numbers: Vec<_> = numbers.into_iter().take(self.lanes()).collect();
        let part = |part: usize| self.cut(numbers.iter().copied(), part * self.digits, self.digits);
        (part(0), part(1))
    }

    /// `count` digits of each number, starting at digit `first`.
    fn cut<'a>(&self, numbers: impl Iterator<Item = &'a [Limb]>, first: usize, count: usize) -> LowBatch {
        let (lanes, bits) = (self.lanes(), self.kernel.digit_bits());
        let mut part = self.empty_low();
        for (lane, limbs) in numbers.take(lanes).enumerate() {
            for (digit, words) in part.0.chunks_exact_mut(lanes).take(count).enumerate() {
                words[lane] = digit_of(limbs, first + digit, bits);
            }
        }
        part
    }

    /// Adds numbers below `2 n`. The sum may only be multiplied by a number below `n^2`.
    pub fn add(&self, a: &mut Batch, b: &Batch) {
        for (a, b) in a.0.chunks_exact_mut(self.half()).zip(b.0.chunks_exact(self.half())) {
            self.add_digits(a, b);
        }
    }

    /// `a += b` in each lane, with carries from digit to digit.
    pub(super) fn add_digits(&self, a: &mut [u64], b: &[u64]) {
        let lanes = self.lanes();
        let bits = self.kernel.digit_bits();
        let mask = digit_mask(bits);
        let mut carry = vec![0u64; lanes];
        for (a, b) in a.chunks_exact_mut(lanes).zip(b.chunks_exact(lanes)) {
            for ((a, b), carry) in a.iter_mut().zip(b).zip(&mut carry) {
                let sum = u128::from(*a) + u128::from(*b) + u128::from(*carry);
                #[expect(clippy::cast_possible_truncation, reason = "taking the digits apart")]
                {
                    *a = sum as u64 & mask;
                    *carry = (sum >> bits) as u64;
                }
            }
        }
    }
}

/// The limbs of a number, with one more zero limb than it needs.
pub(super) fn limbs_and_zero(n: &BigUint) -> Vec<Limb> {
    let mut limbs = all_limbs(n);
    limbs.push(0);
    limbs
}
