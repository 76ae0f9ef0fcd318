//! CKKS files. See [`crate::wire`] for the format.
//!
//! A file read for a ring must be for that ring's parameter set. Only the headers can be read without a ring.

mod body;
mod key;
#[cfg(feature = "ckks-secret")]
mod making;
#[cfg(feature = "ckks-secret")]
mod secret;
mod set;
mod vector;

use crate::error::{Code, Error, Result};
use crate::schemes::ckks::keys::KeyId;
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::Ring;
use crate::wire::{Kind, Prologue, Reader, Scheme, in_header, open};

pub use key::{Entry, Purpose, SwitchHead, read_public, read_switch, write_public, write_switch};
#[cfg(feature = "ckks-secret")]
pub use making::SetMaker;
#[cfg(feature = "ckks-secret")]
pub use secret::{check_secret, read_secret, write_secret};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use set::gather;
pub use set::{Checker, SetHead, read_set, write_set};
pub use vector::{VectorHead, read_ciphertext, read_plaintext, write_ciphertext, write_plaintext, write_seeded};

/// The parameter set of any CKKS file and, except for plaintexts, the fingerprint of the key pair, from its header.
///
/// # Errors
/// As [`open`], and [`Code::WrongKind`] for files of other schemes, [`Code::UnknownParameters`], [`Code::BadHeader`].
pub fn owner(bytes: &[u8]) -> Result<(&'static Parameters, Option<KeyId>)> {
    let kind = Prologue::parse(bytes)?.kind;
    if kind.scheme() != Scheme::Ckks {
        return Err(Error::new(Code::WrongKind, format!("this file is {}, not a CKKS file", kind.text())));
    }
    let mut reader = Reader::new(open(bytes, kind)?.header);
    let parameters = parameters(&mut reader).map_err(in_header)?;
    let key = if kind == Kind::CkksPlaintext { None } else { Some(key_id(&mut reader).map_err(in_header)?) };
    Ok((parameters, key))
}

/// Reads the set's number from a header.
fn parameters(reader: &mut Reader<'_>) -> Result<&'static Parameters> {
    Parameters::with_id(reader.u16()?)
}

/// Reads a key id from a header.
fn key_id(reader: &mut Reader<'_>) -> Result<KeyId> {
    reader.array().map(KeyId)
}

/// Reads a level from a header.
fn level(reader: &mut Reader<'_>, parameters: &Parameters) -> Result<usize> {
    let level = usize::from(reader.u8()?);
    if level <= top(parameters) { Ok(level) } else { Err(bad("its level is too high for its parameter set")) }
}

/// The highest level.
const fn top(parameters: &Parameters) -> usize {
    parameters.levels + parameters.raised
}

/// A level in its encoded form. No set has more than 255.
fn level_byte(level: usize) -> u8 {
    u8::try_from(level).unwrap_or(u8::MAX)
}

pub(crate) fn same_set(ring: &Ring, parameters: &Parameters) -> Result<()> {
    if ring.parameters().id == parameters.id {
        return Ok(());
    }
    let (theirs, ours) = (parameters.name, ring.parameters().name);
    Err(Error::new(Code::WrongParameters, format!("this is for the parameter set {theirs}, but {ours} is in use")))
}

fn bad(what: &str) -> Error {
    Error::new(Code::BadHeader, format!("this file is not valid: {what}"))
}
