//! The demo's pictures: the sample, the encrypted bytes as noise, and a second computation of the filtered picture.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Cursor};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use png::{BitDepth, ColorType};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::{colorspace::ColorSpace, options::DecoderOptions};

use crate::places;

/// A picture in red, green and blue, with 8 bits each.
#[derive(Debug, PartialEq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    /// The samples row by row, three for each pixel.
    pub samples: Vec<u8>,
}

/// The sample photo.
pub fn sample() -> Result<Picture> {
    let file = places::root().join("www/vault/sample.jpg");
    let bytes = fs::read(&file).with_context(|| format!("cannot read {}", places::shown(&file)))?;
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    let samples = decoder.decode()?;
    let (width, height) = decoder.dimensions().context("the photo has no size")?;
    Ok(Picture { width, height, samples })
}

/// Reads a PNG with 8 bits of red, green and blue, the format of decrypted colour photos.
pub fn read(file: &Path) -> Result<Picture> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(file)?)).read_info()?;
    let mut samples = vec![0; reader.output_buffer_size().context("the picture is too large")?];
    let info = reader.next_frame(&mut samples)?;
    ensure!((info.color_type, info.bit_depth) == (ColorType::Rgb, BitDepth::Eight), "the picture is not 8-bit RGB");
    Ok(Picture { width: info.width as usize, height: info.height as usize, samples })
}

/// Writes a PNG.
pub fn write(picture: &Picture, file: &Path) -> Result<()> {
    write_png(file, ColorType::Rgb, picture.width, picture.height, &picture.samples)
}

/// Writes `bytes` as a square of grey pixels. The last row is filled up with black.
pub fn write_as_noise(bytes: &[u8], file: &Path) -> Result<()> {
    let width = bytes.len().isqrt() + 1;
    let height = bytes.len().div_ceil(width);
    let mut dots = bytes.to_vec();
    dots.resize(width * height, 0);
    write_png(file, ColorType::Grayscale, width, height, &dots)
}

fn write_png(file: &Path, colours: ColorType, width: usize, height: usize, samples: &[u8]) -> Result<()> {
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(file)?), width.try_into()?, height.try_into()?);
    encoder.set_color(colours);
    encoder.set_depth(BitDepth::Eight);
    encoder.write_header()?.write_image_data(samples)?;
    Ok(())
}

/// The mean of each pixel and its eight neighbours. The edge is repeated outwards, and halves are rounded up.
pub fn mean_3x3(photo: &Picture) -> Picture {
    let near = |at: usize, length: usize| [at.saturating_sub(1), at, (at + 1).min(length - 1)];
    let mut samples = Vec::with_capacity(photo.samples.len());
    for y in 0..photo.height {
        for x in 0..photo.width {
            for colour in 0..3 {
                let row = |v: usize| near(x, photo.width).map(|u| photo.samples[(v * photo.width + u) * 3 + colour]);
                let sum: u16 = near(y, photo.height).iter().flat_map(|v| row(*v)).map(u16::from).sum();
                samples.push(u8::try_from((2 * sum + 9) / 18).expect("a mean of bytes is a byte"));
            }
        }
    }
    Picture { samples, ..*photo }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_and_a_dot_spreads() {
        let flat = Picture { width: 5, height: 1, samples: [7, 255, 0].repeat(5) };
        assert_eq!(mean_3x3(&flat), flat);
        let mut samples = vec![0; 27];
        samples[12..15].copy_from_slice(&[255, 4, 5]);
        let spread = mean_3x3(&Picture { width: 3, height: 3, samples });
        assert_eq!(spread.samples, [28, 0, 1].repeat(9));
    }
}
