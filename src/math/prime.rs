//! Random primes for keys.
//!
//! A candidate is first sieved by the primes below 2^16. It must then pass 64 rounds of the Miller-Rabin test with random
//! bases, so that a composite passes with a probability of at most 4^-64 = 2^-128, even if an adversary chose it (Rabin, 1980).

use num_bigint::BigUint;
use num_traits::{One as _, ToPrimitive as _};
use rand_core::TryCryptoRng;

use super::montgomery::{Exponent, Modulus};
use super::random;
use crate::error::Result;

/// The number of Miller-Rabin rounds for a prime of a new key.
pub const ROUNDS: usize = 64;
/// The odd primes below this limit are used to sieve candidates.
const SIEVE_LIMIT: u32 = 1 << 16;
/// The number of odd numbers that are searched after a random start before a new start is drawn. This limits the small bias
/// towards primes after long gaps.
const SPAN: u32 = 1 << 12;
/// `r` is this many bits shorter than `p`, which leaves enough multipliers `k` for one of them to give a prime.
const MULTIPLIER_BITS: u64 = 14;

/// A search for one prime `p`, which can be paused between candidates, so that a page stays responsive.
///
/// It first finds a prime `r`, 14 bits shorter than `p`, and then a multiplier `k` for which `p = 2 k r + 1` is prime. Thus the
/// factors of `p - 1` are known (`r`, and those of `2 k`), which gives a generator of the group modulo `p` ([`generator`]), and
/// `p - 1` has a large prime factor.
pub struct Search {
    bits: u64,
    small_primes: Vec<u32>,
    stage: Stage,
}

enum Stage {
    /// Searches for `r`: odd distances from a random start that have no small factor, in descending order.
    Factor { start: BigUint, distances: Vec<u32> },
    /// Searches for `k`, in random order.
    Multiplier { factor: BigUint, multipliers: Vec<u32> },
}

impl Search {
    /// A search for a prime of exactly `bits` bits (at least 64). Its two top bits are set, so that the product of two such
    /// primes has exactly twice as many bits.
    #[must_use]
    pub fn new(bits: u64) -> Self {
        let stage = Stage::Factor { start: BigUint::one(), distances: Vec::new() };
        Self { bits, small_primes: odd_primes_below(SIEVE_LIMIT), stage }
    }

    /// Tries one candidate. Returns `p` once it is found.
    ///
    /// # Errors
    /// If the random generator fails.
    pub fn step(&mut self, rng: &mut impl TryCryptoRng) -> Result<Option<BigUint>> {
        match &mut self.stage {
            Stage::Factor { start, distances } => match distances.pop() {
                Some(distance) => {
                    let candidate = &*start + distance;
                    if is_prime(&candidate, ROUNDS, rng)? {
                        self.stage = self.multipliers(candidate);
                    }
                }
                None => self.stage = self.new_start(rng)?,
            },
            Stage::Multiplier { factor, multipliers } => {
                if multipliers.is_empty() {
                    self.stage = self.new_start(rng)?;
                    return Ok(None);
                }
                let choice = random::index(rng, multipliers.len())?;
                let candidate = &*factor * (2 * multipliers.swap_remove(choice)) + 1u8;
                if is_prime(&candidate, ROUNDS, rng)? {
                    return Ok(Some(candidate));
                }
            }
        }
        Ok(None)
    }

    /// Draws a random start for the search for `r` and sieves the numbers after it.
    fn new_start(&self, rng: &mut impl TryCryptoRng) -> Result<Stage> {
        let bits = self.bits - MULTIPLIER_BITS;
        let start = random::bits(rng, bits)? | (BigUint::one() << (bits - 1)) | BigUint::one();
        let mut composite = vec![false; SPAN as usize];
        for &prime in &self.small_primes {
            let remainder = (&start % prime).to_u32().unwrap_or(0);
            // The first k for which the prime divides start + 2k: 2k = -remainder (mod prime).
            let negative = (prime - remainder) % prime;
            let first = if negative.is_multiple_of(2) { negative / 2 } else { u32::midpoint(negative, prime) };
            for k in (first..SPAN).step_by(prime as usize) {
                composite[k as usize] = true;
            }
        }
        let free = (0..SPAN).zip(&composite).filter(|(_, composite)| !**composite).map(|(k, _)| 2 * k);
        let mut distances: Vec<_> = free.filter(|&distance| (&start + distance).bits() == bits).collect();
        distances.reverse();
        Ok(Stage::Factor { start, distances })
    }

    /// All `k` for which `2 k r + 1` has the right size and no small factor.
    fn multipliers(&self, factor: BigUint) -> Stage {
        let double = &factor * 2u8;
        let low = ((BigUint::from(3u8) << (self.bits - 2)) / &double).to_u32().unwrap_or(0) + 1;
        let high = (((BigUint::one() << self.bits) - 2u8) / &double).to_u32().unwrap_or(0);
        let remainders: Vec<(u64, u64)> = self
            .small_primes
            .iter()
            .map(|&prime| (u64::from(prime), u64::from((&double % prime).to_u32().unwrap_or(0))))
            .collect();
        let free = |k: &u32| remainders.iter().all(|&(prime, rest)| !(u64::from(*k) * rest + 1).is_multiple_of(prime));
        Stage::Multiplier { factor, multipliers: (low..=high).filter(free).collect() }
    }
}

/// A generator of the multiplicative group modulo the prime `p`, if `p - 1` is a small number times a prime, as in the primes
/// of [`Search`]. Otherwise the factors are unknown, and the result is `None`.
///
/// # Errors
/// If the random generator fails.
pub fn generator(p: &BigUint, rng: &mut impl TryCryptoRng) -> Result<Option<BigUint>> {
    let less_one = p - 1u8;
    let mut rest = less_one.clone();
    let mut factors = Vec::new();
    for small in std::iter::once(2).chain(odd_primes_below(1 << MULTIPLIER_BITS)) {
        if (&rest % small) == BigUint::ZERO {
            factors.push(BigUint::from(small));
            while (&rest % small) == BigUint::ZERO {
                rest /= small;
            }
        }
    }
    if rest.bits() + MULTIPLIER_BITS + 2 < p.bits() || !is_prime(&rest, 2, rng)? {
        return Ok(None);
    }
    factors.push(rest);
    let Some(modulus) = Modulus::new(p) else { return Ok(None) };
    let exponents: Vec<_> = factors.iter().map(|factor| Exponent::new(&(&less_one / factor))).collect();
    // An element generates the group if no power with a maximal divisor of p - 1 is one.
    let generates = |g: &u32| {
        let base = modulus.residue(&BigUint::from(*g));
        exponents.iter().all(|exponent| modulus.pow(&base, exponent) != modulus.one())
    };
    Ok(odd_primes_below(1000).into_iter().find(generates).map(BigUint::from))
}

/// Whether the number is prime. The answer is always right for primes, and wrong for composites with a probability of at most
/// 4^-rounds.
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
    number >= 2 && (2..=number.isqrt()).all(|divisor| !number.is_multiple_of(divisor))
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
        for composite in [
            "3825123056546413051",
            "318665857834031151167461",
            "3317044064679887385961981",
            "825265",
            "341550071728321",
        ] {
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
            let g = generator(&prime, &mut rng).expect("rng").expect("the factors are known");
            if let Some(p) = prime.to_u64() {
                // Its order is p - 1: for every prime divisor d of p - 1, the power (p - 1) / d is not one.
                let mut rest = p - 1;
                for factor in 2u64.. {
                    if factor * factor > rest {
                        break;
                    }
                    while rest.is_multiple_of(factor) {
                        assert_ne!(g.modpow(&BigUint::from((p - 1) / factor), &prime), BigUint::one());
                        rest /= factor;
                    }
                }
                assert_ne!(g.modpow(&BigUint::from((p - 1) / rest.max(2)), &prime), BigUint::one());
            }
        }
    }

    #[test]
    fn a_prime_of_unknown_kind_has_no_known_generator() {
        let mersenne = (BigUint::one() << 521usize) - 1u8;
        assert_eq!(generator(&mersenne, &mut rng()).expect("rng"), None);
    }
}
