//! Photos whose pixels a browser decodes with its own decoders, which need no download. The browser receives only the parts of
//! a file that contain the pixels; everything around them (limits, damage, the camera's orientation, transparency) is treated
//! as in [`Photo::decode`].

use std::ops::Range;

use image::metadata::Orientation;

use super::colour::{Profile, Tags};
use super::container::{self, Format, Inspected, Pixels};
use super::decode::{assemble, exif_orientation};
use super::{Limits, Notice, Photo};
use crate::error::Result;

/// The outline of a photo file, before its pixels are decoded.
pub struct Outline {
    format: Format,
    pixels: Pixels,
    turn: Orientation,
    tags: Tags,
}

impl Outline {
    /// Checks a file, including every code of a JPEG file: browsers' decoders fill in what is missing.
    ///
    /// # Errors
    /// As [`Photo::decode`], as far as the container reveals them. The size of a WebP file is not known yet.
    pub fn new(bytes: &[u8], limits: &Limits) -> Result<Self> {
        let Inspected { format, exif, tags, pixels } = container::inspect(bytes, limits)?;
        Ok(Self { format, pixels, turn: exif_orientation(exif), tags })
    }

    /// Whether it is a JPEG file.
    #[must_use]
    pub fn is_jpeg(&self) -> bool {
        self.format == Format::Jpeg
    }

    /// Whether it is a WebP file, for which only [`Outline::notices`] and [`Outline::ended`] are known.
    #[must_use]
    pub fn is_webp(&self) -> bool {
        self.format == Format::WebP
    }

    /// Width in pixels, as the pixels are stored.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.pixels.width
    }

    /// Height in pixels, as the pixels are stored.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.pixels.height
    }

    /// Samples of each pixel of a plain file: 1 grey, 2 with transparency, 3 red, green, blue, 4 with transparency. `None` for
    /// all other files, which need [`Photo::decode`] (16 bits, a palette, interlacing, four inks and so on), and for WebP.
    #[must_use]
    pub fn plain(&self) -> Option<u8> {
        self.pixels.plain
    }

    /// The parts of the file that contain the pixels. For PNG, their concatenation is one zlib stream. For JPEG, it is a whole
    /// file without the metadata of cameras and programs, so that it looks the same to all decoders, and without its end
    /// marker, the two bytes FF D9.
    #[must_use]
    pub fn parts(&self) -> &[Range<usize>] {
        &self.pixels.parts
    }

    /// The location of the file's colour profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.tags.profile
    }

    /// The photo with these pixels as stored, row by row. `profile` is the file's colour profile, extracted and unpacked, if
    /// possible.
    ///
    /// # Errors
    /// [`Code::BadArgument`](crate::error::Code::BadArgument) if the number of samples is not that of the plain file.
    pub fn photo(&self, samples: Vec<u8>, profile: Option<&[u8]>) -> Result<Photo> {
        let size = (self.width(), self.height());
        let notices = self.pixels.notices.clone();
        let mut photo = assemble(samples, self.plain().unwrap_or(0), size, self.turn, notices)?;
        photo.understand(&self.tags, profile);
        Ok(photo)
    }

    /// Notices for the owner about the file, the same for every decoder. [`Outline::photo`] includes them.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.pixels.notices
    }

    /// The file completed with its end, if a PNG or WebP file lacks only its end. `None` if a part with pixels is incomplete.
    #[must_use]
    pub fn ended(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let end = self.pixels.end?;
        let whole = self.pixels.parts.iter().all(|part| part.end <= end);
        whole.then(|| container::ended(self.format, bytes, end))
    }
}
