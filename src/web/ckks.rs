//! Encrypted vectors in the browser: see [`crate::schemes::ckks`].
//!
//! The source and the results are the same as in native builds: a seed gives the same bytes on every machine. Seeds are
//! only for tests, because anyone who knows the seed knows the secrets. Without a seed, the browser's random generator
//! is used.

use std::cell::OnceCell;
use std::sync::Arc;

use js_sys::{Float64Array, Uint8Array};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::{JsError, JsResult};
use crate::error::{Code, Error, Result};
use crate::math::kernel::Kernel;
use crate::math::random;
use crate::network::Need;
use crate::schemes::ckks::bootstrap::{Numbers, Plan};
use crate::schemes::ckks::check;
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::keys::PublicKey;
use crate::schemes::ckks::parameters::{ALL, Parameters};
use crate::schemes::ckks::ring::{CONJUGATION, Ring};
use crate::schemes::ckks::secret::SecretKey;
use crate::schemes::ckks::wire::{self as files, Entry, Purpose, SetMaker};

/// The arithmetic that this build uses in this browser.
#[wasm_bindgen(js_name = ckksArithmetic)]
#[must_use]
pub fn ckks_arithmetic() -> String {
    Kernel::best().name().into()
}

/// Tests the arithmetic of this build in this browser.
///
/// # Errors
/// `bad_arithmetic`, after which neither this build nor its earlier results may be used.
#[wasm_bindgen(js_name = ckksSelfTest)]
pub fn ckks_self_test() -> JsResult<()> {
    if check::arithmetic_is_right() {
        return Ok(());
    }
    let message = "this browser miscalculates; use another browser, or the command line";
    Err(JsError(Error::new(Code::BadArithmetic, message)))
}

/// The names of all parameter sets.
#[wasm_bindgen(js_name = ckksSets)]
#[must_use]
pub fn ckks_sets() -> Vec<String> {
    ALL.iter().map(|set| set.name.into()).collect()
}

/// A secret key with its ring, in the memory of the worker that made or read it.
#[wasm_bindgen]
pub struct CkksKey {
    pub(super) ring: Arc<Ring>,
    encoder: OnceCell<Encoder>,
    pub(super) secret: Arc<SecretKey>,
    /// Only for a key that was made here.
    public: Option<PublicKey>,
}

#[wasm_bindgen]
impl CkksKey {
    /// Makes a key of a parameter set.
    ///
    /// # Errors
    /// `unknown_parameters`, `no_randomness`, `bad_argument` for a seed that does not have 32 bytes.
    pub fn generate(set: &str, seed: Option<Vec<u8>>) -> JsResult<Self> {
        let ring = Ring::new(Parameters::named(set)?)?;
        let (secret, public) = SecretKey::generate(&ring, &mut source(seed)?)?;
        Ok(Self { ring, encoder: OnceCell::new(), secret: Arc::new(secret), public: Some(public) })
    }

    /// Reads a secret key file.
    ///
    /// # Errors
    /// Those of a damaged file.
    #[wasm_bindgen(js_name = fromBytes)]
    pub fn from_bytes(bytes: &[u8]) -> JsResult<Self> {
        files::check_secret(bytes)?;
        let ring = Ring::new(files::owner(bytes)?.0)?;
        let secret = Arc::new(files::read_secret(&ring, bytes)?);
        Ok(Self { ring, encoder: OnceCell::new(), secret, public: None })
    }

    /// The bytes of the secret key file.
    #[wasm_bindgen(js_name = toBytes)]
    #[must_use]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(files::write_secret(&self.ring, &self.secret).as_slice())
    }

    /// The bytes of the public key; nothing for a key that was read, because its file has no public half.
    ///
    /// # Errors
    /// None in practice.
    #[wasm_bindgen(js_name = publicKey)]
    pub fn public_key(&self) -> JsResult<Option<Uint8Array>> {
        let bytes = self.public.as_ref().map(|key| files::write_public(&self.ring, key)).transpose()?;
        Ok(bytes.map(|bytes| Uint8Array::from(bytes.as_slice())))
    }

    /// The key pair's public id, 32 hexadecimal digits.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.secret.id().to_string()
    }

    /// The name of the parameter set.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn set(&self) -> String {
        self.ring.parameters().name.into()
    }

    /// The length of the set's modulus in bits, all primes together.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.ring.parameters().modulus_bits()
    }

    /// The maximum number of values in a vector.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn slots(&self) -> usize {
        self.ring.parameters().slots()
    }

    /// The highest level of fresh vectors: the number of products that can follow one another.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn levels(&self) -> usize {
        self.ring.parameters().levels
    }

    /// Encrypts real numbers. `slots` is a power of two, by default the smallest that has room for them; `level` is by
    /// default the highest.
    ///
    /// # Errors
    /// `bad_argument`, `plaintext_out_of_range`, `no_randomness`.
    pub fn encrypt(
        &self,
        values: &[f64],
        slots: Option<usize>,
        level: Option<usize>,
        seed: Option<Vec<u8>>,
    ) -> JsResult<Uint8Array> {
        let ring = &self.ring;
        let slots = slots.unwrap_or_else(|| values.len().next_power_of_two());
        let level = self.checked(level)?;
        let plaintext = self.encoder().encode_real(ring, values, slots, level, ring.scale(level))?;
        let seeded = self.secret.encrypt_seeded(ring, &plaintext, &mut source(seed)?)?;
        Ok(Uint8Array::from(files::write_seeded(ring, &seeded)?.as_slice()))
    }

    /// Decrypts a ciphertext to the real parts of its numbers, one per slot.
    ///
    /// # Errors
    /// `foreign_key`, and those of a damaged file.
    pub fn decrypt(&self, bytes: &[u8]) -> JsResult<Float64Array> {
        let ring = &self.ring;
        let ciphertext = files::read_ciphertext(ring, bytes)?;
        let numbers = self.secret.decrypt(ring, &ciphertext)?.decode(ring, self.encoder());
        Ok(Float64Array::from(numbers.iter().map(|number| number.re).collect::<Vec<_>>().as_slice()))
    }
}

impl CkksKey {
    pub(super) fn encoder(&self) -> &Encoder {
        self.encoder.get_or_init(|| Encoder::new(&self.ring))
    }

    fn checked(&self, level: Option<usize>) -> Result<usize> {
        let most = self.ring.parameters().levels;
        match level {
            Some(level) if level > self.ring.top() => {
                Err(Error::new(Code::BadArgument, format!("there is no level {level}; use one from 0 to {most}")))
            }
            level => Ok(level.unwrap_or(most)),
        }
    }
}

/// Evaluation keys to be made. First, list the keys. Then make them part by part, in any order and on any worker that
/// has the same list.
#[wasm_bindgen]
pub struct CkksKeys {
    ring: Arc<Ring>,
    secret: Arc<SecretKey>,
    entries: Vec<Entry>,
    /// Set once the list is complete.
    maker: OnceCell<SetMaker>,
}

#[wasm_bindgen]
impl CkksKeys {
    /// An empty list of keys for this secret key.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(key: &CkksKey) -> Self {
        let (ring, secret) = (Arc::clone(&key.ring), Arc::clone(&key.secret));
        Self { ring, secret, entries: Vec::new(), maker: OnceCell::new() }
    }

    /// The list of keys in this header, which was made from the same secret key.
    ///
    /// # Errors
    /// Those of a damaged header, and `foreign_key`.
    #[wasm_bindgen(js_name = fromHeader)]
    pub fn from_header(key: &CkksKey, header: &[u8]) -> JsResult<Self> {
        let keys = Self::new(key);
        let maker = SetMaker::of_header(&key.ring, header)?;
        // Nothing else sets it.
        let _ = keys.maker.set(maker);
        Ok(keys)
    }

    /// Adds the key for products, for vectors up to `level`.
    pub fn products(&mut self, level: usize) {
        self.entries.push(Entry::up_to(&self.ring, Purpose::Relinearise, level));
    }

    /// Adds the key for rotations to the left by `steps`.
    ///
    /// # Errors
    /// `bad_argument` for steps that rotate nothing.
    pub fn rotation(&mut self, steps: i32, level: usize) -> JsResult<()> {
        self.entries.push(Entry::rotation(&self.ring, steps.into(), level)?);
        Ok(())
    }

    /// Adds the key for conjugation.
    pub fn conjugation(&mut self, level: usize) {
        self.entries.push(Entry::up_to(&self.ring, Purpose::Galois(CONJUGATION), level));
    }

    /// Adds the key for the automorphism with this element.
    ///
    /// # Errors
    /// `bad_argument` if `element` is not the element of an automorphism, or that of the identity.
    pub fn automorphism(&mut self, element: u32, level: usize) -> JsResult<()> {
        self.entries.push(Entry::automorphism(&self.ring, element.into(), level)?);
        Ok(())
    }

    /// Adds all keys for bootstrapping vectors of `slots` slots.
    ///
    /// # Errors
    /// `bad_argument` if the set has no levels for it, or fewer slots.
    pub fn bootstrapping(&mut self, slots: usize) -> JsResult<()> {
        let plan = Plan::new(&self.ring, &Encoder::new(&self.ring), slots, Numbers::Real)?;
        self.entries.extend(Entry::bootstrapping(&self.ring, &plan));
        Ok(())
    }

    /// The header, which is the first bytes of the file. After this call, the list is complete.
    ///
    /// # Errors
    /// `bad_argument` for a list that is empty or too long, or for levels that do not exist.
    pub fn header(&self) -> JsResult<Uint8Array> {
        Ok(Uint8Array::from(self.maker()?.head().write().as_slice()))
    }

    /// The length of each part in bytes.
    ///
    /// # Errors
    /// As [`Self::header`].
    #[wasm_bindgen(js_name = partBytes)]
    #[expect(clippy::cast_precision_loss, reason = "no part has 2^53 bytes")]
    pub fn part_bytes(&self) -> JsResult<Float64Array> {
        let lengths: Vec<f64> = self.maker()?.part_bytes()?.iter().map(|&length| length as f64).collect();
        Ok(Float64Array::from(lengths.as_slice()))
    }

    /// Makes a part.
    ///
    /// # Errors
    /// As [`Self::header`], `bad_argument` for a part that does not exist, `no_randomness`.
    pub fn make(&self, part: usize, seed: Option<Vec<u8>>) -> JsResult<Uint8Array> {
        let bytes = self.maker()?.make(&self.ring, &self.secret, part, &mut source(seed)?)?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }
}

impl CkksKeys {
    /// Adds a key that a network needs.
    pub(super) fn need(&mut self, need: Need) -> Result<()> {
        self.entries.push(match need {
            Need::Products { level } => Entry::up_to(&self.ring, Purpose::Relinearise, level),
            Need::Rotation { steps, level } => Entry::rotation(&self.ring, steps, level)?,
        });
        Ok(())
    }

    fn maker(&self) -> Result<&SetMaker> {
        if self.maker.get().is_none() {
            // Nothing else sets it.
            let _ = self.maker.set(SetMaker::new(&self.ring, self.secret.id(), self.entries.clone())?);
        }
        self.maker.get().ok_or_else(|| Error::new(Code::Internal, "the list of keys was lost"))
    }
}

/// The generator with this seed, or with a seed from the browser.
pub(super) fn source(seed: Option<Vec<u8>>) -> Result<ChaCha20Rng> {
    let mut bytes = Zeroizing::new([0; 32]);
    match seed.map(Zeroizing::new) {
        Some(seed) if seed.len() == bytes.len() => bytes.copy_from_slice(&seed),
        Some(_) => return Err(Error::new(Code::BadArgument, "a seed has 32 bytes")),
        None => random::fill(&mut random::system(), &mut *bytes)?,
    }
    Ok(ChaCha20Rng::from_seed(*bytes))
}
