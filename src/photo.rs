//! Reading and writing photo files. A file that a user drops on the page or names on the command line becomes a [`Photo`].
//!
//! Photos are untrusted, so the size is read from the first bytes and compared with [`Limits`] before any pixel is decoded. The
//! result is simple on purpose: upright 8-bit grey or RGB samples, row by row. Transparency is kept separately, because it is
//! never encrypted and never sent; so is the colour space of the samples ([`Colour`]). Names, places and times that a camera
//! has written into the file are dropped.
//!
//! Nothing here touches the file system or threads; the browser runs the same code.

pub mod colour;
mod container;
mod decode;
mod encode;
mod jpeg;
mod memory;
#[cfg(all(test, feature = "client"))]
pub(crate) mod natural;
mod orientation;
mod outline;
#[cfg(not(target_arch = "wasm32"))]
pub mod quality;
mod shape;
mod square;
#[cfg(all(test, feature = "client", feature = "webp"))]
mod tests;

pub use colour::Colour;
#[cfg(feature = "webp")]
pub use encode::encode_webp;
pub use encode::{encode_png, encode_png_in, encode_png16};
pub use outline::Outline;
pub use shape::Shape;

use std::fmt;

use image::metadata::Orientation;

use crate::error::{Code, Error, Result};

/// Size limits for photos. The default is the limit of one encrypted image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Width times height, in pixels.
    pub max_pixels: u64,
    /// Width and height, each, in pixels.
    pub max_side: u32,
    /// Decoded pixel data held at one time, in bytes.
    pub max_alloc: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_pixels: 16_777_216, max_side: 65_535, max_alloc: 512 << 20 }
    }
}

impl Limits {
    /// The limits for scrambled pictures of such photos: the grey form is up to three times as large as its photo, and consists
    /// of whole blocks.
    #[must_use]
    pub const fn of_scrambled(self) -> Self {
        Self { max_pixels: self.max_pixels.saturating_mul(4), ..self }
    }

    /// Checks a width and a height in pixels from a file's header.
    ///
    /// # Errors
    /// [`Code::DamagedImage`] for a side of 0, [`Code::ImageTooLarge`] beyond the limits.
    pub fn check(&self, width: u32, height: u32) -> Result<()> {
        if width == 0 || height == 0 {
            return Err(Error::new(Code::DamagedImage, "the photo has no pixels; choose another file"));
        }
        let pixels = u64::from(width) * u64::from(height);
        if width.max(height) > self.max_side || pixels > self.max_pixels {
            let (fitting_width, fitting_height) = self.fit(width, height);
            return Err(Error::new(
                Code::ImageTooLarge,
                format!(
                    "the photo has {width} x {height} pixels, {} million; the limit is {} million and {} on a \
                     side. Make it smaller, at most {fitting_width} x {fitting_height}",
                    millions(pixels),
                    millions(self.max_pixels),
                    self.max_side
                ),
            ));
        }
        Ok(())
    }

    /// The largest size of the same shape within the limits, at least one pixel on each side.
    fn fit(&self, width: u32, height: u32) -> (u64, u64) {
        let (width, height, most) = (u64::from(width), u64::from(height), u64::from(self.max_side));
        let across = (self.max_pixels.saturating_mul(width) / height).isqrt().min(most).min(most * width / height);
        (across.max(1), (across * height / width).max(1))
    }
}

/// A number of pixels in millions, with one decimal, or with two below a million.
fn millions(pixels: u64) -> String {
    if pixels < 1_000_000 {
        let hundredths = (pixels + 5_000) / 10_000;
        return format!("{}.{:02}", hundredths / 100, hundredths % 100);
    }
    format!("{}.{}", pixels / 1_000_000, pixels / 100_000 % 10)
}

/// A notice for a photo's owner, because the result will differ from the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notice {
    /// The file has 16 bits per sample; they were rounded to 8.
    ReducedTo8Bit,
    /// The file has transparency. It stays here and is neither encrypted nor filtered.
    AlphaKeptAside,
    /// The file is an animation; only its first frame is used.
    FirstFrameOnly,
    /// The file is an animation with a still image that is not one of its frames; only the still image is used.
    StillImageOnly,
    /// The end of the file is missing or damaged, after the last pixel.
    EndMissing,
    /// One of the two checksums of a PNG file's pixels is wrong or missing; the other confirms them.
    ChecksumWrong,
    /// The file has bytes that belong to none of its parts. These bytes were skipped.
    StrayData,
    /// The samples were converted to sRGB.
    ConvertedToSrgb,
    /// Some colours are outside sRGB; they were replaced by the nearest ones.
    ColoursClipped,
    /// The file is brighter than white in places (HDR); sRGB shows these as white.
    HdrReduced,
    /// The file is brighter than white in places (HDR), which 8 bits show in coarse steps.
    HdrIn8Bit,
    /// The file's colour profile is unreadable or does not fit; the samples are treated as sRGB.
    ProfileUnusable,
    /// The file is for printers (CMYK). Its colours are approximate, whether or not it has a profile.
    Cmyk,
    /// Some blocks of a JPEG file have larger values than any picture yields. Programs show them differently.
    BeyondRange,
    /// The file contains further pictures.
    OtherPictures,
}

impl Notice {
    /// The stable `snake_case` name for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReducedTo8Bit => "reduced_to_8_bit",
            Self::AlphaKeptAside => "alpha_kept_here",
            Self::FirstFrameOnly => "first_frame_only",
            Self::StillImageOnly => "still_image_only",
            Self::EndMissing => "end_missing",
            Self::ChecksumWrong => "checksum_wrong",
            Self::StrayData => "stray_data",
            Self::ConvertedToSrgb => "converted_to_srgb",
            Self::ColoursClipped => "colours_clipped",
            Self::HdrReduced => "hdr_reduced",
            Self::HdrIn8Bit => "hdr_in_8_bit",
            Self::ProfileUnusable => "profile_unusable",
            Self::Cmyk => "cmyk",
            Self::BeyondRange => "beyond_range",
            Self::OtherPictures => "other_pictures",
        }
    }

    /// The sentence for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::ReducedTo8Bit => "the photo has 16 bits per sample; they are rounded to 8",
            Self::AlphaKeptAside => "the photo's transparency stays here: it is neither encrypted nor filtered",
            Self::FirstFrameOnly => "the file is an animation; only its first frame is used",
            Self::StillImageOnly => {
                "the file is an animation with a separate still image; only the still image is used"
            }
            Self::EndMissing => "the end of the file is missing or damaged; all pixels are there",
            Self::ChecksumWrong => {
                "one of the file's two checksums of its pixels is wrong or missing; compare the photo with the original"
            }
            Self::StrayData => "the file contains stray data; compare the photo with the original",
            Self::ConvertedToSrgb => "the photo's colours were converted to sRGB",
            Self::ColoursClipped => {
                "some of the photo's colours are outside sRGB; they were replaced by the nearest ones"
            }
            Self::HdrReduced => "the photo is HDR; areas brighter than white became white",
            Self::HdrIn8Bit => "the photo is HDR, but is stored with 8 bits per sample; smooth areas may show steps",
            Self::ProfileUnusable => "the photo's colour profile cannot be used; its colours are treated as sRGB",
            Self::Cmyk => "the photo is for printers (CMYK); its colours are approximate, because no profile is used",
            Self::BeyondRange => {
                "parts of the photo have values out of range, perhaps because of damage; compare the photo with the original"
            }
            Self::OtherPictures => {
                "the file contains more than one picture, such as a second view or an HDR gain map; only the first is used"
            }
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// An upright 8-bit picture in grey or RGB, with its transparency kept apart.
#[derive(Clone, PartialEq, Eq)]
pub struct Photo {
    width: u32,
    height: u32,
    channels: u8,
    samples: Vec<u8>,
    alpha: Option<Vec<u8>>,
    colour: Colour,
    notices: Vec<Notice>,
}

impl Photo {
    /// Reads a PNG, JPEG or (with the feature `webp`) WebP file, identified by its first bytes. The camera's orientation is
    /// applied, 16-bit samples are rounded to 8 bits, a grey file stays grey, and only the first frame of an animation is read.
    /// The samples are not converted; [`Photo::colour`] is their colour space.
    ///
    /// The samples of a JPEG file are those of libjpeg-turbo, with its default settings. The inks of a JPEG file for printers
    /// are assumed to be inverted, as in other programs, and multiplied with black.
    ///
    /// # Errors
    /// [`Code::UnsupportedImage`] for anything else, and for unsupported variants of these formats, [`Code::ImageTooLarge`]
    /// beyond `limits` (checked before decoding), [`Code::DamagedImage`] for a file that lacks some of its pixels, or is
    /// otherwise broken.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self> {
        decode::decode(bytes, limits)
    }

    /// Makes a picture from samples row by row, the channels of one pixel (1 grey, 3 RGB) side by side.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the number of samples is not width x height x channels, or zero.
    pub fn from_samples(width: u32, height: u32, channels: u8, samples: Vec<u8>) -> Result<Self> {
        if !matches!(channels, 1 | 3) {
            return Err(Error::new(Code::BadArgument, format!("a photo has 1 or 3 channels, not {channels}")));
        }
        check_samples(width, height, channels, samples.len())?;
        Ok(Self { width, height, channels, samples, alpha: None, colour: Colour::Srgb, notices: Vec::new() })
    }

    /// Adds one transparency value per pixel (255 is opaque).
    ///
    /// # Errors
    /// [`Code::BadArgument`] unless there is exactly one value per pixel.
    pub fn with_alpha(mut self, alpha: Vec<u8>) -> Result<Self> {
        check_samples(self.width, self.height, 1, alpha.len())?;
        self.alpha = Some(alpha);
        Ok(self)
    }

    /// Replaces the colour space, without converting the samples.
    #[must_use]
    pub fn with_colour(mut self, colour: Colour) -> Self {
        self.colour = colour;
        self
    }

    /// Width in pixels, at least 1.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Samples per pixel: 1 for grey, 3 for RGB.
    #[must_use]
    pub const fn channels(&self) -> u8 {
        self.channels
    }

    /// The samples, row by row, `width * height * channels` of them.
    #[must_use]
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// One transparency value per pixel, if the file had any.
    #[must_use]
    pub fn alpha(&self) -> Option<&[u8]> {
        self.alpha.as_deref()
    }

    /// The colour space of the samples.
    #[must_use]
    pub const fn colour(&self) -> &Colour {
        &self.colour
    }

    /// Notices for the owner about how the file was read.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Adds notices about the picture's file.
    #[cfg(feature = "etc")]
    pub(crate) fn with_notices(mut self, notices: &[Notice]) -> Self {
        self.notices = notices.to_vec();
        self
    }

    /// Makes a picture of pixels with 1 to 4 samples each: 1 grey, 2 with transparency, 3 red, green, blue, 4 with
    /// transparency.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the number of samples does not fit.
    pub fn from_pixels(width: u32, height: u32, per_pixel: u8, samples: Vec<u8>) -> Result<Self> {
        decode::assemble(samples, per_pixel, (width, height), Orientation::NoTransforms, Vec::new())
    }

    /// The picture in the format of a browser's canvas: four bytes per pixel, not premultiplied.
    #[must_use]
    pub fn rgba(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.samples.len() / usize::from(self.channels) * 4);
        for (i, pixel) in self.samples.chunks_exact(usize::from(self.channels)).enumerate() {
            match *pixel {
                [r, g, b] => out.extend([r, g, b]),
                _ => out.extend([pixel[0]; 3]),
            }
            out.push(self.alpha.as_ref().map_or(255, |alpha| alpha[i]));
        }
        out
    }
}

impl fmt::Debug for Photo {
    /// Writes only the shape, because logs must not contain pixels.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Photo")
            .field("width", &self.width)
            .field("height", &self.height)
            .field("channels", &self.channels)
            .field("has_alpha", &self.alpha.is_some())
            .finish_non_exhaustive()
    }
}

/// Checks that `len` samples are exactly one non-empty picture.
fn check_samples(width: u32, height: u32, channels: u8, len: usize) -> Result<()> {
    let wanted = u64::from(width).checked_mul(u64::from(height)).and_then(|n| n.checked_mul(u64::from(channels)));
    if wanted == u64::try_from(len).ok() && len > 0 {
        return Ok(());
    }
    Err(Error::new(
        Code::BadArgument,
        format!("{len} samples are not {width} x {height} pixels of {channels} channels"),
    ))
}
