//! One ciphertext and its arithmetic, for users of the library. Photos go through [`super::circuit`] instead.
//!
//! Plaintexts are signed: an integer `m` with `2 |m| < n` stands for `m mod n`, as in python-paillier.

use num_bigint::{BigInt, BigUint, Sign};
use num_traits::Signed as _;

use super::key::{KeyId, PublicKey};
use crate::error::{Code, Error, Result};
use crate::math::montgomery::{Exponent, Limb, from_limbs, limbs_to_bytes};

/// A ciphertext that has been checked against its public key: `0 < c < n^2`, and a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphertext {
    key: KeyId,
    limbs: Vec<Limb>,
}

impl Ciphertext {
    /// The key that it was encrypted under.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.key
    }

    /// The ciphertext as a number.
    #[must_use]
    pub fn number(&self) -> BigUint {
        from_limbs(&self.limbs)
    }

    /// The ciphertext as little-endian bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        limbs_to_bytes(&self.limbs)
    }

    pub(crate) fn trusted(key: KeyId, limbs: Vec<Limb>) -> Self {
        Self { key, limbs }
    }

    pub(crate) fn limbs(&self) -> &[Limb] {
        &self.limbs
    }
}

impl PublicKey {
    /// Checks a number and wraps it as a ciphertext of this key.
    ///
    /// # Errors
    /// [`Code::CiphertextOutOfRange`] or [`Code::CiphertextNotUnit`].
    pub fn ciphertext(&self, number: &BigUint) -> Result<Ciphertext> {
        let mut bytes = number.to_bytes_le();
        if bytes.len() > self.ciphertext_bytes() {
            return Err(Error::new(
                Code::CiphertextOutOfRange,
                "a ciphertext is too large for this key; was it encrypted under another key?",
            ));
        }
        bytes.resize(self.ciphertext_bytes(), 0);
        let limbs = self.read_ciphertexts(&bytes)?;
        self.check_unit(number)?;
        Ok(Ciphertext::trusted(self.id(), limbs))
    }

    /// A ciphertext of `a + b`.
    ///
    /// # Errors
    /// [`Code::ForeignKey`] if a ciphertext was encrypted under another key. The same holds for the functions below.
    pub fn add(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext> {
        let mut a = self.enter(a)?;
        self.square().mul_assign(&mut a, &self.enter(b)?);
        Ok(self.leave(a))
    }

    /// A ciphertext of `a - b`.
    ///
    /// # Errors
    /// [`Code::ForeignKey`].
    pub fn subtract(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext> {
        self.add(a, &self.multiply(b, &BigInt::from(-1))?)
    }

    /// A ciphertext of `a * factor`.
    ///
    /// # Errors
    /// [`Code::ForeignKey`], or [`Code::PlaintextOutOfRange`] if the factor's absolute value is not below `n / 2`.
    pub fn multiply(&self, a: &Ciphertext, factor: &BigInt) -> Result<Ciphertext> {
        self.encode(factor)?;
        self.enter(a)?;
        let base = if factor.is_negative() { self.inverse(a)? } else { a.number() };
        let exponent = Exponent::new(factor.magnitude());
        let base = self.square().residue(&base);
        Ok(self.leave(self.square().pow(&base, &exponent)))
    }

    /// A ciphertext of `a + number`. Anyone who knows `a` can see what was added: re-randomise the result before sharing it.
    ///
    /// # Errors
    /// [`Code::ForeignKey`], or [`Code::PlaintextOutOfRange`] if the number's absolute value is not below `n / 2`.
    pub fn add_plain(&self, a: &Ciphertext, number: &BigInt) -> Result<Ciphertext> {
        let mut a = self.enter(a)?;
        self.square().mul_assign(&mut a, &self.unmasked(&self.encode(number)?));
        Ok(self.leave(a))
    }

    /// `(1 + n)^m = 1 + m n mod n^2` in Montgomery form: the ciphertext of `m` without a mask, which hides nothing.
    pub(crate) fn unmasked(&self, m: &BigUint) -> Vec<Limb> {
        self.square().residue(&(m * self.n() + 1u8))
    }

    /// The residue modulo `n` of a signed plaintext.
    ///
    /// # Errors
    /// [`Code::PlaintextOutOfRange`] if its absolute value is not below `n / 2`.
    pub fn encode(&self, number: &BigInt) -> Result<BigUint> {
        let magnitude = number.magnitude();
        if magnitude * 2u8 >= *self.n() {
            return Err(Error::new(
                Code::PlaintextOutOfRange,
                "the number does not fit into the key; use a longer key",
            ));
        }
        Ok(if number.is_negative() { self.n() - magnitude } else { magnitude.clone() })
    }

    /// The signed plaintext of a residue modulo `n`.
    #[must_use]
    pub fn decode(&self, residue: &BigUint) -> BigInt {
        if residue * 2u8 < *self.n() {
            BigInt::from_biguint(Sign::Plus, residue.clone())
        } else {
            BigInt::from_biguint(Sign::Minus, self.n() - residue)
        }
    }

    /// Checks the key and converts the ciphertext to Montgomery form.
    fn enter(&self, a: &Ciphertext) -> Result<Vec<Limb>> {
        if a.key_id() != self.id() {
            return Err(Error::new(
                Code::ForeignKey,
                format!("the ciphertext was encrypted under key {}, not {}", a.key_id(), self.id()),
            ));
        }
        let mut limbs = a.limbs().to_vec();
        self.square().enter(&mut limbs);
        Ok(limbs)
    }

    fn leave(&self, mut limbs: Vec<Limb>) -> Ciphertext {
        self.square().leave(&mut limbs);
        Ciphertext::trusted(self.id(), limbs)
    }

    fn inverse(&self, a: &Ciphertext) -> Result<BigUint> {
        let squared = self.n() * self.n();
        let inverse = a.number().modinv(&squared);
        inverse.ok_or_else(|| Error::new(Code::CiphertextNotUnit, "the ciphertext has no inverse"))
    }
}
