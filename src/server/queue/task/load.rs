//! Loads the file of a model or a network, when there is room for what is in it.

use std::io::Read as _;
use std::sync::Arc;

use super::Outcome;
use crate::error::Result;
use crate::server::store::models::description::describe;
use crate::server::store::models::{LONGEST_HEADER, LoadedModel, Room, size};
use crate::server::store::spool::{Spool, Stored};
use crate::watch::Watch;

pub(super) fn run(mut room: Room, input: &Stored, output: Spool, watch: &dyn Watch) -> Result<Outcome> {
    let mut head = Vec::new();
    input.reader().take(LONGEST_HEADER as u64).read_to_end(&mut head)?;
    if let Some(size) = size(&head)? {
        room.set(size.memory.saturating_add(input.length()))?;
    }
    let model = LoadedModel::read(&input.bytes()?, watch)?;
    keep(model, room, output)
}

/// Puts a new model on the shelf and describes it.
pub(super) fn keep(model: LoadedModel, mut room: Room, output: Spool) -> Result<Outcome> {
    room.set(model.memory())?;
    let model = Arc::new(model);
    let new = room.keep(Arc::clone(&model))?;
    let description = describe(new.id().as_str(), &model);
    Outcome::created(output, new, &description)
}
