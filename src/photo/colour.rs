//! The colour space of a photo's samples.
//!
//! A photo without colour information is in sRGB. Others have an ICC profile, or one of PNG's smaller chunks. Samples are
//! encrypted and filtered unchanged, in any colour space. The colour information stays with the photo's owner and is written
//! into the result, so that the result looks like the photo. If that is impossible,
//! [`Photo::into_srgb`](super::Photo::into_srgb) converts the samples.
//!
//! If a file has several of these, the first usable one counts (PNG specification, third edition, section 4.3): cICP, an ICC
//! profile, sRGB, gAMA with cHRM. If there is none, a camera's EXIF note that the colours are Adobe RGB counts.

mod adobe;
#[cfg(any(not(target_arch = "wasm32"), feature = "web-codec"))]
mod convert;
#[cfg(any(not(target_arch = "wasm32"), feature = "web-codec"))]
mod curve;
mod exif;
mod tags;

pub(super) use exif::Tiff;
pub use tags::Profile;
pub(super) use tags::Tags;

use super::Notice;
use crate::error::{Code, Error, Result};
use crate::math::checksum;

/// The longest ICC profile that is kept, in bytes. Profiles of printers take up to a few megabytes.
pub const MAX_PROFILE: usize = 4 << 20;

/// The colour space of an image's samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Colour {
    /// sRGB (IEC 61966-2-1), or unspecified.
    #[default]
    Srgb,
    /// An ICC profile, byte for byte, of which only the header was checked.
    Icc(Vec<u8>),
    /// PNG's coding-independent code points (ITU-T H.273).
    Coded(Coded),
    /// PNG's gamma and chromaticities.
    Measured(Measured),
}

/// Code points of ITU-T H.273, as in PNG's chunk cICP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coded {
    /// Colour primaries.
    pub primaries: u8,
    /// Transfer function.
    pub transfer: u8,
    /// Whether the full range from 0 to 255 is used; otherwise 16 is black and 235 white.
    pub full_range: bool,
}

/// PNG's chunks gAMA and cHRM, one of which may be missing, in units of 1/100,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The exponent by which linear light became samples.
    pub gamma: Option<u32>,
    /// x and y of white, red, green and blue.
    pub chromaticities: Option<[u32; 8]>,
}

impl Coded {
    /// Transfer functions for brightness beyond white: PQ and HLG.
    #[must_use]
    pub const fn is_hdr(self) -> bool {
        matches!(self.transfer, 16 | 18)
    }
}

impl Measured {
    /// The usual gamma, 1/2.2, and sRGB's chromaticities. Programs write these in addition to sRGB, and mean sRGB.
    const SRGB: Self = Self {
        gamma: Some(45_455),
        chromaticities: Some([31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000]),
    };

    fn is_srgb(self) -> bool {
        let near = |a: u32, b: u32, by: u32| a.abs_diff(b) <= by;
        let gamma = self.gamma.zip(Self::SRGB.gamma).is_none_or(|(a, b)| near(a, b, 500));
        let places = self.chromaticities.zip(Self::SRGB.chromaticities);
        gamma && places.is_none_or(|(a, b)| a.iter().zip(b).all(|(&a, b)| near(a, b, 1000)))
    }

    /// Whether these numbers define colours.
    fn is_sound(self) -> bool {
        let gamma = self.gamma.is_none_or(|gamma| (1_000..=10_000_000).contains(&gamma));
        gamma && self.chromaticities.is_none_or(sound)
    }
}

/// Whether white lies inside the triangle of red, green and blue, and the triangle is not too small.
fn sound(places: [u32; 8]) -> bool {
    let [w, r, g, b] = [0, 2, 4, 6].map(|at| (i64::from(places[at]), i64::from(places[at + 1])));
    let inside = [w, r, g, b].iter().all(|&(x, y)| x <= 100_000 && (1..=100_000).contains(&y));
    // Twice the area of a triangle, in square hundred-thousandths; negative if its corners run clockwise.
    let area = |a: (i64, i64), b: (i64, i64), c: (i64, i64)| (b.0 - a.0) * (c.1 - a.1) - (c.0 - a.0) * (b.1 - a.1);
    let least = 100_000_000 / 4;
    inside
        && [area(r, g, b), area(w, r, g), area(w, g, b), area(w, b, r)].map(|area| area > 0) == [true; 4]
        && area(r, g, b) > least
}

impl Colour {
    /// An ICC profile for samples of `channels` channels, or a notice that says why it cannot be used.
    fn icc(profile: &[u8], channels: u8) -> Result<Self, Notice> {
        let field = |at: usize| profile.get(at..at + 4);
        let length = field(0).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        // Data beyond the profile's own length do not belong to it.
        let whole = profile.get(..length).filter(|whole| (132..=MAX_PROFILE).contains(&whole.len()));
        let Some(whole) = whole.filter(|_| field(36) == Some(b"acsp")) else { return Err(Notice::ProfileUnusable) };
        let class = matches!(field(12), Some(b"mntr" | b"scnr" | b"prtr" | b"spac"));
        match field(16) {
            Some(b"RGB ") if class => Ok(Self::Icc(whole.to_vec())),
            Some(b"GRAY") if class && channels == 1 => Ok(Self::Icc(whole.to_vec())),
            _ => Err(Notice::ProfileUnusable),
        }
    }

    /// Whether grey samples must be converted to RGB for this colour space: an RGB profile is invalid in a grey PNG file.
    #[must_use]
    pub fn needs_rgb(&self) -> bool {
        matches!(self, Self::Icc(profile) if profile.get(16..20) == Some(b"RGB "))
    }

    /// The colour space as chunks of a PNG file; empty for sRGB.
    #[must_use]
    pub fn png_chunks(&self) -> Vec<u8> {
        match self {
            Self::Srgb => Vec::new(),
            // The profile's name does not matter.
            Self::Icc(profile) => chunk(*b"iCCP", &[b"icc\0\0".as_slice(), &stored(profile)].concat()),
            Self::Coded(Coded { primaries, transfer, full_range }) => {
                chunk(*b"cICP", &[*primaries, *transfer, 0, u8::from(*full_range)])
            }
            Self::Measured(Measured { gamma, chromaticities }) => {
                let gamma = gamma.map(|gamma| chunk(*b"gAMA", &gamma.to_be_bytes()));
                let places = chromaticities.map(|places| chunk(*b"cHRM", &places.map(u32::to_be_bytes).concat()));
                [gamma, places].into_iter().flatten().flatten().collect()
            }
        }
    }

    /// The colour space as bytes, to store or to pass between programs: a digit for its type, then its data. Empty for sRGB.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Srgb => Vec::new(),
            Self::Icc(profile) => [b"1", profile.as_slice()].concat(),
            Self::Coded(Coded { primaries, transfer, full_range }) => {
                vec![b'2', *primaries, *transfer, u8::from(*full_range)]
            }
            Self::Measured(Measured { gamma, chromaticities }) => {
                let numbers = [gamma.unwrap_or(0)].into_iter().chain(chromaticities.unwrap_or_default());
                [b'3'].into_iter().chain(numbers.flat_map(u32::to_be_bytes)).collect()
            }
        }
    }

    /// Reads the output of [`Colour::to_bytes`].
    ///
    /// # Errors
    /// [`Code::BadArgument`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let bad = || Error::new(Code::BadArgument, "these bytes are not a colour space");
        match bytes {
            [] => Ok(Self::Srgb),
            [b'1', profile @ ..] => Self::icc(profile, 1).map_err(|_| bad()),
            &[b'2', primaries, transfer, full_range] => {
                Ok(Self::Coded(Coded { primaries, transfer, full_range: full_range != 0 }))
            }
            [b'3', numbers @ ..] if numbers.len() == 36 => {
                let mut numbers = numbers.as_chunks::<4>().0.iter().map(|bytes| u32::from_be_bytes(*bytes));
                let gamma = numbers.next().filter(|&gamma| gamma != 0);
                let mut places = [0; 8];
                places.iter_mut().zip(numbers).for_each(|(place, number)| *place = number);
                let found = Measured { gamma, chromaticities: (places != [0; 8]).then_some(places) };
                if found.is_sound() { Ok(Self::Measured(found)) } else { Err(bad()) }
            }
            _ => Err(bad()),
        }
    }
}

/// A chunk of a PNG file.
pub(super) fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind.as_slice(), data].concat();
    // The largest chunks contain a profile, or the pixels of a photo.
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), body.as_slice(), &checksum::hash(&body).to_be_bytes()].concat()
}

/// A zlib stream of these bytes, uncompressed. Profiles are short, and the browser's first module has no compression.
pub(super) fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let blocks = bytes.chunks(0xffff);
    let last = blocks.len().saturating_sub(1);
    for (i, block) in blocks.enumerate() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(i == last));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let (mut a, mut b) = (1u32, 0u32);
    for &byte in bytes {
        a = (a + u32::from(byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    out.extend(((b << 16) | a).to_be_bytes());
    out
}

#[cfg(all(test, feature = "client"))]
#[expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests;
