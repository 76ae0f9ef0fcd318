//! What the walk over a file finds of its colours.

use std::ops::Range;

use super::{Coded, Colour, MAX_PROFILE, Measured, adobe, exif};
use crate::math::checksum;
use crate::photo::Notice;

/// The longest name of a profile in PNG, with the byte that ends it.
const MAX_NAME: usize = 80;

/// Code points for "unspecified", used in place of those that cannot be read.
const UNSPECIFIED: [u8; 4] = [2, 2, 0, 1];

/// The location of a file's ICC profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// There is none.
    #[default]
    None,
    /// In pieces, in order.
    Parts(Vec<Range<usize>>),
    /// As a zlib stream.
    Deflated(Range<usize>),
    /// Damaged.
    Damaged,
}

impl Profile {
    /// The profile, taken out of the file; nothing if there is none, or none that can be read.
    pub(crate) fn read(&self, file: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::None | Self::Damaged => None,
            Self::Parts(parts) => {
                let length: usize = parts.iter().map(Range::len).sum();
                let parts = parts.iter().map(|part| file.get(part.clone())).collect::<Option<Vec<_>>>()?;
                (length <= MAX_PROFILE).then(|| parts.concat())
            }
            Self::Deflated(part) => {
                miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(file.get(part.clone())?, MAX_PROFILE).ok()
            }
        }
    }
}

/// Everything that a file says of its colours.
#[derive(Clone, Debug, Default)]
pub(in crate::photo) struct Tags {
    pub(in crate::photo) profile: Profile,
    coded: Option<[u8; 4]>,
    srgb: bool,
    gamma: Option<u32>,
    chromaticities: Option<[u32; 8]>,
    adobe: bool,
    /// Whether nothing of this counts, because the samples are computed from something else than red, green and blue.
    ignored: bool,
    /// The whole chunks of PNG that decoders call damage where they do not understand them.
    pub(in crate::photo) obstacles: Vec<Range<usize>>,
    /// Pieces of a profile in JPEG: number, how many there are, where.
    pieces: Vec<(u8, u8, Range<usize>)>,
}

impl Tags {
    /// Looks at one of PNG's chunks before the pixels, whose data begin at `start`. The first of each kind counts.
    pub(in crate::photo) fn png_chunk(&mut self, kind: [u8; 4], data: &[u8], sum: [u8; 4], start: usize) {
        if !matches!(&kind, b"cICP" | b"iCCP" | b"sRGB" | b"gAMA" | b"cHRM") {
            return;
        }
        if &kind == b"cICP" {
            // Length and kind stand before the data, the checksum behind them.
            self.obstacles.push(start - 8..start + data.len() + 4);
        }
        let mut hasher = checksum::Hasher::new();
        hasher.update(&kind);
        hasher.update(data);
        let intact = hasher.finalize() == u32::from_be_bytes(sum);
        match &kind {
            b"iCCP" if self.profile == Profile::None => {
                let name = data.iter().take(MAX_NAME).position(|&byte| byte == 0).filter(|&end| end > 0);
                // Behind the name stands the only way of compression that there is.
                let stream = name.filter(|end| intact && data.get(end + 1) == Some(&0)).map(|end| end + 2);
                self.profile =
                    stream.map_or(Profile::Damaged, |from| Profile::Deflated(start + from..start + data.len()));
            }
            b"cICP" => {
                let readable = data.try_into().ok().filter(|_| intact);
                self.coded = self.coded.or(Some(readable.unwrap_or(UNSPECIFIED)));
            }
            _ if !intact => {}
            b"sRGB" => self.srgb |= data.len() == 1,
            b"gAMA" => self.gamma = self.gamma.or(data.try_into().ok().map(u32::from_be_bytes)),
            b"cHRM" if data.len() == 32 && self.chromaticities.is_none() => {
                let mut places = [0; 8];
                let numbers = data.as_chunks::<4>().0.iter();
                places.iter_mut().zip(numbers).for_each(|(place, bytes)| *place = u32::from_be_bytes(*bytes));
                self.chromaticities = Some(places);
            }
            _ => {}
        }
    }

    /// Looks at the body of one of JPEG's application segments 2, which begins at `start`.
    pub(in crate::photo) fn jpeg_segment(&mut self, body: &[u8], start: usize) {
        const MARK: &[u8] = b"ICC_PROFILE\0";
        if let Some(&[number, count, ..]) = body.strip_prefix(MARK) {
            self.pieces.push((number, count, start + MARK.len() + 2..start + body.len()));
        }
    }

    /// To be called for a file whose samples no mark fits.
    pub(in crate::photo) fn ignore_profile(&mut self) {
        self.ignored = true;
    }

    /// Looks at a WebP file's profile.
    pub(in crate::photo) fn webp_profile(&mut self, place: Range<usize>) {
        if self.profile == Profile::None {
            self.profile = Profile::Parts(vec![place]);
        }
    }

    /// To be called when the walk is over, with the camera's notes.
    pub(in crate::photo) fn finish(&mut self, exif: Option<&[u8]>) {
        self.adobe = exif.is_some_and(exif::says_adobe);
        let mut pieces = std::mem::take(&mut self.pieces);
        if pieces.is_empty() {
            return;
        }
        // The numbers say the order, whatever the file's is.
        pieces.sort_by_key(|piece| piece.0);
        let count = pieces.len();
        let complete = pieces.iter().zip(1..).all(|(&(number, of, _), i)| number == i && usize::from(of) == count);
        let parts = pieces.into_iter().map(|piece| piece.2).collect();
        self.profile = if complete { Profile::Parts(parts) } else { Profile::Damaged };
    }

    /// What the samples mean, given the profile as it was taken out of the file, and what the owner should know of it.
    /// `channels` are those of the photo, not of the file.
    pub(in crate::photo) fn colour(&self, profile: Option<&[u8]>, channels: u8) -> (Colour, Option<Notice>) {
        if self.ignored {
            return (Colour::Srgb, None);
        }
        if let Some(coded) = self.coded() {
            return match coded {
                Coded { primaries: 1, transfer: 13, full_range: true } => (Colour::Srgb, None),
                coded => (Colour::Coded(coded), coded.is_hdr().then_some(Notice::HdrIn8Bit)),
            };
        }
        let mut notice = self.coded.map(|_| Notice::ProfileUnusable);
        if self.profile != Profile::None {
            match profile.map_or(Err(Notice::ProfileUnusable), |profile| Colour::icc(profile, channels)) {
                Ok(colour) => return (colour, None),
                Err(why) => notice = Some(why),
            }
        }
        if self.srgb {
            return (Colour::Srgb, notice);
        }
        let measured = Measured { gamma: self.gamma, chromaticities: self.chromaticities };
        if self.gamma.is_some() || self.chromaticities.is_some() {
            return match measured {
                measured if !measured.is_sound() => (Colour::Srgb, Some(Notice::ProfileUnusable)),
                measured if measured.is_srgb() => (Colour::Srgb, notice),
                measured => (Colour::Measured(measured), notice),
            };
        }
        // A profile that could not be read says something else than the camera may have said before.
        let colour = if self.adobe && notice.is_none() { Colour::Icc(adobe::profile()) } else { Colour::Srgb };
        (colour, notice)
    }

    /// The code points, where they mean something for samples of red, green and blue.
    fn coded(&self) -> Option<Coded> {
        let [primaries, transfer, matrix, range] = self.coded?;
        let known = matches!(primaries, 1 | 4..=12 | 22) && matches!(transfer, 1 | 4..=18);
        (known && matrix == 0 && range <= 1).then_some(Coded { primaries, transfer, full_range: range == 1 })
    }
}
