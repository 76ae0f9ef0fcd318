//! The public key.

use std::fmt;
use std::sync::OnceLock;

use num_bigint::BigUint;
use num_integer::Integer as _;
use num_traits::One as _;
use sha2::{Digest as _, Sha256};

use crate::error::{Code, Error, Result};
use crate::math::montgomery::{Limb, Modulus, limbs_from_bytes, to_limbs};
use crate::math::pair::PairModulus;

/// The supported sizes of `n` in bits. According to NIST SP 800-57, they provide 112, 128 and about 150 bits of security.
pub const MODULUS_BITS: [u16; 3] = [2048, 3072, 4096];
/// The default size of `n` for new keys, in bits.
pub const DEFAULT_MODULUS_BITS: u16 = 3072;

/// A short name of a public key: the first 16 bytes of `SHA-256("safelight paillier key" || n)`, with `n` as
/// little-endian bytes of its full length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 16]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A public key `n`, checked, with its square prepared for arithmetic.
pub struct PublicKey {
    n: BigUint,
    bits: u16,
    id: KeyId,
    square: Modulus,
    square_limbs: Vec<Limb>,
    pairs: OnceLock<PairModulus>,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("id", &self.id).field("bits", &self.bits).finish_non_exhaustive()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.n == other.n
    }
}

impl Eq for PublicKey {}

impl PublicKey {
    /// Checks a modulus.
    ///
    /// # Errors
    /// [`Code::BadModulus`] if it is even, not of an allowed size ([`MODULUS_BITS`]), or has a factor below 2^12.
    pub fn new(n: BigUint) -> Result<Self> {
        let bad = |what: &str| {
            Error::new(Code::BadModulus, format!("the public key is not a Paillier modulus: {what}; make a new key"))
        };
        let Some(bits) = MODULUS_BITS.into_iter().find(|&bits| n.bits() == u64::from(bits)) else {
            return Err(bad(&format!("it has {} bits, not 2048, 3072 or 4096", n.bits())));
        };
        if n.is_even() {
            return Err(bad("it is even"));
        }
        if (3u32..4096).step_by(2).any(|small| (&n % small) == BigUint::ZERO) {
            return Err(bad("it has a small factor"));
        }
        let squared = &n * &n;
        let square = Modulus::new(&squared).ok_or_else(|| bad("its square is too long"))?;
        let square_limbs = to_limbs(&squared, square.width());
        let id = KeyId::of(&n, bits);
        Ok(Self { n, bits, id, square, square_limbs, pairs: OnceLock::new() })
    }

    /// The modulus.
    #[must_use]
    pub fn n(&self) -> &BigUint {
        &self.n
    }

    /// The length of the modulus in bits.
    #[must_use]
    pub fn bits(&self) -> u16 {
        self.bits
    }

    /// The key's short name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The length of a ciphertext in bytes.
    #[must_use]
    pub fn ciphertext_bytes(&self) -> usize {
        usize::from(self.bits) / 4
    }

    /// The modulus as little-endian bytes of its full length.
    #[must_use]
    pub fn n_bytes(&self) -> Vec<u8> {
        n_bytes(&self.n, self.bits)
    }

    /// Arithmetic modulo `n^2`.
    #[must_use]
    pub fn square(&self) -> &Modulus {
        &self.square
    }

    /// The same arithmetic on many numbers at a time, which is much faster. Prepared on first use.
    ///
    /// # Panics
    /// Never: every allowed modulus can be prepared.
    #[must_use]
    pub fn pairs(&self) -> &PairModulus {
        self.pairs.get_or_init(|| PairModulus::new(&self.n).expect("odd, and of 2048 to 4096 bits"))
    }

    /// Reads ciphertexts, one after another, each little-endian and [`Self::ciphertext_bytes`] long.
    ///
    /// The caller must check that each is a unit, and can check many at once ([`super::UnitCheck`]).
    ///
    /// # Errors
    /// [`Code::CiphertextOutOfRange`] if one is zero or not below `n^2`, [`Code::Truncated`] if the length is wrong.
    pub fn read_ciphertexts(&self, bytes: &[u8]) -> Result<Vec<Limb>> {
        if !bytes.len().is_multiple_of(self.ciphertext_bytes()) {
            return Err(Error::new(Code::Truncated, "the data ends inside a ciphertext; send the whole file again"));
        }
        let width = self.square.width();
        let mut all = Vec::with_capacity(bytes.len() / size_of::<Limb>());
        for chunk in bytes.chunks_exact(self.ciphertext_bytes()) {
            let limbs = limbs_from_bytes(chunk, width);
            let zero = limbs.iter().all(|&limb| limb == 0);
            if zero || !below(&limbs, &self.square_limbs) {
                return Err(Error::new(
                    Code::CiphertextOutOfRange,
                    "a ciphertext is zero or not below the square of the modulus; encrypt the photo again",
                ));
            }
            all.extend_from_slice(&limbs);
        }
        Ok(all)
    }

    /// Checks that a number is a unit modulo `n`.
    ///
    /// # Errors
    /// [`Code::CiphertextNotUnit`] if it shares a factor with `n`.
    pub fn check_unit(&self, number: &BigUint) -> Result<()> {
        if (number % &self.n).gcd(&self.n).is_one() { Ok(()) } else { Err(not_unit()) }
    }
}

/// The error for a ciphertext that is not a unit.
pub(crate) fn not_unit() -> Error {
    Error::new(
        Code::CiphertextNotUnit,
        "a ciphertext shares a factor with the modulus, so it was not made by encryption; encrypt the photo again",
    )
}

impl KeyId {
    fn of(n: &BigUint, bits: u16) -> Self {
        let digest = Sha256::new().chain_update(b"safelight paillier key").chain_update(n_bytes(n, bits)).finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self(id)
    }
}

fn n_bytes(n: &BigUint, bits: u16) -> Vec<u8> {
    let mut bytes = n.to_bytes_le();
    bytes.resize(usize::from(bits) / 8, 0);
    bytes
}

/// Whether `a < b`, both of the same length.
fn below(a: &[Limb], b: &[Limb]) -> bool {
    a.iter().rev().cmp(b.iter().rev()).is_lt()
}
