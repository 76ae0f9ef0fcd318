//! Blocks placed in a picture whose size is known, but not yet its corner.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "places are far below 2^31, and none is negative when counted from the smallest corner"
)]

use std::collections::HashMap;

use super::Solution;
use super::edges::{Edge, Edges};
use super::fits::Fits;
use super::turn::{Colours, Orientation, SIDES, Vector};

/// A block's position, orientation and colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) at: Vector,
    pub(super) turn: Orientation,
    pub(super) colours: Colours,
}

/// Blocks and their places.
#[derive(Clone)]
pub(super) struct Board {
    /// The number of blocks across and down. The board may hold the picture on its side.
    pub(super) frame: [usize; 2],
    pub(super) blocks: Vec<Option<Placed>>,
    pub(super) places: HashMap<Vector, usize>,
}

/// Two neighbours: the blocks, the edges that touch, whether the second edge is read backwards, and the second block's colours
/// relative to the first.
pub(super) struct Contact {
    pub(super) edges: [Edge; 2],
    pub(super) back: bool,
    pub(super) colours: Colours,
}

impl Board {
    pub(super) fn new(frame: [usize; 2]) -> Self {
        Self { frame, blocks: vec![None; frame[0] * frame[1]], places: HashMap::new() }
    }

    pub(super) fn put(&mut self, block: usize, placed: Placed) {
        self.blocks[block] = Some(placed);
        self.places.insert(placed.at, block);
    }

    /// The block beside this place, in the direction of [`SIDES`] with this number.
    pub(super) fn neighbour(&self, at: Vector, direction: usize) -> Option<(usize, Placed)> {
        let block = *self.places.get(&beside(at, direction))?;
        Some((block, self.blocks[block]?))
    }

    /// All neighbours, each pair once, in the order of the first block's number.
    pub(super) fn contacts(&self) -> impl Iterator<Item = Contact> {
        let placed = self.blocks.iter().enumerate().filter_map(|(block, placed)| Some((block, (*placed)?)));
        placed.flat_map(move |(block, placed)| {
            // To the right and below.
            (0..2).filter_map(move |direction| {
                let (other, there) = self.neighbour(placed.at, direction)?;
                Some(contact((block, placed), (other, there), direction))
            })
        })
    }

    /// How badly neighbours fit, averaged over all contacts of a full board; lower is better. The distance of each contact is
    /// capped, because photos contain real edges, too.
    #[expect(clippy::cast_precision_loss, reason = "there are thousands of blocks at most")]
    pub(super) fn misfit(&self, edges: &Edges) -> f32 {
        let distance = |contact: Contact| {
            let [a, b] = contact.edges;
            edges.distances(a, b, contact.back)[contact.colours.number()].min(CAP)
        };
        let [across, down] = self.frame;
        let pairs = (across - 1) * down + across * (down - 1);
        self.contacts().map(distance).sum::<f32>() / pairs.max(1) as f32
    }

    /// The largest part whose blocks are connected by edges that are each other's best partner.
    pub(super) fn core(&self, fits: &Fits) -> Self {
        let mut links: Vec<Vec<usize>> = vec![Vec::new(); self.blocks.len()];
        for contact in self.contacts() {
            let [a, b] = contact.edges;
            let best = |from: Edge, to: Edge, colours: Colours| {
                fits.0[from.0 * 4 + from.1]
                    .first()
                    .is_some_and(|fit| fit.edges[1] == to && fit.back == contact.back && fit.colours == colours)
            };
            if best(a, b, contact.colours) && best(b, a, contact.colours.inverse()) {
                links[a.0].push(b.0);
                links[b.0].push(a.0);
            }
        }
        let mut seen = vec![false; self.blocks.len()];
        let mut largest = Vec::new();
        for start in 0..self.blocks.len() {
            let mut part = Vec::new();
            let mut open = vec![start];
            while let Some(block) = open.pop() {
                if !std::mem::replace(&mut seen[block], true) {
                    part.push(block);
                    open.extend(&links[block]);
                }
            }
            if part.len() > largest.len() {
                largest = part;
            }
        }
        let mut core = Self::new(self.frame);
        for block in largest {
            if let Some(placed) = self.blocks[block] {
                core.put(block, placed);
            }
        }
        core
    }

    /// The solution, with the picture upright and the unplaced blocks in the gaps.
    pub(super) fn solution(&self, block: usize, joined: f64) -> Solution {
        let (start, size) = bounds(self.places.keys().copied());
        let [across, down] = self.frame;
        let lies = size[0] as usize > across || size[1] as usize > down;
        let upright = if lies { Orientation([[0, 1], [1, 0]]) } else { Orientation::NONE };
        let mut places = vec![None; self.blocks.len()];
        for (at, &number) in &self.places {
            let [x, y] = upright.apply([at[0] - start[0], at[1] - start[1]]);
            if let Some(placed) = self.blocks[number] {
                places[y as usize * across + x as usize] = Some((number, upright.after(placed.turn), placed.colours));
            }
        }
        let mut others = (0..self.blocks.len()).filter(|&number| self.blocks[number].is_none());
        let places = places
            .into_iter()
            .map(|place| place.unwrap_or_else(|| (others.next().unwrap_or(0), Orientation::NONE, Colours::NONE)));
        Solution { block, across, places: places.collect(), joined }
    }
}

/// The largest distance that counts.
const CAP: f32 = 12.0;

/// How two blocks touch, if the second lies in this direction from the first.
pub(super) fn contact(a: (usize, Placed), b: (usize, Placed), direction: usize) -> Contact {
    let (side_a, back_a) = a.1.turn.facing(direction);
    let (side_b, back_b) = b.1.turn.facing((direction + 2) % 4);
    let colours = a.1.colours.inverse().after(b.1.colours);
    Contact { edges: [(a.0, side_a), (b.0, side_b)], back: back_a != back_b, colours }
}

/// How badly a block fits all of its neighbours, for each number of [`Colours`]. `beside` lists the neighbours with the
/// direction from each to the block; `distances` returns the distances of two touching edges.
pub(super) fn misfits(
    beside: &[(usize, (usize, Placed))],
    block: (usize, Placed),
    channels: usize,
    distances: impl Fn(&Contact) -> [f32; 12],
) -> [f32; 12] {
    let mut sums = [0.0f32; 12];
    for &(direction, (other, there)) in beside {
        let distances = distances(&contact((other, there), block, direction));
        for (sum, colours) in sums.iter_mut().zip(Colours::all(channels)) {
            *sum += distances[there.colours.inverse().after(colours).number()];
        }
    }
    sums
}

/// The next place in this direction.
pub(super) fn beside(at: Vector, direction: usize) -> Vector {
    let out = SIDES[direction].0;
    [at[0] + out[0], at[1] + out[1]]
}

/// Whether a part of this size fits into a picture, upright or on its side.
pub(super) fn fits_frame([across, down]: [usize; 2], [x, y]: Vector) -> bool {
    let (long, short) = (across.max(down) as i32, across.min(down) as i32);
    x.max(y) <= long && x.min(y) <= short
}

/// The corner with the smallest coordinates, and the size of the area that contains all places.
pub(super) fn bounds(places: impl Iterator<Item = Vector>) -> (Vector, Vector) {
    let (mut low, mut high) = ([i32::MAX; 2], [i32::MIN; 2]);
    for at in places {
        for i in 0..2 {
            low[i] = low[i].min(at[i]);
            high[i] = high[i].max(at[i]);
        }
    }
    (low, [high[0] - low[0] + 1, high[1] - low[1] + 1])
}
