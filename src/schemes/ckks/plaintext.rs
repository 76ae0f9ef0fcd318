//! Encoded vectors.

use super::ring::Poly;

/// An unencrypted vector, as a polynomial.
#[derive(Clone, Debug)]
pub struct Plaintext {
    pub(super) poly: Poly,
    pub(super) level: usize,
    pub(super) scale: f64,
    pub(super) slots: usize,
}

impl Plaintext {
    /// A plaintext from a polynomial that has the level's primes.
    pub(crate) const fn from_parts(poly: Poly, level: usize, scale: f64, slots: usize) -> Self {
        Self { poly, level, scale, slots }
    }

    /// The polynomial.
    #[must_use]
    pub const fn poly(&self) -> &Poly {
        &self.poly
    }

    /// The level.
    #[must_use]
    pub const fn level(&self) -> usize {
        self.level
    }

    /// The factor by which the values were multiplied before rounding.
    #[must_use]
    pub const fn scale(&self) -> f64 {
        self.scale
    }

    /// The number of slots.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.slots
    }
}
