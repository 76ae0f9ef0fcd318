//! The chunks of a PNG file.

use super::{Pixels, cut_short, damaged};
use crate::error::Result;
use crate::math::checksum;
use crate::photo::Limits;
use crate::photo::colour::Tags;

pub(super) const MARK: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Walks over length, type, data, checksum until IEND. Gives the EXIF block too, which may also follow the pixels.
pub(super) fn walk<'a>(bytes: &'a [u8], limits: &Limits, tags: &mut Tags) -> Result<(Pixels, Option<&'a [u8]>)> {
    let mut rest = bytes.get(MARK.len()..).unwrap_or_default();
    let mut exif = None;
    let mut pixels = Pixels::default();
    let mut first = true;
    loop {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(cut_short)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| cut_short())?;
        let (kind, after) = after.split_first_chunk::<4>().ok_or_else(cut_short)?;
        if first != (kind == b"IHDR") {
            return Err(damaged("its chunks are in the wrong order"));
        }
        if first {
            // Before the length check, so that a tiny file with a huge size is named for what it is.
            let (width, after) = after.split_first_chunk::<4>().ok_or_else(cut_short)?;
            let height = after.first_chunk::<4>().ok_or_else(cut_short)?;
            (pixels.width, pixels.height) = (u32::from_be_bytes(*width), u32::from_be_bytes(*height));
            limits.check(pixels.width, pixels.height)?;
            first = false;
        }
        let start = bytes.len() - after.len();
        let (data, after) = after.split_at_checked(length).ok_or_else(cut_short)?;
        let (sum, after) = after.split_first_chunk::<4>().ok_or_else(cut_short)?;
        let critical = kind[0].is_ascii_uppercase();
        let intact = !critical || {
            let mut hasher = checksum::Hasher::new();
            hasher.update(kind);
            hasher.update(data);
            hasher.finalize() == u32::from_be_bytes(*sum)
        };
        match kind {
            _ if !intact => return Err(damaged("a checksum does not match")),
            b"IEND" => return Ok((pixels, exif)),
            // Depth, colour type, then the only compression and filters there are, and no interlacing.
            b"IHDR" => {
                pixels.plain = match data.get(8..) {
                    Some([8, 0, 0, 0, 0]) => Some(1),
                    Some([8, 4, 0, 0, 0]) => Some(2),
                    Some([8, 2, 0, 0, 0]) => Some(3),
                    Some([8, 6, 0, 0, 0]) => Some(4),
                    _ => None,
                }
            }
            b"tRNS" | b"acTL" => pixels.plain = None,
            b"IDAT" => pixels.parts.push(start..start + length),
            b"eXIf" => exif = exif.or(Some(data)),
            _ if pixels.parts.is_empty() => tags.png_chunk(*kind, data, *sum, start),
            _ => {}
        }
        rest = after;
    }
}
