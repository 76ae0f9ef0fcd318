//! A first look at a photo file: which format, how many pixels, and is it all there?
//!
//! The decoders fill in what is missing from a file that was cut short, so that half a photo would pass as a whole
//! one. This walk over the file's chunks or segments finds that, and it reads the size before anything is allocated.
//! It also finds where the pixels are, for decoders that are to see nothing else of the file.

use std::ops::Range;

use super::Limits;
use crate::error::{Code, Error, Result};
use crate::math::checksum;

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

const PNG_MARK: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG_MARK: &[u8] = b"\xff\xd8\xff";

pub(super) fn inspect<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Inspected<'a>> {
    if bytes.starts_with(PNG_MARK) {
        let (pixels, exif) = png(bytes, limits)?;
        Ok(Inspected { format: Format::Png, exif, pixels: Some(pixels) })
    } else if bytes.starts_with(JPEG_MARK) {
        let (pixels, exif) = jpeg(bytes, limits)?;
        Ok(Inspected { format: Format::Jpeg, exif, pixels: Some(pixels) })
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Ok(Inspected { format: Format::WebP, exif: webp(bytes)?, pixels: None })
    } else if bytes.is_empty() {
        Err(Error::new(Code::UnsupportedImage, "the file is empty; choose a PNG, JPEG or WebP photo"))
    } else {
        Err(Error::new(Code::UnsupportedImage, "the file is not a PNG, JPEG or WebP photo; save it as one of these"))
    }
}

/// Walks over length, type, data, checksum until IEND. Gives the EXIF block too, which may also follow the pixels.
fn png<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(Pixels, Option<&'a [u8]>)> {
    let mut rest = bytes.get(PNG_MARK.len()..).unwrap_or_default();
    let mut exif = None;
    let mut pixels = Pixels::default();
    let mut first = true;
    loop {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(cut_short)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| cut_short())?;
        let (kind, after) = after.split_first_chunk::<4>().ok_or_else(cut_short)?;
        if first != (kind == b"IHDR") {
            return Err(damaged("its chunks are in the wrong order"));
        }
        if first {
            // Before the length check, so that a tiny file with a huge size is named for what it is.
            let (width, after) = after.split_first_chunk::<4>().ok_or_else(cut_short)?;
            let height = after.first_chunk::<4>().ok_or_else(cut_short)?;
            (pixels.width, pixels.height) = (u32::from_be_bytes(*width), u32::from_be_bytes(*height));
            limits.check(pixels.width, pixels.height)?;
            first = false;
        }
        let start = bytes.len() - after.len();
        let (data, after) = after.split_at_checked(length).ok_or_else(cut_short)?;
        let (sum, after) = after.split_first_chunk::<4>().ok_or_else(cut_short)?;
        let critical = kind[0].is_ascii_uppercase();
        let intact = !critical || {
            let mut hasher = checksum::Hasher::new();
            hasher.update(kind);
            hasher.update(data);
            hasher.finalize() == u32::from_be_bytes(*sum)
        };
        match kind {
            _ if !intact => return Err(damaged("a checksum does not match")),
            b"IEND" => return Ok((pixels, exif)),
            // Depth, colour type, then the only compression and filters there are, and no interlacing.
            b"IHDR" => {
                pixels.plain = match data.get(8..) {
                    Some([8, 0, 0, 0, 0]) => Some(1),
                    Some([8, 4, 0, 0, 0]) => Some(2),
                    Some([8, 2, 0, 0, 0]) => Some(3),
                    Some([8, 6, 0, 0, 0]) => Some(4),
                    _ => None,
                }
            }
            b"tRNS" | b"acTL" => pixels.plain = None,
            b"IDAT" => pixels.parts.push(start..start + length),
            b"eXIf" => exif = exif.or(Some(data)),
            _ => {}
        }
        rest = after;
    }
}

/// Walks from marker to marker until the end-of-image marker, over the entropy-coded data of every scan.
fn jpeg<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(Pixels, Option<&'a [u8]>)> {
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut exif = None;
    let mut pixels = Pixels::default();
    let mut kept = 0;
    let mut sized = false;
    let mut scanned = false;
    let mut sequential = false;
    loop {
        // Filling bytes and, as all readers do, garbage between two segments are skipped; in entropy-coded data
        // FF 00 is a data byte and FF D0 to FF D7 are restart markers.
        let at =
            rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0x01 | 0xd0..=0xd7 | 0xff));
        let (marker, after) =
            at.and_then(|at| Some((*rest.get(at + 1)?, rest.get(at + 2..)?))).ok_or_else(cut_short)?;
        let start = bytes.len() - after.len();
        if marker == 0xd9 {
            pixels.parts.push(kept..start);
            return if sized && scanned { Ok((pixels, exif)) } else { Err(damaged("it holds no picture")) };
        }
        let length = usize::from(u16::from_be_bytes(*after.first_chunk::<2>().ok_or_else(cut_short)?));
        let segment = after.get(..length).ok_or_else(cut_short)?;
        let body = segment.get(2..).ok_or_else(|| damaged("a segment has no length"))?;
        match marker {
            // The start-of-frame markers; C4, C8 and CC mean other things.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let [depth, h1, h0, w1, w0, ..] = *body else { return Err(damaged("its frame header is too short")) };
                (pixels.width, pixels.height) =
                    (u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into());
                limits.check(pixels.width, pixels.height)?;
                if std::mem::replace(&mut sized, true) {
                    return Err(damaged("it gives its size twice"));
                }
                let channels = body.get(5).copied();
                pixels.plain = channels.filter(|channels| depth == 8 && matches!(channels, 1 | 3));
                sequential = matches!(marker, 0xc0 | 0xc1) && channels > Some(1);
            }
            0xda => {
                pixels.by_channel |= sequential && body.first() == Some(&1);
                scanned = true;
            }
            // What cameras and programs write: names, places, small pictures, colour profiles. Not among it are the segments
            // of JFIF (E0) and Adobe (EE), which tell how colours are stored.
            0xe1..=0xed | 0xef | 0xfe => {
                pixels.parts.push(kept..start - 2);
                kept = start + length;
                exif = body.strip_prefix(b"Exif\0\0").filter(|_| marker == 0xe1 && !scanned).or(exif);
            }
            _ => {}
        }
        rest = after.get(length..).ok_or_else(cut_short)?;
    }
}

/// Walks over the RIFF chunks, so that no decoder meets a length that points out of the file. The size in pixels is
/// read by the decoder: finding it takes a walk into one of three kinds of chunk, and the decoder allocates nothing
/// for it.
fn webp(bytes: &[u8]) -> Result<Option<&[u8]>> {
    let size = bytes.get(4..8).and_then(|size| size.first_chunk::<4>()).ok_or_else(cut_short)?;
    let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|_| cut_short())?;
    let end = size.checked_add(8).ok_or_else(cut_short)?;
    let mut rest = bytes.get(12..end).ok_or_else(cut_short)?;
    let mut exif = None;
    while let Some((kind, after)) = rest.split_first_chunk::<4>() {
        let (length, after) = after.split_first_chunk::<4>().ok_or_else(cut_short)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| cut_short())?;
        let (data, after) = after.split_at_checked(length).ok_or_else(cut_short)?;
        if kind == b"EXIF" {
            exif = exif.or(Some(data));
        }
        // Chunks start at even places; a missing last filling byte is forgiven.
        rest = after.get(length % 2..).unwrap_or_default();
    }
    Ok(exif)
}

fn cut_short() -> Error {
    damaged("it ends too early")
}

fn damaged(what: &str) -> Error {
    Error::new(Code::DamagedImage, format!("the photo is damaged: {what}; copy it again or choose another"))
}
