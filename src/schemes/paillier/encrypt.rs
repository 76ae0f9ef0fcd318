//! Encryption by the owner of a key, and by anyone with the public key. Compiled only with the feature `client`.

use std::sync::Arc;

use num_bigint::{BigInt, BigUint};
use rand_core::TryCryptoRng;

use super::ciphertext::Ciphertext;
use super::key::PublicKey;
use super::secret::SecretKey;
use crate::error::Result;
use crate::math::montgomery::{Exponent, Limb, to_limbs};
use crate::math::random;

/// A key that can encrypt: the owner's, which is fast, or a public key.
pub enum EncryptionKey {
    /// The owner's key.
    Owner(Arc<SecretKey>),
    /// A public key.
    Public(Arc<PublicKey>),
}

impl EncryptionKey {
    /// The public key.
    #[must_use]
    pub fn public(&self) -> &Arc<PublicKey> {
        match self {
            Self::Owner(key) => key.public(),
            Self::Public(key) => key,
        }
    }

    /// Encrypts a signed number.
    ///
    /// # Errors
    /// [`Code::PlaintextOutOfRange`] if its absolute value is not below `n / 2`, [`Code::NoRandomness`].
    ///
    /// [`Code::PlaintextOutOfRange`]: crate::error::Code::PlaintextOutOfRange
    /// [`Code::NoRandomness`]: crate::error::Code::NoRandomness
    pub fn encrypt(&self, number: &BigInt, rng: &mut impl TryCryptoRng) -> Result<Ciphertext> {
        match self {
            Self::Owner(key) => key.encrypt(number, rng),
            Self::Public(key) => key.encrypt(number, rng),
        }
    }

    /// The number of plaintexts that are encrypted at a time.
    pub(crate) fn lanes(&self) -> usize {
        match self {
            Self::Owner(key) => key.lanes(),
            Self::Public(key) => key.pairs().lanes(),
        }
    }
}

impl PublicKey {
    /// Encrypts a signed number with the public key only.
    ///
    /// # Errors
    /// [`Code::PlaintextOutOfRange`] if its absolute value is not below `n / 2`, [`Code::NoRandomness`].
    ///
    /// [`Code::PlaintextOutOfRange`]: crate::error::Code::PlaintextOutOfRange
    /// [`Code::NoRandomness`]: crate::error::Code::NoRandomness
    pub fn encrypt(&self, number: &BigInt, rng: &mut impl TryCryptoRng) -> Result<Ciphertext> {
        Ok(Ciphertext::trusted(self.id(), self.encrypt_residues(&[self.encode(number)?], rng)?))
    }

    /// Gives a ciphertext a fresh mask, so that it cannot be linked to the original.
    ///
    /// # Errors
    /// [`Code::ForeignKey`], [`Code::NoRandomness`].
    ///
    /// [`Code::ForeignKey`]: crate::error::Code::ForeignKey
    /// [`Code::NoRandomness`]: crate::error::Code::NoRandomness
    pub fn rerandomise(&self, ciphertext: &Ciphertext, rng: &mut impl TryCryptoRng) -> Result<Ciphertext> {
        self.add(ciphertext, &self.encrypt(&BigInt::ZERO, rng)?)
    }

    /// Encrypts numbers modulo `n`, at most one for each lane. Returns the limbs of the ciphertexts, one after another.
    pub(crate) fn encrypt_residues(&self, numbers: &[BigUint], rng: &mut impl TryCryptoRng) -> Result<Vec<Limb>> {
        let pairs = self.pairs();
        let width = self.square().width();
        let bases = numbers.iter().map(|_| random::below(rng, self.n())).collect::<Result<Vec<_>>>()?;
        let mut ciphertexts = pairs.pow(&pairs.enter_numbers(&bases), &Exponent::new(self.n()));
        // Multiply by (1 + n)^m = 1 + m n.
        let limbs: Vec<_> = numbers.iter().map(|number| to_limbs(number, width / 2)).collect();
        let shares = pairs.enter_low(limbs.iter().map(Vec::as_slice));
        let shares = pairs.mul_low(&shares, &pairs.low(&ciphertexts));
        pairs.add_to_high(&mut ciphertexts, &shares);
        let mut limbs = pairs.leave_limbs(&ciphertexts, width);
        limbs.truncate(numbers.len() * width);
        Ok(limbs)
    }
}
