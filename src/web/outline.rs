//! Photos that the browser decodes: see [`crate::photo::Outline`].

use wasm_bindgen::prelude::*;

use super::{JsResult, Photo};
use crate::photo::colour::Profile;
use crate::photo::{self, Colour};

/// The structure of a PNG, JPEG or WebP file, before its pixels are decoded.
#[wasm_bindgen]
pub struct Outline(photo::Outline);

#[wasm_bindgen]
impl Outline {
    /// Reads the structure of a file.
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

    /// Notices for the owner about the file, as codes such as `end_missing`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.0.notices().iter().map(|notice| notice.as_str().into()).collect()
    }

    /// The PNG or WebP file with its end added, if the end is missing.
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

    /// The number of samples per pixel; 0 for a file that the browser must not decode.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn plain(&self) -> u8 {
        self.0.plain().unwrap_or(0)
    }

    /// The parts of the file that contain pixels: the start and the end of each, in bytes from the start of the file. A
    /// JPEG file still needs its end marker after them.
    #[must_use]
    pub fn parts(&self) -> Vec<usize> {
        self.0.parts().iter().flat_map(|part| [part.start, part.end]).collect()
    }

    /// The parts of the file that contain its colour profile, as in [`Outline::parts`]; empty if there is no readable
    /// profile.
    #[wasm_bindgen(js_name = profileParts)]
    #[must_use]
    pub fn profile_parts(&self) -> Vec<usize> {
        match self.0.profile() {
            Profile::Parts(parts) => parts.iter().flat_map(|part| [part.start, part.end]).collect(),
            Profile::Deflated(part) => vec![part.start, part.end],
            Profile::None | Profile::Damaged => Vec::new(),
        }
    }

    /// Whether the parts of the colour profile are a zlib stream.
    #[wasm_bindgen(getter, js_name = profileDeflated)]
    #[must_use]
    pub fn profile_deflated(&self) -> bool {
        matches!(self.0.profile(), Profile::Deflated(_))
    }

    /// Makes a photo from the pixels as they are stored, row by row, with the file's colour profile.
    ///
    /// # Errors
    /// `bad_argument` for another number of samples.
    #[expect(clippy::needless_pass_by_value, reason = "what may be missing comes as a vector")]
    pub fn photo(&self, samples: Vec<u8>, profile: Option<Vec<u8>>) -> JsResult<Photo> {
        Ok(Photo(self.0.photo(samples, profile.as_deref())?))
    }
}

/// The chunks of a PNG file that describe the colour space, from the bytes of a photo's `colour`.
///
/// # Errors
/// `bad_argument` for other bytes.
#[wasm_bindgen(js_name = colourChunks)]
pub fn colour_chunks(colour: &[u8]) -> JsResult<Vec<u8>> {
    Ok(Colour::from_bytes(colour)?.png_chunks())
}

/// Whether the colour space in these bytes requires that grey samples become red, green and blue.
///
/// # Errors
/// `bad_argument` for other bytes.
#[wasm_bindgen(js_name = colourNeedsRgb)]
pub fn colour_needs_rgb(colour: &[u8]) -> JsResult<bool> {
    Ok(Colour::from_bytes(colour)?.needs_rgb())
}

#[wasm_bindgen]
impl Photo {
    /// Makes a photo from pixels with 1 to 4 samples each: grey, or red, green and blue, optionally followed by alpha.
    ///
    /// # Errors
    /// `bad_argument` for another number of samples.
    #[wasm_bindgen(js_name = fromPixels)]
    pub fn from_pixels(width: u32, height: u32, per_pixel: u8, samples: Vec<u8>) -> JsResult<Self> {
        Ok(Self(photo::Photo::from_pixels(width, height, per_pixel, samples)?))
    }
}
