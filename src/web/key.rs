//! Secret keys in the browser: makes, reads and writes them, passes them to workers, and computes masks with them.

use std::sync::Arc;

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use super::JsResult;
use super::paillier::read_origin;
use crate::math::random;
use crate::schemes::paillier::wire::key as key_file;
use crate::schemes::paillier::{KeySearch as Search, SecretKey as Key};
use crate::wire;

/// The search for a new key, one candidate at a time, so that the worker can handle other messages in between.
#[wasm_bindgen]
pub struct KeySearch(Search);

#[wasm_bindgen]
impl KeySearch {
    /// Starts a search for a key of 2048, 3072 or 4096 bits.
    ///
    /// # Errors
    /// `bad_argument`.
    #[wasm_bindgen(constructor)]
    pub fn new(bits: u16) -> JsResult<Self> {
        Ok(Self(Search::new(bits)?))
    }

    /// Tries one candidate. Returns the key when it is found.
    ///
    /// # Errors
    /// `no_randomness`.
    pub fn step(&mut self) -> JsResult<Option<SecretKey>> {
        Ok(self.0.step(&mut random::system())?.map(|key| SecretKey(Arc::new(key))))
    }
}

/// A secret key, in the memory of the worker that made or read it.
#[wasm_bindgen]
pub struct SecretKey(pub(super) Arc<Key>);

#[wasm_bindgen]
impl SecretKey {
    /// Reads a secret key file.
    ///
    /// # Errors
    /// Those of a damaged file.
    #[wasm_bindgen(js_name = fromBytes)]
    pub fn from_bytes(bytes: &[u8]) -> JsResult<Self> {
        Ok(Self(Arc::new(key_file::read_secret(bytes)?)))
    }

    /// The bytes of the secret key file.
    #[wasm_bindgen(js_name = toBytes)]
    #[must_use]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(key_file::write_secret(&self.0).as_slice())
    }

    /// The key as bytes for one of our own workers, which does not have to test the key again. Never store these bytes.
    #[wasm_bindgen(js_name = toWorker)]
    #[must_use]
    pub fn to_worker(&self) -> Uint8Array {
        Uint8Array::from(self.0.to_worker().as_slice())
    }

    /// Reads a key from the bytes of [`Self::to_worker`].
    ///
    /// # Errors
    /// `internal` for other bytes.
    #[wasm_bindgen(js_name = fromWorker)]
    pub fn from_worker(bytes: &[u8]) -> JsResult<Self> {
        Ok(Self(Arc::new(Key::from_worker(bytes)?)))
    }

    /// The key's public id, 32 hexadecimal digits.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.public().id().to_string()
    }

    /// The length of the modulus in bits.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn bits(&self) -> u16 {
        self.0.public().bits()
    }

    /// Whether the key can derive masks, and so compute them in advance.
    #[wasm_bindgen(getter, js_name = derivesMasks)]
    #[must_use]
    pub fn derives_masks(&self) -> bool {
        self.0.derives_masks()
    }

    /// Computes the masks of an origin for `count` ciphertexts, starting with number `first`. Masks are secret: use
    /// them once, for that origin's photo, and wipe them.
    ///
    /// # Errors
    /// `bad_argument` if the key cannot derive masks or the origin does not have 32 bytes.
    #[wasm_bindgen(js_name = prepareMasks)]
    pub fn prepare_masks(&self, origin: &[u8], first: u32, count: u32) -> JsResult<Uint8Array> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Ok(Uint8Array::from(self.0.prepare_masks(&read_origin(origin)?, first.into(), count)?.as_slice()))
    }
}

/// Decrypts a key file of any kind that is protected by a passphrase, in the age format.
///
/// # Errors
/// `wrong_passphrase`, `too_costly`, and those of a damaged file.
#[wasm_bindgen]
pub fn unprotect(bytes: &[u8], passphrase: &str) -> JsResult<Uint8Array> {
    Ok(Uint8Array::from(wire::age::open(bytes, passphrase)?.as_slice()))
}

/// Protects a key file of any kind with a passphrase, in the age format.
///
/// # Errors
/// `bad_argument` for an empty passphrase, `no_randomness`.
#[wasm_bindgen]
pub fn protect(bytes: &[u8], passphrase: &str) -> JsResult<Uint8Array> {
    Ok(Uint8Array::from(wire::age::protect(bytes, passphrase)?.as_slice()))
}
