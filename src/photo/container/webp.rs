//! The RIFF chunks of a WebP file.

use super::cut_short;
use crate::error::Result;
use crate::photo::colour::Tags;

pub(super) fn is_webp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP")
}

/// Walks over the RIFF chunks, so that no decoder meets a length that points out of the file. The size in pixels is
/// read by the decoder: finding it takes a walk into one of three kinds of chunk, and the decoder allocates nothing
/// for it.
pub(super) fn walk<'a>(bytes: &'a [u8], tags: &mut Tags) -> Result<Option<&'a [u8]>> {
    let size = bytes.get(4..8).and_then(|size| size.first_chunk::<4>()).ok_or_else(cut_short)?;
    let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|_| cut_short())?;
    let end = size.checked_add(8).ok_or_else(cut_short)?;
    let mut rest = bytes.get(12..end).ok_or_else(cut_short)?;
    let mut exif = None;
    while let Some((kind, after)) = rest.split_first_chunk::<4>() {
        let (length, after) = after.split_first_chunk::<4>().ok_or_else(cut_short)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| cut_short())?;
        let (data, after) = after.split_at_checked(length).ok_or_else(cut_short)?;
        match kind {
            b"EXIF" => exif = exif.or(Some(data)),
            b"ICCP" => {
                let start = end - after.len() - data.len();
                tags.webp_profile(start..start + length);
            }
            _ => {}
        }
        // Chunks start at even places; a missing last filling byte is forgiven.
        rest = after.get(length % 2..).unwrap_or_default();
    }
    Ok(exif)
}
