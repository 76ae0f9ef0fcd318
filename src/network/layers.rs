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

pub mod convolution;
pub mod dense;
mod square;

use self::dense::{Dense, EncodedDense};
use super::Need;
use crate::error::Result;
use crate::schemes::ckks::ciphertext::Ciphertext;
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::evaluator::Evaluator;
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

/// The weights of a layer. Both lists are empty for a layer without weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// For each output of a dense layer, one weight per input, with 8 bits of precision: see
    /// [`rounded`](super::rounded).
    pub weights: Vec<f32>,
    /// One bias for each output.
    pub bias: Vec<f32>,
}

impl Layer {
    /// The number of values that follow from `inputs` values.
    #[must_use]
    pub const fn outputs(self, inputs: usize) -> usize {
        match self {
            Self::Dense { outputs } => outputs,
            Self::Square => inputs,
        }
    }

    /// The number of levels that it takes.
    #[must_use]
    pub const fn levels(self) -> usize {
        match self {
            Self::Dense { .. } | Self::Square => 1,
        }
    }

    /// How many weights and how many biases it has.
    #[must_use]
    pub const fn numbers(self, inputs: usize) -> (usize, usize) {
        match self {
            Self::Dense { outputs } => (inputs * outputs, outputs),
            Self::Square => (0, 0),
        }
    }

    /// Its plain twin.
    #[must_use]
    pub fn apply(self, weights: &Weights, inputs: &[f64]) -> Vec<f64> {
        match self {
            Self::Dense { .. } => dense::apply(weights, inputs),
            Self::Square => square::apply(inputs),
        }
    }
}

/// A layer at its place in a network: for ciphertexts of one level, whose values have one layout in the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// A dense layer.
    Dense {
        /// Its layout in the slots.
        shape: Dense,
        /// The level of its input.
        level: usize,
    },
    /// Squares.
    Square {
        /// The level of its input.
        level: usize,
        /// The number of slots that the next layer needs. They hold the values repeatedly.
        slots: usize,
    },
}

/// Places the layers of a network in `slots` slots. The first layer decides how a picture is packed.
///
/// # Errors
/// [`Code::BadArgument`](crate::error::Code::BadArgument) for a layer that does not fit the slots.
pub(super) fn place(layers: &[Layer], mut inputs: usize, slots: usize) -> Result<Vec<Placed>> {
    let mut level = levels(layers);
    let mut placed = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let here = match *layer {
            Layer::Dense { outputs } if number == 0 => {
                Placed::Dense { shape: Dense::packed(inputs, outputs, slots)?, level }
            }
            Layer::Dense { outputs } => Placed::Dense { shape: Dense::in_order(inputs, outputs, slots)?, level },
            Layer::Square => Placed::Square { level, slots: 0 },
        };
        if let (Placed::Dense { shape, .. }, Some(Placed::Square { slots, .. })) = (&here, placed.last_mut()) {
            *slots = shape.slots();
        }
        placed.push(here);
        inputs = layer.outputs(inputs);
        level -= layer.levels();
    }
    Ok(placed)
}

/// How many weights and how many biases each layer has.
pub(super) fn numbers(layers: &[Layer], mut inputs: usize) -> Vec<(usize, usize)> {
    let numbers = |layer: &Layer| {
        let numbers = layer.numbers(inputs);
        inputs = layer.outputs(inputs);
        numbers
    };
    layers.iter().map(numbers).collect()
}

/// The approximate memory in bytes for the encoded weights of all layers, in a ring of this degree.
pub(super) fn memory(placed: &[Placed], degree: usize) -> usize {
    placed.iter().map(|layer| layer.memory(degree)).sum()
}

/// The number of levels that the layers take: the level at which a picture is encrypted.
pub(super) fn levels(layers: &[Layer]) -> usize {
    layers.iter().map(|layer| layer.levels()).sum()
}

impl Placed {
    /// The layout of a dense layer.
    pub(super) const fn dense(&self) -> Option<&Dense> {
        match self {
            Self::Dense { shape, .. } => Some(shape),
            Self::Square { .. } => None,
        }
    }

    /// The keys that it needs, each for the highest level at which it is used.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        match *self {
            Self::Dense { shape, level } => shape.needs(level),
            Self::Square { level, .. } => vec![Need::Products { level }],
        }
    }

    /// The approximate memory in bytes for its encoded weights, in a ring of this degree.
    #[must_use]
    pub const fn memory(&self, degree: usize) -> usize {
        match *self {
            Self::Dense { shape, level } => shape.memory(degree, level),
            Self::Square { .. } => 0,
        }
    }

    /// Encodes its weights.
    ///
    /// # Errors
    /// As [`EncodedDense::new`].
    pub(super) fn encode(&self, ring: &Ring, encoder: &Encoder, weights: &Weights) -> Result<Encoded> {
        Ok(match *self {
            Self::Dense { shape, level } => Encoded::Dense(dense::encode(ring, encoder, shape, level, weights)?),
            Self::Square { slots, .. } => Encoded::Square { slots },
        })
    }
}

/// A layer with encoded weights.
pub(super) enum Encoded {
    Dense(EncodedDense),
    Square { slots: usize },
}

impl Encoded {
    /// Applies it to an encrypted vector. The result's level is lower by the number of levels that the layer takes.
    ///
    /// # Errors
    /// As [`EncodedDense::apply`] and [`Evaluator::mul`].
    pub(super) fn apply(&self, evaluator: &Evaluator, vector: &Ciphertext) -> Result<Ciphertext> {
        match self {
            Self::Dense(layer) => layer.apply(evaluator, vector),
            Self::Square { slots } => Ok(square::square(evaluator, vector)?.repeated(*slots)),
        }
    }

    /// Its approximate memory in bytes.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Dense(layer) => layer.memory(),
            Self::Square { .. } => 0,
        }
    }
}
