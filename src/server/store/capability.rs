//! Ids that are capabilities: only those who know an id can use what it names.
//!
//! An id is 144 bits from the system's random generator. Tables store only its hash, and it is never logged.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};

/// An id. Its `Debug` form does not contain it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::server) struct Id(String);

/// The hash of an id, as stored in tables.
pub(in crate::server) type Key = [u8; 32];

impl Id {
    /// A new id, usable in an address.
    pub(in crate::server) fn new() -> Result<Self> {
        random().map(Self)
    }

    /// Its text, for answers to those who may know it.
    pub(in crate::server) fn as_str(&self) -> &str {
        &self.0
    }

    /// Its hash.
    pub(in crate::server) fn key(&self) -> Key {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id(..)")
    }
}

/// Random letters that no one can guess. 18 bytes are 24 letters without padding.
pub(in crate::server) fn random() -> Result<String> {
    let mut bytes = [0; 18];
    getrandom::fill(&mut bytes)
        .map_err(|_| Error::new(Code::NoRandomness, "the system's random generator failed; try again later"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_long_and_stays_out_of_the_log() {
        let id = Id::new().expect("random");
        assert_eq!(id.as_str().len(), 24);
        assert!(!format!("{id:?}").contains(id.as_str()));
        assert_eq!(serde_json::to_string(&id).expect("JSON"), format!("\"{}\"", id.as_str()));
    }
}
