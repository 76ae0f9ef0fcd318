//! The unpacked rows of a PNG file: whether all are there, and whether the zlib stream's own checksum confirms them.
//!
//! Decoders ignore this checksum, and stop if a chunk's is wrong or missing. One of the two is enough to trust the pixels.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_PARSE_ZLIB_HEADER,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// The maximum distance of references in a stream.
const WINDOW: usize = 1 << 15;

/// The result of the checksum of a zlib stream (Adler-32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    Right,
    Wrong,
    Missing,
    /// The stream contains more bytes than the rows need. It is not unpacked to its end.
    OfMore,
}

/// Unpacks a stream that comes in parts, passes its bytes on, and stops after `wanted` bytes. Returns `None` if there are
/// fewer.
pub(super) fn unpack<'a>(
    parts: impl Iterator<Item = &'a [u8]>,
    wanted: u64,
    mut take: impl FnMut(&[u8]),
) -> Option<Sum> {
    let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_COMPUTE_ADLER32 | TINFL_FLAG_HAS_MORE_INPUT;
    let mut inflater = Box::<DecompressorOxide>::default();
    let mut window = vec![0; WINDOW];
    let (mut at, mut left) = (0, wanted);
    for mut part in parts {
        loop {
            let (status, read, written) = decompress(&mut inflater, part, &mut window, at, flags);
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            take(&window[at..at + written.min(most)]);
            let more = written > most;
            left = left.saturating_sub(written as u64);
            (part, at) = (&part[read..], (at + written) % WINDOW);
            match status {
                _ if more => return Some(Sum::OfMore),
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput => break,
                TINFLStatus::Done => return (left == 0).then_some(Sum::Right),
                TINFLStatus::Adler32Mismatch => return (left == 0).then_some(Sum::Wrong),
                _ => return (left == 0).then_some(Sum::Missing),
            }
        }
    }
    (left == 0).then_some(Sum::Missing)
}
