//! Fills the gaps around a part of the picture. The gap whose best block is surest always comes first, judged by all of its
//! neighbours.

use std::collections::HashMap;

use super::board::{Board, Placed, beside, bounds, fits_frame, misfits};
use super::edges::Edges;
use super::fits::Fits;
use super::turn::{Colours, Orientation, Vector};

/// The block that fits best into a gap, and how much better it fits than the next best.
#[derive(Clone, Copy)]
struct Choice {
    block: usize,
    placed: Placed,
    doubt: f32,
}

/// Places all remaining blocks on a board.
pub(super) fn grown(mut board: Board, edges: &Edges, fits: &Fits) -> Board {
    let mut gaps: HashMap<Vector, Option<Choice>> = HashMap::new();
    let taken: Vec<Vector> = board.places.keys().copied().collect();
    for at in taken {
        open(&board, &mut gaps, at);
    }
    loop {
        let (start, size) = bounds(board.places.keys().copied());
        // A gap beyond the frame can never be filled, because the board only grows.
        gaps.retain(|at, _| {
            let low = [start[0].min(at[0]), start[1].min(at[1])];
            let high = [(start[0] + size[0]).max(at[0] + 1), (start[1] + size[1]).max(at[1] + 1)];
            fits_frame(board.frame, [high[0] - low[0], high[1] - low[1]])
        });
        for (&at, choice) in &mut gaps {
            if choice.is_none_or(|choice| board.blocks[choice.block].is_some()) {
                *choice = likely(&board, edges, fits, at);
            }
        }
        let surest = gaps
            .iter()
            .filter_map(|(at, choice)| choice.map(|choice| (choice, *at)))
            .min_by(|a, b| a.0.doubt.total_cmp(&b.0.doubt).then(a.1.cmp(&b.1)));
        // If there is no likely block, any block may be placed, in the gap with the most neighbours.
        let choice = surest.map(|(choice, _)| choice).or_else(|| {
            let around = |at: Vector| (0..4).filter(|&direction| board.neighbour(at, direction).is_some()).count();
            let at = gaps.keys().copied().max_by_key(|&at| (around(at), at))?;
            let free = (0..board.blocks.len()).filter(|&block| board.blocks[block].is_none());
            best(&board, edges, at, free)
        });
        let Some(Choice { block, placed, .. }) = choice else { return board };
        board.put(block, placed);
        gaps.remove(&placed.at);
        open(&board, &mut gaps, placed.at);
    }
}

/// Marks the gaps around a place for a new choice.
fn open(board: &Board, gaps: &mut HashMap<Vector, Option<Choice>>, at: Vector) {
    for direction in 0..4 {
        let gap = beside(at, direction);
        if !board.places.contains_key(&gap) {
            gaps.insert(gap, None);
        }
    }
}

/// The best of the blocks that are among the best partners of the edges at this gap.
fn likely(board: &Board, edges: &Edges, fits: &Fits, at: Vector) -> Option<Choice> {
    let mut blocks: Vec<usize> = Vec::new();
    for direction in 0..4 {
        if let Some((block, placed)) = board.neighbour(at, direction) {
            let (side, _) = placed.turn.facing((direction + 2) % 4);
            blocks.extend(fits.partners((block, side)).filter(|&block| board.blocks[block].is_none()));
        }
    }
    blocks.sort_unstable();
    blocks.dedup();
    best(board, edges, at, blocks.into_iter())
}

/// The block that fits all neighbours best.
fn best(board: &Board, edges: &Edges, at: Vector, blocks: impl Iterator<Item = usize>) -> Option<Choice> {
    let neighbours: Vec<_> =
        (0..4).filter_map(|direction| Some(((direction + 2) % 4, board.neighbour(at, direction)?))).collect();
    let channels = edges.channels();
    let (mut choice, mut rival): (Option<(f32, Choice)>, f32) = (None, f32::INFINITY);
    for block in blocks {
        let mut of_block: Option<(f32, Placed)> = None;
        for turn in Orientation::all() {
            let placed = Placed { at, turn, colours: Colours::NONE };
            let sums = misfits(&neighbours, (block, placed), channels, |contact| {
                edges.distances(contact.edges[0], contact.edges[1], contact.back)
            });
            for (sum, colours) in sums.into_iter().zip(Colours::all(channels)) {
                if of_block.is_none_or(|(least, _)| sum < least) {
                    of_block = Some((sum, Placed { at, turn, colours }));
                }
            }
        }
        if let Some((sum, placed)) = of_block {
            if choice.is_none_or(|(least, _)| sum < least) {
                rival = choice.map_or(f32::INFINITY, |(least, _)| least);
                choice = Some((sum, Choice { block, placed, doubt: 0.0 }));
            } else {
                rival = rival.min(sum);
            }
        }
    }
    // With a single candidate, nothing shows how sure it is.
    choice.map(|(sum, choice)| Choice { doubt: if rival.is_finite() { sum / rival.max(1e-3) } else { 1.0 }, ..choice })
}
