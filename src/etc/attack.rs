//! Putting scrambled pictures together again without the key.
//!
//! Neighbouring blocks of a photo fit together at their edges. With one picture that is a jigsaw puzzle with turned,
//! mirrored, negated and recoloured pieces, in which many pieces fit by chance. Pictures under one key are many puzzles with
//! the same solution: what fits in ten of them fits for a reason. Nothing but the scrambled pictures is used; what nobody
//! can tell from them, the orientation and colours of the whole, is left open.
//!
//! The method is that of jigsaw solvers (Gallagher, "Jigsaw Puzzles with Pieces of Unknown Orientation", 2012): pairs of
//! edges are joined in the order of how much better they fit than the next best one, and each join turns a whole part
//! of the picture.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "sides and places are far below 2^31, and directions need a sign"
)]

use std::collections::HashMap;

use rayon::prelude::*;

use super::scramble::ORDERS;
use super::sheet::Sheet;
use crate::error::{Code, Error, Result};
use crate::math::dot::dot;

/// How many partners of each edge are considered.
const PARTNERS: usize = 6;

/// A direction, or a place counted in blocks: across and down.
type Vector = [i32; 2];

/// The sides of a block, and the direction in which each is read.
const SIDES: [(Vector, Vector); 4] = [([1, 0], [0, 1]), ([0, 1], [1, 0]), ([-1, 0], [0, 1]), ([0, -1], [1, 0])];

/// One of the eight ways to turn and mirror: where the directions across and down go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turn([Vector; 2]);

impl Turn {
    const NONE: Self = Self([[1, 0], [0, 1]]);

    fn apply(self, [x, y]: Vector) -> Vector {
        let [a, b] = self.0;
        [a[0] * x + b[0] * y, a[1] * x + b[1] * y]
    }

    fn after(self, first: Self) -> Self {
        Self(first.0.map(|vector| self.apply(vector)))
    }

    /// Turns undo themselves by their transpose.
    fn inverse(self) -> Self {
        let [a, b] = self.0;
        Self([[a[0], b[0]], [a[1], b[1]]])
    }

    /// The one that takes `from` to `to`; each is two directions at right angles.
    fn between(from: [Vector; 2], to: [Vector; 2]) -> Self {
        Self(to).after(Self(from).inverse())
    }

    fn all() -> [Self; 8] {
        let signs = [[1, 1], [1, -1], [-1, 1], [-1, -1]];
        std::array::from_fn(|i| {
            let [s, t] = signs[i % 4];
            if i < 4 { Self([[s, 0], [0, t]]) } else { Self([[0, s], [t, 0]]) }
        })
    }
}

/// What is done to a block's colours: channel `c` becomes channel `order[c]`, negated or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Colours {
    negate: bool,
    order: [u8; 3],
}

impl Colours {
    const NONE: Self = Self { negate: false, order: [0, 1, 2] };

    /// All ways to recolour a picture of so many channels.
    fn all(channels: usize) -> impl Iterator<Item = Self> {
        let orders = if channels == 3 { ORDERS.as_slice() } else { &ORDERS[..1] };
        orders.iter().flat_map(|&order| [false, true].map(|negate| Self { negate, order }))
    }

    /// First `first`, then `self`.
    fn after(self, first: Self) -> Self {
        Self { negate: self.negate != first.negate, order: self.order.map(|c| first.order[usize::from(c)]) }
    }

    fn inverse(self) -> Self {
        let mut order = [0; 3];
        for (c, &from) in (0u8..).zip(&self.order) {
            order[usize::from(from)] = c;
        }
        Self { order, ..self }
    }
}

/// A block that has found its place in a part of the picture.
#[derive(Clone, Copy, Debug)]
struct Placed {
    part: usize,
    at: Vector,
    turn: Turn,
    colours: Colours,
}

/// Two edges that fit.
struct Fit {
    /// The first block and its side, and the second.
    edges: [(usize, usize); 2],
    /// Whether they are read in opposite directions.
    flip: bool,
    /// What makes the second block's colours those of the first.
    colours: Colours,
    /// How much better than the next best: 0 is best, 1 is no better.
    doubt: f32,
}

/// What the attack found out: where each block belongs. The whole may be turned, mirrored, negated and recoloured.
pub struct Solution {
    block: usize,
    across: usize,
    /// For each place, row by row: the scrambled block that belongs there, and what to do with it.
    places: Vec<(usize, Turn, Colours)>,
    /// How many of the blocks were joined to the largest part, between 0 and 1.
    pub joined: f64,
}

/// Solves the puzzle of one or more pictures that were scrambled alike, with blocks of `block` pixels.
///
/// # Errors
/// [`Code::BadArgument`] if there is no picture, [`Code::ImagesDiffer`] if they differ in size or have no whole blocks.
pub fn solve(pictures: &[Sheet], block: usize) -> Result<Solution> {
    let first = pictures.first().ok_or_else(|| Error::new(Code::BadArgument, "an attack needs a scrambled picture"))?;
    let shape = |sheet: &Sheet| (sheet.width, sheet.height, sheet.channels);
    let whole = block >= 2 && first.width.is_multiple_of(block) && first.height.is_multiple_of(block);
    if !whole || pictures.iter().any(|sheet| shape(sheet) != shape(first)) {
        return Err(Error::new(Code::ImagesDiffer, "the pictures must be of one size and made of whole blocks"));
    }
    let (across, down) = (first.width / block, first.height / block);
    let fits = find_fits(pictures, block);
    let mut puzzle = Puzzle::new(across, down);
    for fit in &fits {
        puzzle.join(fit);
    }
    Ok(puzzle.solution(block))
}

/// The best partners of all edges, surest first.
fn find_fits(pictures: &[Sheet], block: usize) -> Vec<Fit> {
    let edges = Edges::new(pictures, block);
    let mut fits: Vec<Fit> = (0..edges.count())
        .into_par_iter()
        .flat_map_iter(|p| (0..4).flat_map(|side| edges.partners((p, side))).collect::<Vec<_>>())
        .collect();
    fits.sort_by(|a, b| a.doubt.total_cmp(&b.doubt));
    fits
}

/// The samples along the edges of all blocks, in all pictures.
struct Edges {
    channels: usize,
    /// For each block, side and channel: the samples less 127.5, so that negating is a change of sign, with what is just
    /// inside the edge carried on to the outside.
    samples: Vec<Vec<f32>>,
    /// The same, each picture's stretch read backwards.
    flipped: Vec<Vec<f32>>,
    /// The sums of their squares.
    squares: Vec<f32>,
}

impl Edges {
    fn new(pictures: &[Sheet], block: usize) -> Self {
        let (width, channels) = (pictures[0].width, pictures[0].channels);
        let across = width / block;
        let count = across * (pictures[0].height / block);
        let last = block - 1;
        let mut samples = Vec::with_capacity(count * 4 * channels);
        for number in 0..count {
            let (left, top) = (number % across * block, number / across * block);
            for (side, _) in SIDES {
                for c in 0..channels {
                    let line = pictures.iter().flat_map(|sheet| {
                        (0..block).map(move |i| {
                            let at = |depth: usize| {
                                let (x, y) = match side {
                                    [1, _] => (last - depth, i),
                                    [-1, _] => (depth, i),
                                    [_, 1] => (i, last - depth),
                                    _ => (i, depth),
                                };
                                f32::from(sheet.samples[((top + y) * width + left + x) * channels + c])
                            };
                            // Half of the slope, so that two edges meet halfway.
                            at(0) + 0.5 * (at(0) - at(1)) - 127.5
                        })
                    });
                    samples.push(line.collect::<Vec<f32>>());
                }
            }
        }
        let backwards =
            |line: &Vec<f32>| line.chunks_exact(block).flat_map(|part| part.iter().rev().copied()).collect();
        let flipped = samples.iter().map(backwards).collect();
        let squares = samples.iter().map(|line| dot(line, line)).collect();
        Self { channels, samples, flipped, squares }
    }

    fn count(&self) -> usize {
        self.samples.len() / (4 * self.channels)
    }

    fn line(&self, (block, side): (usize, usize), c: usize) -> usize {
        (block * 4 + side) * self.channels + c
    }

    /// The blocks' edges that fit this one best.
    fn partners(&self, edge: (usize, usize)) -> Vec<Fit> {
        let mut best: Vec<(f32, Fit)> = Vec::new();
        for q in (0..self.count()).filter(|&q| q != edge.0) {
            // Of one block only the best edge counts: its others are no rivals.
            let ways = (0..4).flat_map(|side| [false, true].map(|flip| (side, flip)));
            let fits = ways.map(|(side, flip)| {
                let (distance, colours) = self.compare(edge, (q, side), flip);
                (distance, Fit { edges: [edge, (q, side)], flip, colours, doubt: 1.0 })
            });
            if let Some(fit) = fits.min_by(|a, b| a.0.total_cmp(&b.0)) {
                best.push(fit);
            }
        }
        best.sort_by(|a, b| a.0.total_cmp(&b.0));
        best.truncate(PARTNERS + 1);
        let distances: Vec<f32> = best.iter().map(|(distance, _)| *distance).collect();
        let next_best = |i: usize| distances.get(usize::from(i == 0)).copied().unwrap_or(f32::INFINITY);
        best.into_iter()
            .take(PARTNERS)
            .enumerate()
            .map(|(i, (distance, fit))| Fit { doubt: (distance + 1.0) / (next_best(i) + 1.0), ..fit })
            .collect()
    }

    /// The smallest sum of squared differences over all colours of the second edge, and which they are.
    fn compare(&self, a: (usize, usize), b: (usize, usize), flip: bool) -> (f32, Colours) {
        let channels = self.channels;
        let second = if flip { &self.flipped } else { &self.samples };
        let mut dots = [[0.0f32; 3]; 3];
        let mut squares = 0.0;
        for (c, row) in dots.iter_mut().enumerate().take(channels) {
            squares += self.squares[self.line(a, c)] + self.squares[self.line(b, c)];
            for (d, sum) in row.iter_mut().enumerate().take(channels) {
                *sum = dot(&self.samples[self.line(a, c)], &second[self.line(b, d)]);
            }
        }
        let mut best = (f32::INFINITY, Colours::NONE);
        for colours in Colours::all(channels) {
            let dot: f32 = (0..channels).map(|c| dots[c][usize::from(colours.order[c])]).sum();
            let distance = squares - 2.0 * if colours.negate { -dot } else { dot };
            if distance < best.0 {
                best = (distance, colours);
            }
        }
        best
    }
}

/// Parts of the picture that grow together.
struct Puzzle {
    across: usize,
    down: usize,
    blocks: Vec<Placed>,
    /// For each part, who is where.
    parts: Vec<HashMap<Vector, usize>>,
}

impl Puzzle {
    fn new(across: usize, down: usize) -> Self {
        let count = across * down;
        let alone = |part| Placed { part, at: [0, 0], turn: Turn::NONE, colours: Colours::NONE };
        Self {
            across,
            down,
            blocks: (0..count).map(alone).collect(),
            parts: (0..count).map(|block| HashMap::from([([0, 0], block)])).collect(),
        }
    }

    /// Joins the parts of two edges, if they are not one already, nothing lies in the way, and the whole is not larger than
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
        let (fixed, moving) = (self.blocks[p], self.blocks[q]);
        let towards = fixed.turn.apply(out_p);
        let along = fixed.turn.apply(read_p);
        let wanted = Turn::between([out_q, read_q], [negated(towards), if fit.flip { negated(along) } else { along }]);
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
            || !self.is_small(stays.keys().copied().chain(moved.iter().map(|m| m.1)))
        {
            return;
        }
        self.parts[moving.part].clear();
        for (block, at) in moved {
            let Placed { turn: old, colours, .. } = self.blocks[block];
            self.blocks[block] = Placed { part: fixed.part, at, turn: turn.after(old), colours: change.after(colours) };
            self.parts[fixed.part].insert(at, block);
        }
    }

    fn part(&self, block: usize) -> &HashMap<Vector, usize> {
        &self.parts[self.blocks[block].part]
    }

    /// Whether these places lie within a picture, upright or on its side.
    fn is_small(&self, places: impl Iterator<Item = Vector>) -> bool {
        let (_, [x, y]) = bounds(places);
        let (long, short) = (self.across.max(self.down) as i32, self.across.min(self.down) as i32);
        x.max(y) <= long && x.min(y) <= short
    }

    /// The largest part, put where most of it lies inside; the others fill the gaps as they come.
    fn solution(&self, block: usize) -> Solution {
        let count = self.blocks.len();
        let largest = (0..count).max_by_key(|&part| (self.parts[part].len(), count - part)).unwrap_or(0);
        let part = &self.parts[largest];
        let (start, size) = bounds(part.keys().copied());
        let lies = size[0] as usize > self.across || size[1] as usize > self.down;
        let upright = if lies { Turn([[0, 1], [1, 0]]) } else { Turn::NONE };
        let mut places = vec![None; count];
        for (at, &number) in part {
            let [x, y] = upright.apply([at[0] - start[0], at[1] - start[1]]);
            let placed = self.blocks[number];
            places[y as usize * self.across + x as usize] = Some((number, upright.after(placed.turn), placed.colours));
        }
        let mut others = (0..count).filter(|&number| self.blocks[number].part != largest);
        let places = places
            .into_iter()
            .map(|place| place.unwrap_or_else(|| (others.next().unwrap_or(0), Turn::NONE, Colours::NONE)));
        Solution { block, across: self.across, places: places.collect(), joined: part.len() as f64 / count as f64 }
    }
}

fn negated([x, y]: Vector) -> Vector {
    [-x, -y]
}

/// The smallest corner, and how far the places reach from there.
fn bounds(places: impl Iterator<Item = Vector>) -> (Vector, Vector) {
    let (mut low, mut high) = ([i32::MAX; 2], [i32::MIN; 2]);
    for at in places {
        for i in 0..2 {
            low[i] = low[i].min(at[i]);
            high[i] = high[i].max(at[i]);
        }
    }
    (low, [high[0] - low[0] + 1, high[1] - low[1] + 1])
}

impl Solution {
    /// Puts one of the pictures together.
    #[must_use]
    pub fn apply(&self, sheet: &Sheet) -> Sheet {
        let corner = |number: usize| [number % self.across * self.block, number / self.across * self.block];
        let mut out = Sheet { samples: vec![0; sheet.samples.len()], ..*sheet };
        for (place, &(number, turn, colours)) in self.places.iter().enumerate() {
            paste(sheet, corner(number), &mut out, corner(place), [self.block; 2], turn, colours);
        }
        out
    }
}

/// Copies a part of `size` pixels from one place to another, turned about its middle and recoloured. A part that is laid on
/// its side must be a square.
fn paste(
    from: &Sheet,
    source: [usize; 2],
    to: &mut Sheet,
    target: [usize; 2],
    size: [usize; 2],
    turn: Turn,
    colours: Colours,
) {
    let channels = from.channels;
    let back = turn.inverse();
    // Twice the way to the middle, so that it is whole.
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

/// A picture as a person would turn it and correct its colours: of all ways to do that the one with the highest score, and
/// that score.
///
/// # Errors
/// What `score` says.
pub fn best_view(sheet: &Sheet, mut score: impl FnMut(&Sheet) -> Result<f64>) -> Result<(f64, Sheet)> {
    let mut best: Option<(f64, Sheet)> = None;
    for turn in Turn::all() {
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
