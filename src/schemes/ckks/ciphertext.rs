//! Encrypted vectors.

use super::keys::KeyId;
use super::ring::Poly;
use super::sample::Seed;

/// An encrypted vector `(c_0, c_1)`, which `c_0 + c_1 s` decrypts.
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

    /// The number of products that can still follow.
    #[must_use]
    pub const fn level(&self) -> usize {
        self.level
    }

    /// The factor by which the values were multiplied.
    #[must_use]
    pub const fn scale(&self) -> f64 {
        self.scale
    }

    /// The number of values.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// The same, read as a vector of fewer slots, of whose values it consists repeatedly.
    pub(crate) fn read_as(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }

    /// The same, read as a vector of more slots with repeated values.
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

/// A ciphertext made by the owner of the secret key: `c_1` comes from a seed, so only the seed needs to be sent.
#[derive(Clone, Debug)]
pub struct Seeded {
    /// The whole ciphertext.
    pub ciphertext: Ciphertext,
    pub(super) seed: Seed,
}

impl Seeded {
    /// The seed of `c_1`.
    #[must_use]
    pub const fn seed(&self) -> &Seed {
        &self.seed
    }
}

/// A product `(c_0, c_1, c_2)` before relinearisation: `c_0 + c_1 s + c_2 s^2` decrypts it. Several can be added first.
#[derive(Clone, Debug)]
pub struct Product {
    pub(super) parts: [Poly; 3],
    pub(super) level: usize,
    pub(super) scale: f64,
    pub(super) slots: usize,
    pub(super) key: KeyId,
}
