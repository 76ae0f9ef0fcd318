//! Bootstrapping: new levels for an exhausted ciphertext (J. H. Cheon, K. Han, A. Kim, M. Kim, Y. Song, EUROCRYPT 2018).
//!
//! 1. *Slots to coefficients*, at the lowest levels, where it is cheap: the values become coefficients of the polynomial.
//! 2. *Raising*: a polynomial modulo the base prime `q` is read modulo all primes. It decrypts to the message plus `q` times
//!    a polynomial `I`, whose coefficients are small because this happens under a sparse secret (see
//!    [`Encapsulation`](super::keys::Encapsulation)) of weight 40: all have absolute values of at most 16, except with the
//!    probability [`failure_bits`].
//! 3. *Coefficients to slots*, in as many matrices as the parameter set has levels for.
//! 4. *Reduction modulo `q`*: a coefficient `t = m + q I` goes through a function of period `q` that is close to `m` where
//!    `m` is small: with `x = 2 pi t / q`, through `q / 2 pi (8 sin x - sin 2 x) / 6`, where the third power cancels and the
//!    fifth leaves an error of `x^4 / 30` of `m`. This takes one Chebyshev polynomial. Doubling the angle of a smaller one,
//!    as others do, would need the same number of levels, and two more to compensate for the sine's third power.

use num_complex::Complex64;

use super::ciphertext::Ciphertext;
use super::encode::Encoder;
use super::evaluator::Evaluator;
use super::linear::EncodedMatrix;
use super::matrix::Matrix;
use super::parameters::{Parameters, SPARSE_WEIGHT};
use super::polynomial::Polynomial;
use super::ring::{Basis, CONJUGATION, Poly, Ring, rotation};
use super::switch::{After, switch};
use crate::error::{Code, Error, Result};

/// The binary logarithm of the probability that a bootstrap fails with this set: below -60 for all sets. A coefficient of `I`
/// is a rounded sum of numbers uniform between -1/2 and 1/2; their number is one more than the sparse secret's weight. The sum
/// must not exceed `REACH` in either direction. There are as many coefficients as the degree.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "there are at most 2^16")]
pub fn failure_bits(set: &Parameters) -> f64 {
    (2.0 * set.degree() as f64).log2() + tail_bits(SPARSE_WEIGHT as f64 + 1.0, REACH)
}

/// The binary logarithm of the probability that the sum of `terms` uniform numbers between -1/2 and 1/2 is above `limit` (J. O.
/// Irwin and P. Hall, 1927): the sum over `k` of `(-1)^k binomial(terms, k) (corner - k)^terms / terms!`, where `corner` is the
/// distance from the limit to the largest possible sum.
fn tail_bits(terms: f64, limit: f64) -> f64 {
    let corner = terms / 2.0 - limit;
    let (mut volume, mut binomial, mut k) = (0.0, 1.0, 0.0);
    while k < corner {
        volume += binomial * libm::pow((corner - k) / corner, terms);
        binomial *= -(terms - k) / (k + 1.0);
        k += 1.0;
    }
    volume.log2() + terms * corner.log2() - libm::lgamma(terms + 1.0) / std::f64::consts::LN_2
}

/// The bound on the multiples of `q`, plus 1/2 for the message.
const REACH: f64 = 16.5;
/// The degree of the function's approximation, whose error is then below 2^-38.
const DEGREE: usize = 255;
/// The number of levels that the polynomial consumes.
const REDUCTION: usize = 9;
/// The maximum number of matrices from slots to coefficients.
const LOW_GROUPS: usize = 3;

/// The type of a vector's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Real numbers, for half of the work.
    Real,
    /// Complex numbers.
    Complex,
}

/// The part of bootstrapping that does not depend on keys: the matrices, the polynomial, and the list of required keys.
pub struct Plan {
    slots: usize,
    numbers: Numbers,
    to_coefficients: Vec<Matrix>,
    to_slots: Vec<Matrix>,
    remainder: Polynomial,
}

impl Plan {
    /// A plan for vectors of `slots` slots.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the ring's set has no levels for bootstrapping, or does not support the number of slots.
    pub fn new(ring: &Ring, encoder: &Encoder, slots: usize, numbers: Numbers) -> Result<Self> {
        let set = ring.parameters();
        if set.raised == 0 {
            let message = format!("the parameter set {:?} has no levels for bootstrapping", set.name);
            return Err(Error::new(Code::BadArgument, message));
        }
        if !slots.is_power_of_two() || slots < 2 || slots > set.slots() {
            let message = format!("cannot bootstrap {slots} slots; use a power of two from 2 to {}", set.slots());
            return Err(Error::new(Code::BadArgument, message));
        }
        let (forward, backward) = encoder.layers(slots);
        // At most half of the levels. The way back takes as many matrices as the set has levels for.
        let to_coefficients = grouped(&forward, LOW_GROUPS.min(set.levels / 2));
        let mut to_slots = grouped(&backward, set.raised - REDUCTION);
        // The sum of a number and its conjugate is twice the real part.
        to_slots[0].scale(0.5);
        let angle = |x: f64| 2.0 * std::f64::consts::PI * REACH * x;
        let remainder = |x: f64| (8.0 * libm::sin(angle(x)) - libm::sin(2.0 * angle(x))) / 6.0;
        let remainder = Polynomial::interpolate(remainder, DEGREE)?;
        Ok(Self { slots, numbers, to_coefficients, to_slots, remainder })
    }

    /// The elements of the rotations for which keys are needed, each with its level; the conjugation comes last.
    #[must_use]
    pub fn keys(&self, ring: &Ring) -> Vec<(u64, usize)> {
        let element = |step: i64| rotation(ring.degree(), step);
        let top = ring.top();
        let mut keys: Vec<(u64, usize)> = self.folds(ring).map(|step| (element(step), top)).collect();
        for (i, matrix) in self.to_coefficients.iter().enumerate() {
            let level = self.to_coefficients.len() - i;
            keys.extend(matrix.steps().into_iter().map(|step| (element(step), level)));
        }
        for (i, matrix) in self.to_slots.iter().enumerate() {
            keys.extend(matrix.steps().into_iter().map(|step| (element(step), top - i)));
        }
        keys.push((CONJUGATION, top - self.to_slots.len()));
        // Levels that need the same number of special primes share a key.
        keys.sort_unstable_by_key(|&(element, level)| (element, std::cmp::Reverse(level)));
        keys.dedup_by_key(|&mut (element, level)| (element, ring.special_for(level)));
        keys
    }

    /// The rotations to add up, so that only the coefficients of a vector with fewer slots remain.
    fn folds(&self, ring: &Ring) -> impl Iterator<Item = i64> {
        let (slots, all) = (self.slots, ring.parameters().slots());
        std::iter::successors(Some(slots), |step| Some(step * 2))
            .take_while(move |&step| step < all)
            .map(|step| step.cast_signed() as i64)
    }

    /// Encodes the matrices.
    ///
    /// # Errors
    /// None in practice.
    pub fn encode(self, evaluator: &Evaluator) -> Result<Bootstrapper> {
        let ring = &evaluator.ring;
        let low = self.to_coefficients.len();
        let to_coefficients = self.to_coefficients.iter().zip((1..=low).rev());
        let to_coefficients =
            to_coefficients.map(|(matrix, level)| evaluator.encode_matrix(matrix, level)).collect::<Result<_>>()?;
        let (top, high) = (ring.top(), self.to_slots.len());
        let raised = raised_scale(ring, self.slots);
        let to_slots = self.to_slots.iter().enumerate().map(|(i, matrix)| {
            let level = top - i;
            // The last matrix also changes the scale to that of the levels for the reduction.
            let factor = if i + 1 == high { ring.scale(level - 1) / raised } else { 1.0 };
            evaluator.encode_matrix_at(matrix, level, ring.divisor(level) * factor)
        });
        let to_slots = to_slots.collect::<Result<_>>()?;
        Ok(Bootstrapper { plan: self, to_coefficients, to_slots })
    }
}

/// The divisor that brings raised slots between -1 and 1. They are up to [`REACH`] times `q`, and folding a vector of few slots
/// has made them larger.
#[expect(clippy::cast_precision_loss, reason = "there are at most 2^16")]
fn raised_scale(ring: &Ring, slots: usize) -> f64 {
    ring.divisor(0) * REACH * (ring.parameters().slots() / slots) as f64
}

/// Multiplies consecutive matrices, so that at most `groups` remain.
fn grouped(layers: &[Matrix], groups: usize) -> Vec<Matrix> {
    let size = |group: usize| layers.len() * (group + 1) / groups - layers.len() * group / groups;
    let mut rest = layers;
    let mut all = Vec::new();
    for group in 0..groups {
        let (some, others) = rest.split_at(size(group));
        rest = others;
        if let Some((first, some)) = some.split_first() {
            all.push(some.iter().fold(first.clone(), |product, layer| layer.times(&product)));
        }
    }
    all
}

/// Bootstraps vectors with a fixed number of slots.
pub struct Bootstrapper {
    plan: Plan,
    to_coefficients: Vec<EncodedMatrix>,
    to_slots: Vec<EncodedMatrix>,
}

impl Bootstrapper {
    /// The lowest level that a ciphertext must have.
    #[must_use]
    pub const fn needed_level(&self) -> usize {
        self.to_coefficients.len()
    }
}

impl Evaluator {
    /// Returns the same numbers at the set's usual level and scale. Their absolute values must not exceed 1.
    ///
    /// # Errors
    /// [`Code::LevelExhausted`] below [`Bootstrapper::needed_level`]; [`Code::VectorsDiffer`] for another number of slots;
    /// [`Code::MissingKey`] without the keys that [`Plan::keys`] lists, one for products, or those of the encapsulation.
    pub fn bootstrap(&self, bootstrapper: &Bootstrapper, a: &Ciphertext) -> Result<Ciphertext> {
        let level = bootstrapper.needed_level();
        let mut a = self.adjust(a, level, self.ring.scale(level))?;
        for matrix in &bootstrapper.to_coefficients {
            a = self.rescale(&self.apply(matrix, &a)?)?;
        }
        let scale = a.scale;
        let mut a = self.raise(&a)?;
        for step in bootstrapper.plan.folds(&self.ring) {
            a = self.add(&a, &self.rotate(&a, step)?)?;
        }
        a.scale = raised_scale(&self.ring, a.slots);
        for matrix in &bootstrapper.to_slots {
            a = self.rescale(&self.apply(matrix, &a)?)?;
        }
        a.scale = self.ring.scale(a.level);
        let conjugate = self.conjugate(&a)?;
        let real = self.reduce(&bootstrapper.plan, &self.add(&a, &conjugate)?, scale)?;
        if bootstrapper.plan.numbers == Numbers::Real {
            return Ok(real);
        }
        let unit = Complex64::new(0.0, 1.0);
        let imaginary = self.mul_constant(&self.sub(&a, &conjugate)?, -unit, 1.0)?;
        let imaginary = self.reduce(&bootstrapper.plan, &imaginary, scale)?;
        self.add(&real, &self.mul_constant(&imaginary, unit, 1.0)?)
    }

    /// Reads a ciphertext of level 0 modulo all primes, under a sparse secret.
    fn raise(&self, a: &Ciphertext) -> Result<Ciphertext> {
        let ring = &self.ring;
        let missing =
            || Error::new(Code::MissingKey, "there are no keys for bootstrapping; the key's owner must make them");
        let keys = self.keys.encapsulation.as_ref().ok_or_else(missing)?;
        let first = |first| After { add: [Some(first), None], permutation: None };
        let sparse = switch(ring, &a.parts[1], 0, &keys.to_sparse, &first(&a.parts[0]));
        let (top, base) = (ring.top(), Basis { count: 1, ..ring.level(0) });
        let [b, a1] = sparse.map(|part| {
            let coefficients = part.coefficients(ring, base);
            let prime = ring.limb(base.first).prime();
            Poly::from_coefficients(ring, ring.level(top), |place, limb| {
                ring.limb(place).centred(limb, &coefficients, prime);
            })
        });
        Ok(a.with(switch(ring, &a1, top, &keys.back, &first(&b)), top, a.scale))
    }

    /// Removes multiples of `q` from numbers divided by [`REACH`] times `q`. `scale` is the factor of the message.
    fn reduce(&self, plan: &Plan, a: &Ciphertext, scale: f64) -> Result<Ciphertext> {
        let ring = &self.ring;
        let level = ring.parameters().levels;
        // The factor of the message in the result.
        let factor = 2.0 * std::f64::consts::PI * scale / ring.divisor(0);
        let mut a = self.polynomial_to(&plan.remainder, a, level, ring.scale(level) / factor)?;
        a.scale = ring.scale(level);
        Ok(a)
    }
}

#[cfg(all(test, feature = "client"))]
mod tests;
