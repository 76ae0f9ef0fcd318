//! The search for a new key.

use num_bigint::BigUint;
use rand_core::TryCryptoRng;

use super::SecretKey;
use crate::error::{Code, Error, Result};
use crate::math::prime;
use crate::schemes::paillier::key::MODULUS_BITS;

/// The search for a new key, one candidate at a time, so that a page stays responsive while it runs.
pub struct KeySearch {
    bits: u16,
    search: prime::Search,
    first: Option<BigUint>,
}

impl KeySearch {
    /// Starts a search for a key of this many bits.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for a size not in [`MODULUS_BITS`].
    pub fn new(bits: u16) -> Result<Self> {
        if !MODULUS_BITS.contains(&bits) {
            return Err(Error::new(
                Code::BadArgument,
                format!("keys of {bits} bits are not supported; use 2048, 3072 or 4096"),
            ));
        }
        Ok(Self { bits, search: prime::Search::new(u64::from(bits / 2)), first: None })
    }

    /// Tries one candidate for a prime; returns the key when the second prime is found.
    ///
    /// # Errors
    /// [`Code::NoRandomness`].
    pub fn step(&mut self, rng: &mut impl TryCryptoRng) -> Result<Option<SecretKey>> {
        let Some(found) = self.search.step(rng)? else { return Ok(None) };
        // A new search for the second prime: the two must be independent.
        self.search = prime::Search::new(u64::from(self.bits / 2));
        match self.first.take() {
            None => {
                self.first = Some(found);
                Ok(None)
            }
            Some(first) if far_apart(&first, &found) => SecretKey::from_primes(&first, &found).map(Some),
            Some(first) => {
                self.first = Some(first);
                Ok(None)
            }
        }
    }
}

/// Primes whose difference is small make `n` easy to factor (FIPS 186-5, A.1.3: differ in the top 100 bits).
fn far_apart(p: &BigUint, q: &BigUint) -> bool {
    let difference = if p > q { p - q } else { q - p };
    difference.bits() + 100 > p.bits()
}
