//! Networks for encrypted pictures, trained on pictures in the clear.
//!
//! The filters are learned first, without labels: patches are drawn at random and whitened, and the filters are the directions
//! around which they cluster (spherical k-means, as in A. Coates, A. Ng, ICML 2011). Then the layers are trained by gradient
//! descent.
//!
//! The same pictures in the same order and the same seed give the same network, on any number of cores.

mod filters;
mod gradient;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rayon::prelude::*;

use self::gradient::Fit;
use super::model::{LONGEST_LABEL, MOST_CLASSES, check_label, class_of};
use crate::error::{Code, Error, Result};
use crate::network::features::REACH;
use crate::network::{Layer, MOST_HIDDEN, Network, NetworkSpec, Patches};
use crate::photo::{Photo, Shape};
use crate::schemes::ckks::parameters::{Parameters, SMALL};
use crate::watch::Watch;

/// The maximum number of training pictures.
pub const MOST_PICTURES: usize = 200_000;
/// The maximum number of samples of all pictures together, and of numbers of all pictures together.
const MOST_NUMBERS: usize = 1 << 28;
/// The longer side of the pictures that a network takes, in pixels. It is shorter if the photos are smaller.
const LONGER_SIDE: u32 = 48;
/// The side of a patch, in pixels.
const PATCH: u8 = 6;
/// The number of cells across and of cells down.
const GRID: u8 = 2;
/// The threshold of a filter's answer.
const THRESHOLD: f32 = 0.25;

const _: () = assert!(MOST_CLASSES == crate::network::MOST_LABELS && LONGEST_LABEL == crate::network::LONGEST_LABEL);

/// Options for training a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The number of hidden units; 0 for a single layer.
    pub hidden: usize,
    /// The number of filters. Each yields two features in each of a picture's four cells.
    pub filters: usize,
    /// The number of passes over all pictures.
    pub epochs: usize,
    /// The seed of all random choices.
    pub seed: u64,
    /// The parameter set.
    pub parameters: &'static Parameters,
}

impl Default for Settings {
    fn default() -> Self {
        Self { hidden: 128, filters: 128, epochs: 20, seed: 0, parameters: &SMALL }
    }
}

/// Takes pictures one by one, then trains a network.
pub struct NetworkTrainer {
    settings: Settings,
    shape: Option<Shape>,
    labels: Vec<String>,
    pictures: Vec<u8>,
    class: Vec<u16>,
}

impl NetworkTrainer {
    /// Makes a trainer without pictures.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for settings out of range.
    pub fn new(settings: Settings) -> Result<Self> {
        let within = |name: &str, value: usize, least: usize, most: usize| {
            let message = || Error::new(Code::BadArgument, format!("{name} is a number from {least} to {most}"));
            (least..=most).contains(&value).then_some(()).ok_or_else(message)
        };
        within("hidden", settings.hidden, 0, MOST_HIDDEN)?;
        within("filters", settings.filters, 1, 1024)?;
        within("epochs", settings.epochs, 1, 1000)?;
        Ok(Self { settings, shape: None, labels: Vec::new(), pictures: Vec::new(), class: Vec::new() })
    }

    /// Takes a picture of any size with its label. The first picture decides the aspect ratio and whether pictures have
    /// colours.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for an invalid label or a picture that is too small, [`Code::TooLarge`] for too many pictures.
    pub fn add(&mut self, label: &str, photo: &Photo) -> Result<()> {
        check_label(label)?;
        let shape = match self.shape {
            Some(shape) => shape,
            None => *self.shape.insert(shape_for(Shape::of(photo))?),
        };
        if self.class.len() >= MOST_PICTURES || self.pictures.len() + shape.samples() > MOST_NUMBERS {
            let message = format!("a network is trained on at most {} such pictures", self.class.len());
            return Err(Error::new(Code::TooLarge, message));
        }
        let class = class_of(&mut self.labels, label)?;
        self.pictures.extend(photo.cut_to(shape)?.samples());
        // There are at most a thousand labels.
        self.class.push(u16::try_from(class).unwrap_or(u16::MAX));
        Ok(())
    }

    /// The number of pictures.
    #[must_use]
    pub fn count(&self) -> usize {
        self.class.len()
    }

    /// Trains the network. The watcher receives the number of finished steps: pictures whose features are computed, then
    /// mini-batches.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for fewer than two labels, [`Code::TooLarge`] for too many pictures, [`Code::BadHeader`] if the
    /// parameter set has no room for such a network, and errors of the watcher.
    pub fn finish(self, watch: &dyn Watch) -> Result<Network> {
        let Some(shape) = self.shape.filter(|_| self.labels.len() >= 2) else {
            return Err(Error::new(Code::BadArgument, "training needs pictures with at least two labels"));
        };
        let Settings { hidden, filters, epochs, seed, parameters } = self.settings;
        let stride = if shape.width.max(shape.height) > 32 { 2 } else { 1 };
        let mut patches = Patches {
            shape,
            side: PATCH,
            stride,
            grid: GRID,
            threshold: THRESHOLD,
            filters: Vec::new(),
            offsets: vec![0.0; filters],
            means: Vec::new(),
            scales: Vec::new(),
        };
        let features = patches.features();
        if self.class.len() * features > MOST_NUMBERS {
            let message = format!("{} pictures of {features} features are too many; use fewer", self.class.len());
            return Err(Error::new(Code::TooLarge, message));
        }
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        filters::learn(&mut patches, &self.pictures, &mut rng, watch)?;
        let groups = self.class.len().div_ceil(gradient::GROUP) * epochs;
        let total = (self.class.len() + groups) as u64;
        let mut numbers = self.numbers(&patches, watch, total)?;
        standardise(&mut patches, &mut numbers);
        let layers = Layer::perceptron(hidden, self.labels.len());
        let spec = NetworkSpec::new(parameters, patches, self.labels, layers)?;
        let fit = Fit { features, classes: spec.labels().len(), hidden, epochs };
        let done = self.class.len() as u64;
        let weights = fit.weights(&numbers, &self.class, &mut rng, &|group| {
            watch.progress(done + group as u64, total);
            watch.check()
        })?;
        Network::new(spec, weights)
    }

    /// Computes the numbers of all pictures, not yet standardised.
    fn numbers(&self, patches: &Patches, watch: &dyn Watch, total: u64) -> Result<Vec<f32>> {
        const SOME: usize = 256;
        let length = patches.shape.samples();
        let mut numbers = vec![0.0; self.class.len() * patches.features()];
        let groups = self.pictures.chunks(SOME * length).zip(numbers.chunks_mut(SOME * patches.features()));
        for (group, (pictures, numbers)) in groups.enumerate() {
            watch.check()?;
            let pairs = pictures.par_chunks_exact(length).zip(numbers.par_chunks_exact_mut(patches.features()));
            pairs.for_each(|(picture, numbers)| numbers.copy_from_slice(&patches.raw(picture)));
            watch.progress((group * SOME) as u64, total);
        }
        Ok(numbers)
    }
}

/// The size of the pictures of a network for photos such as this one.
fn shape_for(photo: Shape) -> Result<Shape> {
    let longer = photo.width.max(photo.height);
    let side = |length: u32| match longer {
        0..=LONGER_SIDE => length,
        // Scale the longer side to `LONGER_SIDE`.
        _ => u32::try_from(u64::from(length) * u64::from(LONGER_SIDE) / u64::from(longer)).unwrap_or(LONGER_SIDE),
    };
    let shape = Shape { width: side(photo.width), height: side(photo.height), ..photo };
    if shape.width.min(shape.height) < 2 * u32::from(PATCH) {
        let message = format!("the picture has {photo}: too small or too narrow for patches of {PATCH} pixels");
        return Err(Error::new(Code::BadArgument, message));
    }
    Ok(shape)
}

/// Standardises every number to mean 0 and deviation 1, and clamps it.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "files have numbers of 32 bits")]
fn standardise(patches: &mut Patches, numbers: &mut [f32]) {
    let features = patches.features();
    let count = (numbers.len() / features) as f64;
    let mut sums = vec![(0.0f64, 0.0f64); features];
    for row in numbers.chunks_exact(features) {
        for ((sum, squares), &number) in sums.iter_mut().zip(row) {
            *sum += f64::from(number);
            *squares += f64::from(number).powi(2);
        }
    }
    patches.means = sums.iter().map(|(sum, _)| (sum / count) as f32).collect();
    let scale = |(sum, squares): &(f64, f64)| {
        let variance = squares / count - (sum / count).powi(2);
        // A number that never changes carries no information.
        if variance > 1e-6 { (1.0 / variance.sqrt()) as f32 } else { 0.0 }
    };
    patches.scales = sums.iter().map(scale).collect();
    for row in numbers.chunks_exact_mut(features) {
        for (number, (mean, scale)) in row.iter_mut().zip(patches.means.iter().zip(&patches.scales)) {
            *number = ((*number - mean) * scale).clamp(-REACH, REACH);
        }
    }
}
