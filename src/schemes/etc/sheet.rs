//! The picture that is split into blocks: the photo itself, or its luma and chroma planes side by side.

use super::form::Form;
use super::label::Label;
use crate::error::{Code, Error, Result};
use crate::photo::Photo;

/// Samples row by row, the channels of a pixel side by side. A sheet consists of whole blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// The number of channels: 1 or 3.
    pub channels: usize,
    /// The samples, `width * height * channels` of them.
    pub samples: Vec<u8>,
}

impl Sheet {
    /// The sheet to scramble for a photo. Beyond the photo's edge, blocks repeat the edge.
    #[must_use]
    pub fn of_photo(photo: &Photo, label: &Label) -> Self {
        let (width, height, channels) = label.sheet_size();
        let (width, height, channels) = (width as usize, height as usize, usize::from(channels));
        let (w, h) = (photo.width() as usize, photo.height() as usize);
        let from = usize::from(photo.channels());
        let pixel = |x: usize, y: usize| {
            let at = (y.min(h - 1) * w + x.min(w - 1)) * from;
            &photo.samples()[at..at + from]
        };
        if channels == from {
            return Self::padded(photo, width, height);
        }
        let mut samples = vec![0; width * height];
        let mut put = |x: usize, y: usize, value: u8| samples[y * width + x] = value;
        if label.form == Form::Grey {
            let plane = width / 3;
            for y in 0..height {
                for x in 0..plane {
                    let ycc = rgb_to_ycc(pixel(x, y));
                    for (i, value) in ycc.into_iter().enumerate() {
                        put(i * plane + x, y, value);
                    }
                }
            }
        } else {
            let luma = width / 3 * 2;
            for y in 0..height / 2 {
                for x in 0..luma / 2 {
                    let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| {
                        let (x, y) = (2 * x + i, 2 * y + j);
                        let ycc = rgb_to_ycc(pixel(x, y));
                        put(x, y, ycc[0]);
                        ycc
                    });
                    let mean = |c: usize| four.iter().map(|ycc| u32::from(ycc[c])).sum::<u32>().div_ceil(4);
                    put(luma + x, y, to_sample(mean(1).cast_signed()));
                    put(luma + x, height / 2 + y, to_sample(mean(2).cast_signed()));
                }
            }
        }
        Self { width, height, channels, samples }
    }

    /// A photo padded to this width and height, which must not be smaller than the photo, by repeating its edge.
    #[must_use]
    pub fn padded(photo: &Photo, width: usize, height: usize) -> Self {
        let (w, h, channels) = (photo.width() as usize, photo.height() as usize, usize::from(photo.channels()));
        let mut samples = Vec::with_capacity(width * height * channels);
        for y in 0..height {
            let row = y.min(h - 1) * w * channels;
            let row = &photo.samples()[row..row + w * channels];
            samples.extend_from_slice(row);
            for _ in w..width {
                samples.extend_from_slice(&row[(w - 1) * channels..]);
            }
        }
        Self { width, height, channels, samples }
    }

    /// The sheet of a returned picture.
    ///
    /// # Errors
    /// [`Code::ImagesDiffer`] if its size differs from the label.
    pub fn of_picture(picture: &Photo, label: &Label) -> Result<Self> {
        let (width, height, channels) = label.sheet_size();
        if (picture.width(), picture.height()) != (width, height) {
            let message = format!(
                "the picture has {} x {} pixels, but its label says {width} x {height}; it was resized or cropped on \
                 the way and cannot be unscrambled",
                picture.width(),
                picture.height()
            );
            return Err(Error::new(Code::ImagesDiffer, message));
        }
        // Sites convert grey pictures to colour, and colour pictures without colours to grey.
        let samples = match (picture.channels(), channels) {
            (3, 1) => picture.samples().chunks_exact(3).map(|rgb| rgb_to_ycc(rgb)[0]).collect(),
            (1, 3) => picture.samples().iter().flat_map(|&grey| [grey; 3]).collect(),
            _ => picture.samples().to_vec(),
        };
        Ok(Self { width: width as usize, height: height as usize, channels: usize::from(channels), samples })
    }

    /// The samples of the upper left corner, `width` x `height` pixels, which the sheet must have.
    #[must_use]
    pub fn corner(&self, width: usize, height: usize) -> Vec<u8> {
        let rows = self.samples.chunks_exact(self.width * self.channels).take(height);
        rows.flat_map(|row| &row[..width * self.channels]).copied().collect()
    }

    /// Converts the sheet to a picture to store.
    ///
    /// # Errors
    /// None for a sheet made by this module.
    pub fn into_photo(self) -> Result<Photo> {
        let side = |side: usize| u32::try_from(side).map_err(|_| Error::new(Code::Internal, "a sheet is too large"));
        let channels = if self.channels == 3 { 3 } else { 1 };
        Photo::from_samples(side(self.width)?, side(self.height)?, channels, self.samples)
    }

    /// The photo of this sheet.
    ///
    /// # Errors
    /// None for a sheet of the label's size.
    pub fn to_photo(&self, label: &Label) -> Result<Photo> {
        let (w, h) = (label.width as usize, label.height as usize);
        let samples = if self.channels == usize::from(label.channels) {
            self.corner(w, h)
        } else {
            let mut samples = Vec::with_capacity(3 * w * h);
            let at = |x: usize, y: usize| self.samples[y * self.width + x];
            let (plane, luma) = (self.width / 3, self.width / 3 * 2);
            for y in 0..h {
                for x in 0..w {
                    let ycc = if label.form == Form::Grey {
                        [at(x, y), at(plane + x, y), at(2 * plane + x, y)]
                    } else {
                        let (x2, y2) = (luma + x / 2, y / 2);
                        [at(x, y), at(x2, y2), at(x2, self.height / 2 + y2)]
                    };
                    samples.extend(ycc_to_rgb(ycc));
                }
            }
            samples
        };
        Photo::from_samples(label.width, label.height, label.channels, samples)
    }
}

/// Uses the picture unchanged.
impl From<&Photo> for Sheet {
    fn from(photo: &Photo) -> Self {
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        Self { width, height, channels: photo.channels().into(), samples: photo.samples().to_vec() }
    }
}

/// Converts RGB to JFIF's luma and chroma in 16-bit fixed point, so that every machine produces the same bytes.
fn rgb_to_ycc(rgb: &[u8]) -> [u8; 3] {
    let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(i32::from);
    let half = 1 << 15;
    let y = (19_595 * r + 38_470 * g + 7_471 * b + half) >> 16;
    let cb = ((-11_059 * r - 21_709 * g + 32_768 * b + half) >> 16) + 128;
    let cr = ((32_768 * r - 27_439 * g - 5_329 * b + half) >> 16) + 128;
    [y, cb, cr].map(to_sample)
}

fn ycc_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let half = 1 << 15;
    let r = (y + 91_881 * cr + half) >> 16;
    let g = (y - 22_554 * cb - 46_802 * cr + half) >> 16;
    let b = (y + 116_130 * cb + half) >> 16;
    [r, g, b].map(to_sample)
}

/// The nearest sample.
fn to_sample(value: i32) -> u8 {
    u8::try_from(value.clamp(0, 255)).unwrap_or_default()
}
