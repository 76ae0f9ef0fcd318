//! Dense layers: a matrix of weights times an encrypted vector plus a bias, with few keys.
//!
//! A layer of `D` inputs and `H` outputs, both powers of two, works in `S` slots that are cut into blocks of `H`. Slot `s` is
//! for output `s mod H`. With `M = D H / S`, the inputs are cut into chunks of `M`, and each block is filled with repetitions
//! of one chunk: slot `t` has input `M floor(t / H) + t mod M`. So any `M` consecutive slots within a block hold the whole
//! chunk (those that run over into the next block find the missing inputs there, and the last block wraps around to the first).
//! `M` diagonals, one for each rotation of the vector by `0..M`, multiply every input by its weight; rotations by `H`, `2 H`,
//! ... `S / 2`, each added to its operand, sum up the blocks. Every block then has all outputs, so the result is a vector of
//! `H` slots, and the ciphertext contains nothing else: no partial sums over the weights. (C. Juvekar, V. Vaikuntanathan, A.
//! Chandrakasan, "GAZELLE", USENIX Security 2018, section 4, rotate inputs against weights in a similar way; here, the client's
//! packing saves the rotations that would fill the slots.)
//!
//! The `M` rotations consist of rotations by one step and by eight steps only, one after the other, with Horner's scheme for
//! the latter. This is more work than rotations hoisted from one decomposition, but needs two keys instead of about `2 sqrt M`,
//! and the client has to make and send the keys.

use num_complex::Complex64;

use super::Weights;
use crate::error::{Code, Error, Result};
use crate::math::parallel;
use crate::network::Need;
use crate::schemes::ckks::ciphertext::Ciphertext;
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::evaluator::Evaluator;
use crate::schemes::ckks::periodic::steps;
use crate::schemes::ckks::plaintext::Plaintext;
use crate::schemes::ckks::ring::{Poly, Ring};

/// The number of rotations by one step before each giant step, and the length of a giant step.
const BABIES: usize = 8;

/// The layout of a layer in the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    inputs: usize,
    outputs: usize,
    slots: usize,
}

/// The weights of a layer, encoded for ciphertexts of one level.
pub struct EncodedDense {
    shape: Dense,
    level: usize,
    scale: f64,
    /// For each giant step, the diagonals of its baby steps.
    diagonals: Vec<Vec<Poly>>,
    bias: Plaintext,
}

impl Dense {
    /// The layout for an input that is packed for this layer, in up to `most` slots, as far as they are useful. Inputs
    /// and outputs are padded to powers of two.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the layer has no inputs or no outputs, or more of either than slots.
    pub fn packed(inputs: usize, outputs: usize, most: usize) -> Result<Self> {
        Self::check(inputs, outputs, most)?;
        let (inputs, outputs) = (inputs.next_power_of_two(), outputs.next_power_of_two());
        Ok(Self { inputs, outputs, slots: inputs.saturating_mul(outputs).min(most) })
    }

    /// The layout for an input with its values in order, as in the output of another layer.
    ///
    /// # Errors
    /// As [`Dense::packed`].
    pub fn in_order(inputs: usize, outputs: usize, most: usize) -> Result<Self> {
        Self::check(inputs, outputs, most)?;
        let (inputs, outputs) = (inputs.next_power_of_two(), outputs.next_power_of_two());
        Ok(Self { inputs, outputs, slots: inputs.max(outputs) })
    }

    fn check(inputs: usize, outputs: usize, most: usize) -> Result<()> {
        if (1..=most).contains(&inputs) && (1..=most).contains(&outputs) && most.is_power_of_two() {
            return Ok(());
        }
        let message = format!("a layer of {inputs} inputs and {outputs} outputs does not fit {most} slots");
        Err(Error::new(Code::BadArgument, message))
    }

    /// The number of slots of the input.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// The number of slots of the output: the outputs, padded.
    #[must_use]
    pub const fn out_slots(&self) -> usize {
        self.outputs
    }

    /// The values of the slots for these inputs, which may be fewer than the layer has.
    #[must_use]
    pub fn pack(&self, inputs: &[f64]) -> Vec<f64> {
        (0..self.slots).map(|slot| inputs.get(self.input_of(slot)).copied().unwrap_or_default()).collect()
    }

    /// The steps of the rotations before rescaling, whose keys are needed at the level of the input, and of those after
    /// it, whose keys are needed at the level below.
    #[must_use]
    pub fn steps(&self) -> (Vec<usize>, Vec<usize>) {
        let turns = [(1, 1), (BABIES, BABIES)].into_iter().filter(|(_, least)| self.turns() > *least);
        let sums = std::iter::successors(Some(self.outputs), |step| Some(2 * step));
        (turns.map(|(step, _)| step).collect(), sums.take_while(|step| *step < self.slots).collect())
    }

    /// The keys that it needs for inputs of this level.
    #[must_use]
    pub fn needs(&self, level: usize) -> Vec<Need> {
        let (turns, sums) = self.steps();
        let at = |level: usize| move |step: usize| Need::Rotation { steps: steps(step), level };
        turns.into_iter().map(at(level)).chain(sums.into_iter().map(at(level.saturating_sub(1)))).collect()
    }

    /// The approximate memory in bytes for its weights, encoded for a level of a ring of this degree.
    #[must_use]
    pub const fn memory(&self, degree: usize, level: usize) -> usize {
        self.turns() * (level + 1) * degree * size_of::<u64>()
    }

    /// The number of diagonals.
    const fn turns(&self) -> usize {
        self.inputs * self.outputs / self.slots
    }

    /// The index of the input in a slot.
    const fn input_of(&self, slot: usize) -> usize {
        self.turns() * (slot / self.outputs) + slot % self.turns()
    }
}

impl EncodedDense {
    /// Encodes a layer for ciphertexts of this level with the level's usual scale. `weight(output, input)` is called for all
    /// inputs and outputs, including padding, and `bias` may have fewer numbers than there are outputs.
    ///
    /// # Errors
    /// [`Code::LevelExhausted`] for level 0; [`Code::PlaintextOutOfRange`] for weights that are not finite or too large.
    pub fn new(
        ring: &Ring,
        encoder: &Encoder,
        shape: Dense,
        level: usize,
        weight: impl Fn(usize, usize) -> f64 + Sync + Send,
        bias: &[f64],
    ) -> Result<Self> {
        let Some(below) = level.checked_sub(1) else {
            return Err(Error::new(Code::LevelExhausted, "a layer needs a level, but none is left"));
        };
        // After rescaling, the scale is that of the level below.
        let scale = ring.scale(below) * ring.divisor(level) / ring.scale(level);
        let diagonal = |turn: usize| {
            let giant = turn / BABIES * BABIES;
            // Rotated back, to compensate for the giant step that follows.
            let number = |slot: usize| {
                let slot = (slot + shape.slots - giant) % shape.slots;
                Complex64::from(weight(slot % shape.outputs, shape.input_of((slot + turn) % shape.slots)))
            };
            let numbers: Vec<_> = (0..shape.slots).map(number).collect();
            encoder.polynomial(ring, &numbers, shape.slots, ring.level(level), scale)
        };
        let mut all = parallel::map(shape.turns(), diagonal).into_iter();
        let mut diagonals = Vec::new();
        while all.len() > 0 {
            diagonals.push(all.by_ref().take(BABIES).collect::<Result<Vec<_>>>()?);
        }
        let bias = encoder.encode_real(ring, bias, shape.outputs, below, ring.scale(below))?;
        Ok(Self { shape, level, scale, diagonals, bias })
    }

    /// Its approximate memory in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.diagonals.iter().flatten().map(|poly| size_of_val(poly.words())).sum()
    }

    /// Applies the layer to an encrypted input. The result is one level lower, and has as many slots as there are outputs.
    ///
    /// # Errors
    /// [`Code::VectorsDiffer`] for a level, scale or number of slots other than the layer's; [`Code::MissingKey`] without the
    /// rotations' keys.
    pub fn apply(&self, evaluator: &Evaluator, a: &Ciphertext) -> Result<Ciphertext> {
        let (shape, level) = (self.shape, self.level);
        if (a.level(), a.slots()) != (level, shape.slots) {
            let message = format!(
                "the layer is for level {level} and {} slots, but the ciphertext has level {} and {} slots",
                shape.slots,
                a.level(),
                a.slots()
            );
            return Err(Error::new(Code::VectorsDiffer, message));
        }
        let mut babies = vec![a.clone()];
        let count = self.diagonals.iter().map(Vec::len).max().unwrap_or_default();
        while babies.len() < count {
            babies.push(evaluator.rotate(&babies[babies.len() - 1], 1)?);
        }
        let row = |diagonals: &[Poly]| evaluator.weighted_sum(&babies, diagonals, self.scale);
        let mut total: Option<Ciphertext> = None;
        for diagonals in self.diagonals.iter().rev() {
            let row = row(diagonals);
            total = Some(match total {
                None => row,
                Some(total) => evaluator.add(&evaluator.rotate(&total, steps(BABIES))?, &row)?,
            });
        }
        let total = total.ok_or_else(|| Error::new(Code::Internal, "a layer has no diagonals"))?;
        let mut sum = evaluator.rescale(&total)?;
        for step in shape.steps().1 {
            sum = evaluator.add(&sum, &evaluator.rotate(&sum, steps(step))?)?;
        }
        evaluator.add_plain(&sum.read_as(shape.outputs), &self.bias)
    }
}

/// The plain twin.
pub(super) fn apply(weights: &Weights, inputs: &[f64]) -> Vec<f64> {
    let rows = weights.weights.chunks_exact(weights.inputs().max(1)).zip(&weights.bias);
    let output = |(row, bias): (&[f32], &f32)| {
        f64::from(*bias) + row.iter().zip(inputs).map(|(&weight, input)| f64::from(weight) * input).sum::<f64>()
    };
    rows.map(output).collect()
}

/// Encodes the weights of a layer.
///
/// # Errors
/// As [`EncodedDense::new`].
pub(super) fn encode(
    ring: &Ring,
    encoder: &Encoder,
    shape: Dense,
    level: usize,
    weights: &Weights,
) -> Result<EncodedDense> {
    let inputs = weights.inputs();
    let weight = |output: usize, input: usize| {
        let row = weights.weights.get(output * inputs..(output + 1) * inputs).unwrap_or_default();
        row.get(input).copied().map_or(0.0, f64::from)
    };
    let bias: Vec<f64> = weights.bias.iter().map(|&bias| bias.into()).collect();
    EncodedDense::new(ring, encoder, shape, level, weight, &bias)
}

impl Weights {
    /// The number of inputs of a dense layer.
    fn inputs(&self) -> usize {
        self.weights.len() / self.bias.len().max(1)
    }
}

#[cfg(all(test, feature = "client"))]
mod tests;
