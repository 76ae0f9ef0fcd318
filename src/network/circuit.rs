//! The server's work: applying the network to an encrypted picture.
//!
//! The picture comes in at [`NetworkSpec::level`](super::NetworkSpec::level), and each layer uses up its levels. So the
//! scores are at level 0, where ciphertexts are smallest.

use std::sync::Arc;

use super::Network;
use super::layers::Encoded;
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::ciphertext::Ciphertext;
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::evaluator::Evaluator;
use crate::schemes::ckks::keys::EvaluationKeys;
use crate::schemes::ckks::ring::Ring;

/// The maximum memory for encoded weights, in bytes.
const MOST_MEMORY: usize = 1 << 30;

/// A network with encoded weights, for any number of pictures and keys.
pub struct Circuit {
    ring: Arc<Ring>,
    encoder: Arc<Encoder>,
    level: usize,
    layers: Vec<Encoded>,
}

impl Circuit {
    /// Encodes the weights.
    ///
    /// # Errors
    /// [`Code::WrongParameters`] for a ring of another set than the network's; [`Code::TooLarge`] if the weights would take too
    /// much memory; [`Code::PlaintextOutOfRange`] for weights that are too large.
    pub fn new(ring: Arc<Ring>, encoder: Arc<Encoder>, network: &Network) -> Result<Self> {
        let spec = network.spec();
        spec.check_ring(&ring)?;
        let memory = spec.memory();
        if memory > MOST_MEMORY {
            let message = format!(
                "the network's encoded weights take {memory} bytes, more than {MOST_MEMORY}; use a smaller parameter \
                 set or fewer hidden units"
            );
            return Err(Error::new(Code::TooLarge, message));
        }
        let layers = spec.placed().iter().zip(network.weights());
        let layers = layers.map(|(layer, weights)| layer.encode(&ring, &encoder, weights)).collect::<Result<_>>()?;
        Ok(Self { ring, encoder, level: spec.level(), layers })
    }

    /// The ring that it computes in.
    #[must_use]
    pub const fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }

    /// Its approximate memory in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.layers.iter().map(Encoded::memory).sum()
    }

    /// Computes the encrypted scores of an encrypted picture. `check` is called between the steps and can stop the work.
    ///
    /// # Errors
    /// [`Code::LevelExhausted`] and [`Code::VectorsDiffer`] for a vector that is not packed for this network;
    /// [`Code::ForeignKey`] if the keys are another owner's; [`Code::MissingKey`] without one of
    /// [`NetworkSpec::needs`](super::NetworkSpec::needs); and errors of `check`.
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
        let (mut vector, mut before) = (picture.clone(), None);
        for layer in &self.layers {
            check()?;
            vector = layer.apply(&evaluator, vector, &mut before)?;
        }
        Ok(vector)
    }
}
