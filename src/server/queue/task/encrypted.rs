//! Classifies an encrypted picture: the encrypted scores of a network.

use std::io::Write as _;

use super::Outcome;
use crate::error::Result;
use crate::schemes::ckks::wire::{read_ciphertext, write_ciphertext};
use crate::server::store::Store;
use crate::server::store::capability::Id;
use crate::server::store::models::{LoadedModel, replaced};
use crate::server::store::spool::{Spool, Stored};
use crate::watch::Watch;

/// The set of keys is checked first, so that missing or unsuitable keys are reported before the work starts.
pub(super) fn run(
    store: &Store,
    model: &Id,
    keys: &Id,
    input: &Stored,
    mut output: Spool,
    watch: &dyn Watch,
) -> Result<Outcome> {
    let held = store.models.get(model)?;
    let LoadedModel::Network(ready) = &*held else { return Err(replaced()) };
    let (spec, ring) = (ready.network.spec(), ready.circuit.ring());
    let keys = store.keys.with(keys, |keys| spec.take_keys(keys))?;
    let picture = read_ciphertext(ring, &input.bytes()?)?;
    let scores = ready.circuit.run(keys, &picture, watch)?;
    output.write_all(&write_ciphertext(ring, &scores)?)?;
    Ok(Outcome::file(output.finish()?))
}
