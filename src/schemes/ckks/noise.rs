//! Bounds on the errors of computed numbers.
//!
//! Every operation adds an error polynomial. If its coefficients are practically independent, with the variance `v`, each slot
//! is a sum of many of them and so normally distributed, with a deviation of `sqrt(N v)` (A. Costache, B. R. Curtis, E.
//! Hales, S. Murphy, T. Ogilvie, R. Player, "On the precision loss in approximate homomorphic encryption", SAC 2023, section
//! 3). One slot in 10^15 exceeds six deviations. Where the error is a product of two polynomials, such as a rounding times the
//! secret, a slot is a product of two normal numbers, which is large far more often: the bound is then 16 deviations.
//!
//! Bounds are absolute errors of values, after division by the scale. `selftest` compares every operation with its bound.

use super::parameters::{DEVIATION, Secret};
use super::ring::Ring;

/// The deviations in a bound, for sums.
const SUM: f64 = 6.0;
/// The deviations in a bound, for products.
const PRODUCT: f64 = 16.0;

/// Bounds for one ring.
pub struct Noise<'a> {
    ring: &'a Ring,
}

#[expect(clippy::cast_precision_loss, reason = "degrees have at most 17 bits")]
impl<'a> Noise<'a> {
    /// The bounds for this ring.
    #[must_use]
    pub const fn new(ring: &'a Ring) -> Self {
        Self { ring }
    }

    /// The error of encoding: coefficients are rounded.
    #[must_use]
    pub fn encode(&self, scale: f64) -> f64 {
        self.bound(1.0 / 12.0, 0.0, scale)
    }

    /// The error of encryption with the secret key, including encoding.
    #[must_use]
    pub fn encrypt_as_owner(&self, scale: f64) -> f64 {
        self.bound(DEVIATION.powi(2) + 1.0 / 12.0, 0.0, scale)
    }

    /// The error of encryption with the public key, including encoding: `v e + e_0 + e_1 s`, where `v` is ternary.
    #[must_use]
    pub fn encrypt_as_anybody(&self, scale: f64) -> f64 {
        let mask = self.degree() * 2.0 / 3.0;
        let error = DEVIATION.powi(2);
        self.bound(error + 1.0 / 12.0, error * (mask + self.weight()), scale)
    }

    /// The error of rescaling, with the scale after it: both halves are rounded, and one is then multiplied by the secret.
    #[must_use]
    pub fn rescale(&self, scale: f64) -> f64 {
        self.bound(1.0 / 12.0, self.weight() / 12.0, scale)
    }

    /// The error of key switching, as in products, rotations and conjugations, at a level with a key for it: digits times
    /// errors, divided by the special primes, and a rounding error.
    #[must_use]
    pub fn switch(&self, level: usize, scale: f64) -> f64 {
        let special = self.ring.special_for(level);
        let size = |places: std::ops::Range<usize>| -> f64 {
            places.map(|place| self.ring.limb(place).prime().value() as f64).product()
        };
        let (all, first) = (self.ring.extended(level, special), self.ring.level(level).first);
        let product = size(self.ring.special(all).places());
        let digits = (0..=level).step_by(special).map(|start| {
            let digit = size(first + start..first + start + special.min(level + 1 - start)) / product;
            self.degree() * digit.powi(2) / 12.0 * DEVIATION.powi(2)
        });
        self.bound(1.0 / 12.0, digits.sum::<f64>() + self.weight() / 12.0, scale)
    }

    /// The sum of the squares of the secret's coefficients.
    fn weight(&self) -> f64 {
        match self.ring.parameters().secret {
            Secret::Ternary => self.degree() * 2.0 / 3.0,
            Secret::Sparse(weight) => weight as f64,
        }
    }

    fn degree(&self) -> f64 {
        self.ring.degree() as f64
    }

    /// The bound for errors whose coefficients have these variances.
    fn bound(&self, sum: f64, product: f64, scale: f64) -> f64 {
        let deviation = |variance: f64| (self.degree() * variance).sqrt() / scale;
        SUM * deviation(sum) + PRODUCT * deviation(product)
    }
}
