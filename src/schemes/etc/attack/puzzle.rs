//! Parts of the picture that are joined to larger ones, the surest pairs of edges first.

use std::collections::HashMap;

use super::board::{Board, Placed, bounds, fits_frame};
use super::fits::{Fit, Fits};
use super::turn::{Colours, Orientation, SIDES, Vector};

/// A block's place in a part of the picture.
#[derive(Clone, Copy)]
struct InPart {
    part: usize,
    placed: Placed,
}

/// The parts of the picture.
pub(super) struct Puzzle {
    frame: [usize; 2],
    blocks: Vec<InPart>,
    /// For each part, the block at each place.
    parts: Vec<HashMap<Vector, usize>>,
}

impl Puzzle {
    /// Joins the edges that fit, in a picture of `frame` blocks across and down.
    pub(super) fn joined(frame: [usize; 2], fits: &Fits) -> Self {
        let count = frame[0] * frame[1];
        let alone =
            |part| InPart { part, placed: Placed { at: [0, 0], turn: Orientation::NONE, colours: Colours::NONE } };
        let mut puzzle = Self {
            frame,
            blocks: (0..count).map(alone).collect(),
            parts: (0..count).map(|block| HashMap::from([([0, 0], block)])).collect(),
        };
        for fit in fits.surest() {
            puzzle.join(fit);
        }
        puzzle
    }

    /// Joins the parts of two edges unless they are already one part, blocks would overlap, or the result would be larger than
    /// the picture.
    fn join(&mut self, fit: &Fit) {
        let [(p, side_p), (q, side_q)] = fit.edges;
        let (mut p, mut q) = (p, q);
        if self.blocks[p].part == self.blocks[q].part {
            return;
        }
        let (mut sides, mut colours) = ([SIDES[side_p], SIDES[side_q]], fit.colours);
        // The smaller part moves.
        if self.part(p).len() < self.part(q).len() {
            (p, q) = (q, p);
            sides.reverse();
            colours = colours.inverse();
        }
        let [(out_p, read_p), (out_q, read_q)] = sides;
        let (fixed, moving) = (self.blocks[p].placed, self.blocks[q].placed);
        let towards = fixed.turn.apply(out_p);
        let along = fixed.turn.apply(read_p);
        let wanted =
            Orientation::between([out_q, read_q], [negated(towards), if fit.back { negated(along) } else { along }]);
        let turn = wanted.after(moving.turn.inverse());
        let change = fixed.colours.after(colours).after(moving.colours.inverse());
        let target = [fixed.at[0] + towards[0], fixed.at[1] + towards[1]];
        let place = |at: Vector| {
            let [x, y] = turn.apply([at[0] - moving.at[0], at[1] - moving.at[1]]);
            [x + target[0], y + target[1]]
        };
        let moved: Vec<(usize, Vector)> = self.part(q).iter().map(|(&at, &block)| (block, place(at))).collect();
        let stays = self.part(p);
        if moved.iter().any(|(_, at)| stays.contains_key(at))
            || !fits_frame(self.frame, bounds(stays.keys().copied().chain(moved.iter().map(|m| m.1))).1)
        {
            return;
        }
        let part = self.blocks[p].part;
        self.parts[self.blocks[q].part].clear();
        for (block, at) in moved {
            let Placed { turn: old, colours, .. } = self.blocks[block].placed;
            let placed = Placed { at, turn: turn.after(old), colours: change.after(colours) };
            self.blocks[block] = InPart { part, placed };
            self.parts[part].insert(at, block);
        }
    }

    fn part(&self, block: usize) -> &HashMap<Vector, usize> {
        &self.parts[self.blocks[block].part]
    }

    /// The largest part.
    pub(super) fn largest(&self) -> Board {
        let count = self.blocks.len();
        let largest = (0..count).max_by_key(|&part| (self.parts[part].len(), count - part)).unwrap_or(0);
        let mut board = Board::new(self.frame);
        for (number, block) in self.blocks.iter().enumerate() {
            if block.part == largest {
                board.put(number, block.placed);
            }
        }
        board
    }
}

fn negated([x, y]: Vector) -> Vector {
    [-x, -y]
}
