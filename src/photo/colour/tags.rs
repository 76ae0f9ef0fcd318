//! The colour information that the walk over a file finds.

use std::ops::Range;

use super::{Coded, Colour, MAX_PROFILE, Measured, adobe, exif};
use crate::math::checksum;
use crate::photo::Notice;

/// The longest name of a profile in PNG, with the byte that ends it.
const MAX_NAME: usize = 80;

/// The code points for "unspecified", used in place of unreadable ones.
const UNSPECIFIED: [u8; 4] = [2, 2, 0, 1];

/// The location of a file's ICC profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// The file has no profile.
    #[default]
    None,
    /// The profile is stored in pieces, in order.
    Parts(Vec<Range<usize>>),
    /// The profile is stored as a zlib stream.
    Deflated(Range<usize>),
    /// The profile is damaged.
    Damaged,
}

impl Profile {
    /// Extracts the profile from the file. Returns `None` if there is no readable profile.
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

/// All colour information of a file.
#[derive(Clone, Debug, Default)]
pub(in crate::photo) struct Tags {
    pub(in crate::photo) profile: Profile,
    coded: Option<[u8; 4]>,
    srgb: bool,
    gamma: Option<u32>,
    chromaticities: Option<[u32; 8]>,
    adobe: bool,
    /// Whether to ignore all of this, because the samples are not computed from red, green and blue.
    ignored: bool,
    /// The complete PNG chunks that decoders report as damage if they do not understand them.
    pub(in crate::photo) obstacles: Vec<Range<usize>>,
    /// The pieces of a JPEG profile: number, total number, position.
    pieces: Vec<(u8, u8, Range<usize>)>,
}

impl Tags {
    /// Reads one of PNG's chunks before the pixels. Its data begin at `start`. The first chunk of each kind counts.
    pub(in crate::photo) fn png_chunk(&mut self, kind: [u8; 4], data: &[u8], sum: [u8; 4], start: usize) {
        if !matches!(&kind, b"cICP" | b"iCCP" | b"sRGB" | b"gAMA" | b"cHRM") {
            return;
        }
        if &kind == b"cICP" {
            // The length and kind are before the data, the checksum after them.
            self.obstacles.push(start - 8..start + data.len() + 4);
        }
        let mut hasher = checksum::Hasher::new();
        hasher.update(&kind);
        hasher.update(data);
        let intact = hasher.finalize() == u32::from_be_bytes(sum);
        match &kind {
            b"iCCP" if self.profile == Profile::None => {
                let name = data.iter().take(MAX_NAME).position(|&byte| byte == 0).filter(|&end| end > 0);
                // After the name comes the only compression method that exists.
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

    /// Reads the body of one of JPEG's application segments 2, which begins at `start`.
    pub(in crate::photo) fn jpeg_segment(&mut self, body: &[u8], start: usize) {
        const MARK: &[u8] = b"ICC_PROFILE\0";
        if let Some(&[number, count, ..]) = body.strip_prefix(MARK) {
            self.pieces.push((number, count, start + MARK.len() + 2..start + body.len()));
        }
    }

    /// Ignores all colour information, for a file whose samples are not described by it.
    pub(in crate::photo) fn ignore_profile(&mut self) {
        self.ignored = true;
    }

    /// Reads a WebP file's profile.
    pub(in crate::photo) fn webp_profile(&mut self, place: Range<usize>) {
        if self.profile == Profile::None {
            self.profile = Profile::Parts(vec![place]);
        }
    }

    /// Finishes the walk, given the camera's EXIF block.
    pub(in crate::photo) fn finish(&mut self, exif: Option<&[u8]>) {
        self.adobe = exif.is_some_and(exif::says_adobe);
        let mut pieces = std::mem::take(&mut self.pieces);
        if pieces.is_empty() {
            return;
        }
        // The numbers define the order, regardless of the order in the file.
        pieces.sort_by_key(|piece| piece.0);
        let count = pieces.len();
        let complete = pieces.iter().zip(1..).all(|(&(number, of, _), i)| number == i && usize::from(of) == count);
        let parts = pieces.into_iter().map(|piece| piece.2).collect();
        self.profile = if complete { Profile::Parts(parts) } else { Profile::Damaged };
    }

    /// The colour space of the samples, given the extracted profile, and a notice for the owner if necessary. `channels` are
    /// those of the photo, not of the file.
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
        // An unreadable profile says that the colours are not those that the camera's EXIF block names.
        let colour = if self.adobe && notice.is_none() { Colour::Icc(adobe::profile()) } else { Colour::Srgb };
        (colour, notice)
    }

    /// The code points, if they have a meaning for samples of red, green and blue.
    fn coded(&self) -> Option<Coded> {
        let [primaries, transfer, matrix, range] = self.coded?;
        let known = matches!(primaries, 1 | 4..=12 | 22) && matches!(transfer, 1 | 4..=18);
        (known && matrix == 0 && range <= 1).then_some(Coded { primaries, transfer, full_range: range == 1 })
    }
}
