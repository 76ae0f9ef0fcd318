//! Key files. See [`crate::wire`] for the format.

use std::sync::Arc;

use num_bigint::BigUint;

use crate::error::{Code, Error, Result};
use crate::schemes::paillier::PublicKey;
use crate::wire::{Kind, Reader, in_header, seal, whole};

/// Writes a public key file.
#[must_use]
pub fn write_public(key: &PublicKey) -> Vec<u8> {
    let mut header = key.bits().to_le_bytes().to_vec();
    header.extend(key.id().0);
    header.extend(key.n_bytes());
    seal(Kind::PaillierPublicKey, &header)
}

/// Reads a public key file.
///
/// # Errors
/// As [`open`](crate::wire::open), and [`Code::BadModulus`], [`Code::BadHeader`], [`Code::TrailingData`].
pub fn read_public(bytes: &[u8]) -> Result<Arc<PublicKey>> {
    parse_public(whole(bytes, Kind::PaillierPublicKey)?).map_err(in_header)
}

fn parse_public(header: &[u8]) -> Result<Arc<PublicKey>> {
    let mut reader = Reader::new(header);
    let bits = reader.u16()?;
    let id = reader.array()?;
    let key = read_modulus(&mut reader, bits, id)?;
    reader.end()?;
    Ok(key)
}

/// Reads `n` and checks that size and key id match it.
pub(super) fn read_modulus(reader: &mut Reader<'_>, bits: u16, id: [u8; 16]) -> Result<Arc<PublicKey>> {
    check_bits(bits)?;
    let key = PublicKey::new(BigUint::from_bytes_le(reader.take(usize::from(bits) / 8)?))?;
    if key.bits() != bits {
        let message = format!("the modulus has {} bits, not {bits} as the file says; make a new key", key.bits());
        return Err(Error::new(Code::BadModulus, message));
    }
    check_id(&key, id)?;
    Ok(Arc::new(key))
}

fn check_bits(bits: u16) -> Result<()> {
    if crate::schemes::paillier::key::MODULUS_BITS.contains(&bits) {
        return Ok(());
    }
    Err(Error::new(Code::BadModulus, format!("keys of {bits} bits are not supported; use 2048, 3072 or 4096")))
}

fn check_id(key: &PublicKey, id: [u8; 16]) -> Result<()> {
    if key.id().0 == id {
        return Ok(());
    }
    Err(Error::new(Code::BadHeader, "the key id does not match the modulus; use the original file"))
}

#[cfg(feature = "client")]
mod secret {
    use num_bigint::BigUint;
    use zeroize::Zeroizing;

    use super::{check_bits, check_id, read_public};
    use crate::error::{Code, Error, Result};
    use crate::schemes::paillier::{EncryptionKey, SecretKey};
    use crate::wire::{Kind, Reader, in_header, seal, whole};

    /// Writes a secret key file. Its bytes are wiped when dropped.
    #[must_use]
    pub fn write_secret(key: &SecretKey) -> Zeroizing<Vec<u8>> {
        let bits = key.public().bits();
        let mut header = Zeroizing::new(Vec::with_capacity(18 + usize::from(bits) / 8));
        header.extend(bits.to_le_bytes());
        header.extend(key.public().id().0);
        for prime in [key.primes().0, key.primes().1] {
            let start = header.len();
            header.extend(prime);
            header.resize(start + usize::from(bits) / 16, 0);
        }
        Zeroizing::new(seal(Kind::PaillierSecretKey, &header))
    }

    /// Reads a secret key file.
    ///
    /// # Errors
    /// As [`open`](crate::wire::open), and [`Code::BadSecretKey`], [`Code::BadModulus`], [`Code::BadHeader`],
    /// [`Code::TrailingData`].
    pub fn read_secret(bytes: &[u8]) -> Result<SecretKey> {
        parse_secret(whole(bytes, Kind::PaillierSecretKey)?).map_err(in_header)
    }

    fn parse_secret(header: &[u8]) -> Result<SecretKey> {
        let mut reader = Reader::new(header);
        let bits = reader.u16()?;
        let id = reader.array()?;
        check_bits(bits)?;
        let p = BigUint::from_bytes_le(reader.take(usize::from(bits) / 16)?);
        let q = BigUint::from_bytes_le(reader.take(usize::from(bits) / 16)?);
        reader.end()?;
        let key = SecretKey::from_primes(&p, &q)?;
        if key.public().bits() != bits {
            return Err(Error::new(Code::BadSecretKey, "the secret key's primes are shorter than the file says"));
        }
        check_id(key.public(), id)?;
        Ok(key)
    }

    /// Reads a key file of either kind, to encrypt with.
    ///
    /// # Errors
    /// As [`read_secret`] and [`read_public`].
    pub fn read_encryption_key(bytes: &[u8]) -> Result<EncryptionKey> {
        if crate::wire::open(bytes, Kind::PaillierSecretKey).is_ok() {
            return read_secret(bytes).map(|key| EncryptionKey::Owner(std::sync::Arc::new(key)));
        }
        read_public(bytes).map(EncryptionKey::Public)
    }
}
#[cfg(feature = "client")]
pub use secret::{read_encryption_key, read_secret, write_secret};
