//! Single pixels of a result, computed from the original photos, to compare them with a server's result.
//!
//! The remaining mask ([`super::replay`]) shows that the right ciphertexts were multiplied. It does not show that nothing was
//! added to a plaintext, which anyone can do with the public key. A comparison of random pixels does: if a share `f` of the
//! pixels is changed, `s` samples detect it with probability `1 - (1 - f)^s`.

use super::filter::Filter;
use super::kernel::Kernel;
use super::layout::{Border, ImageHead};
use super::recipe::Recipe;
use crate::error::{Code, Error, Result};
use crate::photo::Photo;

/// The maximum number of weighted pixels to add up for all samples of an image together.
const MAX_WORK: u64 = 1 << 27;

/// The original photos of an image, and the filters that were applied to them.
pub(crate) struct ClearImage {
    photo: Photo,
    border: Border,
    steps: Vec<ClearStep>,
}

struct ClearStep {
    filter: Filter,
    kernels: Vec<Kernel>,
    /// The product of the divisors up to and including this step.
    divisor: i64,
    second: Option<ClearImage>,
}

impl ClearImage {
    /// Combines the original photos with the head of the image that was made from them.
    ///
    /// # Errors
    /// [`Code::ImagesDiffer`] if the number of photos or their size differs from the image's; [`Code::BadHeader`] if the header
    /// does not say how the image was made.
    pub(crate) fn new(head: &ImageHead, photos: Vec<Photo>) -> Result<Self> {
        let layout = &head.layout;
        let fits = |photo: &Photo| {
            (photo.width(), photo.height(), photo.channels()) == (layout.width, layout.height, layout.channels)
        };
        if photos.len() != head.origins.len() || !photos.iter().all(fits) {
            return Err(Error::new(
                Code::ImagesDiffer,
                format!(
                    "the image is made of {} photos of {} x {} pixels with {} planes; give these",
                    head.origins.len(),
                    layout.width,
                    layout.height,
                    layout.channels
                ),
            ));
        }
        Self::build(Recipe::of(head)?, layout.border, &mut photos.into_iter())
    }

    fn build(recipe: Recipe, border: Border, photos: &mut impl Iterator<Item = Photo>) -> Result<Self> {
        let photo = photos.next().ok_or_else(|| Error::new(Code::Internal, "a photo is missing"))?;
        let mut divisor = 1;
        let mut steps = Vec::with_capacity(recipe.steps.len());
        for step in recipe.steps {
            divisor *= step.filter.divisor();
            let second = step.second.map(|second| Self::build(second, border, photos)).transpose()?;
            steps.push(ClearStep { kernels: step.filter.kernels(), filter: step.filter, divisor, second });
        }
        Ok(Self { photo, border, steps })
    }

    /// How many pixels of the image can be computed in reasonable time, at most `wanted`.
    pub(crate) fn affordable(&self, wanted: u64) -> u64 {
        wanted.min(MAX_WORK / self.work(self.steps.len()).max(1))
    }

    /// The value of a pixel before the division.
    pub(crate) fn raw(&self, channel: u8, x: i64, y: i64) -> i64 {
        self.after(self.steps.len(), channel, x, y)
    }

    /// The value of a pixel after the first `steps` steps.
    fn after(&self, steps: usize, channel: u8, x: i64, y: i64) -> i64 {
        let Some(before) = steps.checked_sub(1) else { return self.sample(channel, x, y) };
        let step = &self.steps[before];
        let mut sum = match step.filter {
            Filter::Brightness { offset } => offset * step.divisor,
            _ => 0,
        };
        for (input, kernel) in step.kernels.iter().enumerate() {
            let (rx, ry) = kernel.radius();
            for (dy, row) in (-i64::from(ry)..).zip(kernel.rows()) {
                for (dx, weight) in (-i64::from(rx)..).zip(row).filter(|&(_, weight)| weight != 0) {
                    let (x, y) = (x + dx, y + dy);
                    let value = match &step.second {
                        Some(second) if input > 0 => second.raw(channel, x, y),
                        _ => self.after(before, channel, x, y),
                    };
                    sum += weight * value;
                }
            }
        }
        sum
    }

    fn work(&self, steps: usize) -> u64 {
        let Some(before) = steps.checked_sub(1) else { return 1 };
        let step = &self.steps[before];
        let area = |kernel: &Kernel| {
            let (rx, ry) = kernel.radius();
            (2 * u64::from(rx) + 1) * (2 * u64::from(ry) + 1)
        };
        let second = step.second.as_ref().map_or(0, |second| second.work(second.steps.len()));
        step.kernels.iter().map(area).max().unwrap_or(1).saturating_mul(self.work(before).saturating_add(second))
    }

    fn sample(&self, channel: u8, x: i64, y: i64) -> i64 {
        let inside = self.border.source(x, self.photo.width()).zip(self.border.source(y, self.photo.height()));
        inside.map_or(0, |(x, y)| {
            let pixel = y as usize * self.photo.width() as usize + x as usize;
            i64::from(self.photo.samples()[pixel * usize::from(self.photo.channels()) + usize::from(channel)])
        })
    }
}
