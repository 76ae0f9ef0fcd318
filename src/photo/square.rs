//! Pictures of one size and one kind, for learning: the middle of a photo.

use super::{Photo, Shape};
use crate::error::{Code, Error, Result};

/// The maximum side of the resulting picture, in pixels.
const MAX_SIDE: u32 = 4096;

impl Photo {
    /// The largest square in the middle of the photo, resized to `side` pixels, in grey, as by [`Photo::cut_to`].
    ///
    /// # Errors
    /// [`Code::BadArgument`] for a side of 0 or above 4096.
    pub fn square(&self, side: u32) -> Result<Self> {
        self.cut_to(Shape { width: side, height: side, channels: 1 })
    }

    /// The largest part in the middle of the photo with this shape's aspect ratio, resized to this shape. Each new pixel is the
    /// rounded mean of the pixels it covers, so that every machine produces the same bytes. Colour becomes grey if the shape
    /// has one channel, and grey becomes three equal channels if it has three. Transparency is dropped.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for a side of 0 or above 4096, or channels that are not 1 or 3.
    pub fn cut_to(&self, shape: Shape) -> Result<Self> {
        let Shape { width: new_width, height: new_height, channels } = shape;
        if [new_width, new_height].iter().any(|side| !(1..=MAX_SIDE).contains(side)) || !matches!(channels, 1 | 3) {
            let message = format!("a part of a photo has sides from 1 to {MAX_SIDE} pixels, not {shape}");
            return Err(Error::new(Code::BadArgument, message));
        }
        let (width, height) = (self.width as usize, self.height as usize);
        let (across, down) = (new_width as usize, new_height as usize);
        let crop_width = width.min(height * across / down).max(1);
        let crop_height = height.min(width * down / across).max(1);
        let (left, top) = ((width - crop_width) / 2, (height - crop_height) / 2);
        let spans = |old: usize, new: usize| (0..new).map(|i| span(i, old, new)).collect::<Vec<_>>();
        let (spans_across, spans_down) = (spans(crop_width, across), spans(crop_height, down));
        let whole = (crop_width * crop_height) as u64;
        let count = usize::from(channels);
        let mut samples = vec![0; across * down * count];
        for channel in 0..count {
            // First across: sums in which each pixel is weighted by its covered part. The weights add up to the part's width.
            let rows: Vec<Vec<u64>> = (top..top + crop_height)
                .map(|y| {
                    let sample = |x: usize| self.sample(y * width + x, channel, channels).into();
                    let row: Vec<u64> = (left..left + crop_width).map(sample).collect();
                    spans_across.iter().map(|span| span.iter().map(|&(x, weight)| weight * row[x]).sum()).collect()
                })
                .collect();
            for (y, span) in spans_down.iter().enumerate() {
                for x in 0..across {
                    let sum: u64 = span.iter().map(|&(y, weight)| weight * rows[y][x]).sum();
                    let mean = u8::try_from((sum + whole / 2) / whole).unwrap_or(u8::MAX);
                    samples[(y * across + x) * count + channel] = mean;
                }
            }
        }
        Self::from_samples(new_width, new_height, channels, samples)
    }

    /// A sample of a pixel, as if the photo had `channels` channels.
    fn sample(&self, pixel: usize, channel: usize, channels: u8) -> u8 {
        match (self.channels, channels) {
            (3, 3) => self.samples[3 * pixel + channel],
            _ => self.luma(pixel),
        }
    }

    /// JFIF's luma of one pixel, in 16-bit fixed point.
    fn luma(&self, pixel: usize) -> u8 {
        let at = pixel * usize::from(self.channels);
        match self.samples[at..at + usize::from(self.channels)] {
            [r, g, b] => {
                let sum = 19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b) + (1 << 15);
                u8::try_from(sum >> 16).unwrap_or(u8::MAX)
            }
            _ => self.samples[at],
        }
    }
}

/// The pixels, of `old` pixels, that new pixel `i` of `new` covers, and the covered part of each, in units of `1 / new` of an
/// old pixel.
fn span(i: usize, old: usize, new: usize) -> Vec<(usize, u64)> {
    let (start, end) = (i * old, (i + 1) * old);
    let covered = |pixel: usize| (end.min((pixel + 1) * new) - start.max(pixel * new)) as u64;
    (start / new..end.div_ceil(new)).map(|pixel| (pixel, covered(pixel))).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    fn grey(width: u32, height: u32, samples: &[u8]) -> Photo {
        Photo::from_samples(width, height, 1, samples.to_vec()).expect("a photo")
    }

    #[test]
    fn the_middle_is_taken_and_its_means() {
        let photo = grey(4, 2, &[9, 10, 20, 9, 9, 30, 41, 9]);
        assert_eq!(photo.square(2).unwrap(), grey(2, 2, &[10, 20, 30, 41]));
        assert_eq!(photo.square(1).unwrap(), grey(1, 1, &[25]));
        // From three pixels to two: half of the middle one belongs to each.
        let photo = grey(3, 3, &[0, 30, 90, 0, 30, 90, 0, 30, 90]);
        assert_eq!(photo.square(2).unwrap(), grey(2, 2, &[10, 70, 10, 70]));
        // The result can have more pixels than the photo.
        assert_eq!(grey(1, 3, &[1, 7, 3]).square(3).unwrap(), grey(3, 3, &[7; 9]));
    }

    #[test]
    fn every_covered_part_is_counted_once() {
        for (old, new) in [(1, 1), (7, 3), (3, 7), (96, 96), (65_535, 96), (5, 4096)] {
            for i in 0..new {
                assert_eq!(span(i, old, new).iter().map(|part| part.1).sum::<u64>(), old as u64);
            }
        }
    }

    #[test]
    fn colours_become_luma_and_impossible_sides_are_refused() {
        let photo = Photo::from_samples(1, 1, 3, vec![255, 0, 0]).unwrap();
        assert_eq!(photo.square(2).unwrap(), grey(2, 2, &[76; 4]));
        for side in [0, MAX_SIDE + 1] {
            assert_eq!(photo.square(side).unwrap_err().kind(), Code::BadArgument);
        }
    }
}
