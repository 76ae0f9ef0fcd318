//! Polynomials modulo `X^N + 1` and a product of primes, as residues modulo each of the primes.

mod automorphism;
mod poly;
mod pool;
mod primes;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) use automorphism::Permutation;

use super::parameters::Parameters;
use crate::error::{Code, Error, Result};
use crate::math::kernel::Kernel;
use crate::math::limb::{Conversion, Limb};
use crate::math::ntt::Transform;
use crate::math::residue::Prime;

pub use automorphism::{CONJUGATION, rotation};
pub use poly::Poly;
use pool::Pool;
pub use pool::Room;

/// A range of a ring's primes: first the special ones, then those of the levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Basis {
    /// The place of the first prime.
    pub first: usize,
    /// The number of primes.
    pub count: usize,
}

impl Basis {
    /// The places.
    #[must_use]
    pub fn places(self) -> std::ops::Range<usize> {
        self.first..self.first + self.count
    }

    /// Whether it contains all primes of the other basis.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.first <= other.first && other.places().end <= self.places().end
    }
}

/// The primes of a parameter set with all tables for computing modulo them. A ring is expensive to create, so it is shared.
pub struct Ring {
    parameters: &'static Parameters,
    kernel: Kernel,
    limbs: Vec<Limb>,
    transforms: Vec<Transform>,
    scales: Vec<f64>,
    conversions: Cache<(Basis, Vec<usize>), Conversion>,
    permutations: Cache<u64, Permutation>,
    small_transforms: Cache<(usize, usize), Option<Transform>>,
    pool: Arc<Pool>,
}

/// A transform from the ring's cache.
pub(super) struct SmallTransform(Arc<Option<Transform>>);

impl SmallTransform {
    /// Transforms coefficients to values, in place.
    pub(super) fn forward(&self, polynomial: &mut [u64]) {
        if let Some(transform) = &*self.0 {
            transform.forward(polynomial);
        }
    }
}

type Cache<K, V> = Mutex<HashMap<K, Arc<V>>>;

impl Ring {
    /// The ring of a parameter set, with this machine's fastest kernel.
    ///
    /// # Errors
    /// [`Code::Internal`] if there are not enough primes, which tests rule out for all sets.
    pub fn new(parameters: &'static Parameters) -> Result<Arc<Self>> {
        Self::with_kernel(parameters, Kernel::best())
    }

    /// Like [`Ring::new`], with a chosen kernel.
    ///
    /// # Errors
    /// As [`Ring::new`].
    pub fn with_kernel(parameters: &'static Parameters, kernel: Kernel) -> Result<Arc<Self>> {
        let missing = || missing(parameters);
        let (primes, scales) = primes::search(parameters).ok_or_else(missing)?;
        let transforms =
            crate::math::parallel::map(primes.len(), |i| Transform::new(primes[i], parameters.degree(), kernel));
        Ok(Arc::new(Self {
            parameters,
            kernel,
            limbs: primes.iter().map(|&prime| Limb::new(prime, kernel)).collect(),
            transforms: transforms.into_iter().collect::<Option<_>>().ok_or_else(missing)?,
            scales,
            conversions: Cache::default(),
            permutations: Cache::default(),
            small_transforms: Cache::default(),
            pool: Arc::default(),
        }))
    }

    /// The parameter set.
    #[must_use]
    pub const fn parameters(&self) -> &'static Parameters {
        self.parameters
    }

    /// The degree of polynomials.
    #[must_use]
    pub const fn degree(&self) -> usize {
        self.parameters.degree()
    }

    /// The highest level. If the set has levels for bootstrapping, only bootstrapping reaches it.
    #[must_use]
    pub const fn top(&self) -> usize {
        self.parameters.levels + self.parameters.raised
    }

    /// The primes of a level.
    #[must_use]
    pub const fn level(&self, level: usize) -> Basis {
        Basis { first: self.parameters.special, count: level + 1 }
    }

    /// The primes of a level, preceded by the last `special` special primes.
    #[must_use]
    pub const fn extended(&self, level: usize, special: usize) -> Basis {
        Basis { first: self.parameters.special - special, count: special + level + 1 }
    }

    /// All primes.
    #[must_use]
    pub const fn all(&self) -> Basis {
        self.extended(self.top(), self.parameters.special)
    }

    /// The special primes of a basis.
    #[must_use]
    pub const fn special(&self, basis: Basis) -> Basis {
        Basis { first: basis.first, count: self.parameters.special - basis.first }
    }

    /// The number of special primes for keys of this level. A key with this number cuts polynomials into as many digits as a
    /// key for all levels.
    #[must_use]
    pub const fn special_for(&self, level: usize) -> usize {
        let digits = (self.top() + 1).div_ceil(self.parameters.special);
        (level + 1).div_ceil(digits)
    }

    /// The default scale of ciphertexts at a level: the squared scale of the level above, divided by the prime between them.
    /// Thus a rescaled product has the default scale of the level below.
    #[must_use]
    pub fn scale(&self, level: usize) -> f64 {
        self.scales[level]
    }

    /// Arithmetic modulo the prime at a place.
    #[must_use]
    pub fn limb(&self, place: usize) -> Limb {
        self.limbs[place]
    }

    /// The prime by which rescaling divides at a level.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "primes have 50 bits")]
    pub fn divisor(&self, level: usize) -> f64 {
        self.limbs[self.parameters.special + level].prime().value() as f64
    }

    /// The product of these special primes modulo the prime at a place.
    #[must_use]
    pub fn product(&self, special: Basis, place: usize) -> u64 {
        let q = self.limbs[place].prime();
        special.places().fold(1, |product, i| q.mul(product, q.residue(self.limbs[i].prime().value())))
    }

    pub(super) fn transform(&self, place: usize) -> &Transform {
        &self.transforms[place]
    }

    /// The transform at a place for polynomials in a power of the variable that have `degree` coefficients: the values that the
    /// transform of the whole polynomial repeats.
    ///
    /// # Errors
    /// [`Code::Internal`] for a degree below 16 or above the ring's.
    pub(super) fn small_transform(&self, place: usize, degree: usize) -> Result<SmallTransform> {
        let made = cached(&self.small_transforms, (place, degree), |&(place, degree)| {
            Transform::new(self.limbs[place].prime(), degree, self.kernel)
        });
        if made.is_none() {
            return Err(Error::new(Code::Internal, format!("there is no transform of degree {degree}")));
        }
        Ok(SmallTransform(made))
    }

    /// Words with arbitrary content.
    pub(super) fn room(&self, length: usize) -> Room {
        self.pool.take(length)
    }

    /// The conversion from the primes of `from` to those at the places `to`.
    pub(super) fn conversion(&self, from: Basis, to: Vec<usize>) -> Arc<Conversion> {
        let primes =
            |places: &mut dyn Iterator<Item = usize>| places.map(|i| self.limbs[i].prime()).collect::<Vec<_>>();
        cached(&self.conversions, (from, to), |(from, to)| {
            Conversion::new(&primes(&mut from.places()), &primes(&mut to.iter().copied()), self.kernel)
        })
    }

    /// The permutation of values by an automorphism.
    pub(super) fn permutation(&self, element: u64) -> Arc<Permutation> {
        cached(&self.permutations, element, |&element| Permutation::new(self.degree(), element))
    }
}

/// The primes of a parameter set without the rest of its ring: the special primes, then those of the levels, lowest first.
/// Readers of files need only these.
///
/// # Errors
/// [`Code::Internal`] if there are not enough primes, which tests rule out for all sets.
pub fn primes(parameters: &Parameters) -> Result<Vec<Prime>> {
    primes::search(parameters).map(|(primes, _)| primes).ok_or_else(|| missing(parameters))
}

fn missing(parameters: &Parameters) -> Error {
    Error::new(Code::Internal, format!("the set {} lacks primes", parameters.name))
}

fn cached<K: std::hash::Hash + Eq + Clone, V>(cache: &Cache<K, V>, key: K, make: impl FnOnce(&K) -> V) -> Arc<V> {
    let lock = || cache.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(value) = lock().get(&key) {
        return Arc::clone(value);
    }
    // Without the lock, so that others can go on. Computing it twice does no harm.
    let value = Arc::new(make(&key));
    Arc::clone(lock().entry(key).or_insert(value))
}

#[cfg(test)]
mod tests;
