//! The chunks of a PNG file.

use super::{Pixels, cut_short, damaged, unsupported};
use crate::error::Result;
use crate::math::checksum;
use crate::photo::colour::Tags;
use crate::photo::{Limits, Notice};

pub(super) const MARK: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The last chunk of every file.
pub(super) const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// Walks over length, type, data, checksum until IEND. Gives the EXIF block too, which may also follow the pixels.
pub(super) fn walk<'a>(bytes: &'a [u8], limits: &Limits, tags: &mut Tags) -> Result<(Pixels, Option<&'a [u8]>)> {
    let mut rest = bytes.get(MARK.len()..).unwrap_or_default();
    let mut exif = None;
    let mut pixels = Pixels::default();
    let mut first = true;
    let mut animation = Animation::default();
    loop {
        let at = bytes.len() - rest.len();
        let Some((kind, data, sum, after)) = chunk(rest, first, &mut pixels, limits)? else {
            // The file ends in this chunk. Whether the pixels before it are all of them is for their checksum to say.
            if pixels.parts.is_empty() || rest.get(4..8) == Some(b"IDAT") {
                return Err(cut_short());
            }
            pixels.notices.push(Notice::EndMissing);
            pixels.end = Some(at);
            break;
        };
        first = false;
        let start = at + 8;
        let critical = kind[0].is_ascii_uppercase();
        let intact = !critical || {
            let mut hasher = checksum::Hasher::new();
            hasher.update(kind);
            hasher.update(data);
            hasher.finalize() == u32::from_be_bytes(*sum)
        };
        match kind {
            _ if !intact => return Err(damaged("a checksum does not match")),
            _ if !kind.iter().all(u8::is_ascii_alphabetic) => return Err(damaged("a chunk has an impossible name")),
            b"IEND" => break,
            b"IHDR" => header(data, &mut pixels)?,
            b"tRNS" => pixels.plain = None,
            b"acTL" => {
                pixels.plain = None;
                animation.frames = data.first_chunk().map_or(0, |count| u32::from_be_bytes(*count));
            }
            b"fcTL" => animation.starts_with_pixels |= pixels.parts.is_empty(),
            b"IDAT" => pixels.parts.push(start..start + data.len()),
            b"eXIf" => exif = exif.or(Some(data)),
            b"PLTE" => {}
            // A reader that does not know such a chunk cannot know what the pixels mean.
            _ if critical => {
                let name = std::str::from_utf8(kind).unwrap_or("?");
                return Err(unsupported(&format!("PNG files with a {name} chunk")));
            }
            _ if pixels.parts.is_empty() => tags.png_chunk(*kind, data, *sum, start),
            _ => {}
        }
        rest = after;
    }
    pixels.notices.extend(animation.notice());
    Ok((pixels, exif))
}

type Chunk<'a> = (&'a [u8; 4], &'a [u8], &'a [u8; 4], &'a [u8]);

/// The kind, the data and the checksum of a chunk, and what follows it, or nothing where the file ends before it does. Of the
/// first one the size of the picture is read before all that.
fn chunk<'a>(rest: &'a [u8], first: bool, pixels: &mut Pixels, limits: &Limits) -> Result<Option<Chunk<'a>>> {
    let Some((length, after)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    let Some((kind, after)) = after.split_first_chunk::<4>() else { return Ok(None) };
    if kind == b"CgBI" && first {
        return Err(unsupported("PNG files in Apple's variant for iPhone apps"));
    }
    if first != (kind == b"IHDR") {
        return Err(damaged("its chunks are in the wrong order"));
    }
    if first {
        // Before the length check, so that a tiny file with a huge size is named for what it is.
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
    // There is one compression, one set of filters, and one interlacing.
    if compression != 0 || filters != 0 || interlacing > 1 {
        return Err(unsupported("PNG files with unknown compression, filters or interlacing"));
    }
    pixels.plain = match (depth, colour, interlacing) {
        (8, 0, 0) => Some(1),
        (8, 4, 0) => Some(2),
        (8, 2, 0) => Some(3),
        (8, 6, 0) => Some(4),
        _ => None,
    };
    Ok(())
}

/// What a file says of an animation.
#[derive(Default)]
struct Animation {
    frames: u32,
    /// Whether the picture that is read is the first frame.
    starts_with_pixels: bool,
}

impl Animation {
    /// What of it is left out, if anything is.
    fn notice(&self) -> Option<Notice> {
        match (self.frames, self.starts_with_pixels) {
            (0, _) | (1, true) => None,
            (_, true) => Some(Notice::FirstFrameOnly),
            (_, false) => Some(Notice::StillImageOnly),
        }
    }
}
