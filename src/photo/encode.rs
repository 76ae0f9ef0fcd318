//! Encodes samples as PNG and as lossless WebP files. Both are lossless.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

#[cfg(feature = "webp")]
use super::Photo;
use super::{Colour, check_samples};
use crate::error::{Code, Error, Result};

/// The longest side of a WebP picture, in pixels.
#[cfg(feature = "webp")]
const MAX_WEBP_SIDE: u32 = 16_383;

/// Encodes an 8-bit PNG file in grey (1 channel) or RGB (3), optionally with one transparency value per pixel.
///
/// # Errors
/// [`Code::BadArgument`] if the samples are not exactly one picture of that size.
pub fn encode_png(width: u32, height: u32, channels: u8, samples: &[u8], alpha: Option<&[u8]>) -> Result<Vec<u8>> {
    check_samples(width, height, channels, samples.len())?;
    let color = color(channels, alpha.is_some())?;
    match alpha {
        Some(alpha) => write(&with_alpha(width, height, channels, samples, alpha)?, width, height, color),
        None => write(samples, width, height, color),
    }
}

/// Encodes a PNG file with a colour space. Grey samples are converted to RGB if the colour space requires it.
///
/// # Errors
/// As [`encode_png`].
pub fn encode_png_in(
    colour: &Colour,
    width: u32,
    height: u32,
    channels: u8,
    samples: &[u8],
    alpha: Option<&[u8]>,
) -> Result<Vec<u8>> {
    let png = if channels == 1 && colour.needs_rgb() {
        let samples: Vec<u8> = samples.iter().flat_map(|&grey| [grey; 3]).collect();
        encode_png(width, height, 3, &samples, alpha)?
    } else {
        encode_png(width, height, channels, samples, alpha)?
    };
    // The signature and IHDR take 8 and 25 bytes. Colour information must come before the pixels.
    let (start, rest) = png.split_at(33);
    Ok([start, &colour.png_chunks(), rest].concat())
}

/// Encodes a 16-bit PNG file in grey (1 channel) or RGB (3), for values that do not fit into 8 bits. The optional transparency
/// has 8 bits.
///
/// # Errors
/// [`Code::BadArgument`] if the samples are not exactly one picture of that size.
pub fn encode_png16(width: u32, height: u32, channels: u8, samples: &[u16], alpha: Option<&[u8]>) -> Result<Vec<u8>> {
    check_samples(width, height, channels, samples.len())?;
    let color = match (channels, alpha.is_some()) {
        (1, false) => ExtendedColorType::L16,
        (1, true) => ExtendedColorType::La16,
        (3, false) => ExtendedColorType::Rgb16,
        (3, true) => ExtendedColorType::Rgba16,
        _ => return Err(bad_channels(channels)),
    };
    let bytes = |samples: &[u16]| samples.iter().flat_map(|sample| sample.to_ne_bytes()).collect::<Vec<_>>();
    let Some(alpha) = alpha else { return write(&bytes(samples), width, height, color) };
    // Multiplication by 257 maps 0..=255 to 0..=65535 exactly.
    let alpha: Vec<u16> = alpha.iter().map(|&alpha| u16::from(alpha) * 257).collect();
    write(&bytes(&with_alpha(width, height, channels, samples, &alpha)?), width, height, color)
}

/// Encodes a photo as a lossless WebP file, with its transparency and its ICC profile if it has them.
///
/// # Errors
/// [`Code::ImageTooLarge`] if a side has more than 16,383 pixels.
#[cfg(feature = "webp")]
pub fn encode_webp(photo: &Photo) -> Result<Vec<u8>> {
    let (width, height, channels) = (photo.width(), photo.height(), photo.channels());
    if width.max(height) > MAX_WEBP_SIDE {
        let message = format!("WebP pictures have at most {MAX_WEBP_SIDE} pixels on a side; use PNG");
        return Err(Error::new(Code::ImageTooLarge, message));
    }
    let merged = photo.alpha().map(|alpha| with_alpha(width, height, channels, photo.samples(), alpha)).transpose()?;
    let failed =
        |error: &dyn std::fmt::Display| Error::new(Code::Internal, format!("the WebP file could not be made: {error}"));
    let mut out = Vec::new();
    let mut encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut out);
    if let Colour::Icc(profile) = photo.colour() {
        encoder.set_icc_profile(profile.clone()).map_err(|error| failed(&error))?;
    }
    let samples = merged.as_deref().unwrap_or(photo.samples());
    encoder.write_image(samples, width, height, color(channels, merged.is_some())?).map_err(|error| failed(&error))?;
    Ok(out)
}

/// Inserts each pixel's transparency after its samples.
fn with_alpha<T: Copy>(width: u32, height: u32, channels: u8, samples: &[T], alpha: &[T]) -> Result<Vec<T>> {
    check_samples(width, height, 1, alpha.len())?;
    let mut merged = Vec::with_capacity(samples.len() + alpha.len());
    for (pixel, &alpha) in samples.chunks_exact(usize::from(channels)).zip(alpha) {
        merged.extend_from_slice(pixel);
        merged.push(alpha);
    }
    Ok(merged)
}

fn write(bytes: &[u8], width: u32, height: u32, color: ExtendedColorType) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    PngEncoder::new_with_quality(&mut out, CompressionType::Default, FilterType::Adaptive)
        .write_image(bytes, width, height, color)
        .map_err(|error| Error::new(Code::Internal, format!("the PNG file could not be made: {error}")))?;
    Ok(out)
}

/// The colour type of 8-bit samples, with or without transparency after those of each pixel.
fn color(channels: u8, alpha: bool) -> Result<ExtendedColorType> {
    match (channels, alpha) {
        (1, false) => Ok(ExtendedColorType::L8),
        (1, true) => Ok(ExtendedColorType::La8),
        (3, false) => Ok(ExtendedColorType::Rgb8),
        (3, true) => Ok(ExtendedColorType::Rgba8),
        _ => Err(bad_channels(channels)),
    }
}

fn bad_channels(channels: u8) -> Error {
    Error::new(Code::BadArgument, format!("a picture has 1 or 3 channels, not {channels}"))
}
