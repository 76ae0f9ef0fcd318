//! How well the edges of blocks fit together.
//!
//! The measure is that of Gallagher, "Jigsaw Puzzles with Pieces of Unknown Orientation" (2012), section 3.1, with another
//! prediction: the slope beyond an edge is expected to lie between the slope of each pixel's own row at the edge and the mean
//! slope of all rows. The difference from the prediction is weighted by the errors of the same prediction inside the block,
//! with all channels together (Mahalanobis's distance). So the edges of smooth blocks carry much weight, those of rough blocks
//! little.

use super::turn::{Colours, SIDES};
use crate::math::dot::dot;
use crate::schemes::etc::scramble::ORDERS;
use crate::schemes::etc::sheet::Sheet;

/// The variance that is assumed even in flat blocks, from rounding and JPEG.
const NOISE: f32 = 4.0;
/// The weight of a pixel's own row in the predicted slope, compared with the mean of all rows.
const OWN_ROW: f32 = 0.3;

/// A block and its side.
pub(super) type Edge = (usize, usize);
/// Sums of products of channels.
type Products = [f32; 9];

/// The samples along the edges of all blocks, in all pictures.
pub(super) struct Edges {
    channels: usize,
    pictures: usize,
    /// The number of samples of an edge, in all pictures together.
    length: usize,
    /// For each block, side and channel: the samples minus 127.5, so that negation is a change of sign.
    lines: Vec<f32>,
    /// The same samples, with each picture's part reversed.
    lines_back: Vec<f32>,
    /// The prediction beyond each edge, times the inverse covariance, and the same reversed.
    wanted: Vec<f32>,
    wanted_back: Vec<f32>,
    /// For each edge, the part of the distance that does not depend on its partner.
    own: Vec<f32>,
    /// For each edge and picture: the inverse covariance, and the products of the samples.
    weights: Vec<Products>,
    products: Vec<Products>,
}

impl Edges {
    pub(super) fn new(pictures: &[Sheet], block: usize) -> Self {
        let (width, channels) = (pictures[0].width, pictures[0].channels);
        let across = width / block;
        let count = across * (pictures[0].height / block);
        let length = pictures.len() * block;
        let size = count * 4 * channels * length;
        let mut edges = Self {
            channels,
            pictures: pictures.len(),
            length,
            lines: Vec::with_capacity(size),
            lines_back: Vec::with_capacity(size),
            wanted: vec![0.0; size],
            wanted_back: Vec::with_capacity(size),
            own: vec![0.0; count * 4],
            weights: Vec::with_capacity(count * 4 * pictures.len()),
            products: Vec::with_capacity(count * 4 * pictures.len()),
        };
        for number in 0..count {
            let corner = [number % across * block, number / across * block];
            for side in 0..4 {
                edges.add(pictures, block, corner, (number, side));
            }
        }
        let back = |lines: &[f32]| lines.chunks_exact(block).flat_map(|part| part.iter().rev().copied()).collect();
        edges.lines_back = back(&edges.lines);
        edges.wanted_back = back(&edges.wanted);
        edges
    }

    /// Adds an edge. Edges must be added in order.
    #[expect(clippy::cast_precision_loss, reason = "blocks have at most 64 pixels a side")]
    fn add(&mut self, pictures: &[Sheet], block: usize, [left, top]: [usize; 2], edge: Edge) {
        let (channels, start) = (self.channels, self.lines.len());
        let last = block - 1;
        self.lines.resize(start + channels * self.length, 0.0);
        for (picture, sheet) in pictures.iter().enumerate() {
            let at = |depth: usize, i: usize, c: usize| {
                let (x, y) = match SIDES[edge.1].0 {
                    [1, _] => (last - depth, i),
                    [-1, _] => (depth, i),
                    [_, 1] => (i, last - depth),
                    _ => (i, depth),
                };
                f32::from(sheet.samples[((top + y) * sheet.width + left + x) * channels + c]) - 127.5
            };
            // The prediction beyond depth `d`, outwards.
            let slope = |d: usize, i: usize, c: usize| at(d, i, c) - at(d + 1, i, c);
            let mean = |d: usize, c: usize| (0..block).map(|i| slope(d, i, c)).sum::<f32>() / block as f32;
            let beyond = |d: usize, i: usize, c: usize, mean: f32| {
                at(d, i, c) + OWN_ROW * slope(d, i, c) + (1.0 - OWN_ROW) * mean
            };
            let means: [[f32; 3]; 3] =
                std::array::from_fn(|d| std::array::from_fn(|c| if c < channels { mean(d, c) } else { 0.0 }));
            let (mut errors, mut products) = ([0.0; 9], [0.0; 9]);
            for i in 0..block {
                let error = |d: usize, c: usize| at(d - 1, i, c) - beyond(d, i, c, means[d][c]);
                for c in 0..channels {
                    for e in 0..channels {
                        errors[3 * c + e] += error(1, c) * error(1, e) + error(2, c) * error(2, e);
                        products[3 * c + e] += at(0, i, c) * at(0, i, e);
                    }
                }
            }
            for sum in &mut errors {
                *sum /= 2.0 * block as f32;
            }
            for c in 0..3 {
                errors[4 * c] += NOISE;
            }
            let weights = inverse(&errors);
            for i in 0..block {
                let place = picture * block + i;
                for c in 0..channels {
                    let line = start + c * self.length + place;
                    self.lines[line] = at(0, i, c);
                    let wanted = |e: usize| weights[3 * c + e] * beyond(0, i, e, means[0][e]);
                    self.wanted[line] = (0..channels).map(wanted).sum();
                    self.own[edge.0 * 4 + edge.1] += self.wanted[line] * beyond(0, i, c, means[0][c]);
                }
            }
            self.weights.push(weights);
            self.products.push(products);
        }
    }

    /// The number of blocks.
    pub(super) fn count(&self) -> usize {
        self.own.len() / 4
    }

    /// The number of [`Colours`].
    const fn colours(&self) -> usize {
        if self.channels == 3 { 12 } else { 2 }
    }

    /// The number of channels of the pictures.
    pub(super) const fn channels(&self) -> usize {
        self.channels
    }

    /// How badly two edges fit, the second read forwards or backwards, for each number of [`Colours`] that may convert the
    /// second block's colours to those of the first. About 1 for neighbours.
    #[expect(clippy::cast_precision_loss, reason = "edges have thousands of samples at most")]
    pub(super) fn distances(&self, a: Edge, b: Edge, back: bool) -> [f32; 12] {
        let (a, b) = (a.0 * 4 + a.1, b.0 * 4 + b.1);
        let (channels, length) = (self.channels, self.length);
        let (lines, wanted) = if back { (&self.lines_back, &self.wanted_back) } else { (&self.lines, &self.wanted) };
        let line = |lines: &'_ [f32], edge: usize, c: usize| {
            let start = (edge * channels + c) * length;
            start..(start + length).min(lines.len())
        };
        let (mut first, mut second) = ([[0.0f32; 3]; 3], [[0.0f32; 3]; 3]);
        for c in 0..channels {
            for d in 0..channels {
                // The prediction beyond `a`, compared with the samples of `b`; and the other way round.
                first[c][d] = dot(&self.wanted[line(&self.wanted, a, c)], &lines[line(lines, b, d)]);
                second[c][d] = dot(&self.lines[line(&self.lines, a, c)], &wanted[line(wanted, b, d)]);
            }
        }
        let own = self.own[a] + self.own[b];
        let (pa, pb) = (a * self.pictures, b * self.pictures);
        let scale = 1.0 / (2 * length * channels) as f32;
        let mut out = [f32::INFINITY; 12];
        for (number, order) in ORDERS.iter().enumerate().take(self.colours() / 2) {
            let order = order.map(usize::from);
            let (mut squares, mut dots) = (0.0, 0.0);
            for picture in 0..self.pictures {
                let (wa, wb) = (&self.weights[pa + picture], &self.weights[pb + picture]);
                let (sa, sb) = (&self.products[pa + picture], &self.products[pb + picture]);
                for c in 0..channels {
                    for d in 0..channels {
                        let (here, there) = (3 * c + d, 3 * order[c] + order[d]);
                        squares += wa[here] * sb[there] + wb[there] * sa[here];
                    }
                }
            }
            for c in 0..channels {
                dots += first[c][order[c]] + second[c][order[c]];
            }
            out[2 * number] = (own + squares - 2.0 * dots).max(0.0) * scale;
            out[2 * number + 1] = (own + squares + 2.0 * dots).max(0.0) * scale;
        }
        out
    }

    /// The smallest of the distances, and its colours.
    pub(super) fn closest(&self, a: Edge, b: Edge, back: bool) -> (f32, Colours) {
        let distances = self.distances(a, b, back);
        let all = Colours::all(self.channels).zip(distances).map(|(colours, distance)| (distance, colours));
        all.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((f32::INFINITY, Colours::NONE))
    }
}

/// The inverse of a symmetric positive 3 x 3 matrix.
fn inverse(m: &Products) -> Products {
    let minor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
    let adjugate = [
        minor(4, 5, 7, 8),
        minor(2, 1, 8, 7),
        minor(1, 2, 4, 5),
        minor(5, 3, 8, 6),
        minor(0, 2, 6, 8),
        minor(2, 0, 5, 3),
        minor(3, 4, 6, 7),
        minor(1, 0, 7, 6),
        minor(0, 1, 3, 4),
    ];
    let determinant = m[0] * adjugate[0] + m[1] * adjugate[3] + m[2] * adjugate[6];
    adjugate.map(|value| value / determinant)
}
