//! Encrypts photos and decrypts results in the browser, and answers a page's questions about filters and files.

use std::sync::Arc;

use js_sys::{Array, Object, Uint8Array, Uint8ClampedArray};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::{JsError, JsResult, SecretKey};
use crate::error::{Code, Error};
use crate::math::comb::Lookup;
use crate::math::{check, pair};
use crate::schemes::paillier::circuit::output_head;
use crate::schemes::paillier::wire::image::Frames;
use crate::schemes::paillier::{
    Border, Canvas, Check, EncryptOptions, EncryptionKey, Expectation, Filter, FilterInfo, ImageDecryptor,
    ImageEncryptor, Layout, Origin, ParameterInfo, SecretKey as Key, View,
};
use crate::wire::{PROLOGUE_BYTES, Prologue};
use crate::{photo, wire};

/// The name of the kernel for multiplication, for display.
#[wasm_bindgen]
#[must_use]
pub fn arithmetic() -> String {
    pair::best_kernel_name().into()
}

/// Tests the arithmetic of this build in this browser.
///
/// # Errors
/// `bad_arithmetic`, after which neither this build nor its earlier results may be used.
#[wasm_bindgen(js_name = selfTest)]
pub fn self_test() -> JsResult<()> {
    if check::arithmetic_is_right() {
        return Ok(());
    }
    let message = "this browser miscalculates; use another browser, or the command line";
    Err(JsError(Error::new(Code::BadArithmetic, message)))
}

/// All filters with their parameters, as in `GET /v1`.
#[wasm_bindgen(js_name = filterCatalogue)]
#[must_use]
pub fn filter_catalogue() -> Array {
    let parameter = |info: &ParameterInfo| {
        let default = info.default.map_or(JsValue::NULL, JsValue::from);
        object(&[("name", info.name.into()), ("help", info.help.into()), ("default", default)])
    };
    let filter = |info: &FilterInfo| {
        let parameters: Array = info.parameters.iter().map(parameter).collect();
        let [name, summary] = [info.name, info.summary].map(JsValue::from);
        object(&[
            ("name", name),
            ("summary", summary),
            ("inputs", JsValue::from(u32::try_from(info.inputs).unwrap_or(u32::MAX))),
            ("parameters", parameters.into()),
        ])
    };
    Filter::catalogue().iter().map(filter).collect()
}

/// The kind of a file, from its first 32 bytes: `"image"`, `"secret_key"`, `"public_key"`, `"etc_key"` (for scrambled
/// pictures), or `"protected_key"` for a key under a passphrase.
///
/// # Errors
/// `not_safelight`, `unsupported_version`, `truncated`, `bad_header`.
#[wasm_bindgen(js_name = fileKind)]
pub fn file_kind(bytes: &[u8]) -> JsResult<String> {
    if wire::age::is_age(bytes) {
        return Ok("protected_key".into());
    }
    Ok(Prologue::parse(bytes)?.kind.as_str().into())
}

/// The length in bytes of everything before an encrypted image's first row, from the file's first 16 bytes.
///
/// # Errors
/// As [`file_kind`].
#[wasm_bindgen(js_name = headerLength)]
pub fn header_length(bytes: &[u8]) -> JsResult<usize> {
    Ok(Prologue::parse(&bytes[..bytes.len().min(PROLOGUE_BYTES)])?.total_bytes())
}

/// 32 random bytes from which the masks of exactly one photo are derived.
///
/// # Errors
/// `no_randomness`.
#[wasm_bindgen(js_name = newOrigin)]
pub fn new_origin() -> JsResult<Uint8Array> {
    Ok(Uint8Array::from(&Origin::random()?.0[..]))
}

/// The header of a filter's result for encrypted images with these headers. An honest server's answer begins with
/// exactly these bytes.
///
/// # Errors
/// Those of the headers and the filter, `halo_too_small`, `slot_overflow`, `images_differ`, `foreign_key`.
#[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen passes it so")]
#[wasm_bindgen(js_name = resultHeader)]
pub fn result_header(headers: Vec<Uint8Array>, filter: &str, parameters: &JsValue) -> JsResult<Uint8Array> {
    let filter = Filter::parse(filter, &pairs(parameters)?)?;
    let heads = headers.iter().map(|header| Ok(Frames::read(&header.to_vec())?.head)).collect::<JsResult<Vec<_>>>()?;
    let (bytes, _) = Frames::write(output_head(&filter, &heads)?);
    Ok(Uint8Array::from(bytes.as_slice()))
}

/// Encrypts a photo's rows, in any order.
#[wasm_bindgen]
pub struct Encryptor {
    image: ImageEncryptor,
    header: Vec<u8>,
    frames: Frames,
}

#[wasm_bindgen]
impl Encryptor {
    /// Prepares the encryption of interleaved samples for one filter. Workers that share a photo get the same origin, which
    /// must be new for each photo.
    ///
    /// # Errors
    /// `unknown_filter`, `bad_filter`, `bad_argument`, `image_too_large`.
    #[expect(clippy::too_many_arguments, reason = "a constructor for JavaScript")]
    #[wasm_bindgen(constructor)]
    pub fn new(
        key: &SecretKey,
        origin: &[u8],
        samples: Vec<u8>,
        width: u32,
        height: u32,
        channels: u8,
        filter: &str,
        parameters: &JsValue,
        border: &str,
    ) -> JsResult<Self> {
        let photo = photo::Photo::from_samples(width, height, channels, samples)?;
        let options = options_for(filter, parameters, border)?;
        let owner = EncryptionKey::Owner(Arc::clone(&key.0));
        let image = ImageEncryptor::with_origin(owner, &photo, &options, read_origin(origin)?)?;
        let (header, frames) = Frames::write(image.head().clone());
        Ok(Self { image, header, frames })
    }

    /// The header, which is the first bytes of the encrypted image.
    #[must_use]
    pub fn header(&self) -> Uint8Array {
        Uint8Array::from(self.header.as_slice())
    }

    /// The number of rows that follow the header.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.frames.head.layout.rows()
    }

    /// The length of each row in bytes.
    #[wasm_bindgen(getter, js_name = rowBytes)]
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        self.frames.frame_bytes()
    }

    /// The number of ciphertexts in a row.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn columns(&self) -> u32 {
        self.frames.head.layout.columns()
    }

    /// Encrypts one row, with the masks that [`SecretKey::prepare_masks`] made for it (from number `row * columns` on),
    /// if there are any.
    ///
    /// # Errors
    /// `bad_argument`, `no_randomness`.
    #[wasm_bindgen(js_name = encryptRow)]
    pub fn encrypt_row(&self, row: u32, masks: Option<Vec<u8>>) -> JsResult<Uint8Array> {
        let ciphertexts = match masks.map(Zeroizing::new) {
            Some(masks) => self.image.encrypt_row_with(row, &masks)?,
            None => self.image.encrypt_row(row)?,
        };
        Ok(Uint8Array::from(self.frames.write_frame(row, &ciphertexts).as_slice()))
    }
}

/// Decrypts an encrypted image's rows. Rows may be left out, but ascending ones are much cheaper than others.
#[wasm_bindgen]
pub struct Decryptor {
    key: Arc<Key>,
    frames: Frames,
    image: ImageDecryptor,
}

#[wasm_bindgen]
impl Decryptor {
    /// Prepares the decryption of an image from its header. `check` is `"required"`, `"where-possible"` or `"none"`:
    /// whether to verify that the server did what the header says, and whether to decrypt images that cannot be
    /// verified ([`Check`]). `expect` lists the filters that must have been applied, if they are known. `originals`
    /// contains the samples of the original photos, with which a random sample of pixels is compared; it is empty if
    /// they are not available.
    ///
    /// # Errors
    /// Those of the header, `foreign_key`, `not_verifiable`, `wrong_result`, `bad_filter`, `unknown_filter`,
    /// `images_differ`, `bad_argument`.
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen passes it so")]
    #[wasm_bindgen(constructor)]
    pub fn new(
        key: &SecretKey,
        header: &[u8],
        originals: Vec<Uint8Array>,
        check: &str,
        expect: Option<Vec<String>>,
    ) -> JsResult<Self> {
        let frames = Frames::read(header)?;
        let mut image = ImageDecryptor::new(&key.0, &frames.head, Check::from_name(check)?, Lookup::Direct)?;
        if let Some(filters) = expect {
            image.expect(&Expectation::new(&filters)?)?;
        }
        if !originals.is_empty() {
            let Layout { width, height, channels, .. } = frames.head.layout;
            let photo = |samples: &Uint8Array| photo::Photo::from_samples(width, height, channels, samples.to_vec());
            image.compare_with(originals.iter().map(photo).collect::<Result<_, _>>()?)?;
        }
        Ok(Self { key: Arc::clone(&key.0), frames, image })
    }

    /// Whether it is verified that the server did what the header says.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn verifies(&self) -> bool {
        self.image.verifies()
    }

    /// The length of the header in bytes.
    #[wasm_bindgen(getter, js_name = headerBytes)]
    #[must_use]
    pub fn header_bytes(&self) -> usize {
        self.frames.header_bytes()
    }

    /// The number of rows that follow the header.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.frames.head.layout.rows()
    }

    /// The length of each row in bytes.
    #[wasm_bindgen(getter, js_name = rowBytes)]
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        self.frames.frame_bytes()
    }

    /// Decrypts one row to the values of its pixels, for [`Assembler::place`]; nothing for a row that is not visible.
    /// Errors in a row are reported only by [`Self::finish`], so that every row costs the same.
    ///
    /// # Errors
    /// `bad_argument` if there is no such row.
    #[wasm_bindgen(js_name = decryptRow)]
    pub fn decrypt_row(&mut self, row: u32, frame: &[u8]) -> JsResult<Option<Vec<i32>>> {
        let ciphertexts = match self.frames.read_frame(row, frame) {
            Ok(ciphertexts) => ciphertexts,
            Err(error) => {
                self.image.fail(error);
                let head = &self.frames.head;
                vec![0; head.layout.columns() as usize * head.key.square().width()]
            }
        };
        Ok(self.image.decrypt_row(&self.key, row, &ciphertexts)?)
    }

    /// Finishes the checks. Call this after the last row, and do not use any decrypted values before it succeeds.
    ///
    /// # Errors
    /// `truncated`, `damaged`, `ciphertext_out_of_range`, `ciphertext_not_unit`, `wrong_result`.
    pub fn finish(self) -> JsResult<()> {
        Ok(self.image.finish()?)
    }
}

/// Assembles decrypted rows into a picture.
#[wasm_bindgen]
pub struct Assembler {
    canvas: Canvas,
    history: String,
}

#[wasm_bindgen]
impl Assembler {
    /// An empty picture for an image with this header, in the view `"clamp"`, `"signed"` or `"absolute"`.
    ///
    /// # Errors
    /// Those of the header, and `bad_argument`.
    #[wasm_bindgen(constructor)]
    pub fn new(header: &[u8], view: &str) -> JsResult<Self> {
        let head = Frames::read(header)?.head;
        let view = View::from_name(view)?;
        Ok(Self { canvas: Canvas::new(&head, view), history: head.history })
    }

    /// Width in pixels.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn width(&self) -> u32 {
        self.canvas.layout().width
    }

    /// Height in pixels.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn height(&self) -> u32 {
        self.canvas.layout().height
    }

    /// Colour planes, 1 or 3.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn channels(&self) -> u8 {
        self.canvas.layout().channels
    }

    /// The filters that were applied, oldest first.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn filters(&self) -> String {
        self.history.clone()
    }

    /// Puts a row in its place.
    ///
    /// # Errors
    /// `bad_argument` if it does not fit.
    pub fn place(&mut self, row: u32, values: &[i32]) -> JsResult<()> {
        Ok(self.canvas.place(row, values)?)
    }

    /// The picture as red, green, blue and alpha, for a canvas. A missing alpha is opaque.
    ///
    /// # Errors
    /// `bad_argument` if the alpha plane has another size.
    pub fn rgba(&self, alpha: Option<Vec<u8>>) -> JsResult<Uint8ClampedArray> {
        let layout = self.canvas.layout();
        let photo = photo::Photo::from_samples(layout.width, layout.height, layout.channels, self.canvas.samples8())?;
        let photo = match alpha {
            Some(alpha) => photo.with_alpha(alpha)?,
            None => photo,
        };
        Ok(Uint8ClampedArray::from(photo.rgba().as_slice()))
    }
}

/// The options with exactly enough room for this filter.
fn options_for(filter: &str, parameters: &JsValue, border: &str) -> JsResult<EncryptOptions> {
    let filter = Filter::parse(filter, &pairs(parameters)?)?;
    Ok(EncryptOptions::for_filter(&filter, Border::from_name(border)?)?)
}

pub(super) fn read_origin(bytes: &[u8]) -> JsResult<Origin> {
    let bytes = bytes.try_into().map_err(|_| Error::new(Code::BadArgument, "an origin has 32 bytes"))?;
    Ok(Origin(bytes))
}

/// The pairs of a plain object whose values are strings.
fn pairs(object: &JsValue) -> JsResult<Vec<(String, String)>> {
    if object.is_undefined() || object.is_null() {
        return Ok(Vec::new());
    }
    let pair = |entry: JsValue| {
        let entry = Array::from(&entry);
        entry.get(0).as_string().zip(entry.get(1).as_string())
    };
    let all: Option<Vec<_>> = Object::entries(object.unchecked_ref()).iter().map(pair).collect();
    Ok(all.ok_or_else(|| Error::new(Code::BadFilter, "filter parameters must be an object of strings"))?)
}

/// A plain object.
fn object(entries: &[(&str, JsValue)]) -> JsValue {
    let entries: Array = entries.iter().map(|(name, value)| Array::of2(&JsValue::from_str(name), value)).collect();
    // This fails only for values that are not pairs.
    Object::from_entries(&entries).map_or(JsValue::UNDEFINED, JsValue::from)
}
