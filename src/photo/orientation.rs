//! Turns a picture upright, according to the camera's orientation mark.

use image::metadata::Orientation;

/// The width and height after [`apply`].
pub(super) fn upright_size(turn: Orientation, width: u32, height: u32) -> (u32, u32) {
    if swaps_sides(turn) { (height, width) } else { (width, height) }
}

/// Moves every pixel of `channels` samples to its upright place.
pub(super) fn apply(turn: Orientation, width: u32, height: u32, channels: usize, samples: Vec<u8>) -> Vec<u8> {
    if turn == Orientation::NoTransforms {
        return samples;
    }
    let (Ok(width), Ok(height)) = (usize::try_from(width), usize::try_from(height)) else { return samples };
    let (out_width, out_height) = if swaps_sides(turn) { (height, width) } else { (width, height) };
    let mut out = Vec::with_capacity(samples.len());
    for y in 0..out_height {
        for x in 0..out_width {
            // The position of the upright pixel (x, y) in the stored picture.
            let (from_x, from_y) = match turn {
                Orientation::NoTransforms => (x, y),
                Orientation::FlipHorizontal => (width - 1 - x, y),
                Orientation::Rotate180 => (width - 1 - x, height - 1 - y),
                Orientation::FlipVertical => (x, height - 1 - y),
                Orientation::Rotate90FlipH => (y, x),
                Orientation::Rotate90 => (y, height - 1 - x),
                Orientation::Rotate270FlipH => (width - 1 - y, height - 1 - x),
                Orientation::Rotate270 => (width - 1 - y, x),
            };
            let at = (from_y * width + from_x) * channels;
            out.extend_from_slice(&samples[at..at + channels]);
        }
    }
    out
}

fn swaps_sides(turn: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(turn, Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH)
}
