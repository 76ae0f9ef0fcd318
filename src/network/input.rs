//! What a network takes of a picture.

use super::features::{MOST_SIDE, Patches};
use crate::error::{Code, Error, Result};
use crate::photo::{Photo, Shape};

/// What the owner computes of a picture before encrypting it.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Features of its patches.
    Patches(Patches),
    /// Its samples: nothing but their mean and scale depends on the network.
    Pixels(Pixels),
}

/// The samples of a picture, standardised: `(sample - mean) scale` with the mean and scale of their channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// The size of the pictures.
    pub shape: Shape,
    /// The mean of each channel, in steps of samples, from 0 to 255.
    pub means: Vec<f32>,
    /// The inverse deviation of each channel.
    pub scales: Vec<f32>,
}

/// The largest absolute value of a standardised sample. Those of photos stay far below it.
const REACH: f32 = 16.0;

impl From<Patches> for Input {
    fn from(patches: Patches) -> Self {
        Self::Patches(patches)
    }
}

impl From<Pixels> for Input {
    fn from(pixels: Pixels) -> Self {
        Self::Pixels(pixels)
    }
}

impl Input {
    /// The size of the pictures.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        match self {
            Self::Patches(patches) => patches.shape,
            Self::Pixels(pixels) => pixels.shape,
        }
    }

    /// The number of numbers for a picture.
    #[must_use]
    pub fn numbers(&self) -> usize {
        match self {
            Self::Patches(patches) => patches.features(),
            Self::Pixels(pixels) => pixels.shape.samples(),
        }
    }

    /// The numbers of a photo of any size: its middle part is resized to the size of the pictures.
    ///
    /// # Errors
    /// None in practice.
    pub fn of(&self, photo: &Photo) -> Result<Vec<f32>> {
        match self {
            Self::Patches(patches) => patches.of(photo),
            Self::Pixels(pixels) => pixels.of(photo),
        }
    }

    /// Checks that it is valid.
    ///
    /// # Errors
    /// [`Code::BadHeader`] if not.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Patches(patches) => patches.check(),
            Self::Pixels(pixels) => pixels.check(),
        }
    }
}

impl Pixels {
    fn check(&self) -> Result<()> {
        let Shape { width, height, channels } = self.shape;
        if ![width, height].iter().all(|side| (1..=MOST_SIDE).contains(side)) || !matches!(channels, 1 | 3) {
            return Err(bad("its pictures have an invalid size"));
        }
        let count = usize::from(channels);
        if self.means.len() != count || self.scales.len() != count {
            return Err(bad("it lacks a mean or a scale for a channel"));
        }
        let reaches = |(mean, scale): (&f32, &f32)| {
            [0.0, 255.0].iter().all(|sample| ((sample - mean) * scale).abs() <= REACH) && *scale != 0.0
        };
        // NaN fails the comparison.
        if self.means.iter().zip(&self.scales).all(reaches) {
            Ok(())
        } else {
            Err(bad("its means or scales are invalid"))
        }
    }

    /// The standardised samples, row by row, all channels of each pixel together.
    fn of(&self, photo: &Photo) -> Result<Vec<f32>> {
        let own = if Shape::of(photo) == self.shape { photo.clone() } else { photo.cut_to(self.shape)? };
        let channels = self.means.iter().zip(&self.scales).cycle();
        Ok(own
            .samples()
            .iter()
            .zip(channels)
            .map(|(&sample, (mean, scale))| (f32::from(sample) - mean) * scale)
            .collect())
    }
}

fn bad(why: &str) -> Error {
    Error::new(Code::BadHeader, format!("this is not a valid network: {why}"))
}
