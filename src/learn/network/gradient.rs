//! Fits the weights of a network by gradients of the cross-entropy of its answers (Adam: D. Kingma, J. Ba, ICLR 2015; decoupled
//! weight decay: I. Loshchilov, F. Hutter, ICLR 2019), on mini-batches of pictures with dropout of some of their numbers.

use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;

use super::filters::{bell, uniform};
use crate::error::Result;
use crate::math::product::{add_product, transposed};
use crate::math::random;
use crate::network::{Weights, rounded};

/// The number of pictures of a mini-batch.
pub(super) const GROUP: usize = 256;
/// The number of rows of a matrix that a core processes at a time.
const ROWS: usize = 32;
/// The size of the first step. Later steps shrink by a cosine.
const STEP: f32 = 0.002;
/// The share of numbers that are left out at random.
const LEFT_OUT: f32 = 0.2;
/// The share of a weight that decays with each step of size 1.
const DECAY: f32 = 0.01;
/// The shares of the previous gradients and of their squares that are kept.
const KEPT: (f32, f32) = (0.9, 0.99);
/// The largest hidden unit and the largest score of a training picture: see [`PRECISION`](crate::network::PRECISION) and
/// [`LARGEST_SCORE`](crate::network::LARGEST_SCORE).
const LARGEST: f32 = 64.0;

/// The sizes of the network to fit, and the number of epochs.
pub(super) struct Fit {
    pub(super) features: usize,
    pub(super) hidden: usize,
    pub(super) classes: usize,
    pub(super) epochs: usize,
}

impl Fit {
    /// Computes the weights of each layer from the pictures' numbers and classes. `watch` receives the number of finished
    /// groups.
    pub(super) fn weights(
        &self,
        numbers: &[f32],
        class: &[u16],
        rng: &mut ChaCha20Rng,
        watch: &dyn Fn(usize) -> Result<()>,
    ) -> Result<Vec<Weights>> {
        let sizes = match self.hidden {
            0 => vec![(self.features, self.classes)],
            hidden => vec![(self.features, hidden), (hidden, self.classes)],
        };
        let mut dense: Vec<Dense> = sizes.iter().map(|&(inputs, outputs)| Dense::new(inputs, outputs, rng)).collect();
        let per_epoch = class.len().div_ceil(GROUP);
        let count = u32::try_from(class.len()).unwrap_or(u32::MAX);
        for epoch in 0..self.epochs {
            let order = random::permutation(rng, count)?;
            for (group, pictures) in order.chunks(GROUP).enumerate() {
                let done = epoch * per_epoch + group;
                watch(done)?;
                let mut rows = self.rows(numbers, pictures);
                for number in &mut rows {
                    *number = if uniform(rng) < LEFT_OUT { 0.0 } else { *number / (1.0 - LEFT_OUT) };
                }
                let wanted: Vec<usize> = pictures.iter().map(|&picture| class[picture as usize].into()).collect();
                self.step(&mut dense, rows, &wanted, done, self.epochs * per_epoch);
            }
        }
        self.fit_in(&mut dense, numbers);
        // Between the dense layers there are squares, which have no weights.
        let mut weights: Vec<_> = dense.into_iter().flat_map(|dense| [dense.rounded(), Weights::default()]).collect();
        weights.pop();
        Ok(weights)
    }

    fn rows(&self, numbers: &[f32], pictures: &[u32]) -> Vec<f32> {
        let row = |&picture: &u32| &numbers[picture as usize * self.features..][..self.features];
        pictures.iter().flat_map(row).copied().collect()
    }

    /// Updates all weights once.
    fn step(&self, dense: &mut [Dense], rows: Vec<f32>, wanted: &[usize], done: usize, total: usize) {
        let mut inputs = vec![rows];
        let mut outputs = Vec::new();
        for (number, layer) in dense.iter().enumerate() {
            let out = layer.apply(&inputs[number]);
            inputs.push(out.iter().map(|x| x * x).collect());
            outputs.push(out);
        }
        let mut slope = outputs.pop().unwrap_or_default();
        for (scores, &wanted) in slope.chunks_exact_mut(self.classes).zip(wanted) {
            shares(scores);
            scores[wanted] -= 1.0;
            #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
            for score in &mut scores[..] {
                *score /= GROUP as f32;
            }
        }
        for (number, layer) in dense.iter_mut().enumerate().rev() {
            // The derivative of the square is twice the number.
            let below = outputs.pop().map(|out| {
                let mut below = layer.back(&slope);
                below.iter_mut().zip(out).for_each(|(slope, x)| *slope *= 2.0 * x);
                below
            });
            layer.learn(&inputs[number], &slope, done, total);
            slope = below.unwrap_or_default();
        }
    }

    /// Scales hidden units and scores down to their limits, without changing which score is the highest.
    fn fit_in(&self, dense: &mut [Dense], numbers: &[f32]) {
        let mut largest = vec![0.0f32; dense.len()];
        for rows in numbers.chunks(GROUP * self.features) {
            let mut rows = rows.to_vec();
            for (layer, largest) in dense.iter().zip(&mut largest) {
                let out = layer.apply(&rows);
                *largest = out.iter().fold(*largest, |largest, x| largest.max(x.abs()));
                rows = out.iter().map(|x| x * x).collect();
            }
        }
        if let [first, second] = dense
            && let Some(factor) = Some(LARGEST / largest[0]).filter(|factor| *factor < 1.0)
        {
            first.scale(factor, factor);
            second.scale(1.0 / (factor * factor), 1.0);
        }
        if let (Some(last), Some(largest)) = (dense.last_mut(), largest.last())
            && *largest > LARGEST
        {
            last.scale(LARGEST / largest, LARGEST / largest);
        }
    }
}

/// Converts scores to shares that add up to 1 (softmax).
fn shares(scores: &mut [f32]) {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for score in &mut scores[..] {
        *score = libm::expf(*score - highest);
    }
    let all: f32 = scores.iter().sum();
    for score in &mut scores[..] {
        *score /= all;
    }
}

/// A layer during training: input by input, the weights for all outputs, and then the biases.
struct Dense {
    inputs: usize,
    outputs: usize,
    numbers: Vec<f32>,
    gradients: Vec<f32>,
    squares: Vec<f32>,
}

impl Dense {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    fn new(inputs: usize, outputs: usize, rng: &mut ChaCha20Rng) -> Self {
        let scale = 0.5 / (inputs as f32).sqrt();
        let mut numbers: Vec<f32> = (0..inputs * outputs).map(|_| scale * bell(rng)).collect();
        numbers.resize((inputs + 1) * outputs, 0.0);
        let zeros = vec![0.0; numbers.len()];
        Self { inputs, outputs, numbers, gradients: zeros.clone(), squares: zeros }
    }

    fn weights(&self) -> &[f32] {
        &self.numbers[..self.inputs * self.outputs]
    }

    fn bias(&self) -> &[f32] {
        &self.numbers[self.inputs * self.outputs..]
    }

    fn apply(&self, rows: &[f32]) -> Vec<f32> {
        let mut out = self.bias().repeat(rows.len() / self.inputs);
        product(&mut out, rows, self.weights(), self.inputs, self.outputs);
        out
    }

    /// The gradient of the inputs from that of the outputs.
    fn back(&self, slope: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; slope.len() / self.outputs * self.inputs];
        product(&mut out, slope, &transposed(self.weights(), self.outputs), self.outputs, self.inputs);
        out
    }

    fn learn(&mut self, rows: &[f32], slope: &[f32], done: usize, total: usize) {
        let mut gradient = vec![0.0; self.numbers.len()];
        let (weights, bias) = gradient.split_at_mut(self.inputs * self.outputs);
        product(weights, &transposed(rows, self.inputs), slope, rows.len() / self.inputs, self.outputs);
        for slope in slope.chunks_exact(self.outputs) {
            bias.iter_mut().zip(slope).for_each(|(sum, slope)| *sum += slope);
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand steps")]
        let (part, times) = (done as f32 / total as f32, done as f32 + 1.0);
        let step = STEP * 0.5 * (1.0 + libm::cosf(std::f32::consts::PI * part));
        let full = (1.0 - libm::powf(KEPT.0, times), 1.0 - libm::powf(KEPT.1, times));
        let decaying = self.inputs * self.outputs;
        let state = self.numbers.iter_mut().zip(&mut self.gradients).zip(&mut self.squares).zip(gradient);
        for (i, (((number, mean), square), gradient)) in state.enumerate() {
            *mean += (1.0 - KEPT.0) * (gradient - *mean);
            *square += (1.0 - KEPT.1) * (gradient * gradient - *square);
            let decay = if i < decaying { DECAY * *number } else { 0.0 };
            *number -= step * (*mean / full.0 / ((*square / full.1).sqrt() + 1e-8) + decay);
        }
    }

    fn scale(&mut self, weights: f32, bias: f32) {
        let (first, second) = self.numbers.split_at_mut(self.inputs * self.outputs);
        for number in &mut first[..] {
            *number *= weights;
        }
        for number in &mut second[..] {
            *number *= bias;
        }
    }

    fn rounded(self) -> Weights {
        let weights = transposed(self.weights(), self.outputs).into_iter().map(rounded).collect();
        Weights { weights, bias: self.bias().to_vec() }
    }
}

/// `out += a b` on all cores.
fn product(out: &mut [f32], a: &[f32], b: &[f32], inner: usize, columns: usize) {
    let rows = out.par_chunks_mut(ROWS * columns).zip(a.par_chunks(ROWS * inner));
    rows.for_each(|(out, a)| add_product(out, a, b, inner, columns));
}
