//! The server's work: applying the network to an encrypted picture.
//!
//! The picture comes in at [`NetworkSpec::level`](super::NetworkSpec::level), and each layer uses up its levels. So the
//! scores are at level 0, where ciphertexts are smallest.

use std::sync::Arc;

use super::layers::{Encoded, Placed};
use super::{Network, Weights};
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::ciphertext::Ciphertext;
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::evaluator::Evaluator;
use crate::schemes::ckks::keys::EvaluationKeys;
use crate::schemes::ckks::ring::Ring;
use crate::watch::Watch;

/// The maximum memory for encoded weights, in bytes.
const MOST_MEMORY: usize = 1 << 30;

/// A network with encoded weights, for any number of pictures and keys.
pub struct Circuit {
    ring: Arc<Ring>,
    encoder: Arc<Encoder>,
    level: usize,
    /// The layers, each with its work: how many steps it has, and how much work one step is.
    layers: Vec<(Encoded, [u64; 2])>,
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
        let encode =
            |(layer, weights): (&Placed, &Weights)| Ok((layer.encode(&ring, &encoder, weights)?, layer.work()));
        let layers = layers.map(encode).collect::<Result<_>>()?;
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
        self.layers.iter().map(|(layer, _)| layer.memory()).sum()
    }

    /// Computes the encrypted scores of an encrypted picture. `watch` can stop it between two rotations.
    ///
    /// # Errors
    /// [`Code::LevelExhausted`] and [`Code::VectorsDiffer`] for a vector that is not packed for this network;
    /// [`Code::ForeignKey`] if the keys are another owner's; [`Code::MissingKey`] without one of
    /// [`NetworkSpec::needs`](super::NetworkSpec::needs); and errors of `watch`.
    pub fn run(&self, keys: EvaluationKeys, picture: &Ciphertext, watch: &dyn Watch) -> Result<Ciphertext> {
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
        let total = self.layers.iter().map(|(_, [steps, each])| steps * each).sum();
        let mut done = 0;
        for (layer, [steps, each]) in &self.layers {
            let mut here = done;
            let mut step = || {
                watch.check()?;
                watch.progress(here, total);
                here += each;
                Ok(())
            };
            step()?;
            vector = layer.apply(&evaluator, vector, &mut before, &mut step)?;
            done += steps * each;
        }
        watch.progress(done, total);
        Ok(vector)
    }
}
