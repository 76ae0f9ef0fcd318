//! Scores: the average of each channel over the picture, then a dense layer.
//!
//! The slots of a pixel, as many as the grid is deep, get a weighted sum of that many neighbouring slots each: slot `s` gets the
//! part of score `s mod depth`. Rotations by `depth`, `2 depth`, ..., each added to its operand, sum up these parts. Every slot
//! then has a score, and the ciphertext contains nothing else.

use super::Weights;
use super::convolution::{Channels, Grid};
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::ciphertext::Ciphertext;
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::evaluator::Evaluator;
use crate::schemes::ckks::periodic::{Offsets, PeriodicMatrix, steps};
use crate::schemes::ckks::plaintext::Plaintext;
use crate::schemes::ckks::ring::Ring;

/// The factor between the scale of scores and the default scale of their level. The weights are divided by the number of values of
/// a channel, and would otherwise lose that much precision.
pub const GAIN: f64 = 256.0;

/// A layer of scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Average {
    /// The slots.
    pub grid: Grid,
    /// The channels of the input.
    pub inputs: Channels,
    /// The number of scores, at most the depth of the grid.
    pub outputs: usize,
}

impl Average {
    /// The diagonals.
    #[must_use]
    pub const fn offsets(&self) -> Offsets {
        Offsets { rows: 1, row_step: self.grid.row(), columns: self.grid.depth }
    }

    /// The rotations of the sums, whose keys are needed one level below the input.
    #[must_use]
    pub fn sums(&self) -> Vec<usize> {
        let steps = std::iter::successors(Some(self.grid.depth), |step| Some(2 * step));
        steps.take_while(|step| *step < self.grid.slots()).collect()
    }

    /// The approximate memory in bytes for its encoded weights.
    #[must_use]
    pub const fn memory(&self) -> usize {
        self.offsets().memory(self.inputs.period(self.grid))
    }

    /// The weight of the input in a slot for a score, divided by the number of values of its channel.
    #[expect(clippy::cast_precision_loss, reason = "grids are small")]
    fn weight(&self, weights: &Weights, output: usize, slot: usize) -> f64 {
        let Self { grid, inputs, outputs } = *self;
        let channel = inputs.of_slot(grid, slot);
        if output >= outputs || channel >= inputs.count {
            return 0.0;
        }
        let values = grid.height * grid.width / (inputs.step * inputs.step);
        f64::from(weights.weights[output * inputs.count + channel]) / values as f64
    }

    /// The plain twin: the scores for these slots.
    #[must_use]
    pub fn apply(&self, weights: &Weights, slots: &[f64]) -> Vec<f64> {
        let score = |output: usize| {
            let terms = slots.iter().enumerate().map(|(slot, value)| self.weight(weights, output, slot) * value);
            f64::from(weights.bias[output]) + terms.sum::<f64>()
        };
        (0..self.outputs).map(score).collect()
    }
}

/// A layer of scores with encoded weights, for ciphertexts of one level.
pub struct EncodedAverage {
    shape: Average,
    matrix: PeriodicMatrix,
    bias: Plaintext,
}

impl EncodedAverage {
    /// Encodes the layer for ciphertexts of this level and scale, whose slots are rotated to the left by `origin`.
    ///
    /// # Errors
    /// [`Code::LevelExhausted`] for level 0; [`Code::PlaintextOutOfRange`] for weights that are not finite or too large.
    pub fn new(
        ring: &Ring,
        encoder: &Encoder,
        shape: Average,
        weights: &Weights,
        [level, origin]: [usize; 2],
        scale: f64,
    ) -> Result<Self> {
        let Some(below) = level.checked_sub(1) else {
            return Err(Error::new(Code::LevelExhausted, "a layer needs a level, but none is left"));
        };
        let Average { grid, inputs, .. } = shape;
        let diagonal = |_: usize, turn: usize| {
            let weight = |slot: usize| shape.weight(weights, slot % grid.depth, (slot + turn + origin) % grid.slots());
            (0..inputs.period(grid)).map(weight).collect()
        };
        let wanted = ring.scale(below) * GAIN;
        let factor = wanted * ring.divisor(level) / scale;
        let matrix = PeriodicMatrix::new(ring, encoder, shape.offsets(), inputs.period(grid), factor, diagonal)?;
        let bias: Vec<f64> = weights.bias.iter().map(|&bias| bias.into()).collect();
        let bias = encoder.encode_real(ring, &bias, grid.depth, below, wanted)?;
        Ok(Self { shape, matrix, bias })
    }

    /// Its approximate memory in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.matrix.memory()
    }

    /// Computes the scores. The result is one level lower, and has as many slots as the grid is deep. `step` is called after each
    /// rotation of the products, and can stop the work.
    ///
    /// # Errors
    /// [`Code::MissingKey`] without the rotations' keys.
    pub fn apply(
        &self,
        evaluator: &Evaluator,
        a: &Ciphertext,
        step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Ciphertext> {
        let mut sum = evaluator.rescale(&evaluator.apply_periodic(&self.matrix, a, step)?)?;
        for step in self.shape.sums() {
            sum = evaluator.add(&sum, &evaluator.rotate(&sum, steps(step))?)?;
        }
        evaluator.add_plain(&sum.read_as(self.shape.grid.depth), &self.bias)
    }
}
