//! A first look at a photo file: which format, how many pixels, and is it all there?
//!
//! The decoders fill in what is missing from a file that was cut short, so that half a photo would pass as a whole
//! one. This walk over the file's chunks or segments finds that, and it reads the size before anything is allocated.
//! It also finds where the pixels are, for decoders that are to see nothing else of the file.

mod jpeg;
mod png;
mod webp;

use std::ops::Range;

use super::Limits;
use super::colour::Tags;
use crate::error::{Code, Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
    WebP,
}

/// What the walk found.
#[derive(Debug)]
pub(super) struct Inspected<'a> {
    pub(super) format: Format,
    pub(super) exif: Option<&'a [u8]>,
    /// What it says of its colours.
    pub(super) tags: Tags,
    /// Where the pixels are; of PNG and JPEG alone.
    pub(super) pixels: Option<Pixels>,
}

/// The pixels of a PNG or JPEG file, which are at most as many as the limits allow.
#[derive(Debug, Default)]
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Samples of each pixel: 1 grey, 2 with transparency, 3 red, green, blue, 4 with transparency. Nothing where the file is
    /// no plain one, which has 8 bits for each sample, and of PNG no palette, transparent colour, interlacing or animation.
    pub(super) plain: Option<u8>,
    /// The parts of the file that they are in. Of PNG, put together, they are one zlib stream; of JPEG they are a whole file
    /// without what cameras and programs have written into it.
    pub(super) parts: Vec<Range<usize>>,
    /// JPEG that is sequential with a scan for each of several channels.
    pub(super) by_channel: bool,
}

pub(super) fn inspect<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Inspected<'a>> {
    let mut tags = Tags::default();
    if bytes.starts_with(png::MARK) {
        let (pixels, exif) = png::walk(bytes, limits, &mut tags)?;
        tags.finish(exif);
        Ok(Inspected { format: Format::Png, exif, tags, pixels: Some(pixels) })
    } else if bytes.starts_with(jpeg::MARK) {
        let (pixels, exif) = jpeg::walk(bytes, limits, &mut tags)?;
        tags.finish(exif);
        Ok(Inspected { format: Format::Jpeg, exif, tags, pixels: Some(pixels) })
    } else if webp::is_webp(bytes) {
        let exif = webp::walk(bytes, &mut tags)?;
        tags.finish(exif);
        Ok(Inspected { format: Format::WebP, exif, tags, pixels: None })
    } else if bytes.is_empty() {
        Err(Error::new(Code::UnsupportedImage, "the file is empty; choose a PNG, JPEG or WebP photo"))
    } else {
        Err(Error::new(Code::UnsupportedImage, "the file is not a PNG, JPEG or WebP photo; save it as one of these"))
    }
}

fn cut_short() -> Error {
    damaged("it ends too early")
}

fn damaged(what: &str) -> Error {
    Error::new(Code::DamagedImage, format!("the photo is damaged: {what}; copy it again or choose another"))
}
