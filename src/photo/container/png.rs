//! The chunks of a PNG file.

mod rows;

use std::ops::Range;

use self::rows::{Sum, unpack};
use super::{Pixels, cut_short, damaged};
use crate::error::{Code, Error, Result};
use crate::math::checksum;
use crate::photo::colour::{self, Tags, stored};
use crate::photo::memory::bounded;
use crate::photo::{Limits, Notice};

pub(super) const MARK: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The last chunk of every file.
pub(super) const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// The result of the checksums of the chunks with pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ChunkSums {
    #[default]
    Right,
    /// The file ends before the last checksum.
    Missing,
    Wrong,
}

/// Walks over length, type, data and checksum of all chunks until IEND. Also returns the EXIF block, which may follow the
/// pixels.
///
/// Damage before the pixels is an error. Damage of the pixels, and of what follows them, is recorded: [`confirm`] decides
/// whether all rows are there.
pub(super) fn walk<'a>(bytes: &'a [u8], limits: &Limits, tags: &mut Tags) -> Result<(Pixels, Option<&'a [u8]>)> {
    let mut rest = bytes.get(MARK.len()..).unwrap_or_default();
    let mut exif = None;
    let mut pixels = Pixels::default();
    let mut first = true;
    let mut animation = Animation::default();
    loop {
        let at = bytes.len() - rest.len();
        let Some((kind, data, sum, after)) = chunk(rest, first, &mut pixels, limits)? else {
            if let Some(part) = cut_part(rest, at) {
                pixels.parts.push(part);
                pixels.chunk_sums = pixels.chunk_sums.max(ChunkSums::Missing);
            }
            pixels.end = Some(at);
            break;
        };
        first = false;
        let start = at + 8;
        let before = pixels.parts.is_empty();
        let critical = kind[0].is_ascii_uppercase();
        let intact = !critical || {
            let mut hasher = checksum::Hasher::new();
            hasher.update(kind);
            hasher.update(data);
            hasher.finalize() == u32::from_be_bytes(*sum)
        };
        let named = kind.iter().all(u8::is_ascii_alphabetic);
        match kind {
            b"IDAT" => {
                pixels.parts.push(start..start + data.len());
                if !intact {
                    pixels.chunk_sums = ChunkSums::Wrong;
                }
            }
            // What follows cannot be interpreted.
            _ if !(before || intact && named) => {
                pixels.end = Some(at);
                break;
            }
            _ if !intact => return Err(damaged("a checksum does not match")),
            _ if !named => return Err(damaged("a chunk has an impossible name")),
            b"IEND" => break,
            b"IHDR" => header(data, &mut pixels)?,
            b"tRNS" => pixels.plain = None,
            b"acTL" if before => {
                pixels.plain = None;
                animation.says = data.first_chunk().map_or(0, |count| u32::from_be_bytes(*count));
            }
            b"fcTL" => animation.frame(before),
            b"eXIf" => exif = exif.or(Some(data)),
            b"PLTE" => {}
            // A reader that does not know a critical chunk cannot know what the pixels mean.
            _ if critical => {
                let name = std::str::from_utf8(kind).unwrap_or("?");
                return Err(unsupported_png(&format!("PNG files with the unknown chunk {name}")));
            }
            _ if before => tags.png_chunk(*kind, data, *sum, start),
            _ => {}
        }
        rest = after;
    }
    if pixels.parts.is_empty() {
        return Err(if pixels.end.is_some() { cut_short() } else { damaged("it holds no picture") });
    }
    if pixels.chunk_sums != ChunkSums::Right {
        // Programs that read plain files cannot handle such damage.
        pixels.plain = None;
    }
    pixels.notices.extend(pixels.end.map(|_| Notice::EndMissing));
    pixels.notices.extend(animation.notice(pixels.end.is_some()));
    Ok((pixels, exif))
}

/// The data of a chunk of pixels that starts at `at`, if the file ends inside it.
fn cut_part(rest: &[u8], at: usize) -> Option<Range<usize>> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let data = after.strip_prefix(b"IDAT")?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    Some(at + 8..at + 8 + length.min(data.len()))
}

/// Checks that all rows are there, and that one of the two checksums, of the chunks and of the zlib stream, confirms them; adds
/// a notice if the other does not. Returns a new file if decoders would stop at the damage.
pub(super) fn confirm(bytes: &[u8], pixels: &mut Pixels, limits: &Limits) -> Result<Option<Vec<u8>>> {
    let [first, ..] = &pixels.parts[..] else { return Ok(None) };
    let head = bytes.get(..first.start.saturating_sub(8)).unwrap_or_default();
    let parts = || pixels.parts.iter().filter_map(|part| bytes.get(part.clone()));
    let sum = unpack(parts(), pixels.unpacked, |_| ()).ok_or_else(|| match pixels.end {
        Some(_) => cut_short(),
        None => damaged("some of its pixels are missing"),
    })?;
    match (pixels.chunk_sums, sum) {
        (ChunkSums::Right, Sum::Right | Sum::OfMore) => return Ok(None),
        (ChunkSums::Right, Sum::Wrong | Sum::Missing) => {
            pixels.notice(Notice::ChecksumWrong);
            return Ok(None);
        }
        (ChunkSums::Wrong, Sum::Right) | (ChunkSums::Missing, Sum::Right | Sum::Missing | Sum::OfMore) => {}
        (ChunkSums::Wrong, _) | (ChunkSums::Missing, Sum::Wrong) => {
            return Err(damaged("the checksums of its pixels do not match"));
        }
    }
    let mut rows = Vec::with_capacity(bounded(pixels.unpacked, limits)?);
    unpack(parts(), pixels.unpacked, |bytes| rows.extend_from_slice(bytes));
    if pixels.chunk_sums == ChunkSums::Wrong {
        pixels.notice(Notice::ChecksumWrong);
    }
    Ok(Some([head, &colour::chunk(*b"IDAT", &stored(&rows)), END].concat()))
}

type Chunk<'a> = (&'a [u8; 4], &'a [u8], &'a [u8; 4], &'a [u8]);

/// The kind, the data and the checksum of a chunk, and what follows it; `None` if the file ends before the chunk does. If this
/// is the first chunk, the size of the picture is read before anything else.
fn chunk<'a>(rest: &'a [u8], first: bool, pixels: &mut Pixels, limits: &Limits) -> Result<Option<Chunk<'a>>> {
    let Some((length, after)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    let Some((kind, after)) = after.split_first_chunk::<4>() else { return Ok(None) };
    if kind == b"CgBI" && first {
        return Err(unsupported_png("PNG files in Apple's variant for iPhone apps"));
    }
    if first != (kind == b"IHDR") {
        return Err(damaged("its chunks are in the wrong order"));
    }
    if first {
        // Before the length check, so that the error for a tiny file with a huge size names the size.
        let (width, after) = after.split_first_chunk::<4>().ok_or_else(cut_short)?;
        let height = after.first_chunk::<4>().ok_or_else(cut_short)?;
        (pixels.width, pixels.height) = (u32::from_be_bytes(*width), u32::from_be_bytes(*height));
        limits.check(pixels.width, pixels.height)?;
    }
    let Ok(length) = usize::try_from(u32::from_be_bytes(*length)) else { return Ok(None) };
    let Some((data, after)) = after.split_at_checked(length) else { return Ok(None) };
    Ok(after.split_first_chunk::<4>().map(|(sum, after)| (kind, data, sum, after)))
}

/// Reads depth, colour type, compression, filters and interlacing.
fn header(data: &[u8], pixels: &mut Pixels) -> Result<()> {
    let &[depth, colour, compression, filters, interlacing] = data.get(8..).unwrap_or_default() else {
        return Err(damaged("its header has the wrong length"));
    };
    let depths: &[u8] = match colour {
        0 => &[1, 2, 4, 8, 16],
        3 => &[1, 2, 4, 8],
        2 | 4 | 6 => &[8, 16],
        _ => &[],
    };
    if !depths.contains(&depth) {
        return Err(damaged("its header has an invalid pixel format"));
    }
    // Only one compression, one set of filters and one interlacing exist.
    if compression != 0 || filters != 0 || interlacing > 1 {
        return Err(unsupported_png("PNG files with unknown compression, filters or interlacing"));
    }
    let samples: u64 = [1, 0, 3, 1, 2, 0, 4][usize::from(colour)];
    pixels.unpacked = unpacked(pixels.width, pixels.height, samples * u64::from(depth), interlacing == 1);
    pixels.plain = match (depth, colour, interlacing) {
        (8, 0, 0) => Some(1),
        (8, 4, 0) => Some(2),
        (8, 2, 0) => Some(3),
        (8, 6, 0) => Some(4),
        _ => None,
    };
    Ok(())
}

/// The number of bytes of all rows, each with the number of its filter.
fn unpacked(width: u32, height: u32, bits: u64, interlaced: bool) -> u64 {
    // The start positions of the passes of Adam7, and their steps.
    const PASSES: [[u32; 4]; 7] =
        [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
    let whole = [[0, 0, 1, 1]];
    let passes: &[[u32; 4]] = if interlaced { &PASSES } else { &whole };
    let size = |&[x, y, across, down]: &[u32; 4]| {
        let (width, height) = (width.saturating_sub(x).div_ceil(across), height.saturating_sub(y).div_ceil(down));
        if width == 0 { 0 } else { u64::from(height) * (1 + (u64::from(width) * bits).div_ceil(8)) }
    };
    passes.iter().map(size).sum()
}

/// The error for intact files that any photo program can convert to usual ones.
fn unsupported_png(files: &str) -> Error {
    let advice = "open the photo in another program, save it again as PNG and choose that file";
    Error::new(Code::UnsupportedImage, format!("{files} are not supported; {advice}"))
}

/// The animation that a file declares and contains.
#[derive(Default)]
struct Animation {
    /// The number of frames that the file declares before the pixels. Without a declaration, it is a picture.
    says: u32,
    frames: u32,
    /// Whether the decoded picture is the first frame.
    starts_with_pixels: bool,
}

impl Animation {
    fn frame(&mut self, before_pixels: bool) {
        self.frames = self.frames.saturating_add(1);
        self.starts_with_pixels |= before_pixels;
    }

    /// What is left out of the animation, if anything. For a truncated file, the declared number of frames is trusted.
    fn notice(&self, cut: bool) -> Option<Notice> {
        let frames = if cut { self.frames.max(self.says) } else { self.frames };
        match (self.says > 0, self.starts_with_pixels) {
            (true, true) if frames > 1 => Some(Notice::FirstFrameOnly),
            (true, false) if frames > 0 => Some(Notice::StillImageOnly),
            _ => None,
        }
    }
}
