//! Photos that the browser decodes: see [`crate::photo::Outline`].

use wasm_bindgen::prelude::*;

use super::{JsResult, Photo};
use crate::photo::colour::Profile;
use crate::photo::{self, Colour};

/// What a PNG, JPEG or WebP file is like, before its pixels are decoded.
#[wasm_bindgen]
pub struct Outline(photo::Outline);

#[wasm_bindgen]
impl Outline {
    /// Looks a file through.
    ///
    /// # Errors
    /// `unsupported_image`, `damaged_image`, `image_too_large`.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8]) -> JsResult<Self> {
        Ok(Self(photo::Outline::new(bytes, &photo::Limits::default())?))
    }

    /// Whether it is a JPEG file.
    #[wasm_bindgen(getter, js_name = isJpeg)]
    #[must_use]
    pub fn is_jpeg(&self) -> bool {
        self.0.is_jpeg()
    }

    /// Whether it is a WebP file, which has neither size nor parts here.
    #[wasm_bindgen(getter, js_name = isWebp)]
    #[must_use]
    pub fn is_webp(&self) -> bool {
        self.0.is_webp()
    }

    /// What the owner should know of the file, as codes such as `end_missing`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.0.notices().iter().map(|notice| notice.as_str().into()).collect()
    }

    /// The same PNG or WebP file with an end, if it lacks that.
    #[must_use]
    pub fn ended(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.0.ended(bytes)
    }

    /// Width in pixels, as the pixels are stored.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn width(&self) -> u32 {
        self.0.width()
    }

    /// Height in pixels, as the pixels are stored.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn height(&self) -> u32 {
        self.0.height()
    }

    /// Samples of each pixel; 0 for a file that the browser is not to decode.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn plain(&self) -> u8 {
        self.0.plain().unwrap_or(0)
    }

    /// The parts of the file that pixels come from: start and end of each, as bytes from the file's start. A JPEG file still
    /// needs its end marker behind them.
    #[must_use]
    pub fn parts(&self) -> Vec<usize> {
        self.0.parts().iter().flat_map(|part| [part.start, part.end]).collect()
    }

    /// The parts of the file that its colour profile is in, as [`Outline::parts`]; none if it has none that can be read.
    #[wasm_bindgen(js_name = profileParts)]
    #[must_use]
    pub fn profile_parts(&self) -> Vec<usize> {
        match self.0.profile() {
            Profile::Parts(parts) => parts.iter().flat_map(|part| [part.start, part.end]).collect(),
            Profile::Deflated(part) => vec![part.start, part.end],
            Profile::None | Profile::Damaged => Vec::new(),
        }
    }

    /// Whether these parts are a zlib stream.
    #[wasm_bindgen(getter, js_name = profileDeflated)]
    #[must_use]
    pub fn profile_deflated(&self) -> bool {
        matches!(self.0.profile(), Profile::Deflated(_))
    }

    /// The photo of these pixels, as they are stored, row by row, with the file's colour profile.
    ///
    /// # Errors
    /// `bad_argument` for another number of samples.
    #[expect(clippy::needless_pass_by_value, reason = "what may be missing comes as a vector")]
    pub fn photo(&self, samples: Vec<u8>, profile: Option<Vec<u8>>) -> JsResult<Photo> {
        Ok(Photo(self.0.photo(samples, profile.as_deref())?))
    }
}

/// The chunks of a PNG file that say what samples mean as colours, from the bytes of a photo's `colour`.
///
/// # Errors
/// `bad_argument` for other bytes.
#[wasm_bindgen(js_name = colourChunks)]
pub fn colour_chunks(colour: &[u8]) -> JsResult<Vec<u8>> {
    Ok(Colour::from_bytes(colour)?.png_chunks())
}

/// Whether grey samples must become red, green and blue for what these bytes say.
///
/// # Errors
/// `bad_argument` for other bytes.
#[wasm_bindgen(js_name = colourNeedsRgb)]
pub fn colour_needs_rgb(colour: &[u8]) -> JsResult<bool> {
    Ok(Colour::from_bytes(colour)?.needs_rgb())
}

#[wasm_bindgen]
impl Photo {
    /// A photo of pixels with 1 to 4 samples each: grey or red, green, blue, and transparency after 1 or 3.
    ///
    /// # Errors
    /// `bad_argument` for another number of samples.
    #[wasm_bindgen(js_name = fromPixels)]
    pub fn from_pixels(width: u32, height: u32, per_pixel: u8, samples: Vec<u8>) -> JsResult<Self> {
        Ok(Self(photo::Photo::from_pixels(width, height, per_pixel, samples)?))
    }
}
