//! The samples of JPEG files, as libjpeg-turbo decodes them.
//!
//! The decoder was chosen by comparing four with libjpeg-turbo over a corpus of every sampling, order of scans and colour model
//! (`tests/jpeg.rs`). Its samples are the same, and it refuses what it does not support. The others silently produced wrong
//! samples for one file in ten or more.

use libjpeg_turbo_rs::{DecodeLimits, Decoder, JpegError, PixelFormat};

use super::Limits;
use super::container::{self, Pixels};
use super::memory::{bounded, too_much_memory};
use crate::error::{Error, Result};

/// The samples of a file that was checked and cleaned up, and their number in each pixel: 1 grey, 3 red, green, blue.
pub(super) fn decode(file: &[u8], pixels: &Pixels, limits: &Limits) -> Result<(Vec<u8>, u8)> {
    if let Some(what) = &pixels.unusual {
        return Err(container::unsupported(&format!("JPEG files with {what}")));
    }
    let (format, stored) = match pixels.plain {
        Some(1) => (PixelFormat::Grayscale, 1),
        Some(_) => (PixelFormat::Rgb, 3),
        None => (PixelFormat::Cmyk, 4),
    };
    bounded(u64::from(pixels.width) * u64::from(pixels.height) * u64::from(stored), limits)?;
    let memory = DecodeLimits { max_memory: Some(limits.max_alloc), ..DecodeLimits::default() };
    let mut decoder = Decoder::new_with_limits(file, memory).map_err(explain)?;
    decoder.set_output_format(format);
    let samples = decoder.decode_image().map_err(explain)?.data;
    Ok(if stored == 4 { (without_black(&samples), 3) } else { (samples, stored) })
}

/// Converts four inverted inks to red, green and blue: each is the light that the ink and black let through.
fn without_black(samples: &[u8]) -> Vec<u8> {
    let through = |ink: u8, black: u8| {
        let product = u32::from(ink) * u32::from(black) + 128;
        u8::try_from((product + (product >> 8)) >> 8).unwrap_or(u8::MAX)
    };
    let pixels = samples.as_chunks::<4>().0.iter();
    pixels.flat_map(|&[c, m, y, black]| [through(c, black), through(m, black), through(y, black)]).collect()
}

/// The walk found the file intact, so the decoder's error is not due to damage.
#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn explain(error: JpegError) -> Error {
    match error {
        JpegError::LimitExceeded { .. } | JpegError::AllocationFailed { .. } => too_much_memory(),
        _ => unsupported(),
    }
}

fn unsupported() -> Error {
    container::unsupported("JPEG files of this variant")
}
