//! The interface for browsers: thin wrappers that JavaScript calls. Compiled only for wasm32.
//!
//! There are five modules, so that users download only the ones that they need: the feature `client` builds the one
//! that encrypts photos and decrypts the results, `web-codec` the one for photo files that the browser does not decode
//! correctly, `web-etc` the one for scrambled pictures, `web-ckks` the one for encrypted vectors, and `web-remote` the
//! client of a server. All of them contain the code in this file; those that work on photo files also contain the part
//! for photos.
//!
//! Every error is a JavaScript `Error` with the stable `code` of [`crate::error::Code`]. A panic ends the instance, and
//! its worker is replaced. The panic's text goes to the console and contains no data.
//!
//! Photos and ciphertexts go in and out as byte arrays, so that workers can pass them on without copies.

#[cfg(any(feature = "client", feature = "web-codec", feature = "web-etc"))]
use js_sys::{Uint8Array, Uint8ClampedArray};
use wasm_bindgen::prelude::*;

use crate::error::Error;
#[cfg(any(feature = "client", feature = "web-codec", feature = "web-etc"))]
use crate::photo;

#[cfg(feature = "web-ckks")]
mod ckks;
#[cfg(feature = "web-etc")]
mod etc;
#[cfg(feature = "client")]
mod key;
#[cfg(feature = "web-ckks")]
mod network;
#[cfg(feature = "client")]
mod outline;
#[cfg(feature = "client")]
mod paillier;
#[cfg(feature = "web-remote")]
mod remote;

#[cfg(feature = "web-ckks")]
pub use ckks::*;
#[cfg(feature = "web-etc")]
pub use etc::*;
#[cfg(feature = "client")]
pub use key::*;
#[cfg(feature = "web-ckks")]
pub use network::*;
#[cfg(feature = "client")]
pub use outline::*;
#[cfg(feature = "client")]
pub use paillier::*;
#[cfg(feature = "web-remote")]
pub use remote::*;

type JsResult<T> = Result<T, JsError>;

/// A JavaScript `Error` with a `code`.
pub struct JsError(Error);

impl From<Error> for JsError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<JsError> for JsValue {
    fn from(JsError(error): JsError) -> Self {
        let object = js_sys::Error::new(error.message());
        // Setting a property of a fresh object cannot fail.
        let _ = js_sys::Reflect::set(&object, &"code".into(), &error.code().into());
        object.into()
    }
}

/// Runs when the module is loaded: panics are reported on the console.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |place| format!("{}:{}", place.file(), place.line()));
        web_sys::console::error_1(&format!("safelight stopped at {place}").into());
    }));
}

/// The version of this build.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

/// A decoded photo.
#[cfg(any(feature = "client", feature = "web-codec", feature = "web-etc"))]
#[wasm_bindgen]
pub struct Photo(photo::Photo);

#[cfg(any(feature = "web-codec", feature = "web-etc"))]
#[wasm_bindgen]
impl Photo {
    /// Decodes a PNG or JPEG file. The browser decodes other formats (`www/client/decode.js`).
    ///
    /// # Errors
    /// `unsupported_image`, `damaged_image`, `image_too_large`.
    pub fn decode(bytes: &[u8]) -> JsResult<Self> {
        Ok(Self(photo::Photo::decode(bytes, &photo::Limits::default())?))
    }
}

#[cfg(feature = "web-codec")]
#[wasm_bindgen]
impl Photo {
    /// Makes a photo from interleaved samples, row by row, in the colour space that `colour` describes.
    ///
    /// # Errors
    /// `bad_argument`.
    #[wasm_bindgen(js_name = ofColour)]
    pub fn of_colour(width: u32, height: u32, channels: u8, samples: Vec<u8>, colour: &[u8]) -> JsResult<Self> {
        let colour = photo::Colour::from_bytes(colour)?;
        Ok(Self(photo::Photo::from_samples(width, height, channels, samples)?.with_colour(colour)))
    }

    /// The photo in sRGB.
    #[wasm_bindgen(js_name = intoSrgb)]
    #[must_use]
    pub fn into_srgb(self) -> Self {
        Self(self.0.into_srgb())
    }
}

#[cfg(any(feature = "client", feature = "web-codec", feature = "web-etc"))]
#[wasm_bindgen]
impl Photo {
    /// Width in pixels.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn width(&self) -> u32 {
        self.0.width()
    }

    /// Height in pixels.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn height(&self) -> u32 {
        self.0.height()
    }

    /// Colour planes, 1 or 3.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn channels(&self) -> u8 {
        self.0.channels()
    }

    /// Whether there is an alpha plane. It is never encrypted and never sent.
    #[wasm_bindgen(getter, js_name = hasAlpha)]
    #[must_use]
    pub fn has_alpha(&self) -> bool {
        self.0.alpha().is_some()
    }

    /// The changes made while reading, as codes such as `reduced_to_8_bit`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.0.notices().iter().map(|notice| notice.as_str().into()).collect()
    }

    /// Red, green, blue and alpha of each pixel, for a canvas.
    #[must_use]
    pub fn rgba(&self) -> Uint8ClampedArray {
        Uint8ClampedArray::from(self.0.rgba().as_slice())
    }

    /// The samples, interleaved, row by row.
    #[must_use]
    pub fn samples(&self) -> Uint8Array {
        Uint8Array::from(self.0.samples())
    }

    /// The colour space of the samples, as the bytes of [`crate::photo::Colour::to_bytes`]; empty for sRGB.
    #[must_use]
    pub fn colour(&self) -> Uint8Array {
        Uint8Array::from(self.0.colour().to_bytes().as_slice())
    }

    /// The alpha plane, if there is one.
    #[must_use]
    pub fn alpha(&self) -> Option<Uint8Array> {
        self.0.alpha().map(Uint8Array::from)
    }
}
