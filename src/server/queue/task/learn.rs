//! Trains a model on labelled pictures, with one of them in memory at a time.

use super::Outcome;
use super::form::Pictures;
use super::load::keep;
use crate::error::{Error, Result};
use crate::learn::{Recipe, Shape, Trainer};
use crate::photo::Photo;
use crate::server::store::Store;
use crate::server::store::models::{LoadedModel, Room};
use crate::server::store::spool::{Spool, Stored};
use crate::watch::Watch;

pub(super) fn run(
    store: &Store,
    (recipe, boundary): (Recipe, &str),
    mut room: Room,
    input: &Stored,
    output: Spool,
    watch: &dyn Watch,
) -> Result<Outcome> {
    let limits = store.limits.pictures();
    let mut pictures = Pictures::new(input.reader(), boundary);
    let mut trainer = Trainer::new(recipe);
    let mut number = 0;
    while let Some((label, bytes)) = pictures.next()? {
        watch.check()?;
        number += 1;
        room.set(trainer.memory())?;
        Photo::decode(&bytes, &limits)
            .map(Photo::into_srgb)
            .and_then(|photo| trainer.add(&label, Shape::of(&photo), photo.samples()))
            .map_err(|error| Error::new(error.kind(), format!("picture {number}: {}", error.message())))?;
    }
    room.set(trainer.memory())?;
    let model = LoadedModel::Open(Box::new(trainer.finish(watch)?));
    keep(model, room, output)
}
