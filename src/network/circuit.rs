//! The server's work: applying the network to an encrypted picture.
//!
//! Level by level: the picture comes in at [`Front::level`](super::Front::level), 3 with hidden units and 1 without; the first layer takes one, the
//! square one, the second layer one. So the scores are at level 0, where a ciphertext is as small as it gets.

use std::sync::Arc;

use super::Network;
use super::dense::EncodedDense;
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::ciphertext::Ciphertext;
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::evaluator::Evaluator;
use crate::schemes::ckks::keys::EvaluationKeys;
use crate::schemes::ckks::ring::Ring;

/// The most bytes that encoded weights may take.
const MOST_MEMORY: usize = 1 << 30;

/// A network with encoded weights, for any number of pictures and keys.
pub struct Circuit {
    ring: Arc<Ring>,
    encoder: Arc<Encoder>,
    level: usize,
    layers: Vec<EncodedDense>,
}

impl Circuit {
    /// Encodes the weights.
    ///
    /// # Errors
    /// [`Code::WrongParameters`] for a ring of another set than the network's; [`Code::TooLarge`] if the weights would take too
    /// much memory; [`Code::PlaintextOutOfRange`] for weights that are too large.
    pub fn new(ring: Arc<Ring>, encoder: Arc<Encoder>, network: &Network) -> Result<Self> {
        let front = network.front();
        front.check_ring(&ring)?;
        let mut level = front.level();
        let mut layers = Vec::new();
        let shapes = front.layers()?;
        let memory = super::memory(front.parameters(), &front.sizes())?;
        if memory > MOST_MEMORY {
            let message = format!(
                "the network's encoded weights take {memory} bytes, more than {MOST_MEMORY}; use a smaller parameter \
                 set or fewer hidden units"
            );
            return Err(Error::new(Code::TooLarge, message));
        }
        for (shape, layer) in shapes.into_iter().zip(network.layers()) {
            let inputs = layer.inputs();
            let weight = |output: usize, input: usize| {
                let row = layer.weights.get(output * inputs..(output + 1) * inputs).unwrap_or_default();
                row.get(input).copied().map_or(0.0, f64::from)
            };
            let bias: Vec<f64> = layer.bias.iter().map(|&bias| bias.into()).collect();
            layers.push(EncodedDense::new(&ring, &encoder, shape, level, weight, &bias)?);
            // The square of the hidden units comes before the next layer.
            level = level.saturating_sub(2);
        }
        Ok(Self { ring, encoder, level: front.level(), layers })
    }

    /// The ring that it computes in.
    #[must_use]
    pub const fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }

    /// Its approximate memory in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.layers.iter().map(EncodedDense::memory).sum()
    }

    /// Computes the encrypted scores of an encrypted picture. `check` is called between the steps and can stop the work.
    ///
    /// # Errors
    /// [`Code::LevelExhausted`] and [`Code::VectorsDiffer`] for a vector that is not packed for this network;
    /// [`Code::ForeignKey`] if the keys are another owner's; [`Code::MissingKey`] without one of
    /// [`Front::needs`](super::Front::needs); and errors of `check`.
    pub fn run(
        &self,
        keys: EvaluationKeys,
        picture: &Ciphertext,
        check: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Ciphertext> {
        if picture.key() != keys.id() {
            let message = "the picture is encrypted under another key than the evaluation keys";
            return Err(Error::new(Code::ForeignKey, message));
        }
        if picture.level() < self.level {
            let message = format!(
                "the picture is encrypted at level {}, but this network needs level {}; encrypt it for this network",
                picture.level(),
                self.level
            );
            return Err(Error::new(Code::LevelExhausted, message));
        }
        let evaluator = Evaluator::new(Arc::clone(&self.ring), Arc::clone(&self.encoder), keys);
        let mut vector = picture.clone();
        for (number, layer) in self.layers.iter().enumerate() {
            check()?;
            if number > 0 {
                vector = evaluator.rescale(&evaluator.mul(&vector, &vector)?)?.repeated(layer.shape().slots());
                check()?;
            }
            vector = evaluator.dense(layer, &vector)?;
        }
        Ok(vector)
    }
}
