//! The layers of a network: a list, from the picture's features to the scores.
//!
//! Each kind of layer has a module here, with its plain twin, its layout in the slots, the levels and keys that it
//! takes, and its computation on a ciphertext. The levels, keys and memory of a network are the totals of its list. To
//! add a kind of layer, see CONTRIBUTING.md.
//!
//! | kind | what it does |
//! |---|---|
//! | [`dense`] | each output is a weighted sum of all inputs plus a bias |
//! | `square` | each value is squared |
//! | [`convolution`] | each output is a weighted sum of the inputs around it plus a bias |
//! | [`average`] | each score is a weighted sum of the channels' averages plus a bias |
//!
//! There are two families. In one, dense layers and squares take turns, and each takes a level. In the other, which takes the
//! pixels of a picture, convolutions are each followed by squares and perhaps by a sum with the convolution's input, and the
//! last layer averages. There, a square and the next product with weights take one level together.

pub mod average;
pub mod convolution;
pub mod dense;
mod square;

use std::fmt;

use self::average::{Average, EncodedAverage};
use self::convolution::{Channels, Convolution, EncodedConvolution, Grid};
use self::dense::{Dense, EncodedDense};
use super::{Input, Need};
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::ciphertext::Ciphertext;
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::evaluator::Evaluator;
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::Ring;

/// A layer, as the public part of a network lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Each output is a weighted sum of all inputs plus a bias.
    Dense {
        /// The number of outputs.
        outputs: usize,
    },
    /// Each value is squared.
    Square,
    /// Each output is a weighted sum of the inputs around it plus a bias.
    Convolution {
        /// The height and width of the kernel.
        kernel: usize,
        /// The inputs from one output to the next, in each direction.
        stride: usize,
    },
    /// The input of the last convolution is added.
    Sum,
    /// Each output is a weighted sum of the channels' averages plus a bias.
    Average {
        /// The number of outputs.
        outputs: usize,
    },
}

impl Layer {
    /// The layers of a network with `hidden` hidden units, which are squared; a single layer if `hidden` is 0.
    #[must_use]
    pub fn perceptron(hidden: usize, labels: usize) -> Vec<Self> {
        let scores = Self::Dense { outputs: labels };
        match hidden {
            0 => vec![scores],
            outputs => vec![Self::Dense { outputs }, Self::Square, scores],
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense { outputs } => write!(f, "dense to {outputs}"),
            Self::Square => f.write_str("squares"),
            Self::Convolution { kernel, stride: 1 } => write!(f, "convolution {kernel} x {kernel}"),
            Self::Convolution { kernel, stride } => write!(f, "convolution {kernel} x {kernel} with stride {stride}"),
            Self::Sum => f.write_str("sum"),
            Self::Average { outputs } => write!(f, "averages to {outputs}"),
        }
    }
}

/// The weights of a layer. Both lists are empty for a layer without weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// For each output, one weight per input, with 8 bits of precision: see [`rounded`](super::rounded). In a convolution, for
    /// each input channel, each row and each column of the kernel.
    pub weights: Vec<f32>,
    /// One bias for each output.
    pub bias: Vec<f32>,
}

/// A layer at its place in a network: for ciphertexts of one level, whose values have one layout in the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The level of its input.
    level: usize,
    /// The slots by which its input is rotated to the left.
    origin: usize,
    /// How many weights and how many biases it has.
    numbers: (usize, usize),
    shape: Shape,
}

/// The layout of a layer in the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Dense(Dense),
    /// Squares, for a next layer that needs this number of slots. They hold the values repeatedly.
    Square {
        slots: usize,
    },
    Convolution(Convolution),
    /// Squares on a grid, which are not rescaled.
    GridSquare,
    /// A sum with the input of the last convolution, rotated by this number of steps like its output.
    Sum {
        steps: usize,
    },
    Average(Average),
}

/// Places the layers of a network. The first layer decides how a picture is packed.
///
/// # Errors
/// [`Code::BadArgument`] for layers that do not follow each other, or do not fit the input or the parameter set.
pub(super) fn place(layers: &[Layer], input: &Input, parameters: &Parameters) -> Result<Vec<Placed>> {
    match layers.first() {
        Some(Layer::Convolution { .. }) => on_grid(layers, input, parameters),
        _ => in_turns(layers, input.numbers(), parameters),
    }
}

/// Dense layers and squares.
fn in_turns(layers: &[Layer], mut inputs: usize, parameters: &Parameters) -> Result<Vec<Placed>> {
    if parameters.weight_bits > 0 {
        return Err(misplaced("its parameter set is for convolutions only"));
    }
    let slots = parameters.slots();
    // Each layer takes a level.
    let mut level = layers.len();
    let mut placed: Vec<Placed> = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let (shape, numbers) = match *layer {
            Layer::Dense { outputs } if number % 2 == 0 => {
                let shape = if number == 0 {
                    Dense::packed(inputs, outputs, slots)?
                } else {
                    Dense::in_order(inputs, outputs, slots)?
                };
                let numbers = (inputs * outputs, outputs);
                inputs = outputs;
                (Shape::Dense(shape), numbers)
            }
            Layer::Square if number % 2 == 1 => (Shape::Square { slots: 0 }, (0, 0)),
            _ => return Err(misplaced("dense layers and squares do not take turns")),
        };
        if let (Shape::Dense(shape), Some(Placed { shape: Shape::Square { slots }, .. })) = (&shape, placed.last_mut())
        {
            *slots = shape.slots();
        }
        placed.push(Placed { level, origin: 0, numbers, shape });
        level -= 1;
    }
    Ok(placed)
}

/// Convolutions, squares and sums, and scores.
fn on_grid(layers: &[Layer], input: &Input, parameters: &Parameters) -> Result<Vec<Placed>> {
    let Input::Pixels(pixels) = input else { return Err(misplaced("convolutions take pixels")) };
    if parameters.weight_bits == 0 {
        return Err(misplaced("its parameter set is not for convolutions"));
    }
    let (height, width) = (pixels.shape.height as usize, pixels.shape.width as usize);
    let grid = Grid { height, width, depth: parameters.slots() / (height * width).max(1) };
    let mut inputs = Channels { step: 1, count: pixels.shape.channels.into() };
    let (mut level, mut origin) = (layers.iter().filter(|layer| layer.has_weights()).count(), 0);
    let mut placed: Vec<Placed> = Vec::new();
    for layer in layers {
        let last = placed.last().map(|placed| placed.shape);
        let (shape, numbers) = match (*layer, last) {
            (Layer::Convolution { kernel, stride }, None | Some(Shape::GridSquare | Shape::Sum { .. })) => {
                let shape = Convolution { grid, inputs, kernel, stride };
                shape.check()?;
                (Shape::Convolution(shape), (shape.weights(), shape.outputs().count))
            }
            (Layer::Square, Some(Shape::Convolution(_))) => (Shape::GridSquare, (0, 0)),
            (Layer::Sum, Some(Shape::GridSquare)) => {
                let before = placed.len().checked_sub(2).map(|number| placed[number].shape);
                match before {
                    Some(Shape::Convolution(over)) if over.inputs == over.outputs() => {
                        (Shape::Sum { steps: over.placement().origin() }, (0, 0))
                    }
                    _ => return Err(misplaced("a sum has other channels than the input of its convolution")),
                }
            }
            (Layer::Average { outputs }, Some(Shape::GridSquare | Shape::Sum { .. })) if outputs <= grid.depth => {
                (Shape::Average(Average { grid, inputs, outputs }), (inputs.count * outputs, outputs))
            }
            _ => return Err(misplaced("its layers do not follow each other")),
        };
        placed.push(Placed { level, origin, numbers, shape });
        if let Shape::Convolution(shape) = shape {
            (inputs, origin) = (shape.outputs(), (origin + shape.placement().origin()) % grid.slots());
        }
        level -= usize::from(layer.has_weights());
    }
    Ok(placed)
}

fn misplaced(why: &str) -> Error {
    Error::new(Code::BadArgument, why)
}

impl Layer {
    const fn has_weights(self) -> bool {
        matches!(self, Self::Dense { .. } | Self::Convolution { .. } | Self::Average { .. })
    }
}

/// How many weights and how many biases each layer has.
pub(super) fn numbers(placed: &[Placed]) -> Vec<(usize, usize)> {
    placed.iter().map(|layer| layer.numbers).collect()
}

/// The approximate memory in bytes for the encoded weights of all layers, in a ring of this degree.
pub(super) fn memory(placed: &[Placed], degree: usize) -> usize {
    placed.iter().map(|layer| layer.memory(degree)).sum()
}

/// The number of levels that the layers take: the level at which a picture is encrypted.
pub(super) fn levels(placed: &[Placed]) -> usize {
    placed.first().map_or(0, |layer| layer.level)
}

/// The plain twin of all layers: the scores for a picture's numbers.
pub(super) fn apply(placed: &[Placed], weights: &[Weights], numbers: &[f64]) -> Vec<f64> {
    let mut vector = match placed.first() {
        Some(Placed { shape: Shape::Convolution(first), .. }) => first.pack(numbers),
        _ => numbers.to_vec(),
    };
    let mut before = Vec::new();
    for (layer, weights) in placed.iter().zip(weights) {
        vector = match &layer.shape {
            Shape::Dense(_) => dense::apply(weights, &vector),
            Shape::Square { .. } | Shape::GridSquare => square::apply(&vector),
            Shape::Convolution(shape) => {
                let out = shape.apply(weights, &vector);
                before = vector;
                out
            }
            Shape::Sum { .. } => vector.iter().zip(&before).map(|(a, b)| a + b).collect(),
            Shape::Average(shape) => shape.apply(weights, &vector),
        };
    }
    vector
}

impl Placed {
    /// The slots of a picture whose numbers are these, if this is the first layer.
    #[cfg(feature = "ckks-secret")]
    pub(super) fn pack(&self, numbers: &[f64]) -> Vec<f64> {
        match &self.shape {
            Shape::Dense(shape) => shape.pack(numbers),
            Shape::Convolution(shape) => shape.pack(numbers),
            _ => numbers.to_vec(),
        }
    }

    /// The number of slots of the output, if this is the last layer.
    pub(super) const fn out_slots(&self) -> usize {
        match &self.shape {
            Shape::Dense(shape) => shape.out_slots(),
            Shape::Average(shape) => shape.grid.depth,
            _ => 0,
        }
    }

    /// The scale of the output, if this is the last layer.
    pub(super) fn out_scale(&self, ring: &Ring) -> f64 {
        let gain = if let Shape::Average(_) = &self.shape { average::GAIN } else { 1.0 };
        ring.scale(0) * gain
    }

    /// The scale of its input.
    pub(super) fn scale(&self, ring: &Ring) -> f64 {
        let scale = ring.scale(self.level);
        match &self.shape {
            Shape::Dense(_) | Shape::Square { .. } | Shape::GridSquare => scale,
            Shape::Convolution(_) | Shape::Sum { .. } | Shape::Average(_) => scale * scale,
        }
    }

    /// The keys that it needs, each for the highest level at which it is used.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let level = self.level;
        let rotations = |steps: Vec<usize>, level: usize| {
            steps.into_iter().map(move |steps| Need::Rotation { steps: steps.cast_signed() as i64, level })
        };
        match &self.shape {
            Shape::Dense(shape) => shape.needs(level),
            Shape::Square { .. } | Shape::GridSquare => vec![Need::Products { level }],
            Shape::Convolution(shape) => rotations(shape.placement().offsets().steps(), level).collect(),
            Shape::Sum { steps } => rotations(vec![*steps], level).collect(),
            Shape::Average(shape) => {
                let sums = rotations(shape.sums(), level.saturating_sub(1));
                rotations(shape.offsets().steps(), level).chain(sums).collect()
            }
        }
    }

    /// The approximate memory in bytes for its encoded weights, in a ring of this degree.
    #[must_use]
    pub fn memory(&self, degree: usize) -> usize {
        match &self.shape {
            Shape::Dense(shape) => shape.memory(degree, self.level),
            Shape::Convolution(shape) => shape.memory(degree, self.level),
            Shape::Average(shape) => shape.memory(),
            Shape::Square { .. } | Shape::GridSquare | Shape::Sum { .. } => 0,
        }
    }

    /// Its work: the number of steps, and the work of each, which grows with the number of primes.
    pub(super) fn work(&self) -> [u64; 2] {
        let steps = match &self.shape {
            Shape::Convolution(shape) => shape.placement().offsets().rotations() + 1,
            Shape::Average(shape) => shape.offsets().rotations() + 1,
            Shape::Dense(_) | Shape::Square { .. } | Shape::GridSquare | Shape::Sum { .. } => 1,
        };
        [steps as u64, self.level as u64 + 1]
    }

    /// Encodes its weights.
    ///
    /// # Errors
    /// As [`EncodedDense::new`] and [`EncodedConvolution::new`].
    pub(super) fn encode(&self, ring: &Ring, encoder: &Encoder, weights: &Weights) -> Result<Encoded> {
        let (at, scale) = ([self.level, self.origin], self.scale(ring));
        Ok(match &self.shape {
            Shape::Dense(shape) => Encoded::Dense(dense::encode(ring, encoder, *shape, self.level, weights)?),
            Shape::Square { slots } => Encoded::Square { slots: *slots },
            Shape::Convolution(shape) => {
                Encoded::Convolution(EncodedConvolution::new(ring, encoder, shape, weights, at, scale)?)
            }
            Shape::GridSquare => Encoded::GridSquare,
            Shape::Sum { steps } => Encoded::Sum { steps: steps.cast_signed() as i64 },
            Shape::Average(shape) => Encoded::Average(EncodedAverage::new(ring, encoder, *shape, weights, at, scale)?),
        })
    }
}

/// A layer with encoded weights.
pub(super) enum Encoded {
    Dense(EncodedDense),
    Square { slots: usize },
    Convolution(EncodedConvolution),
    GridSquare,
    Sum { steps: i64 },
    Average(EncodedAverage),
}

impl Encoded {
    /// Applies it to an encrypted vector. The result's level is lower by the number of levels that the layer takes. `before` is
    /// the input of the last convolution. `step` is called after each step of [`Placed::work`] but the last, and can stop the work.
    ///
    /// # Errors
    /// As [`EncodedDense::apply`], [`EncodedConvolution::apply`] and [`Evaluator::mul`].
    pub(super) fn apply(
        &self,
        evaluator: &Evaluator,
        vector: Ciphertext,
        before: &mut Option<Ciphertext>,
        step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Ciphertext> {
        match self {
            Self::Dense(layer) => layer.apply(evaluator, &vector),
            Self::Square { slots } => Ok(square::square(evaluator, &vector)?.repeated(*slots)),
            Self::Convolution(layer) => {
                let out = layer.apply(evaluator, &vector, step)?;
                *before = Some(vector);
                Ok(out)
            }
            Self::GridSquare => evaluator.mul(&vector, &vector),
            Self::Sum { steps } => {
                let before = before.take().ok_or_else(|| misplaced("there is no convolution before a sum"))?;
                let lowered = evaluator.drop_to(&before, vector.level())?;
                evaluator.add(&vector, &evaluator.rotate(&lowered, *steps)?)
            }
            Self::Average(layer) => layer.apply(evaluator, &vector, step),
        }
    }

    /// Its approximate memory in bytes.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Dense(layer) => layer.memory(),
            Self::Convolution(layer) => layer.memory(),
            Self::Average(layer) => layer.memory(),
            Self::Square { .. } | Self::GridSquare | Self::Sum { .. } => 0,
        }
    }
}
