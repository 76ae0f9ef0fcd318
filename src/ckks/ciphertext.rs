//! Encrypted vectors.

use super::keys::KeyId;
use super::ring::Poly;
use super::sample::Seed;

/// An encrypted vector `(c_0, c_1)`, which `c_0 + c_1 s` opens.
#[derive(Clone, Debug)]
pub struct Ciphertext {
    pub(super) parts: [Poly; 2],
    pub(super) level: usize,
    pub(super) scale: f64,
    pub(super) slots: usize,
    pub(super) key: KeyId,
}

impl Ciphertext {
    /// From its parts, which have the level's primes.
    pub(crate) const fn from_parts(parts: [Poly; 2], level: usize, scale: f64, slots: usize, key: KeyId) -> Self {
        Self { parts, level, scale, slots, key }
    }

    /// Other parts, for as many slots and under the same key.
    pub(super) const fn with(&self, parts: [Poly; 2], level: usize, scale: f64) -> Self {
        Self { parts, level, scale, slots: self.slots, key: self.key }
    }

    /// `c_0` and `c_1`.
    #[must_use]
    pub const fn parts(&self) -> &[Poly; 2] {
        &self.parts
    }

    /// How many more products can follow.
    #[must_use]
    pub const fn level(&self) -> usize {
        self.level
    }

    /// What the numbers were multiplied by.
    #[must_use]
    pub const fn scale(&self) -> f64 {
        self.scale
    }

    /// How many numbers there are.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// The same read as a vector of more slots, in which it repeats itself.
    pub(crate) fn repeated(mut self, slots: usize) -> Self {
        self.slots = self.slots.max(slots);
        self
    }

    /// The key that it was encrypted under.
    #[must_use]
    pub const fn key(&self) -> KeyId {
        self.key
    }
}

/// A ciphertext as the owner of the secret key makes it: `c_1` comes from a seed, which is all that has to travel of it.
#[derive(Clone, Debug)]
pub struct Seeded {
    /// The ciphertext, whole.
    pub ciphertext: Ciphertext,
    pub(super) seed: Seed,
}

impl Seeded {
    /// What `c_1` is made from.
    #[must_use]
    pub const fn seed(&self) -> &Seed {
        &self.seed
    }
}

/// A product `(c_0, c_1, c_2)` that is not relinearised yet: `c_0 + c_1 s + c_2 s^2` opens it. Several can be added before.
#[derive(Clone, Debug)]
pub struct Product {
    pub(super) parts: [Poly; 3],
    pub(super) level: usize,
    pub(super) scale: f64,
    pub(super) slots: usize,
    pub(super) key: KeyId,
}
