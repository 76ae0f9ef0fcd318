//! Encrypted vectors.

use super::keys::KeyId;
use super::ring::Poly;
use super::sample::Seed;

/// An encrypted vector `(c_0, c_1)`; decryption computes `c_0 + c_1 s`.
#[derive(Clone, Debug)]
pub struct Ciphertext {
    pub(super) parts: [Poly; 2],
    pub(super) level: usize,
    pub(super) scale: f64,
    pub(super) slots: usize,
    pub(super) key: KeyId,
}

impl Ciphertext {
    /// A ciphertext from its parts, which have the level's primes.
    pub(crate) const fn from_parts(parts: [Poly; 2], level: usize, scale: f64, slots: usize, key: KeyId) -> Self {
        Self { parts, level, scale, slots, key }
    }

    /// A ciphertext with other parts, level and scale, but the same number of slots and key.
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

    /// The number of slots.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// The same ciphertext, read as a vector of fewer slots, which the encrypted vector must repeat.
    pub(crate) fn read_as(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }

    /// The same ciphertext, read as a vector of more slots, in which the values are repeated.
    pub(crate) fn repeated(mut self, slots: usize) -> Self {
        self.slots = self.slots.max(slots);
        self
    }

    /// The key under which the vector is encrypted.
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

/// A product `(c_0, c_1, c_2)` before relinearisation; decryption would compute `c_0 + c_1 s + c_2 s^2`. Products can be added
/// before they are relinearised.
#[derive(Clone, Debug)]
pub struct Product {
    pub(super) parts: [Poly; 3],
    pub(super) level: usize,
    pub(super) scale: f64,
    pub(super) slots: usize,
    pub(super) key: KeyId,
}
