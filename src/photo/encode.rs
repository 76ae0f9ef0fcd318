//! PNG files from samples: the only format written, because results must stay exact.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use super::check_samples;
use crate::error::{Code, Error, Result};

/// The longest side of a WebP picture, in pixels.
#[cfg(feature = "webp")]
const MAX_WEBP_SIDE: u32 = 16_383;

/// An 8-bit PNG file in grey (1 channel) or RGB (3), with one transparency value per pixel if given.
///
/// # Errors
/// [`Code::BadArgument`] when the samples are not exactly one picture of that size.
pub fn encode_png(width: u32, height: u32, channels: u8, samples: &[u8], alpha: Option<&[u8]>) -> Result<Vec<u8>> {
    check_samples(width, height, channels, samples.len())?;
    let color = match (channels, alpha.is_some()) {
        (1, false) => ExtendedColorType::L8,
        (1, true) => ExtendedColorType::La8,
        (3, false) => ExtendedColorType::Rgb8,
        (3, true) => ExtendedColorType::Rgba8,
        _ => return Err(bad_channels(channels)),
    };
    match alpha {
        Some(alpha) => write(&with_alpha(width, height, channels, samples, alpha)?, width, height, color),
        None => write(samples, width, height, color),
    }
}

/// A 16-bit PNG file in grey (1 channel) or RGB (3), for values that do not fit into 8 bits. The transparency, if given,
/// has 8 bits all the same.
///
/// # Errors
/// [`Code::BadArgument`] when the samples are not exactly one picture of that size.
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
    // 257 takes 0..=255 to 0..=65535 exactly.
    let alpha: Vec<u16> = alpha.iter().map(|&alpha| u16::from(alpha) * 257).collect();
    write(&bytes(&with_alpha(width, height, channels, samples, &alpha)?), width, height, color)
}

/// A lossless WebP file in grey (1 channel) or RGB (3), with one transparency value per pixel if given.
///
/// # Errors
/// [`Code::BadArgument`] when the samples are not exactly one picture of that size, [`Code::ImageTooLarge`] when a side has
/// more than 16,383 pixels.
#[cfg(feature = "webp")]
pub fn encode_webp(width: u32, height: u32, channels: u8, samples: &[u8], alpha: Option<&[u8]>) -> Result<Vec<u8>> {
    check_samples(width, height, channels, samples.len())?;
    if width.max(height) > MAX_WEBP_SIDE {
        let message = format!("WebP pictures have at most {MAX_WEBP_SIDE} pixels on a side; use PNG");
        return Err(Error::new(Code::ImageTooLarge, message));
    }
    let color = match (channels, alpha.is_some()) {
        (1, false) => ExtendedColorType::L8,
        (1, true) => ExtendedColorType::La8,
        (3, false) => ExtendedColorType::Rgb8,
        (3, true) => ExtendedColorType::Rgba8,
        _ => return Err(bad_channels(channels)),
    };
    let merged = alpha.map(|alpha| with_alpha(width, height, channels, samples, alpha)).transpose()?;
    let mut out = Vec::new();
    image::codecs::webp::WebPEncoder::new_lossless(&mut out)
        .write_image(merged.as_deref().unwrap_or(samples), width, height, color)
        .map_err(|error| Error::new(Code::Internal, format!("the WebP file could not be made: {error}")))?;
    Ok(out)
}

/// Puts each pixel's transparency behind its samples.
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

fn bad_channels(channels: u8) -> Error {
    Error::new(Code::BadArgument, format!("a picture has 1 or 3 channels, not {channels}"))
}
