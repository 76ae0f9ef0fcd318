//! Features that describe a picture's content better than its samples, computed by its owner before encryption.
//!
//! Every small patch of the picture is normalised to mean 0 and deviation of about 1, and compared with filters learned from
//! patches. The part of a filter's response above a threshold, positive and negative separately, is summed in each cell of a
//! grid (A. Coates, H. Lee, A. Ng, "An analysis of single-layer networks in unsupervised feature learning", AISTATS 2011; A.
//! Coates, A. Ng, "The importance of encoding versus training with sparse coding and vector quantization", ICML 2011, for the
//! threshold and both signs). Whitening is a part of the filters.
//!
//! Sums have the same order everywhere, so that a browser and a server get the same features.

use crate::error::{Code, Error, Result};
use crate::math::product::add_product;
use crate::photo::{Photo, Shape};

/// Added to a patch's variance, in squared steps of samples, so that noise stays small in patches of nothing else.
const QUIET: f32 = 10.0;
/// The largest absolute value of a feature, in deviations.
pub const REACH: f32 = 4.0;
/// The largest pictures, in pixels on a side.
pub const MOST_SIDE: u32 = 256;
/// The maximum number of features of a picture.
pub const MOST_FEATURES: usize = 1 << 14;
/// The maximum number of products to compute the features, which take some seconds.
const MOST_WORK: u64 = 1 << 32;
/// The largest number in a recipe. Learned numbers stay far below it.
const LARGEST: f32 = 1e9;

/// The recipe for a picture's features.
#[derive(Clone, Debug, PartialEq)]
pub struct Patches {
    /// The size of the pictures.
    pub shape: Shape,
    /// The side of a patch, in pixels.
    pub side: u8,
    /// The distance from one patch to the next, in pixels.
    pub stride: u8,
    /// Cells across and down.
    pub grid: u8,
    /// The threshold of a filter's response.
    pub threshold: f32,
    /// The filters, one after another, with one number per sample of a patch, row by row as in a picture.
    pub filters: Vec<f32>,
    /// The offset subtracted from each filter's response.
    pub offsets: Vec<f32>,
    /// The mean of each feature before standardisation.
    pub means: Vec<f32>,
    /// The inverse deviation of each feature.
    pub scales: Vec<f32>,
}

impl Patches {
    /// Checks that the recipe is valid.
    ///
    /// # Errors
    /// [`Code::BadHeader`] if not, or if it takes too much work.
    pub fn check(&self) -> Result<()> {
        let Shape { width, height, channels } = self.shape;
        let (side, stride, grid) = (u32::from(self.side), u32::from(self.stride), u32::from(self.grid));
        let sides = [width, height].iter().all(|length| (1..=MOST_SIDE).contains(length) && side <= *length);
        if !sides || !matches!(channels, 1 | 3) || side == 0 || stride == 0 || grid == 0 {
            return Err(bad("its pictures or patches have invalid sizes"));
        }
        let (across, down) = self.places();
        if grid as usize > across.min(down) {
            return Err(bad("it has cells without patches"));
        }
        let (filters, features) = (self.offsets.len(), self.features());
        let length = self.patch_samples();
        if filters == 0 || features > MOST_FEATURES || self.filters.len() != filters * length {
            return Err(bad("its filters are too many or too few"));
        }
        if self.means.len() != features || self.scales.len() != features {
            return Err(bad("it lacks a mean or a deviation for a feature"));
        }
        if (across * down) as u64 * (filters * length) as u64 > MOST_WORK {
            return Err(bad("its features take too much work"));
        }
        let all = [&self.filters, &self.offsets, &self.means, &self.scales];
        let sensible = |number: &f32| number.is_finite() && number.abs() <= LARGEST;
        if !all.into_iter().flatten().chain([&self.threshold]).all(sensible) || self.threshold < 0.0 {
            return Err(bad("its numbers are invalid"));
        }
        Ok(())
    }

    /// The number of features of a picture.
    #[must_use]
    pub const fn features(&self) -> usize {
        2 * self.offsets.len() * self.grid as usize * self.grid as usize
    }

    /// The features of a photo of any size: its middle part is resized to the size of the pictures. They have mean 0 and
    /// deviation 1 over the training pictures, and are clipped at [`REACH`].
    ///
    /// # Errors
    /// None in practice.
    pub fn of(&self, photo: &Photo) -> Result<Vec<f32>> {
        let own = if Shape::of(photo) == self.shape { photo.clone() } else { photo.cut_to(self.shape)? };
        let mut numbers = self.raw(own.samples());
        for ((number, mean), scale) in numbers.iter_mut().zip(&self.means).zip(&self.scales) {
            *number = ((*number - mean) * scale).clamp(-REACH, REACH);
        }
        Ok(numbers)
    }

    /// The features of a picture of the right size before standardisation: for each cell, the filters' positive sums,
    /// then their negative sums.
    pub(crate) fn raw(&self, samples: &[u8]) -> Vec<f32> {
        let (across, down) = self.places();
        let (count, length, grid) = (self.offsets.len(), self.patch_samples(), usize::from(self.grid));
        let filters = self.by_sample();
        let mut numbers = vec![0.0; self.features()];
        let mut patches = vec![0.0; across * length];
        let mut answers = vec![0.0; across * count];
        for y in 0..down {
            for (x, patch) in patches.chunks_exact_mut(length).enumerate() {
                self.patch(samples, x, y, patch);
            }
            answers.fill(0.0);
            add_product(&mut answers, &patches, &filters, length, count);
            for (x, answers) in answers.chunks_exact(count).enumerate() {
                let cell = y * grid / down * grid + x * grid / across;
                let (up, low) = numbers[2 * cell * count..2 * (cell + 1) * count].split_at_mut(count);
                let sums = up.iter_mut().zip(low).zip(answers.iter().zip(&self.offsets));
                for ((up, low), (answer, offset)) in sums {
                    let answer = answer - offset;
                    *up += (answer - self.threshold).max(0.0);
                    *low += (-answer - self.threshold).max(0.0);
                }
            }
        }
        numbers
    }

    /// A patch, normalised to mean 0 and a deviation of about 1.
    pub(crate) fn patch(&self, samples: &[u8], x: usize, y: usize, patch: &mut [f32]) {
        let row_length = self.shape.width as usize * usize::from(self.shape.channels);
        let wide = usize::from(self.side) * usize::from(self.shape.channels);
        let (left, top) =
            (x * usize::from(self.stride) * usize::from(self.shape.channels), y * usize::from(self.stride));
        for (row, patch) in patch.chunks_exact_mut(wide).enumerate() {
            let samples = &samples[(top + row) * row_length + left..][..wide];
            patch.iter_mut().zip(samples).for_each(|(number, sample)| *number = f32::from(*sample));
        }
        normalise(patch);
    }

    /// The numbers of patches across and down.
    pub(crate) fn places(&self) -> (usize, usize) {
        let places = |length: u32| ((length - u32::from(self.side)) / u32::from(self.stride) + 1) as usize;
        (places(self.shape.width), places(self.shape.height))
    }

    /// The number of samples in a patch.
    pub(crate) fn patch_samples(&self) -> usize {
        usize::from(self.side) * usize::from(self.side) * usize::from(self.shape.channels)
    }

    /// The numbers of all filters for the first sample of a patch, then for the second, and so on.
    fn by_sample(&self) -> Vec<f32> {
        let (count, length) = (self.offsets.len(), self.patch_samples());
        let mut out = vec![0.0; count * length];
        for (filter, numbers) in self.filters.chunks_exact(length).enumerate() {
            numbers.iter().enumerate().for_each(|(sample, number)| out[sample * count + filter] = *number);
        }
        out
    }
}

#[expect(clippy::cast_precision_loss, reason = "patches are small")]
fn normalise(patch: &mut [f32]) {
    let count = patch.len() as f32;
    let mean = patch.iter().sum::<f32>() / count;
    for number in &mut patch[..] {
        *number -= mean;
    }
    let variance = patch.iter().map(|number| number * number).sum::<f32>() / count;
    let scale = 1.0 / (variance + QUIET).sqrt();
    for number in &mut patch[..] {
        *number *= scale;
    }
}

fn bad(why: &str) -> Error {
    Error::new(Code::BadHeader, format!("this is not a valid network: {why}"))
}
