//! Scrambled pictures in the browser. They are obfuscated, not encrypted: see [`crate::schemes::etc`].
//!
//! The source and the arithmetic are the same as in native builds, so a fixed key gives exactly the bytes that
//! `safelight etc encrypt` writes.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use super::{JsResult, Photo};
use crate::error::{Code, Error};
use crate::photo;
use crate::schemes::etc::file::{self, Jpeg, Subsampling};
use crate::schemes::etc::label::sheet_limits;
use crate::schemes::etc::{self, Form, Label, MasterKey, Resistance, Settings};

/// A key for scrambled pictures, in the memory of the worker that made or read it.
#[wasm_bindgen]
pub struct EtcKey(MasterKey);

#[wasm_bindgen]
impl EtcKey {
    /// Makes a key.
    ///
    /// # Errors
    /// `no_randomness`.
    pub fn generate() -> JsResult<Self> {
        Ok(Self(MasterKey::random()?))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// Those of a damaged file.
    #[wasm_bindgen(js_name = fromBytes)]
    pub fn from_bytes(bytes: &[u8]) -> JsResult<Self> {
        Ok(Self(etc::wire::read_key(bytes)?))
    }

    /// The bytes of the key file.
    #[wasm_bindgen(js_name = toBytes)]
    #[must_use]
    pub fn to_bytes(&self) -> Uint8Array {
        Uint8Array::from(etc::wire::write_key(&self.0).as_slice())
    }

    /// The key's public id, which is in the label of each picture: 16 hexadecimal digits.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.id().to_string()
    }

    /// Scrambles a photo, and frees it. `block` is the side of a block in pixels, or nothing for the form's default;
    /// `fixed` scrambles every picture alike, so that such pictures give each other away.
    ///
    /// # Errors
    /// `bad_argument`, `image_too_large`, `no_randomness`.
    #[expect(clippy::needless_pass_by_value, reason = "the photo's memory is free again afterwards")]
    pub fn scramble(&self, photo: Photo, form: &str, block: Option<u8>, fixed: bool) -> JsResult<Scrambled> {
        let form = Form::from_name(form).ok_or_else(bad_form)?;
        let block = block.unwrap_or(Settings::new(form).block);
        let (picture, label) = etc::encrypt(&photo.0, &self.0, Settings { form, block, fixed_key: fixed })?;
        Ok(Scrambled { picture, label })
    }

    /// Unscrambles a picture, which is a PNG or JPEG file. `label` is for files that have lost their label.
    ///
    /// # Errors
    /// `bad_header` if there is no label, `foreign_key`, `images_differ`, and those of decoding a photo.
    pub fn unscramble(&self, file: &[u8], label: Option<String>) -> JsResult<Photo> {
        let label = match label {
            Some(text) => text.parse()?,
            None => file::read_label(file)?.ok_or_else(no_label)?,
        };
        let picture = photo::Photo::decode(file, &sheet_limits())?;
        Ok(Photo(etc::decrypt(&picture, &label, &self.0)?))
    }
}

/// A scrambled picture with its label.
#[wasm_bindgen]
pub struct Scrambled {
    picture: photo::Photo,
    label: Label,
}

#[wasm_bindgen]
impl Scrambled {
    /// The label, which the owner needs in addition to the key. It is one line of text, which is also in the files.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn label(&self) -> String {
        self.label.to_string()
    }

    /// Width in pixels.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn width(&self) -> u32 {
        self.picture.width()
    }

    /// Height in pixels.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn height(&self) -> u32 {
        self.picture.height()
    }

    /// The number of blocks that changed places.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.label.blocks()
    }

    /// The picture's resistance to attacks: `"falls"`, `"shows"` or `"holds"`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn resistance(&self) -> String {
        Resistance::of(&self.label).as_str().to_owned()
    }

    /// The picture as a PNG file, which keeps every sample of the scrambled picture.
    ///
    /// # Errors
    /// None in practice.
    pub fn png(&self) -> JsResult<Uint8Array> {
        Ok(Uint8Array::from(file::encode_png(&self.picture, Some(&self.label))?.as_slice()))
    }

    /// The picture as a JPEG file, of a quality from 1 to 100 and with the subsampling `"444"`, `"422"` or `"420"`.
    ///
    /// # Errors
    /// `bad_argument`, `image_too_large`.
    pub fn jpeg(&self, quality: u8, subsampling: &str) -> JsResult<Uint8Array> {
        let subsampling = Subsampling::from_name(subsampling).ok_or_else(bad_subsampling)?;
        let how = Jpeg { quality, subsampling, ..Jpeg::default() };
        Ok(Uint8Array::from(file::encode_jpeg(&self.picture, Some(&self.label), how)?.as_slice()))
    }
}

#[wasm_bindgen]
impl Photo {
    /// Makes a photo from interleaved samples, row by row.
    ///
    /// # Errors
    /// `bad_argument`.
    #[wasm_bindgen(js_name = fromSamples)]
    pub fn from_samples(width: u32, height: u32, channels: u8, samples: Vec<u8>) -> JsResult<Self> {
        Ok(Self(photo::Photo::from_samples(width, height, channels, samples)?))
    }

    /// The middle square of the photo in grey, `side` pixels wide and high, from which programs learn.
    ///
    /// # Errors
    /// `bad_argument`.
    pub fn square(&self, side: u32) -> JsResult<Self> {
        Ok(Self(self.0.square(side)?))
    }

    /// The photo as a PNG file.
    ///
    /// # Errors
    /// None in practice.
    pub fn png(&self) -> JsResult<Uint8Array> {
        Ok(Uint8Array::from(file::encode_png(&self.0, None)?.as_slice()))
    }
}

fn bad_form() -> Error {
    Error::new(Code::BadArgument, format!("the form must be one of {}", Form::ALL.map(Form::as_str).join(", ")))
}

fn bad_subsampling() -> Error {
    Error::new(Code::BadArgument, "JPEG subsampling must be 444, 422 or 420")
}

fn no_label() -> Error {
    let message = "the file has no scrambling label, perhaps because a site removed it; give the label, too";
    Error::new(Code::BadHeader, message)
}
