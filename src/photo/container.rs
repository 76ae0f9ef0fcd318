//! A first check of a photo file: its format, its size, and whether it is complete.
//!
//! The decoders fill in missing parts of a truncated file, so half a photo would pass as a whole one. This walk over the file's
//! chunks or segments detects that, and it reads the size before anything is allocated. It also locates the pixels, for
//! decoders that should see nothing else of the file.

mod jpeg;
#[cfg(any(not(target_arch = "wasm32"), feature = "web-codec", feature = "web-etc"))]
mod kind;
mod png;
mod webp;

use std::borrow::Cow;
use std::ops::Range;

#[cfg(any(not(target_arch = "wasm32"), feature = "web-codec", feature = "web-etc"))]
use self::kind::refuse;
use super::colour::Tags;
use super::{Limits, Notice};
use crate::error::{Code, Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
    WebP,
}

/// The results of the walk.
#[derive(Debug)]
pub(super) struct Inspected<'a> {
    pub(super) format: Format,
    pub(super) exif: Option<&'a [u8]>,
    /// The colour information.
    pub(super) tags: Tags,
    /// The location of the pixels.
    pub(super) pixels: Pixels,
}

impl Inspected<'_> {
    /// The file for the decoders, completed with its end. A JPEG file contains only what the pixels need, and a PNG file
    /// contains all rows.
    ///
    /// # Errors
    /// [`Code::DamagedImage`] for PNG if pixels are missing, or if no checksum confirms them.
    pub(super) fn for_decoders<'a>(&mut self, bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>> {
        if self.format == Format::Jpeg {
            let parts = self.pixels.parts.iter().flat_map(|part| &bytes[part.clone()]);
            let mut file: Vec<u8> = parts.chain(jpeg::END).copied().collect();
            if self.pixels.standard_codes {
                // After the start marker.
                file.splice(2..2, jpeg::STANDARD_CODES.iter().copied());
            }
            return Ok(Cow::Owned(file));
        }
        if self.format == Format::Png
            && let Some(file) = png::confirm(bytes, &mut self.pixels, limits)?
        {
            // The obstacles for decoders come before the pixels, so their positions have not changed.
            return Ok(Cow::Owned(file));
        }
        Ok(self.pixels.end.map_or(Cow::Borrowed(bytes), |end| Cow::Owned(ended(self.format, bytes, end))))
    }
}

/// A PNG or WebP file that ends after its last complete chunk.
pub(super) fn ended(format: Format, bytes: &[u8], end: usize) -> Vec<u8> {
    let whole = &bytes[..end.min(bytes.len())];
    if format == Format::WebP { webp::ended(whole) } else { [whole, png::END].concat() }
}

/// The pixels of a file. For PNG and JPEG, their number is within the limits.
#[derive(Debug, Default)]
pub(super) struct Pixels {
    /// The width in pixels, except for WebP.
    pub(super) width: u32,
    /// The height in pixels, except for WebP.
    pub(super) height: u32,
    /// Samples of each pixel of a plain file: 1 grey, 2 with transparency, 3 red, green, blue, 4 with transparency. `None` for
    /// other files. A plain file has 8 bits for each sample; a plain PNG file also has no palette, transparent colour,
    /// interlacing, animation or damage in the chunks of pixels.
    pub(super) plain: Option<u8>,
    /// The parts of the file that contain the pixels. For PNG, their concatenation is one zlib stream. For JPEG, it is a whole
    /// file without its end marker and without the metadata of cameras and programs. For WebP there are none.
    pub(super) parts: Vec<Range<usize>>,
    /// What our decoder cannot read in this JPEG file, or would decode incorrectly.
    pub(super) unusual: Option<String>,
    /// Whether a JPEG file lacks its Huffman codes, which are the standard's examples (T.81, annex K).
    standard_codes: bool,
    /// The number of bytes of the unpacked rows of PNG.
    unpacked: u64,
    /// For PNG only.
    chunk_sums: png::ChunkSums,
    /// The end of the last complete chunk of PNG or WebP, if what must follow it is missing or damaged.
    pub(super) end: Option<usize>,
    /// Notices for the owner about the file.
    pub(super) notices: Vec<Notice>,
}

impl Pixels {
    /// Adds a notice, once.
    fn notice(&mut self, notice: Notice) {
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }
}

pub(super) fn inspect<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Inspected<'a>> {
    let mut tags = Tags::default();
    let (format, (pixels, exif)) = if bytes.starts_with(png::MARK) {
        (Format::Png, png::walk(bytes, limits, &mut tags)?)
    } else if bytes.starts_with(jpeg::MARK) {
        (Format::Jpeg, jpeg::walk(bytes, limits, &mut tags)?)
    } else if webp::is_webp(bytes) {
        (Format::WebP, webp::walk(bytes, &mut tags)?)
    } else {
        return Err(refuse(bytes));
    };
    tags.finish(exif);
    Ok(Inspected { format, exif, tags, pixels })
}

/// The browser's first module asks the browser. If that does not know the file either, the module of decoders names it.
#[cfg(not(any(not(target_arch = "wasm32"), feature = "web-codec", feature = "web-etc")))]
fn refuse(_: &[u8]) -> Error {
    Error::new(Code::UnsupportedImage, "the file is not a PNG, JPEG or WebP photo; save it as one of these")
}

fn cut_short() -> Error {
    damaged("it is cut short")
}

pub(super) fn damaged(what: &str) -> Error {
    Error::new(Code::DamagedImage, format!("the photo is damaged: {what}; copy it again or choose another"))
}

/// The error for intact files of a known format, in an unsupported variant.
pub(super) fn unsupported(files: &str) -> Error {
    Error::new(Code::UnsupportedImage, format!("{files} are not supported; save the photo as PNG and choose that file"))
}
