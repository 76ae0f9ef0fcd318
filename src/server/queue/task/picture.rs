//! Classifies a picture that the server sees, scrambled or not.

use serde::Serialize;

use super::Outcome;
use crate::error::Result;
use crate::learn::Shape;
use crate::photo::Photo;
use crate::server::store::Store;
use crate::server::store::capability::Id;
use crate::server::store::models::{LoadedModel, replaced};
use crate::server::store::spool::{Spool, Stored};

/// A classification, as JSON.
#[derive(Serialize)]
struct VerdictJson<'a> {
    label: &'a str,
    class: usize,
    scores: Option<Vec<f64>>,
    probabilities: Option<Vec<f64>>,
}

pub(super) fn run(store: &Store, model: &Id, input: &Stored, output: Spool) -> Result<Outcome> {
    let held = store.models.get(model)?;
    let LoadedModel::Open(model) = &*held else { return Err(replaced()) };
    let photo = Photo::decode(&input.bytes()?, &store.limits.pictures())?.into_srgb();
    let verdict = model.classify(Shape::of(&photo), photo.samples())?;
    let json = VerdictJson {
        label: &model.parts().labels[verdict.class],
        class: verdict.class,
        scores: verdict.scores,
        probabilities: verdict.probabilities,
    };
    Outcome::json(output, &json)
}
