//! The master key for scrambled pictures.

use std::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::nonce::Nonce;
use crate::error::Result;
use crate::math::random;

/// 256 secret bits, from which the keys K1 to K4 of every picture are derived.
#[derive(PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`Code::NoRandomness`](crate::error::Code::NoRandomness).
    pub fn random() -> Result<Self> {
        let mut key = Self([0; 32]);
        random::fill(&mut random::system(), &mut key.0)?;
        Ok(key)
    }

    /// Makes a key from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes, which are wiped afterwards.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0)
    }

    /// The key's fingerprint, which reveals nothing else about it.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let hash = Sha256::new().chain_update(b"safelight etc v1 key id").chain_update(self.0).finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        KeyId(id)
    }

    /// The stream of random numbers for one step (1 to 4) of one picture.
    pub(super) fn step(&self, nonce: &Nonce, step: u8) -> Result<ChaCha20Rng> {
        self.stream(nonce, &[b"safelight etc v1 K".as_slice(), &[b'0' + step]].concat())
    }

    /// A stream of random numbers for one purpose, `info`, and one picture: `ChaCha20`, keyed by HKDF-SHA-256 from the master
    /// key with the nonce as salt.
    pub(crate) fn stream(&self, nonce: &Nonce, info: &[u8]) -> Result<ChaCha20Rng> {
        Ok(ChaCha20Rng::from_seed(*random::derive(&nonce.0, &self.0, info)?))
    }
}

/// The first 8 bytes of a hash of a key, written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
