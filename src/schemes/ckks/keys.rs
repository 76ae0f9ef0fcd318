//! The public keys that belong to a secret key.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::ring::{Poly, Ring};
use super::sample::{Seed, uniform};

/// The fingerprint of a key pair: the first bytes of the SHA-256 of its public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 16]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A public key, with which anyone can encrypt: `(-a s + e, a)` at the highest level, where `a` comes from the seed.
#[derive(Clone, Debug)]
pub struct PublicKey {
    pub(super) b: Poly,
    pub(super) a: Poly,
    pub(super) seed: Seed,
    pub(super) id: KeyId,
}

impl PublicKey {
    /// A key whose second half comes from `seed`, with its fingerprint: the first bytes of the SHA-256 of the set's number, the
    /// seed and the words of the first half.
    pub(crate) fn new(ring: &Ring, seed: Seed, b: Poly) -> Self {
        let mut digest = Sha256::new_with_prefix(ring.parameters().id.to_le_bytes());
        digest.update(seed);
        for word in b.words() {
            digest.update(word.to_le_bytes());
        }
        let digest = digest.finalize();
        let a = uniform(ring, b.basis(), &seed, 0);
        Self { b, a, seed, id: KeyId(std::array::from_fn(|i| digest[i])) }
    }

    /// The first half.
    #[must_use]
    pub const fn b(&self) -> &Poly {
        &self.b
    }

    /// The second half.
    #[must_use]
    pub const fn a(&self) -> &Poly {
        &self.a
    }
    /// The fingerprint.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The seed of the second half.
    #[must_use]
    pub const fn seed(&self) -> &Seed {
        &self.seed
    }
}

/// A key that converts from a secret `s'` to another secret `s`: for each digit of the levels' primes, `(-a s + e + P g s', a)`
/// modulo these primes and the special ones, whose product is `P`. The digit's `g` is 1 modulo its own primes and 0 modulo the
/// others (K. Han, D. Ki, "Better bootstrapping for approximate homomorphic encryption", CT-RSA 2020, section 3).
#[derive(Clone, Debug)]
pub struct SwitchKey {
    pub(super) level: usize,
    /// The number of special primes, which is also the number of primes of each digit.
    pub(super) special: usize,
    pub(super) seed: Seed,
    /// The first half of each digit.
    pub(super) b: Vec<Poly>,
    pub(super) a: Vec<Poly>,
}

impl SwitchKey {
    /// A key whose second halves come from `seed`.
    pub(crate) fn new(ring: &Ring, level: usize, special: usize, seed: Seed, b: Vec<Poly>) -> Self {
        let a = (0u32..).zip(&b).map(|(digit, b)| uniform(ring, b.basis(), &seed, digit)).collect();
        Self { level, special, seed, b, a }
    }

    /// The highest level at which the key can be used.
    #[must_use]
    pub const fn level(&self) -> usize {
        self.level
    }

    /// The number of special primes, which is also the number of primes of each digit.
    #[must_use]
    pub const fn special(&self) -> usize {
        self.special
    }

    /// The first half of each digit.
    #[must_use]
    pub fn b(&self) -> &[Poly] {
        &self.b
    }

    /// The seed of the second halves.
    #[must_use]
    pub const fn seed(&self) -> &Seed {
        &self.seed
    }
}

/// The evaluation keys of a key pair. They are shared, so that a part of a large set can be used for a part of the work.
#[derive(Clone, Debug)]
pub struct EvaluationKeys {
    pub(super) id: KeyId,
    pub(super) relinearise: Vec<Arc<SwitchKey>>,
    /// The keys for automorphisms, by element.
    pub(super) galois: BTreeMap<u64, Vec<Arc<SwitchKey>>>,
    pub(super) encapsulation: Option<Encapsulation>,
}

/// Keys to a sparse secret, under which a ciphertext is raised, and from it back (J.-P. Bossuat, J. Troncoso-Pastoriza, J.-P.
/// Hubaux, "Bootstrapping for approximate homomorphic encryption with negligible failure-probability by using sparse-secret
/// encapsulation", ACNS 2022).
#[derive(Clone, Debug)]
pub struct Encapsulation {
    /// At level 0, with one special prime: nothing else under the sparse secret is ever public.
    pub(super) to_sparse: Arc<SwitchKey>,
    pub(super) back: Arc<SwitchKey>,
}

impl Encapsulation {
    /// Combines the key to the sparse secret and the key from it back.
    #[must_use]
    pub fn new(to_sparse: impl Into<Arc<SwitchKey>>, back: impl Into<Arc<SwitchKey>>) -> Self {
        Self { to_sparse: to_sparse.into(), back: back.into() }
    }

    /// The key to the sparse secret.
    #[must_use]
    pub const fn to_sparse(&self) -> &Arc<SwitchKey> {
        &self.to_sparse
    }

    /// The key from the sparse secret back.
    #[must_use]
    pub const fn back(&self) -> &Arc<SwitchKey> {
        &self.back
    }
}

impl EvaluationKeys {
    /// An empty set for the key pair with this fingerprint.
    #[must_use]
    pub const fn new(id: KeyId) -> Self {
        Self { id, relinearise: Vec::new(), galois: BTreeMap::new(), encapsulation: None }
    }

    /// The fingerprint of the key pair.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The relinearisation keys.
    #[must_use]
    pub fn relinearise(&self) -> &[Arc<SwitchKey>] {
        &self.relinearise
    }

    /// The keys for automorphisms with their elements, smallest first.
    pub fn galois(&self) -> impl Iterator<Item = (u64, &Arc<SwitchKey>)> {
        self.galois.iter().flat_map(|(&element, keys)| keys.iter().map(move |key| (element, key)))
    }

    /// The keys for bootstrapping.
    #[must_use]
    pub const fn encapsulation(&self) -> Option<&Encapsulation> {
        self.encapsulation.as_ref()
    }

    /// Adds a relinearisation key. There may be several, for different levels: keys for lower levels are faster.
    pub fn insert_relinearise(&mut self, key: impl Into<Arc<SwitchKey>>) {
        self.relinearise.push(key.into());
    }

    /// Adds a key for an automorphism. There may be several, for different levels.
    pub fn insert_galois(&mut self, element: u64, key: impl Into<Arc<SwitchKey>>) {
        self.galois.entry(element).or_default().push(key.into());
    }

    /// Sets the keys for bootstrapping.
    pub fn set_encapsulation(&mut self, keys: Encapsulation) {
        self.encapsulation = Some(keys);
    }
}
