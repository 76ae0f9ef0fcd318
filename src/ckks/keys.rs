//! What the owner of a secret key gives to others.

use std::collections::BTreeMap;

use super::ring::{Poly, Ring};
use super::sample::{Seed, uniform};

/// The fingerprint of a key pair: the first bytes of SHA-256 of its public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 16]);

/// With it anybody can encrypt: `(-a s + e, a)` at the highest level, where `a` comes from the seed.
#[derive(Clone, Debug)]
pub struct PublicKey {
    pub(super) b: Poly,
    pub(super) a: Poly,
    pub(super) seed: Seed,
    pub(super) id: KeyId,
}

impl PublicKey {
    /// The fingerprint.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What the second half is made from.
    #[must_use]
    pub const fn seed(&self) -> &Seed {
        &self.seed
    }
}

/// From one secret to another: for each digit of the levels' primes, `(-a s + e + P g s', a)` modulo these primes and the
/// special ones, whose product is `P`. The digit's `g` is 1 modulo its own primes and 0 modulo the others (K. Han, D. Ki,
/// "Better bootstrapping for approximate homomorphic encryption", CT-RSA 2020, section 3).
#[derive(Clone, Debug)]
pub struct SwitchKey {
    pub(super) level: usize,
    pub(super) seed: Seed,
    /// For each digit.
    pub(super) b: Vec<Poly>,
    pub(super) a: Vec<Poly>,
}

impl SwitchKey {
    /// The key whose second halves come from the seed.
    pub(super) fn new(ring: &Ring, level: usize, seed: Seed, b: Vec<Poly>) -> Self {
        let a = (0u32..).zip(&b).map(|(digit, b)| uniform(ring, b.basis(), &seed, digit)).collect();
        Self { level, seed, b, a }
    }

    /// The highest level where it can be used.
    #[must_use]
    pub const fn level(&self) -> usize {
        self.level
    }

    /// What the second halves are made from.
    #[must_use]
    pub const fn seed(&self) -> &Seed {
        &self.seed
    }
}

/// What computing needs of a key pair.
#[derive(Clone, Debug)]
pub struct EvaluationKeys {
    pub(super) id: KeyId,
    pub(super) relinearise: Option<SwitchKey>,
    /// By their elements.
    pub(super) galois: BTreeMap<u64, SwitchKey>,
}

impl EvaluationKeys {
    /// None yet, for the key pair with this fingerprint.
    #[must_use]
    pub const fn new(id: KeyId) -> Self {
        Self { id, relinearise: None, galois: BTreeMap::new() }
    }

    /// The fingerprint of the key pair.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Takes the key for products.
    pub fn set_relinearise(&mut self, key: SwitchKey) {
        self.relinearise = Some(key);
    }

    /// Takes the key for an automorphism.
    pub fn insert_galois(&mut self, element: u64, key: SwitchKey) {
        self.galois.insert(element, key);
    }
}
