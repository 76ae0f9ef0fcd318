//! Files of secret keys. They must stay with their owner; [`age`](crate::wire::age) protects them with a passphrase.

use zeroize::Zeroizing;

use super::{key_id, parameters, same_set};
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::keys::KeyId;
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::Ring;
use crate::schemes::ckks::secret::SecretKey;
use crate::wire::{Kind, PROLOGUE_BYTES, Reader, in_header, open, seal};

/// The bytes of a secret key, which are wiped when dropped.
#[must_use]
pub fn write_secret(ring: &Ring, key: &SecretKey) -> Zeroizing<Vec<u8>> {
    let mut header = Zeroizing::new(Vec::with_capacity(18 + ring.degree() / 4));
    header.extend(ring.parameters().id.to_le_bytes());
    header.extend(key.id().0);
    // Two bits for each coefficient: 0, 1 or 2.
    let code = |(i, &coefficient): (usize, &i8)| (coefficient + 1).cast_unsigned() << (2 * i);
    header.extend(key.coefficients().chunks(4).map(|four| four.iter().enumerate().map(code).sum::<u8>()));
    Zeroizing::new(seal(Kind::CkksSecretKey, &header))
}

/// Reads a secret key. This function cannot check whether its public half has the id in the file.
///
/// # Errors
/// As [`open`], and [`Code::UnknownParameters`], [`Code::WrongParameters`], [`Code::BadHeader`], [`Code::BadSecretKey`],
/// [`Code::TrailingData`].
pub fn read_secret(ring: &Ring, bytes: &[u8]) -> Result<SecretKey> {
    let (parameters, id, coefficients) = parse(bytes)?;
    same_set(ring, parameters)?;
    Ok(SecretKey::from_coefficients(ring, coefficients, id))
}

/// Checks that this is a secret key file, of any parameter set.
///
/// # Errors
/// As [`read_secret`].
pub fn check_secret(bytes: &[u8]) -> Result<()> {
    parse(bytes).map(drop)
}

type Parts = (&'static Parameters, KeyId, Zeroizing<Vec<i8>>);

fn parse(bytes: &[u8]) -> Result<Parts> {
    let header = open(bytes, Kind::CkksSecretKey)?.header;
    let parts = parse_header(header).map_err(in_header)?;
    Reader::new(&bytes[PROLOGUE_BYTES + header.len() + 4..]).end()?;
    Ok(parts)
}

fn parse_header(header: &[u8]) -> Result<Parts> {
    let mut reader = Reader::new(header);
    let parameters = parameters(&mut reader)?;
    let id = key_id(&mut reader)?;
    let packed = reader.take(parameters.degree() / 4)?;
    reader.end()?;
    // No branch depends on a coefficient: errors are reported at the end.
    let mut wrong = 0;
    let mut coefficients = Zeroizing::new(Vec::with_capacity(parameters.degree()));
    for byte in packed {
        wrong |= byte & byte >> 1 & 0x55;
        coefficients.extend((0..4).map(|i| (byte >> (2 * i) & 3).cast_signed() - 1));
    }
    if wrong != 0 {
        return Err(Error::new(Code::BadSecretKey, "the secret key has a coefficient that is not -1, 0 or 1"));
    }
    Ok((parameters, id, coefficients))
}
