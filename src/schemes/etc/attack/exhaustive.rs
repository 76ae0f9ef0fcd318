//! Trying all keys.
//!
//! With few blocks, this is possible: block after block is placed beside the placed ones, in all orientations and colours. A
//! picture that already fits worse than the best complete picture is discarded, together with all its continuations.

use super::board::{Board, Contact, Placed, misfits};
use super::edges::Edges;
use super::turn::{Colours, Orientation};
use super::{Solution, frame, solve};
use crate::error::{Code, Error, Result};
use crate::schemes::etc::label::Label;
use crate::schemes::etc::sheet::Sheet;

/// The maximum number of blocks that [`exhaustive`] accepts.
pub const MOST_BLOCKS: usize = 9;

/// The result of trying all keys.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The picture that fits best.
    pub solution: Solution,
    /// The number of placed blocks.
    pub steps: u64,
    /// Whether all keys were tried, or excluded because they fit worse. If not, the limit was reached.
    pub complete: bool,
}

/// Tries all keys of a picture of at most [`MOST_BLOCKS`] blocks and returns the one whose blocks fit best. Places at most
/// `limit` blocks (ten million take seconds).
///
/// # Errors
/// As [`solve`](super::solve), and [`Code::BadArgument`] for too many blocks.
pub fn exhaustive(picture: &Sheet, block: usize, limit: u64) -> Result<Tried> {
    let frame = frame(std::iter::once(picture), block)?;
    let count = frame[0] * frame[1];
    if count > MOST_BLOCKS {
        let message =
            format!("a picture of {count} blocks has too many keys to try them all; the limit is {MOST_BLOCKS} blocks");
        return Err(Error::new(Code::BadArgument, message));
    }
    let edges = Edges::new(std::slice::from_ref(picture), block);
    let table = Table::new(&edges);
    // A first solution to improve on.
    let quick = solve(std::slice::from_ref(picture), block)?.board();
    let least = quick.contacts().map(|contact| table.distance(&contact)[contact.colours.number()]).sum();
    let mut search = Search { table, frame, least, best: None, steps: 0, limit };
    // The colours of the whole cannot be determined, so the first block keeps its own.
    for first in 0..count {
        for turn in Orientation::all() {
            search.lay(&mut vec![(first, Placed { at: [0, 0], turn, colours: Colours::NONE })], 0.0);
        }
    }
    let mut board = Board::new(frame);
    for (number, placed) in search.best.into_iter().flatten() {
        board.put(number, placed);
    }
    let board = if board.places.is_empty() { quick } else { board };
    Ok(Tried { solution: board.solution(block, 1.0), steps: search.steps, complete: search.steps < limit })
}

/// All distances between edges, by block, side, block, side and reading direction.
struct Table {
    distances: Vec<[f32; 12]>,
    edges: usize,
    channels: usize,
    /// For each block, the smallest of its distances.
    least: Vec<f32>,
}

impl Table {
    fn new(edges: &Edges) -> Self {
        let count = 4 * edges.count();
        let all = (0..count).flat_map(|a| (0..count).flat_map(move |b| [false, true].map(|back| (a, b, back))));
        let none = [f32::INFINITY; 12];
        let distances: Vec<[f32; 12]> = all
            .map(
                |(a, b, back)| {
                    if a / 4 == b / 4 { none } else { edges.distances((a / 4, a % 4), (b / 4, b % 4), back) }
                },
            )
            .collect();
        let of_block = distances.chunks_exact(8 * count);
        let smallest = |block: &[[f32; 12]]| block.iter().flatten().copied().min_by(f32::total_cmp).unwrap_or(0.0);
        let least = of_block.map(smallest).collect();
        Self { distances, edges: count, channels: edges.channels(), least }
    }

    fn distance(&self, contact: &Contact) -> &[f32; 12] {
        let [a, b] = contact.edges.map(|(block, side)| 4 * block + side);
        &self.distances[2 * (a * self.edges + b) + usize::from(contact.back)]
    }
}

struct Search {
    table: Table,
    frame: [usize; 2],
    least: f32,
    best: Option<Vec<(usize, Placed)>>,
    steps: u64,
    limit: u64,
}

impl Search {
    /// Places all remaining blocks, row by row, the best first.
    fn lay(&mut self, laid: &mut Vec<(usize, Placed)>, misfit: f32) {
        let [across, down] = self.frame;
        let place = laid.len();
        if place == across * down {
            if misfit < self.least {
                (self.least, self.best) = (misfit, Some(laid.clone()));
            }
            return;
        }
        if self.steps >= self.limit {
            return;
        }
        let mut ways = self.ways(laid, misfit);
        ways.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (more, number, placed) in ways {
            if misfit + more >= self.least {
                break;
            }
            self.steps += 1;
            laid.push((number, placed));
            if misfit + more + self.rest(laid) < self.least {
                self.lay(laid, misfit + more);
            }
            laid.pop();
        }
    }

    /// A lower bound for the cost of all remaining contacts. No contact of a block costs less than the block's smallest
    /// distance, and the blocks with the smallest ones may come where there are most contacts.
    #[expect(clippy::cast_precision_loss, reason = "there are few blocks")]
    fn rest(&self, laid: &[(usize, Placed)]) -> f32 {
        let [across, down] = self.frame;
        let free = (0..across * down).filter(|number| laid.iter().all(|(other, _)| other != number));
        let mut least: Vec<f32> = free.map(|number| self.table.least[number]).collect();
        least.sort_by(f32::total_cmp);
        let places = laid.len()..across * down;
        let mut contacts: Vec<usize> = places.map(|at| (at % across).min(1) + (at / across).min(1)).collect();
        contacts.sort_unstable_by(|a, b| b.cmp(a));
        contacts.iter().zip(least).map(|(&contacts, least)| contacts as f32 * least).sum()
    }

    /// All ways to fill the next place that may still beat the best picture, if the placed blocks have this misfit.
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "there are few blocks")]
    fn ways(&self, laid: &[(usize, Placed)], misfit: f32) -> Vec<(f32, usize, Placed)> {
        let [across, down] = self.frame;
        let place = laid.len();
        let at = [(place % across) as i32, (place / across) as i32];
        let mut neighbours = Vec::new();
        if !place.is_multiple_of(across) {
            neighbours.push((0, laid[place - 1]));
        }
        if place >= across {
            neighbours.push((1, laid[place - across]));
        }
        let channels = self.table.channels;
        let mut ways = Vec::new();
        for number in (0..across * down).filter(|number| laid.iter().all(|(other, _)| other != number)) {
            for turn in Orientation::all() {
                let here = Placed { at, turn, colours: Colours::NONE };
                let sums = misfits(&neighbours, (number, here), channels, |contact| *self.table.distance(contact));
                for (sum, colours) in sums.into_iter().zip(Colours::all(channels)) {
                    if misfit + sum < self.least {
                        ways.push((sum, number, Placed { at, turn, colours }));
                    }
                }
            }
        }
        ways
    }
}

/// The cost of guessing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// The logarithm to base 2 of the number of keys.
    pub bits: f64,
    /// The number of ways to place a block that are compared when the picture is built block by block without ever removing a
    /// block: every remaining block, in every way. [`solve`](super::solve) does work of this order.
    pub block_steps: f64,
}

impl Effort {
    /// The effort for a picture with this label.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "blocks are counted in millions at most")]
    pub fn of(label: &Label) -> Self {
        let blocks = label.blocks() as f64;
        let ways = if label.sheet_size().2 == 3 { 96.0 } else { 16.0 };
        Self { bits: label.key_space_bits(), block_steps: blocks * (blocks + 1.0) / 2.0 * ways }
    }

    /// The logarithm to base 10 of the years to try half of all keys at this many tries per second.
    #[must_use]
    pub fn years_log10(&self, tries_per_second: f64) -> f64 {
        const SECONDS: f64 = 365.25 * 86_400.0;
        (self.bits - 1.0) * 2f64.log10() - tries_per_second.log10() - SECONDS.log10()
    }
}
