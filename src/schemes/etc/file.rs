//! Files of scrambled pictures: PNG, which is lossless, and JPEG, which is small. Both contain the label.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::huffman;
use super::label::{Label, MAX_LENGTH};
use crate::error::{Code, Error, Result};
use crate::math::checksum;
use crate::photo::{self, Colour, Photo};

/// The bytes before the label: the keyword of PNG's text chunk, and the start of JPEG's application segment 15.
const MARK: &[u8] = b"Safelight-EtC\0";

/// Options for JPEG files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jpeg {
    /// The quality, from 1 to 100.
    pub quality: u8,
    /// Chroma subsampling.
    pub subsampling: Subsampling,
    /// Whether to use Huffman tables optimised for this picture instead of the standard ones. The pixels stay the same and the
    /// file becomes smaller.
    pub optimised: bool,
}

impl Default for Jpeg {
    fn default() -> Self {
        Self { quality: 85, subsampling: Subsampling::Full, optimised: true }
    }
}

/// JPEG's chroma subsampling. Decoders smooth subsampled chroma across the edges of blocks, which costs scrambled colour
/// pictures a few decibels. [`Form::Grey420`](super::Form::Grey420) is the better way to reduce chroma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subsampling {
    /// 4:4:4, one chroma sample per pixel.
    Full,
    /// 4:2:2, one chroma sample per two pixels side by side.
    Half,
    /// 4:2:0, one chroma sample per two by two pixels.
    Quarter,
}

impl Subsampling {
    /// All subsamplings.
    pub const ALL: [Self; 3] = [Self::Full, Self::Half, Self::Quarter];

    /// The name in flags.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "444",
            Self::Half => "422",
            Self::Quarter => "420",
        }
    }

    /// The subsampling with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subsampling| subsampling.as_str() == name)
    }
}

/// Encodes a picture as a PNG file, with its label if it has one. An unscrambled picture may include its colour profile;
/// scrambled pictures do not.
///
/// # Errors
/// [`Code::Internal`], in theory only.
pub fn encode_png(picture: &Photo, label: Option<&Label>) -> Result<Vec<u8>> {
    let (width, height, channels) = (picture.width(), picture.height(), picture.channels());
    let png = photo::encode_png_in(picture.colour(), width, height, channels, picture.samples(), picture.alpha())?;
    let Some(label) = label else { return Ok(png) };
    // The signature and IHDR take 8 and 25 bytes. Text may come anywhere after them.
    let (start, rest) = png.split_at(33);
    let data = [b"tEXt", MARK, format!("{label}\n").as_bytes()].concat();
    let length = u32::try_from(data.len() - 4).map_err(|_| Error::new(Code::Internal, "the label is too long"))?;
    let sum = checksum::hash(&data);
    Ok([start, &length.to_be_bytes(), &data, &sum.to_be_bytes(), rest].concat())
}

/// Encodes a picture as a JPEG file, with its label if it has one, and its ICC profile.
///
/// # Errors
/// [`Code::BadArgument`] for an invalid quality, [`Code::ImageTooLarge`] for sides too long for JPEG.
pub fn encode_jpeg(picture: &Photo, label: Option<&Label>, how: Jpeg) -> Result<Vec<u8>> {
    if !(1..=100).contains(&how.quality) {
        return Err(Error::new(Code::BadArgument, format!("JPEG quality must be from 1 to 100, not {}", how.quality)));
    }
    let side = |side: u32| {
        u16::try_from(side).map_err(|_| {
            let message = format!("JPEG pictures have at most {} pixels on a side; use PNG", u16::MAX);
            Error::new(Code::ImageTooLarge, message)
        })
    };
    let (width, height) = (side(picture.width())?, side(picture.height())?);
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, how.quality);
    encoder.set_sampling_factor(match how.subsampling {
        Subsampling::Full => SamplingFactor::F_1_1,
        Subsampling::Half => SamplingFactor::F_2_1,
        Subsampling::Quarter => SamplingFactor::F_2_2,
    });
    let failed = |error| Error::new(Code::Internal, format!("the JPEG file could not be made: {error}"));
    if let Some(label) = label {
        encoder.add_app_segment(15, [MARK, format!("{label}\n").as_bytes()].concat()).map_err(failed)?;
    }
    if let Colour::Icc(profile) = picture.colour() {
        encoder.add_icc_profile(profile).map_err(failed)?;
    }
    let color = if picture.channels() == 3 { ColorType::Rgb } else { ColorType::Luma };
    encoder.encode(picture.samples(), width, height, color).map_err(failed)?;
    if how.optimised { huffman::optimised(&out) } else { Ok(out) }
}

/// Reads the label in a PNG or JPEG file. Returns `None` if there is none.
///
/// # Errors
/// As [`Label::from_str`](std::str::FromStr::from_str), for an invalid label.
pub fn read_label(file: &[u8]) -> Result<Option<Label>> {
    // The position and the container do not matter: the mark is too long to occur by chance.
    let Some(at) = file.windows(MARK.len()).position(|window| window == MARK) else { return Ok(None) };
    let text = &file[at + MARK.len()..];
    let end = text.iter().take(MAX_LENGTH + 1).position(|&byte| byte == b'\n').unwrap_or_default();
    String::from_utf8_lossy(&text[..end]).parse().map(Some)
}
