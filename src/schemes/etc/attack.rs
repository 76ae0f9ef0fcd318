//! Reassembling scrambled pictures without the key.
//!
//! * [`solve`] has only scrambled pictures. Neighbouring blocks of a photo fit together at their edges. One picture is a jigsaw
//!   puzzle with rotated, mirrored, negated and recoloured pieces, in which many pieces fit by chance. Pictures under one key
//!   are many puzzles with the same solution: blocks that fit in ten of them fit for a reason. The orientation and the colours
//!   of the whole picture cannot be determined and are left open.
//! * [`exhaustive`] tries all keys of a picture of few blocks; [`Effort`] estimates the cost for more.
//! * [`known`] has a photo and its scrambled picture, and unscrambles all pictures under that key.
//!
//! [`solve`] works like jigsaw solvers (Gallagher, "Jigsaw Puzzles with Pieces of Unknown Orientation", 2012; Pomeranz,
//! Shemesh, Ben-Shahar, "A Fully Automated Greedy Square Jigsaw Puzzle Solver", 2011). Pairs of edges are joined in the order
//! of how much better they fit than the next best pair, and each join turns a whole part of the picture. The largest part then
//! grows block by block. Blocks connected by edges that are each other's best partner are kept, and the others are placed
//! again, as long as that improves the fit of the whole.

mod board;
mod edges;
mod exhaustive;
mod fits;
mod grow;
mod known;
mod puzzle;
mod turn;
mod view;

pub use exhaustive::{Effort, MOST_BLOCKS, Tried, exhaustive};
pub use known::{Known, known};
pub use view::best_view;

use super::BLOCKS;
use super::scramble::Plan;
use super::sheet::Sheet;
use crate::error::{Code, Error, Result};
use board::{Board, Placed};
use edges::Edges;
use fits::Fits;
use puzzle::Puzzle;
use turn::{Colours, Orientation};

/// The maximum number of times that the connected blocks are kept and the others placed again.
const ROUNDS: usize = 8;

/// The attack's result: where each block belongs. The whole may be rotated, mirrored, negated and recoloured.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    block: usize,
    across: usize,
    /// For each place, row by row: the scrambled block that belongs there, its orientation and its colours.
    places: Vec<(usize, Orientation, Colours)>,
    /// The share of blocks that pairs of edges joined to the largest part, between 0 and 1.
    pub joined: f64,
}

/// Solves the puzzle of one or more pictures that were scrambled alike, with blocks of `block` pixels.
///
/// # Errors
/// [`Code::BadArgument`] if there is no picture, [`Code::ImagesDiffer`] if they differ in size or have no whole blocks.
pub fn solve(pictures: &[Sheet], block: usize) -> Result<Solution> {
    let frame = frame(pictures.iter(), block)?;
    let edges = Edges::new(pictures, block);
    let fits = Fits::new(&edges);
    let seed = Puzzle::joined(frame, &fits).largest();
    #[expect(clippy::cast_precision_loss, reason = "there are thousands of blocks at most")]
    let joined = seed.places.len() as f64 / (frame[0] * frame[1]) as f64;
    let mut best = grow::grown(seed, &edges, &fits);
    let mut least = best.misfit(&edges);
    for _ in 0..ROUNDS {
        let next = grow::grown(best.core(&fits), &edges, &fits);
        let misfit = next.misfit(&edges);
        if misfit >= least {
            break;
        }
        (best, least) = (next, misfit);
    }
    Ok(best.solution(block, joined))
}

/// The number of blocks across and down, if all pictures have the same size and consist of whole blocks.
fn frame<'a>(mut pictures: impl Iterator<Item = &'a Sheet>, block: usize) -> Result<[usize; 2]> {
    let first = pictures.next().ok_or_else(|| Error::new(Code::BadArgument, "an attack needs a scrambled picture"))?;
    let Sheet { width, height, channels, .. } = *first;
    let whole = |side: usize| side > 0 && side.is_multiple_of(block);
    let usable = BLOCKS.contains(&u8::try_from(block).unwrap_or(0)) && whole(width) && whole(height);
    let full = |sheet: &Sheet| sheet.samples.len() == width * height * channels && matches!(channels, 1 | 3);
    let alike = |sheet: &Sheet| (sheet.width, sheet.height, sheet.channels) == (width, height, channels) && full(sheet);
    if !usable || !full(first) || !pictures.all(alike) {
        return Err(Error::new(Code::ImagesDiffer, "the pictures must have the same size, in whole blocks"));
    }
    Ok([width / block, height / block])
}

impl Solution {
    /// The solution according to the key.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Self {
        let mut places = vec![(0, Orientation::NONE, Colours::NONE); plan.steps().len()];
        for (number, step) in plan.steps().iter().enumerate() {
            places[step.from as usize] = (number, Orientation::undoing(*step), Colours::undoing(*step));
        }
        Self { block: plan.block(), across: plan.across(), places, joined: 1.0 }
    }

    /// Reassembles one of the pictures.
    #[must_use]
    pub fn apply(&self, sheet: &Sheet) -> Sheet {
        let corner = |number: usize| [number % self.across * self.block, number / self.across * self.block];
        let mut out = Sheet { samples: vec![0; sheet.samples.len()], ..*sheet };
        for (place, &(number, turn, colours)) in self.places.iter().enumerate() {
            view::paste(sheet, corner(number), &mut out, corner(place), [self.block; 2], turn, colours);
        }
        out
    }

    /// The share of neighbours in the clear picture that are also neighbours in this solution, rotated and coloured alike (the
    /// published neighbour score, `Nc`). It is 1 for a solved puzzle, regardless of how the whole is rotated and coloured.
    #[must_use]
    pub fn neighbours(&self, truth: &Self) -> f64 {
        let pairs = |solution: &Self| {
            let contacts = solution.board().contacts().collect::<Vec<_>>();
            contacts.into_iter().map(|contact| {
                let ([a, b], colours) = (contact.edges, contact.colours);
                let ordered = if a < b { (a, b, colours) } else { (b, a, colours.inverse()) };
                (ordered.0, ordered.1, contact.back, ordered.2.number())
            })
        };
        let ours: std::collections::HashSet<_> = pairs(self).collect();
        let (mut all, mut right) = (0.0, 0.0);
        for pair in pairs(truth) {
            all += 1.0;
            right += if ours.contains(&pair) { 1.0 } else { 0.0 };
        }
        if all == 0.0 { 1.0 } else { right / all }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "places are far below 2^31")]
    fn board(&self) -> Board {
        let mut board = Board::new([self.across, self.places.len() / self.across]);
        for (place, &(number, turn, colours)) in self.places.iter().enumerate() {
            let at = [(place % self.across) as i32, (place / self.across) as i32];
            board.put(number, Placed { at, turn, colours });
        }
        board
    }
}

#[cfg(test)]
mod tests;
