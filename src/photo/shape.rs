//! Sizes of pictures, for learning.

use std::fmt;

use super::Photo;
#[cfg(all(feature = "learn", not(target_arch = "wasm32")))]
use crate::error::{Code, Error, Result};

/// The maximum number of samples of a picture to learn from.
#[cfg(all(feature = "learn", not(target_arch = "wasm32")))]
const LARGEST: u64 = 1 << 28;

/// The size of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// The number of samples of each pixel, 1 or 3.
    pub channels: u8,
}

impl Shape {
    /// The size of this picture.
    #[must_use]
    pub const fn of(photo: &Photo) -> Self {
        Self { width: photo.width(), height: photo.height(), channels: photo.channels() }
    }

    /// The number of samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        usize::try_from(self.count()).unwrap_or(usize::MAX)
    }

    fn count(&self) -> u64 {
        (u64::from(self.width) * u64::from(self.height)).saturating_mul(u64::from(self.channels))
    }
}

#[cfg(all(feature = "learn", not(target_arch = "wasm32")))]
impl Shape {
    /// Checks that the number of samples fits this shape.
    pub(crate) fn check(&self, samples: usize) -> Result<()> {
        let sensible = matches!(self.channels, 1 | 3) && (1..=LARGEST).contains(&self.count());
        if sensible && self.samples() == samples {
            return Ok(());
        }
        Err(Error::new(Code::BadArgument, format!("{samples} samples are not a picture of {self}")))
    }

    /// Checks that a picture of another shape can be used together with those of this shape.
    pub(crate) fn check_same(&self, other: Self) -> Result<()> {
        if *self == other {
            return Ok(());
        }
        let message = format!("the picture has {other}, the others {self}; give all of them the same size");
        Err(Error::new(Code::ImagesDiffer, message))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colours = if self.channels == 1 { "grey" } else { "colour" };
        write!(f, "{} x {} pixels in {colours}", self.width, self.height)
    }
}
