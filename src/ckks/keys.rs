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
    /// How many special primes there are, and how many primes each digit has.
    pub(super) special: usize,
    pub(super) seed: Seed,
    /// For each digit.
    pub(super) b: Vec<Poly>,
    pub(super) a: Vec<Poly>,
}

impl SwitchKey {
    /// The key whose second halves come from the seed.
    pub(super) fn new(ring: &Ring, level: usize, special: usize, seed: Seed, b: Vec<Poly>) -> Self {
        let a = (0u32..).zip(&b).map(|(digit, b)| uniform(ring, b.basis(), &seed, digit)).collect();
        Self { level, special, seed, b, a }
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
    pub(super) relinearise: Vec<SwitchKey>,
    /// By their elements.
    pub(super) galois: BTreeMap<u64, Vec<SwitchKey>>,
    pub(super) encapsulation: Option<Encapsulation>,
}

/// To a sparse secret, under which a ciphertext is raised, and back (J.-P. Bossuat, J. Troncoso-Pastoriza, J.-P. Hubaux,
/// "Bootstrapping for approximate homomorphic encryption with negligible failure-probability by using sparse-secret
/// encapsulation", ACNS 2022).
#[derive(Clone, Debug)]
pub struct Encapsulation {
    /// At level 0, with one special prime: all that is ever public under the sparse secret.
    pub(super) to_sparse: SwitchKey,
    pub(super) back: SwitchKey,
}

impl EvaluationKeys {
    /// None yet, for the key pair with this fingerprint.
    #[must_use]
    pub const fn new(id: KeyId) -> Self {
        Self { id, relinearise: Vec::new(), galois: BTreeMap::new(), encapsulation: None }
    }

    /// The fingerprint of the key pair.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Takes a key for products. There may be several, for different levels: the lower a key's level, the quicker it is.
    pub fn insert_relinearise(&mut self, key: SwitchKey) {
        self.relinearise.push(key);
    }

    /// Takes a key for an automorphism. There may be several, for different levels.
    pub fn insert_galois(&mut self, element: u64, key: SwitchKey) {
        self.galois.entry(element).or_default().push(key);
    }

    /// Takes the keys for bootstrapping.
    pub fn set_encapsulation(&mut self, keys: Encapsulation) {
        self.encapsulation = Some(keys);
    }
}
