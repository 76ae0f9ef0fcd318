//! The exponents of an image's masks.
//!
//! They are derived from the secret key and the image's [`Origin`], a fresh random number: HKDF-SHA-256 (RFC 5869) derives a
//! key from both, and the `ChaCha20` stream of this key gives each ciphertext its exponents. So only the owner of the key can
//! derive them again from the image's header, and no secret has to be kept between encryption and decryption.

use num_bigint::BigUint;
use rand_chacha::ChaCha20Rng;
use rand_core::{SeedableRng as _, TryCryptoRng};
use zeroize::Zeroizing;

use super::SecretKey;
use crate::error::Result;
use crate::math::random;
use crate::schemes::paillier::Origin;

/// One mask's exponents, modulo `p - 1` and modulo `q - 1`.
pub(crate) type Exponents = [BigUint; 2];

/// The seed of the masks of one photo.
pub(crate) struct MaskSeed {
    seed: Zeroizing<[u8; 32]>,
    primes: [BigUint; 2],
    /// Whether the exponents of `q` are drawn first. The smaller prime comes first, so that it does not matter which is called
    /// `p`.
    swapped: bool,
}

impl MaskSeed {
    pub(super) fn new(key: &SecretKey, origin: &Origin) -> Result<Self> {
        let primes = key.prime_numbers();
        let swapped = primes[0] > primes[1];
        let length = usize::from(key.public().bits()) / 16;
        let mut secret = Zeroizing::new(Vec::with_capacity(2 * length));
        for prime in if swapped { [&primes[1], &primes[0]] } else { [&primes[0], &primes[1]] } {
            let start = secret.len();
            secret.extend(prime.to_bytes_le());
            secret.resize(start + length, 0);
        }
        let seed = random::derive(&origin.0, &secret, b"safelight paillier masks")?;
        Ok(Self { seed, primes, swapped })
    }

    /// The exponents of ciphertext number `index`, counted row by row, those of the halo included.
    pub(crate) fn exponents(&self, index: u64) -> Result<Exponents> {
        let mut rng = ChaCha20Rng::from_seed(*self.seed);
        rng.set_stream(index);
        draw(&mut rng, &self.primes, self.swapped)
    }
}

/// Uniform exponents, from 0 to `p - 2` and from 0 to `q - 2`.
pub(super) fn draw(rng: &mut impl TryCryptoRng, primes: &[BigUint; 2], swapped: bool) -> Result<Exponents> {
    let [p, q] = primes;
    let mut next = |prime: &BigUint| -> Result<BigUint> { Ok(random::below(rng, prime)? - 1u8) };
    if swapped {
        let b = next(q)?;
        return Ok([next(p)?, b]);
    }
    Ok([next(p)?, next(q)?])
}
