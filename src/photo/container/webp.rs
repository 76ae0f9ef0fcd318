//! The RIFF chunks of a WebP file.

use super::{Pixels, cut_short, damaged};
use crate::error::Result;
use crate::photo::Notice;
use crate::photo::colour::Tags;

pub(super) fn is_webp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP")
}

/// Walks over the RIFF chunks, so that no decoder encounters a length that points out of the file. The decoder reads the size
/// in pixels: finding it requires a walk into one of three kinds of chunk, and the decoder allocates nothing for it.
pub(super) fn walk<'a>(bytes: &'a [u8], tags: &mut Tags) -> Result<(Pixels, Option<&'a [u8]>)> {
    let size = bytes.get(4..8).and_then(|size| size.first_chunk::<4>()).ok_or_else(cut_short)?;
    let declared = usize::try_from(u32::from_le_bytes(*size)).ok().and_then(|size| size.checked_add(8));
    let declared = declared.ok_or_else(cut_short)?;
    // Programs that write to a pipe leave the length open, which makes the file invalid.
    if declared < 12 && bytes.len() > 12 {
        return Err(damaged("its header says that it is empty"));
    }
    let end = declared.min(bytes.len());
    let mut rest = bytes.get(12..end).ok_or_else(cut_short)?;
    let mut exif = None;
    let mut pixels = Pixels::default();
    let (mut pictures, mut frames) = (0, 0);
    while let Some((kind, data, after)) = chunk(rest) {
        match kind {
            b"EXIF" => exif = exif.or(Some(data)),
            b"ICCP" => {
                let start = end - rest.len() + 8;
                tags.webp_profile(start..start + data.len());
            }
            b"VP8 " | b"VP8L" => pictures += 1,
            b"ANMF" => frames += 1,
            _ => {}
        }
        rest = after;
    }
    if !rest.is_empty() || declared > bytes.len() {
        // The first frame of an animation is enough.
        if pictures + frames == 0 {
            return Err(cut_short());
        }
        pixels.end = Some(end - rest.len());
        pixels.notices.push(Notice::EndMissing);
    }
    if frames > 1 || (frames == 1 && pixels.end.is_some()) {
        pixels.notices.push(Notice::FirstFrameOnly);
    }
    Ok((pixels, exif))
}

/// A file of these complete chunks.
pub(super) fn ended(whole: &[u8]) -> Vec<u8> {
    let mut file = whole.to_vec();
    if let (Ok(length), Some(size)) = (u32::try_from(whole.len().saturating_sub(8)), file.get_mut(4..8)) {
        size.copy_from_slice(&length.to_le_bytes());
    }
    file
}

/// The kind and the data of a chunk, and what follows it.
fn chunk(rest: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (kind, after) = rest.split_first_chunk::<4>()?;
    let (length, after) = after.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (data, after) = after.split_at_checked(length)?;
    // Chunks start at even positions.
    Some((kind, data, after.get(length % 2..).unwrap_or_default()))
}
