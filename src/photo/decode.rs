//! Decodes a PNG, JPEG or WebP file to a [`Photo`].

use std::borrow::Cow;
use std::io::Cursor;
use std::ops::Range;

use image::codecs::png::PngDecoder;
#[cfg(feature = "webp")]
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{ImageDecoder, ImageError};

use super::colour::Tags;
use super::container::{self, Format, Inspected};
use super::memory::{bounded, too_much_memory};
use super::{Limits, Notice, Photo, check_samples, jpeg, orientation};
use crate::error::{Error, Result};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Photo> {
    // The walk over the container checks the size, finds missing and damaged data (which decoders ignore), and limits every
    // length that a decoder would otherwise trust.
    let mut found = container::inspect(bytes, limits)?;
    let whole = found.for_decoders(bytes, limits)?;
    let file = without(&whole, &found.tags.obstacles);
    let tags = found.tags.clone();
    let mut photo = match found.format {
        Format::Jpeg => {
            let Inspected { pixels, exif, .. } = found;
            let (samples, per_pixel) = jpeg::decode(&file, &pixels, limits)?;
            assemble(samples, per_pixel, (pixels.width, pixels.height), exif_orientation(exif), pixels.notices)
        }
        Format::Png => {
            let decoder = PngDecoder::with_limits(Cursor::new(&file), decoder_limits(limits)).map_err(from_image)?;
            read(decoder, found, limits)
        }
        #[cfg(feature = "webp")]
        Format::WebP => read(WebPDecoder::new(Cursor::new(&file)).map_err(from_image)?, found, limits),
        #[cfg(not(feature = "webp"))]
        Format::WebP => Err(Error::new(
            crate::error::Code::UnsupportedImage,
            "WebP photos are not supported here; save it as PNG or JPEG",
        )),
    }?;
    photo.understand(&tags, tags.profile.read(bytes).as_deref());
    Ok(photo)
}

/// The bytes without these parts, which are in order.
fn without<'a>(bytes: &'a [u8], parts: &[Range<usize>]) -> Cow<'a, [u8]> {
    if parts.is_empty() {
        return Cow::Borrowed(bytes);
    }
    let starts = [0].into_iter().chain(parts.iter().map(|part| part.end));
    let ends = parts.iter().map(|part| part.start).chain([bytes.len()]);
    Cow::Owned(starts.zip(ends).filter_map(|(start, end)| bytes.get(start..end)).collect::<Vec<_>>().concat())
}

impl Photo {
    /// Records a file's colour information.
    pub(super) fn understand(&mut self, tags: &Tags, profile: Option<&[u8]>) {
        let (colour, notice) = tags.colour(profile, self.channels);
        self.colour = colour;
        self.notices.extend(notice);
    }
}

/// Decodes the pixels and converts them to the one form that the rest of the crate uses.
fn read(decoder: impl ImageDecoder, found: Inspected<'_>, limits: &Limits) -> Result<Photo> {
    let (width, height) = decoder.dimensions();
    limits.check(width, height)?;
    let color = decoder.color_type();
    let per_pixel = color.channel_count();
    let sixteen = color.bytes_per_pixel() == 2 * per_pixel;

    let mut buffer = vec![0; bounded(decoder.total_bytes(), limits)?];
    decoder.read_image(&mut buffer).map_err(from_image)?;

    let mut notices = found.pixels.notices;
    if sixteen {
        notices.push(Notice::ReducedTo8Bit);
        buffer = reduce_to_8_bit(&buffer);
    }
    assemble(buffer, per_pixel, (width, height), exif_orientation(found.exif), notices)
}

/// Makes a photo of stored pixels with 1 to 4 samples each: 1 grey, 2 with transparency, 3 red, green, blue, 4 with
/// transparency.
pub(super) fn assemble(
    mut samples: Vec<u8>,
    per_pixel: u8,
    (width, height): (u32, u32),
    turn: Orientation,
    mut notices: Vec<Notice>,
) -> Result<Photo> {
    let colours: u8 = if per_pixel > 2 { 3 } else { 1 };
    check_samples(width, height, per_pixel, samples.len())?;
    let stride = usize::from(per_pixel);
    let mut alpha = None;
    if per_pixel > colours {
        let values: Vec<u8> = samples.chunks_exact(stride).map(|pixel| pixel[stride - 1]).collect();
        // Many files support transparency but do not use it.
        if values.iter().any(|&value| value != 255) {
            notices.push(Notice::AlphaKeptAside);
            alpha = Some(values);
        }
        samples = samples.chunks_exact(stride).flat_map(|pixel| &pixel[..stride - 1]).copied().collect();
    }

    let (upright_width, upright_height) = orientation::upright_size(turn, width, height);
    let samples = orientation::apply(turn, width, height, usize::from(colours), samples);
    let alpha = alpha.map(|alpha| orientation::apply(turn, width, height, 1, alpha));

    let mut photo = Photo::from_samples(upright_width, upright_height, colours, samples)?;
    if let Some(alpha) = alpha {
        photo = photo.with_alpha(alpha)?;
    }
    photo.notices = notices;
    Ok(photo)
}

/// Rounds samples in the machine's byte order from 0..=65535 to 0..=255, half up.
fn reduce_to_8_bit(buffer: &[u8]) -> Vec<u8> {
    let (samples, _) = buffer.as_chunks::<2>();
    samples
        .iter()
        .map(|&sample| {
            let value = u32::from(u16::from_ne_bytes(sample));
            u8::try_from((value * 255 + 32_767) / 65_535).unwrap_or(u8::MAX)
        })
        .collect()
}

/// The orientation in an EXIF block. In other formats, some programs leave JPEG's six-byte prefix in front of it.
pub(super) fn exif_orientation(exif: Option<&[u8]>) -> Orientation {
    let found = exif.and_then(|exif| Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif)));
    found.unwrap_or(Orientation::NoTransforms)
}

fn decoder_limits(limits: &Limits) -> image::Limits {
    let mut out = image::Limits::no_limits();
    out.max_image_width = Some(limits.max_side);
    out.max_image_height = Some(limits.max_side);
    out.max_alloc = Some(limits.max_alloc);
    out
}

/// The decoders' own messages are for programmers, and may mention nothing that the photo's owner can change.
#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn from_image(error: ImageError) -> Error {
    match error {
        ImageError::Unsupported(_) => container::unsupported("photo files of this variant"),
        ImageError::Limits(_) => too_much_memory(),
        _ => container::damaged("its pixels cannot be read"),
    }
}
