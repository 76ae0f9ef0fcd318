//! Random primes for keys.
//!
//! A candidate is first sieved by the primes below 2^16 and then put to 64 rounds of Miller and Rabin's test with random
//! bases, so that a composite passes with probability at most 4^-64 = 2^-128 even if an enemy chose it (Rabin, 1980).

use num_bigint::BigUint;
use num_traits::{One as _, ToPrimitive as _};
use rand_core::TryCryptoRng;

use super::montgomery::{Exponent, Modulus};
use super::random;
use crate::error::Result;

/// Rounds of Miller and Rabin's test for a prime of a new key.
pub const ROUNDS: usize = 64;
/// Candidates are sieved by the odd primes below this.
const SIEVE_LIMIT: u32 = 1 << 16;
/// How many odd numbers after a random start are searched before a new start is drawn. It bounds the small bias
/// towards primes after long gaps.
const SPAN: u32 = 1 << 12;

/// A search for one prime that can be paused between candidates, so that a page stays alive while it runs.
pub struct Search {
    bits: u64,
    start: BigUint,
    /// Distances from `start`, in descending order, that have no small factor.
    candidates: Vec<u32>,
    small_primes: Vec<u32>,
}

impl Search {
    /// A search for a prime of exactly `bits` bits (at least 64) whose two top bits are set, so that the product of two
    /// such primes has exactly twice as many bits.
    #[must_use]
    pub fn new(bits: u64) -> Self {
        Self { bits, start: BigUint::one(), candidates: Vec::new(), small_primes: odd_primes_below(SIEVE_LIMIT) }
    }

    /// Tries one candidate; returns it if it is prime.
    ///
    /// # Errors
    /// If the random generator fails.
    pub fn step(&mut self, rng: &mut impl TryCryptoRng) -> Result<Option<BigUint>> {
        let Some(distance) = self.candidates.pop() else {
            self.restart(rng)?;
            return Ok(None);
        };
        let candidate = &self.start + distance;
        Ok(is_prime(&candidate, ROUNDS, rng)?.then_some(candidate))
    }

    /// Draws a new random start and sieves the numbers after it.
    fn restart(&mut self, rng: &mut impl TryCryptoRng) -> Result<()> {
        let top = BigUint::from(3u8) << (self.bits - 2);
        self.start = random::bits(rng, self.bits)? | top | BigUint::one();
        let mut composite = vec![false; SPAN as usize];
        for &prime in &self.small_primes {
            let remainder = (&self.start % prime).to_u32().unwrap_or(0);
            // The first k with start + 2k divisible by the prime: 2k = -remainder (mod prime).
            let negative = (prime - remainder) % prime;
            let first = if negative.is_multiple_of(2) { negative / 2 } else { u32::midpoint(negative, prime) };
            for k in (first..SPAN).step_by(prime as usize) {
                composite[k as usize] = true;
            }
        }
        let distances = (0..SPAN).zip(&composite).filter(|(_, composite)| !**composite).map(|(k, _)| 2 * k);
        let bits = self.bits;
        let start = &self.start;
        self.candidates = distances.filter(|&d| (start + d).bits() == bits).collect();
        self.candidates.reverse();
        Ok(())
    }
}

/// Whether the number is prime: wrong with probability at most 4^-rounds for a composite, never for a prime.
///
/// # Errors
/// If the random generator fails.
pub fn is_prime(number: &BigUint, rounds: usize, rng: &mut impl TryCryptoRng) -> Result<bool> {
    if let Some(small) = number.to_u32() {
        return Ok(is_small_prime(small));
    }
    let Some(modulus) = Modulus::new(number) else { return Ok(false) };
    let less_one = number - 1u8;
    let twos = less_one.trailing_zeros().unwrap_or(0);
    let odd = Exponent::new(&(&less_one >> twos));
    let minus_one = modulus.residue(&less_one);
    for _ in 0..rounds {
        let base = random::below(rng, number)?;
        let mut power = modulus.pow(&modulus.residue(&base), &odd);
        if power == modulus.one() || power == minus_one {
            continue;
        }
        let mut passed = false;
        for _ in 1..twos {
            modulus.square_assign(&mut power);
            if power == minus_one {
                passed = true;
                break;
            }
        }
        if !passed {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_small_prime(number: u32) -> bool {
    number >= 2 && (2..).take_while(|d| u64::from(*d) * u64::from(*d) <= u64::from(number)).all(|d| !number.is_multiple_of(d))
}

fn odd_primes_below(limit: u32) -> Vec<u32> {
    let mut composite = vec![false; limit as usize];
    let mut primes = Vec::new();
    for candidate in (3..limit).step_by(2) {
        if composite[candidate as usize] {
            continue;
        }
        primes.push(candidate);
        for multiple in (u64::from(candidate) * u64::from(candidate)..u64::from(limit)).step_by(candidate as usize) {
            if let Ok(index) = usize::try_from(multiple) {
                composite[index] = true;
            }
        }
    }
    primes
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng as _;

    fn rng() -> rand_chacha::ChaCha20Rng {
        rand_chacha::ChaCha20Rng::seed_from_u64(7)
    }

    #[test]
    fn known_primes_and_pseudoprimes() {
        let mut rng = rng();
        let mersenne = (BigUint::one() << 521usize) - 1u8;
        assert!(is_prime(&mersenne, ROUNDS, &mut rng).expect("rng"));
        assert!(!is_prime(&(&mersenne * &mersenne), ROUNDS, &mut rng).expect("rng"));
        // Strong pseudoprimes to the first bases (Arnault 1995; Jaeschke 1993) and a Carmichael number.
        for composite in ["3825123056546413051", "318665857834031151167461", "3317044064679887385961981", "825265", "341550071728321"]
        {
            assert!(!is_prime(&composite.parse().expect("number"), ROUNDS, &mut rng).expect("rng"), "{composite}");
        }
        for prime in [2u32, 3, 5, 65537, 4_294_967_291] {
            assert!(is_prime(&BigUint::from(prime), ROUNDS, &mut rng).expect("rng"));
        }
        for composite in [0u32, 1, 4, 65_536, 4_294_967_295] {
            assert!(!is_prime(&BigUint::from(composite), ROUNDS, &mut rng).expect("rng"));
        }
    }

    #[test]
    fn a_search_finds_primes_of_the_exact_size() {
        let mut rng = rng();
        for bits in [64u64, 128, 256] {
            let mut search = Search::new(bits);
            let prime = loop {
                if let Some(prime) = search.step(&mut rng).expect("rng") {
                    break prime;
                }
            };
            assert_eq!(prime.bits(), bits);
            assert!(prime.bit(bits - 2));
            assert!(is_prime(&prime, ROUNDS, &mut rng).expect("rng"));
        }
    }
}
