//! Copies blocks of scrambled pictures, turned and recoloured.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "sides are far below 2^31, and directions need a sign"
)]

use super::turn::{Colours, Orientation};
use crate::error::{Code, Error, Result};
use crate::schemes::etc::sheet::Sheet;

/// Copies a part of `size` pixels from one place to another, turned about its middle and recoloured. A part turned on its side
/// must be square.
pub(super) fn paste(
    from: &Sheet,
    source: [usize; 2],
    to: &mut Sheet,
    target: [usize; 2],
    size: [usize; 2],
    turn: Orientation,
    colours: Colours,
) {
    let channels = from.channels;
    let back = turn.inverse();
    // Twice the distance to the middle, so that it is an integer.
    let middle = size.map(|side| side as i32 - 1);
    for y in 0..size[1] {
        for x in 0..size[0] {
            let [u, v] = back.apply([2 * x as i32 - middle[0], 2 * y as i32 - middle[1]]);
            let [u, v] = [i32::midpoint(u, middle[0]) as usize, i32::midpoint(v, middle[1]) as usize];
            let read = ((source[1] + v) * from.width + source[0] + u) * channels;
            let write = ((target[1] + y) * to.width + target[0] + x) * channels;
            for (c, &order) in colours.order[..channels].iter().enumerate() {
                let sample = from.samples[read + usize::from(order)];
                to.samples[write + c] = if colours.negate { !sample } else { sample };
            }
        }
    }
}

/// One block, turned and recoloured.
pub(super) fn cut(sheet: &Sheet, corner: [usize; 2], block: usize, turn: Orientation, colours: Colours) -> Sheet {
    let channels = sheet.channels;
    let mut out = Sheet { width: block, height: block, channels, samples: vec![0; block * block * channels] };
    paste(sheet, corner, &mut out, [0; 2], [block; 2], turn, colours);
    out
}

/// The picture in the orientation and colours with the highest score, as a person would correct it, and that score.
///
/// # Errors
/// Errors of `score`.
pub fn best_view(sheet: &Sheet, mut score: impl FnMut(&Sheet) -> Result<f64>) -> Result<(f64, Sheet)> {
    let mut best: Option<(f64, Sheet)> = None;
    for turn in Orientation::all() {
        let lies = turn.0[0][0] == 0;
        if lies && sheet.width != sheet.height {
            continue;
        }
        for colours in Colours::all(sheet.channels) {
            let mut view = Sheet { samples: vec![0; sheet.samples.len()], ..*sheet };
            paste(sheet, [0; 2], &mut view, [0; 2], [sheet.width, sheet.height], turn, colours);
            let value = score(&view)?;
            if best.as_ref().is_none_or(|(highest, _)| value > *highest) {
                best = Some((value, view));
            }
        }
    }
    best.ok_or_else(|| Error::new(Code::Internal, "a picture has no view"))
}
