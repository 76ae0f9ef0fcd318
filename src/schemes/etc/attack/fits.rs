//! Which edges may belong together.

use rayon::prelude::*;

use super::edges::{Edge, Edges};
use super::turn::Colours;

/// The number of partners to consider for each edge.
const PARTNERS: usize = 8;

/// Two edges that fit.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    /// The first block and its side, and the second.
    pub(super) edges: [Edge; 2],
    /// Whether they are read in opposite directions.
    pub(super) back: bool,
    /// The conversion of the second block's colours to those of the first.
    pub(super) colours: Colours,
    /// How badly the edges fit; about 1 for neighbours.
    pub(super) distance: f32,
    /// The distance relative to that of the next best partner of either edge: 0 is best, 1 is no better than the next, more is
    /// worse.
    pub(super) doubt: f32,
}

/// For each edge (four for each block), the fits with the best partners, each in another block, best first.
pub(super) struct Fits(pub(super) Vec<Vec<Fit>>);

impl Fits {
    pub(super) fn new(edges: &Edges) -> Self {
        let mut of_edges: Vec<Vec<Fit>> =
            (0..edges.count() * 4).into_par_iter().map(|edge| partners(edges, (edge / 4, edge % 4))).collect();
        // The smallest distance of any other block at this edge.
        let rival = |lists: &[Vec<Fit>], edge: Edge, partner: usize| {
            let others = lists[edge.0 * 4 + edge.1].iter().filter(|fit| fit.edges[1].0 != partner);
            others.map(|fit| fit.distance).next().unwrap_or(f32::INFINITY)
        };
        let doubts: Vec<Vec<f32>> = of_edges
            .iter()
            .map(|list| {
                let doubt = |fit: &Fit| {
                    let [p, q] = fit.edges;
                    let rival = rival(&of_edges, p, q.0).min(rival(&of_edges, q, p.0));
                    fit.distance / rival.max(f32::MIN_POSITIVE)
                };
                list.iter().map(doubt).collect()
            })
            .collect();
        for (list, doubts) in of_edges.iter_mut().zip(doubts) {
            list.truncate(PARTNERS);
            for (fit, doubt) in list.iter_mut().zip(doubts) {
                fit.doubt = doubt;
            }
        }
        Self(of_edges)
    }

    /// All fits, the surest first.
    pub(super) fn surest(&self) -> Vec<&Fit> {
        let mut fits: Vec<&Fit> = self.0.iter().flatten().collect();
        fits.sort_by(|a, b| a.doubt.total_cmp(&b.doubt));
        fits
    }

    /// The blocks that may lie at this edge.
    pub(super) fn partners(&self, (block, side): Edge) -> impl Iterator<Item = usize> {
        self.0[block * 4 + side].iter().map(|fit| fit.edges[1].0)
    }
}

/// The edges of other blocks that fit this one best, one more than required.
fn partners(edges: &Edges, edge: Edge) -> Vec<Fit> {
    let mut best: Vec<Fit> = Vec::new();
    for q in (0..edges.count()).filter(|&q| q != edge.0) {
        // Only the best edge of a block counts; its other edges are not rivals.
        let ways = (0..4).flat_map(|side| [false, true].map(|back| (side, back)));
        let fits = ways.map(|(side, back)| {
            let (distance, colours) = edges.closest(edge, (q, side), back);
            Fit { edges: [edge, (q, side)], back, colours, distance, doubt: 1.0 }
        });
        best.extend(fits.min_by(|a, b| a.distance.total_cmp(&b.distance)));
    }
    best.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    best.truncate(PARTNERS + 1);
    best
}
