//! Encoding of vectors of complex numbers as polynomials with integer coefficients, and back.
//!
//! A polynomial in `X^(N / 2n)` with real coefficients is given by its values at `n` roots of unity, the powers `5^j` of the
//! first one; the values at the others are their conjugates. The transform between them has `log n` layers (the "special"
//! transform of J. H. Cheon, K. Han, A. Kim, M. Kim, Y. Song, "Bootstrapping for approximate homomorphic encryption", EUROCRYPT
//! 2018). Multiplied by the scale and rounded, the coefficients are a plaintext.
//!
//! Roots are computed by `libm`, so that browsers and servers get the same bits.

use std::collections::BTreeMap;

use num_complex::Complex64;

use super::matrix::Matrix;
use super::plaintext::Plaintext;
use super::ring::{Basis, Poly, Ring};
use crate::error::{Code, Error, Result};
use crate::math::residue::Prime;

/// The maximum size of a plaintext's coefficients, in bits. Larger floats would have no precision left.
const MOST_BITS: i32 = 120;

/// The transform between slots and coefficients for one ring.
pub struct Encoder {
    /// `exp(2 pi i k / 2 N)`.
    roots: Vec<Complex64>,
    /// `5^j` modulo `2 N`.
    powers: Vec<usize>,
}

impl Encoder {
    /// An encoder for this ring.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "degrees have at most 17 bits")]
    pub fn new(ring: &Ring) -> Self {
        let order = 2 * ring.degree();
        let root = |k: usize| {
            let (sin, cos) = libm::sincos(2.0 * std::f64::consts::PI * k as f64 / order as f64);
            Complex64::new(cos, sin)
        };
        let powers = std::iter::successors(Some(1), |power| Some(power * 5 % order));
        Self { roots: (0..order).map(root).collect(), powers: powers.take(order / 4).collect() }
    }

    /// Encodes complex numbers as a plaintext at this level and scale. If there are fewer numbers than slots, the other slots
    /// are zero. A vector with fewer slots than the maximum repeats itself.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for a number of slots that is not a power of two, too large for the ring, or less than the count
    /// of numbers; [`Code::PlaintextOutOfRange`] for numbers that are not finite or too large for the scale.
    pub fn encode(
        &self,
        ring: &Ring,
        values: &[Complex64],
        slots: usize,
        level: usize,
        scale: f64,
    ) -> Result<Plaintext> {
        let poly = self.polynomial(ring, values, slots, ring.level(level), scale)?;
        Ok(Plaintext { poly, level, scale, slots })
    }

    /// Encodes real numbers, like [`Encoder::encode`].
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_real(
        &self,
        ring: &Ring,
        values: &[f64],
        slots: usize,
        level: usize,
        scale: f64,
    ) -> Result<Plaintext> {
        let values: Vec<_> = values.iter().map(|&value| Complex64::new(value, 0.0)).collect();
        self.encode(ring, &values, slots, level, scale)
    }

    /// The polynomial of these numbers modulo the primes of any basis.
    pub(crate) fn polynomial(
        &self,
        ring: &Ring,
        values: &[Complex64],
        slots: usize,
        basis: Basis,
        scale: f64,
    ) -> Result<Poly> {
        self.check(slots)?;
        if values.len() > slots {
            let message = format!("{} numbers do not fit into {slots} slots", values.len());
            return Err(Error::new(Code::BadArgument, message));
        }
        let mut values = values.to_vec();
        values.resize(slots, Complex64::default());
        if !values.iter().all(|value| value.is_finite()) {
            return Err(Error::new(Code::PlaintextOutOfRange, "a value to encrypt is infinite or NaN"));
        }
        self.to_coefficients(&mut values);
        let coefficients = values.iter().map(|w| w.re).chain(values.iter().map(|w| w.im));
        let coefficients = coefficients.map(|c| whole(c * scale)).collect::<Result<Vec<_>>>()?;
        let gap = ring.degree() / (2 * slots);
        Ok(Poly::from_coefficients(ring, basis, |place, limb| {
            let prime = ring.limb(place).prime();
            limb.fill(0);
            for (i, &coefficient) in coefficients.iter().enumerate() {
                limb[i * gap] = residue(coefficient, prime);
            }
        }))
    }

    /// The numbers of a polynomial with these coefficients, divided by the scale.
    pub(super) fn decode(&self, coefficients: &[f64], slots: usize) -> Vec<Complex64> {
        let gap = coefficients.len() / (2 * slots);
        let mut values: Vec<_> =
            (0..slots).map(|i| Complex64::new(coefficients[i * gap], coefficients[(i + slots) * gap])).collect();
        self.to_slots(&mut values);
        values
    }

    fn check(&self, slots: usize) -> Result<()> {
        if slots.is_power_of_two() && slots <= self.powers.len() {
            return Ok(());
        }
        let message = format!("{slots} slots are not supported; use a power of two up to {}", self.powers.len());
        Err(Error::new(Code::BadArgument, message))
    }

    /// The root of a butterfly with `length` numbers.
    fn root(&self, j: usize, length: usize) -> Complex64 {
        let order = 4 * length;
        self.roots[self.powers[j] % order * (self.roots.len() / order)]
    }

    /// The layers of the transform to slots, without the bit reversal that precedes them, and their inverses, each in the order
    /// of application.
    pub(super) fn layers(&self, slots: usize) -> (Vec<Matrix>, Vec<Matrix>) {
        let lengths: Vec<usize> = (1..=slots.trailing_zeros()).map(|log| 1 << log).collect();
        let forward = lengths.iter().map(|&length| self.layer(slots, length, false));
        let backward = lengths.iter().rev().map(|&length| self.layer(slots, length, true));
        (forward.collect(), backward.collect())
    }

    /// One layer: with `r` the root of a butterfly, `(a, b)` becomes `(a + r b, a - r b)`, or back.
    fn layer(&self, slots: usize, length: usize, inverse: bool) -> Matrix {
        let half = length / 2;
        let mut diagonals: BTreeMap<usize, Vec<Complex64>> = BTreeMap::new();
        let mut set = |row: usize, column: usize, entry: Complex64| {
            let diagonal = (column + slots - row) % slots;
            diagonals.entry(diagonal).or_insert_with(|| vec![Complex64::default(); slots])[row] = entry;
        };
        for low in (0..slots).filter(|i| i % length < half) {
            let (root, high, one) = (self.root(low % length, length), low + half, Complex64::new(1.0, 0.0));
            let [[a, b], [c, d]] = if inverse {
                [[one / 2.0, one / 2.0], [root.conj() / 2.0, -root.conj() / 2.0]]
            } else {
                [[one, root], [one, -root]]
            };
            set(low, low, a);
            set(low, high, b);
            set(high, low, c);
            set(high, high, d);
        }
        Matrix::new(slots, diagonals)
    }

    /// Transforms the pairs of coefficients `w_k = c_k + i c_(k + n)` to values.
    fn to_slots(&self, w: &mut [Complex64]) {
        reverse(w);
        let mut length = 2;
        while length <= w.len() {
            for group in w.chunks_exact_mut(length) {
                let (low, high) = group.split_at_mut(length / 2);
                for (j, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    let product = *b * self.root(j, length);
                    (*a, *b) = (*a + product, *a - product);
                }
            }
            length *= 2;
        }
    }

    /// The inverse of [`Encoder::to_slots`].
    #[expect(clippy::cast_precision_loss, reason = "there are at most 2^16")]
    pub(super) fn to_coefficients(&self, z: &mut [Complex64]) {
        let mut length = z.len();
        while length > 1 {
            for group in z.chunks_exact_mut(length) {
                let (low, high) = group.split_at_mut(length / 2);
                for (j, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    (*a, *b) = (*a + *b, (*a - *b) * self.root(j, length).conj());
                }
            }
            length /= 2;
        }
        reverse(z);
        let scale = 1.0 / z.len() as f64;
        for z in z {
            *z *= scale;
        }
    }
}

/// Applies the bit-reversal permutation.
fn reverse(values: &mut [Complex64]) {
    let shift = usize::BITS - values.len().trailing_zeros();
    for i in 0..values.len() {
        let j = if values.len() > 1 { i.reverse_bits() >> shift } else { i };
        if i < j {
            values.swap(i, j);
        }
    }
}

/// The closest integer.
#[expect(clippy::cast_possible_truncation, reason = "the size is checked")]
pub(super) fn whole(number: f64) -> Result<i128> {
    if number.abs() < f64::powi(2.0, MOST_BITS) {
        return Ok(number.round_ties_even() as i128);
    }
    let message = "a number is too large for the scale; use smaller numbers or a smaller scale";
    Err(Error::new(Code::PlaintextOutOfRange, message))
}

/// The residue of an integer.
#[expect(clippy::cast_possible_truncation, reason = "a residue is from 0 on and below the prime")]
pub(super) fn residue(number: i128, prime: Prime) -> u64 {
    match i64::try_from(number) {
        Ok(small) => small.rem_euclid(prime.value().cast_signed()) as u64,
        Err(_) => number.rem_euclid(i128::from(prime.value())) as u64,
    }
}

#[cfg(test)]
mod tests;
