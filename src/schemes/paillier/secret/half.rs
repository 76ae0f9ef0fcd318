//! The owner's arithmetic modulo the square of one prime.

use std::sync::{Arc, PoisonError, RwLock};

use num_bigint::BigUint;
use num_traits::One as _;
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::math::comb::{Comb, Lookup, Shape};
use crate::math::montgomery::{Exponent, Limb, from_limbs};
use crate::math::pair::{Batch, LowBatch, PairModulus};
use crate::math::{prime, random};

/// The smallest number of powers to make a table for.
const FEW: u64 = 64;

/// The key's data for one of its primes.
pub(super) struct Half {
    /// The prime, as little-endian bytes.
    prime: Zeroizing<Vec<u8>>,
    /// Arithmetic modulo the prime's square.
    pub(super) pairs: PairModulus,
    /// The prime as an exponent: `y^p` is a mask.
    prime_exponent: Exponent,
    /// A generator of the group of masks, if known.
    generator: Option<Zeroizing<Vec<u8>>>,
    /// The generator's table. It is made when first needed, and again when it is needed for many more powers.
    comb: RwLock<Option<Arc<Comb>>>,
    /// The other prime times `R^3`: converts a loaded plaintext to its share of the ciphertext, in Montgomery form.
    share: LowBatch,
    /// `R^2`, which converts a long loaded number to Montgomery form.
    enter: Batch,
    /// The prime minus one as an exponent, which removes a mask.
    less_one_exponent: Exponent,
    /// The inverse of the other prime's square.
    factor: Zeroizing<Vec<u8>>,
}

impl Half {
    /// A generator of the group of masks modulo the prime's square, if it can be found.
    pub(super) fn find_generator(prime: &BigUint) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let generator = prime::generator(prime, &mut random::system())?;
        Ok(generator.map(|g| Zeroizing::new(g.modpow(prime, &(prime * prime)).to_bytes_le())))
    }

    /// Prepares one prime. Returns `None` if the primes do not fit each other.
    pub(super) fn new(prime: &BigUint, other: &BigUint, generator: Option<Zeroizing<Vec<u8>>>) -> Option<Self> {
        let pairs = PairModulus::new(prime)?;
        let factor = (other * other).modinv(prime)?;
        let r = pairs.radix();
        let squared = prime * prime;
        Some(Self {
            prime: Zeroizing::new(prime.to_bytes_le()),
            prime_exponent: Exponent::new(prime),
            generator,
            comb: RwLock::new(None),
            share: pairs.plain_low(&(other * r.pow(3) % prime)),
            enter: pairs.plain(&(r.pow(2) % &squared)),
            less_one_exponent: Exponent::new(&(prime - 1u8)),
            factor: Zeroizing::new(factor.to_bytes_le()),
            pairs,
        })
    }

    pub(super) fn prime(&self) -> BigUint {
        BigUint::from_bytes_le(&self.prime)
    }

    pub(super) fn prime_bytes(&self) -> &[u8] {
        &self.prime
    }

    pub(super) fn has_generator(&self) -> bool {
        self.generator.is_some()
    }

    pub(super) fn generator_bytes(&self) -> Option<&[u8]> {
        self.generator.as_ref().map(|generator| generator.as_slice())
    }

    /// Prepares a table for this many powers of the generator, if there is one.
    pub(super) fn prepare(&self, count: u64, lookup: Lookup) -> Option<Arc<Comb>> {
        let generator = BigUint::from_bytes_le(self.generator.as_ref()?);
        let count = count.max(FEW);
        let best = Shape::best(&self.pairs, self.prime().bits(), count, lookup);
        let good = |comb: &&Arc<Comb>| comb.lookup() == lookup && comb.shape().will_do(&best, count, lookup);
        if let Some(comb) = self.comb.read().unwrap_or_else(PoisonError::into_inner).as_ref().filter(good) {
            return Some(Arc::clone(comb));
        }
        let mut place = self.comb.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have made it in the meantime.
        if !place.as_ref().is_some_and(|comb| good(&comb)) {
            *place = Some(Arc::new(Comb::new(&self.pairs, &generator, best, lookup)));
        }
        place.clone()
    }

    /// The existing table, for any number of powers.
    fn comb(&self) -> Option<Arc<Comb>> {
        let ready = self.comb.read().unwrap_or_else(PoisonError::into_inner).clone();
        ready.or_else(|| self.prepare(FEW, Lookup::Direct))
    }

    /// The generator to the power of each exponent: masks.
    pub(super) fn powers(&self, exponents: &[BigUint]) -> Result<Batch> {
        let comb = self.comb().ok_or_else(|| Error::new(Code::Internal, "the key has no generator"))?;
        Ok(comb.powers(&self.pairs, exponents))
    }

    /// Masks `y^p` with uniform `y`, for keys without a known generator.
    pub(super) fn random_masks(&self, count: usize, rng: &mut impl TryCryptoRng) -> Result<Batch> {
        let prime = self.prime();
        let bases = (0..count).map(|_| random::below(rng, &prime)).collect::<Result<Vec<_>>>()?;
        Ok(self.pairs.pow(&self.pairs.enter_numbers(&bases), &self.prime_exponent))
    }

    /// The ciphertexts modulo `p^2` in Montgomery form: each is a mask times `1 + m n`. This product adds `m q` times the
    /// mask's lower half to its upper half.
    pub(super) fn seal(&self, numbers: &[&[Limb]], mut masks: Batch) -> Batch {
        let loaded = self.pairs.load_low(numbers.iter().copied());
        let shares = self.pairs.mul_low(&loaded, &self.share);
        let shares = self.pairs.mul_low(&shares, &self.pairs.low(&masks));
        self.pairs.add_to_high(&mut masks, &shares);
        masks
    }

    /// For each ciphertext and the inverse of its expected mask: `m / q` modulo `p`, and whether nothing is left of the mask.
    /// If something is left, the ciphertext has another mask.
    pub(super) fn unmask(&self, ciphertexts: &[&[Limb]], inverses: &Batch) -> Vec<(BigUint, bool)> {
        let loaded = self.pairs.load_long(ciphertexts);
        let mut plain = self.pairs.empty();
        self.pairs.mul(&mut plain, &loaded, inverses);
        // 1 + m n = 1 + (m q) p.
        self.quotients(&plain, ciphertexts.len())
    }

    /// For each ciphertext, `m / q` modulo `p` for any mask, and whether the ciphertext is a unit. This uses
    /// `c^(p - 1) = 1 + (p - 1) m n`, which is `1 - (m q) p`.
    pub(super) fn open(&self, ciphertexts: &[&[Limb]]) -> Vec<(BigUint, bool)> {
        let mut entered = self.pairs.empty();
        self.pairs.mul(&mut entered, &self.pairs.load_long(ciphertexts), &self.enter);
        let power = self.pairs.pow(&entered, &self.less_one_exponent);
        let mut plain = self.pairs.empty();
        self.pairs.mul(&mut plain, &power, &self.pairs.plain(&BigUint::one()));
        let prime = self.prime();
        let negated = self.quotients(&plain, ciphertexts.len());
        negated.into_iter().map(|(m, fits)| ((&prime - m) % &prime, fits)).collect()
    }

    /// `x / q^2` modulo `p` for numbers `y + x p`, and whether `y` is 1. The amount of work is the same for all.
    fn quotients(&self, plain: &Batch, count: usize) -> Vec<(BigUint, bool)> {
        let prime = self.prime();
        let factor = BigUint::from_bytes_le(&self.factor);
        let quotient = |lane| {
            let (l, h) = self.pairs.halves(plain, lane);
            (from_limbs(&h) * &factor % &prime, from_limbs(&l).is_one())
        };
        (0..count).map(quotient).collect()
    }
}
