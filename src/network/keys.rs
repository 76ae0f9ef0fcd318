//! The keys that a network needs, from its owner's set.

use super::{Need, NetworkSpec};
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::key_file::LoadedKeys;
use crate::schemes::ckks::keys::EvaluationKeys;
use crate::schemes::ckks::ring::rotation;
use crate::schemes::ckks::wire::{Entry, Purpose};

impl NetworkSpec {
    /// Takes the keys that the network needs from a set, at the lowest levels that suffice.
    ///
    /// # Errors
    /// [`Code::WrongParameters`] for a set of other parameters than the network's; [`Code::MissingKey`] if the set
    /// lacks a key, or has it only for lower levels; and as [`LoadedKeys::get`].
    pub fn take_keys(&self, loaded: &LoadedKeys) -> Result<EvaluationKeys> {
        let set = loaded.set().head();
        let (theirs, ours) = (set.parameters(), self.parameters());
        if theirs.id != ours.id {
            let message =
                format!("the keys are for the parameter set {}, the network needs {}", theirs.name, ours.name);
            return Err(Error::new(Code::WrongParameters, message));
        }
        let entry = |need: Need| {
            let (purpose, level, what) = match need {
                Need::Products { level } => (Purpose::Relinearise, level, "products".to_owned()),
                Need::Rotation { steps, level } => {
                    (Purpose::Galois(rotation(ours.degree(), steps)), level, format!("rotations by {steps} steps"))
                }
            };
            let good = |entry: &&Entry| entry.purpose == purpose && entry.level >= level;
            set.entries().iter().filter(good).min_by_key(|entry| entry.level).copied().ok_or_else(|| {
                let message = format!(
                    "the set has no key for {what} at level {level}; the key's owner must make the keys for this \
                     network"
                );
                Error::new(Code::MissingKey, message)
            })
        };
        let entries = self.needs().into_iter().map(entry).collect::<Result<Vec<_>>>()?;
        loaded.take(&entries)
    }
}
