//! The segments and scans of a JPEG file.

use super::{Pixels, cut_short, damaged};
use crate::error::Result;
use crate::photo::Limits;
use crate::photo::colour::Tags;

pub(super) const MARK: &[u8] = b"\xff\xd8\xff";

/// Walks from marker to marker until the end-of-image marker, over the entropy-coded data of every scan.
pub(super) fn walk<'a>(bytes: &'a [u8], limits: &Limits, tags: &mut Tags) -> Result<(Pixels, Option<&'a [u8]>)> {
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut exif = None;
    let mut pixels = Pixels::default();
    let mut kept = 0;
    let mut sized = false;
    let mut scanned = false;
    let mut sequential = false;
    loop {
        // Filling bytes and, as all readers do, garbage between two segments are skipped; in entropy-coded data
        // FF 00 is a data byte and FF D0 to FF D7 are restart markers.
        let at =
            rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0x01 | 0xd0..=0xd7 | 0xff));
        let (marker, after) =
            at.and_then(|at| Some((*rest.get(at + 1)?, rest.get(at + 2..)?))).ok_or_else(cut_short)?;
        let start = bytes.len() - after.len();
        if marker == 0xd9 {
            pixels.parts.push(kept..start);
            return if sized && scanned { Ok((pixels, exif)) } else { Err(damaged("it holds no picture")) };
        }
        let length = usize::from(u16::from_be_bytes(*after.first_chunk::<2>().ok_or_else(cut_short)?));
        let segment = after.get(..length).ok_or_else(cut_short)?;
        let body = segment.get(2..).ok_or_else(|| damaged("a segment has no length"))?;
        match marker {
            // The start-of-frame markers; C4, C8 and CC mean other things.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let [depth, h1, h0, w1, w0, ..] = *body else { return Err(damaged("its frame header is too short")) };
                (pixels.width, pixels.height) =
                    (u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into());
                limits.check(pixels.width, pixels.height)?;
                if std::mem::replace(&mut sized, true) {
                    return Err(damaged("it gives its size twice"));
                }
                let channels = body.get(5).copied();
                pixels.plain = channels.filter(|channels| depth == 8 && matches!(channels, 1 | 3));
                sequential = matches!(marker, 0xc0 | 0xc1) && channels > Some(1);
            }
            0xda => {
                pixels.by_channel |= sequential && body.first() == Some(&1);
                scanned = true;
            }
            // What cameras and programs write: names, places, small pictures, colour profiles. Not among it are the segments
            // of JFIF (E0) and Adobe (EE), which tell how colours are stored.
            0xe1..=0xed | 0xef | 0xfe => {
                pixels.parts.push(kept..start - 2);
                kept = start + length;
                if marker == 0xe2 && !scanned {
                    tags.jpeg_segment(body, start + 2);
                }
                exif = body.strip_prefix(b"Exif\0\0").filter(|_| marker == 0xe1 && !scanned).or(exif);
            }
            _ => {}
        }
        rest = after.get(length..).ok_or_else(cut_short)?;
    }
}
