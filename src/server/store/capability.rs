//! Ids that are capabilities: only those who know an id can use what it names.
//!
//! An id is 144 bits from the system's random generator. Tables store only its hash, and it is never logged.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};

/// An id in an address.
pub(super) type Id = Result<Path<String>, PathRejection>;

/// The hash of an id, as stored in tables.
pub(super) type Key = [u8; 32];

/// A new id, usable in an address. 18 bytes are 24 letters without padding.
pub(super) fn new() -> Result<String> {
    let mut bytes = [0; 18];
    getrandom::fill(&mut bytes)
        .map_err(|_| Error::new(Code::NoRandomness, "the system's random generator failed; try again later"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The key of an id.
pub(super) fn key(id: &str) -> Key {
    Sha256::digest(id.as_bytes()).into()
}

/// The id's text. An id that is not valid text is treated as unknown.
pub(super) fn text(id: Id) -> String {
    id.map_or_else(|_| String::new(), |Path(id)| id)
}

/// The address of the resource with this id, for the header `Location`.
pub(super) fn address(folder: &str, id: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(format!("/v1/{folder}/{id}")).map_err(|e| Error::new(Code::Internal, e.to_string()))
}
