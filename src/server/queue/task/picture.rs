//! Classifies a picture that the server sees, scrambled or not.

use super::Outcome;
use crate::api::Verdict;
use crate::error::Result;
use crate::learn::Shape;
use crate::photo::Photo;
use crate::server::store::Store;
use crate::server::store::capability::Id;
use crate::server::store::models::{LoadedModel, replaced};
use crate::server::store::spool::{Spool, Stored};

pub(super) fn run(store: &Store, model: &Id, input: &Stored, output: Spool) -> Result<Outcome> {
    let held = store.models.get(model)?;
    let LoadedModel::Open(model) = &*held else { return Err(replaced()) };
    let photo = Photo::decode(&input.bytes()?, &store.limits.pictures())?.into_srgb();
    let verdict = model.classify(Shape::of(&photo), photo.samples())?;
    let verdict = Verdict {
        label: model.parts().labels[verdict.class].clone(),
        class: verdict.class,
        scores: verdict.scores,
        probabilities: verdict.probabilities,
    };
    Outcome::json(output, &verdict)
}
