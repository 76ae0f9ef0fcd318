//! Networks that classify encrypted photos, in the browser: the public part, which the owner of photos needs to encrypt
//! them and to read the answers. See [`crate::network`].

use js_sys::{Float64Array, Uint8Array};
use wasm_bindgen::prelude::*;

use super::JsResult;
use super::ckks::{CkksKey, CkksKeys, source};
use crate::network::wire as network;
use crate::network::{Answer, NetworkSpec as Spec};
use crate::photo::Photo;
use crate::schemes::ckks::wire as files;

/// The public part of a network.
#[wasm_bindgen]
pub struct NetworkSpec(Spec);

#[wasm_bindgen]
impl NetworkSpec {
    /// Reads the file of a network's public part, which is untrusted.
    ///
    /// # Errors
    /// Those of a damaged file, and `unknown_parameters`.
    pub fn read(bytes: &[u8]) -> JsResult<Self> {
        Ok(Self(network::read_spec(bytes)?))
    }

    /// The name of the parameter set that keys must have.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn set(&self) -> String {
        self.0.parameters().name.into()
    }

    /// The labels of the network.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        self.0.labels().to_vec()
    }

    /// The evaluation keys that the server needs, to be made from `key`.
    ///
    /// # Errors
    /// `wrong_parameters` for a key of another set.
    pub fn keys(&self, key: &CkksKey) -> JsResult<CkksKeys> {
        self.0.check_ring(&key.ring)?;
        let mut keys = CkksKeys::new(key);
        for need in self.0.needs() {
            keys.need(need)?;
        }
        Ok(keys)
    }

    /// Encrypts the features of a photo, whose samples are interleaved, row by row.
    ///
    /// # Errors
    /// `wrong_parameters`, `bad_argument` for invalid samples, `no_randomness`.
    pub fn encrypt(
        &self,
        key: &CkksKey,
        samples: &[u8],
        width: u32,
        height: u32,
        channels: u8,
        seed: Option<Vec<u8>>,
    ) -> JsResult<Uint8Array> {
        self.0.check_ring(&key.ring)?;
        let photo = Photo::from_samples(width, height, channels, samples.to_vec())?;
        let numbers = self.0.input().of(&photo)?;
        let sent = self.0.encrypt(&key.ring, key.encoder(), &key.secret, &numbers, &mut source(seed)?)?;
        Ok(Uint8Array::from(files::write_seeded(&key.ring, &sent)?.as_slice()))
    }

    /// Decrypts an answer, if an honest server can have computed it.
    ///
    /// # Errors
    /// `foreign_key`, `vectors_differ`, `wrong_parameters`, `bad_answer`, and those of a damaged file.
    pub fn open(&self, key: &CkksKey, answer: &[u8]) -> JsResult<NetworkAnswer> {
        self.0.check_ring(&key.ring)?;
        let answer = network::read_answer(&self.0, &key.ring, answer)?;
        Ok(NetworkAnswer(self.0.open(&key.ring, key.encoder(), &key.secret, &answer)?.for_display()))
    }
}

/// A network's answer for a photo, rounded, since full precision would reveal information about the secret key.
#[wasm_bindgen]
pub struct NetworkAnswer(Answer);

#[wasm_bindgen]
impl NetworkAnswer {
    /// The index of the label.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn class(&self) -> usize {
        self.0.class
    }

    /// The probability of each label, in hundredths.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn probabilities(&self) -> Float64Array {
        Float64Array::from(self.0.probabilities.as_slice())
    }
}
