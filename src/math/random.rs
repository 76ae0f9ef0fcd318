//! Random numbers, always from a cryptographically secure generator: outside of tests, the system's ([`system`]).

#[cfg(feature = "etc")]
use hkdf::Hkdf;
use num_bigint::BigUint;
use num_traits::Zero as _;
use rand_core::TryCryptoRng;
#[cfg(feature = "etc")]
use sha2::Sha256;
use zeroize::Zeroize as _;
#[cfg(feature = "etc")]
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};

/// The operating system's or the browser's generator.
#[cfg(any(feature = "ckks-secret", feature = "etc"))]
#[must_use]
pub fn system() -> getrandom::SysRng {
    getrandom::SysRng
}

/// Fills the buffer with random bytes.
///
/// # Errors
/// [`Code::NoRandomness`] if the generator fails.
pub fn fill(rng: &mut impl TryCryptoRng, bytes: &mut [u8]) -> Result<()> {
    rng.try_fill_bytes(bytes).map_err(|_| Error::new(Code::NoRandomness, "the system's random generator failed"))
}

/// A uniform number with at most `bits` bits.
///
/// # Errors
/// [`Code::NoRandomness`] if the generator fails.
pub fn bits(rng: &mut impl TryCryptoRng, bits: u64) -> Result<BigUint> {
    let length = usize::try_from(bits.div_ceil(8)).map_err(|_| Error::new(Code::Internal, "too many random bits"))?;
    let mut bytes = vec![0; length];
    fill(rng, &mut bytes)?;
    if let Some(last) = bytes.last_mut()
        && !bits.is_multiple_of(8)
    {
        *last &= (1 << (bits % 8)) - 1;
    }
    let number = BigUint::from_bytes_le(&bytes);
    bytes.zeroize();
    Ok(number)
}

/// A uniform number from 1 to `bound - 1`, by rejection. The bound must be at least 2.
///
/// # Errors
/// [`Code::NoRandomness`] if the generator fails.
pub fn below(rng: &mut impl TryCryptoRng, bound: &BigUint) -> Result<BigUint> {
    let length = bound.bits();
    loop {
        let number = bits(rng, length)?;
        if !number.is_zero() && number < *bound {
            return Ok(number);
        }
    }
}

/// A uniform index below `length`, which must be at least 1.
///
/// # Errors
/// [`Code::NoRandomness`] if the generator fails.
pub fn index(rng: &mut impl TryCryptoRng, length: usize) -> Result<usize> {
    let length = length as u64;
    loop {
        let mut bytes = [0; 8];
        fill(rng, &mut bytes)?;
        let number = u64::from_le_bytes(bytes);
        // The last, incomplete range of remainders would favour small ones.
        if number < u64::MAX - u64::MAX % length
            && let Ok(index) = usize::try_from(number % length)
        {
            return Ok(index);
        }
    }
}

/// Derives 32 bytes that are indistinguishable from random ones without the secret: HKDF-SHA-256 (RFC 5869).
///
/// # Errors
/// None in practice: the maximum output is 255 times as long.
#[cfg(feature = "etc")]
pub fn derive(salt: &[u8], secret: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand(info, &mut *key)
        .map_err(|_| Error::new(Code::Internal, "a key of 32 bytes cannot be derived"))?;
    Ok(key)
}

/// The numbers below `count` in random order, with equal probability for each order (Fisher, Yates).
///
/// # Errors
/// [`Code::NoRandomness`] if the generator fails.
pub fn permutation(rng: &mut impl TryCryptoRng, count: u32) -> Result<Vec<u32>> {
    let mut order: Vec<u32> = (0..count).collect();
    for last in (1..order.len()).rev() {
        order.swap(last, index(rng, last + 1)?);
    }
    Ok(order)
}
