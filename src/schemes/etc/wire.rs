//! Key files. See [`crate::wire`] for the format.

use zeroize::Zeroizing;

use super::MasterKey;
use crate::error::{Code, Error, Result};
use crate::wire::{Kind, Reader, in_header, seal, whole};

/// Writes a key file. Its bytes are wiped when dropped.
#[must_use]
pub fn write_key(key: &MasterKey) -> Zeroizing<Vec<u8>> {
    let header = Zeroizing::new([key.id().0.as_slice(), key.to_bytes().as_slice()].concat());
    Zeroizing::new(seal(Kind::EtcKey, &header))
}

/// Reads a key file.
///
/// # Errors
/// As [`open`](crate::wire::open), and [`Code::BadHeader`], [`Code::TrailingData`].
pub fn read_key(bytes: &[u8]) -> Result<MasterKey> {
    parse(whole(bytes, Kind::EtcKey)?).map_err(in_header)
}

fn parse(header: &[u8]) -> Result<MasterKey> {
    let mut reader = Reader::new(header);
    let id = reader.array()?;
    let key = MasterKey::from_bytes(reader.array()?);
    reader.end()?;
    if key.id().0 != id {
        return Err(Error::new(Code::BadHeader, "the key id does not match the key; use the original file"));
    }
    Ok(key)
}
