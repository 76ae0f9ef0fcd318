//! What work does, as data: a task says what to do with an upload, and [`run`] does it.
//!
//! A task contains no open files or connections, so it can be stored and carried out later or elsewhere.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::learn::Recipe;
use crate::schemes::paillier::Filter;
use crate::server::client::Client;
use crate::server::store::Store;
use crate::server::store::capability::Id;
use crate::server::store::models::NewModel;
use crate::server::store::spool::{Spool, Stored};
use crate::watch::Watch;
use crate::wire;

mod encrypted;
mod filter;
pub(in crate::server) mod form;
mod learn;
mod load;
mod picture;

/// A piece of work on an upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::server) enum Task {
    /// Filters the encrypted images in the upload.
    Filter {
        #[serde(with = "text")]
        filter: Filter,
    },
    /// Trains a model on the labelled pictures in the upload, a form with this boundary.
    Learn {
        #[serde(with = "text")]
        recipe: Recipe,
        boundary: String,
    },
    /// Loads the file of a model or a network.
    LoadModel {},
    /// Classifies a picture that the server sees, scrambled or not.
    ClassifyPicture { model: Id },
    /// Classifies an encrypted picture.
    ClassifyEncrypted { model: Id, keys: Id },
}

/// The outcome of work.
pub(in crate::server) struct Outcome {
    pub(in crate::server) media_type: &'static str,
    pub(in crate::server) body: Stored,
    /// The model that was created, which `body` describes.
    pub(in crate::server) created: Option<NewModel>,
}

/// The media type of JSON.
const JSON: &str = "application/json";

impl Outcome {
    fn file(body: Stored) -> Self {
        Self { media_type: wire::MEDIA_TYPE, body, created: None }
    }

    fn json(mut output: Spool, value: &impl Serialize) -> Result<Self> {
        // Written directly to the spool, the JSON would arrive in tiny pieces.
        let text = serde_json::to_vec(value).map_err(std::io::Error::from)?;
        std::io::Write::write_all(&mut output, &text)?;
        Ok(Self { media_type: JSON, body: output.finish()?, created: None })
    }

    fn created(output: Spool, model: NewModel, description: &impl Serialize) -> Result<Self> {
        Ok(Self { created: Some(model), ..Self::json(output, description)? })
    }
}

/// Carries out a task of `owner` on its upload and writes the result to `output`. After an error, nothing remains. Must run on
/// a worker thread in the runtime.
pub(in crate::server) fn run(
    store: &Store,
    task: &Task,
    owner: Client,
    input: &Stored,
    output: Spool,
    watch: &dyn Watch,
) -> Result<Outcome> {
    match task {
        Task::Filter { filter } => filter::run(filter, &store.limits.image, input, output, watch),
        Task::Learn { recipe, boundary } => {
            learn::run(store, (*recipe, boundary), store.models.room(owner)?, input, output, watch)
        }
        Task::LoadModel {} => load::run(store.models.room(owner)?, input, output, watch),
        Task::ClassifyPicture { model } => picture::run(store, model, input, output),
        Task::ClassifyEncrypted { model, keys } => encrypted::run(store, model, keys, input, output, watch),
    }
}

/// A value that has a canonical text.
trait Text: Display + Sized {
    fn from_text(text: &str) -> Result<Self>;
}

impl Text for Filter {
    fn from_text(text: &str) -> Result<Self> {
        Self::from_text(text)
    }
}

impl Text for Recipe {
    fn from_text(text: &str) -> Result<Self> {
        Self::from_text(text)
    }
}

/// Stores such values as their text, and checks them again when they are read.
mod text {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Text;

    pub(super) fn serialize<T: Text, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T: Text, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::from_text(&text).map_err(|error| D::Error::custom(error.message()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::learn::{Learner, Wishes};

    fn id(text: &str) -> Id {
        Id::from(text.to_owned())
    }

    #[test]
    fn every_task_survives_as_text() {
        let wishes = Wishes { learner: Some(Learner::SvmRbf), gamma: Some(0.1 + 0.2), ..Wishes::default() };
        let tasks = [
            (
                Task::Filter { filter: Filter::from_text("gaussian sigma=1.5").expect("a filter") },
                json!({ "task": "filter", "filter": "gaussian sigma=1.5 radius=3" }),
            ),
            (
                Task::Learn { recipe: wishes.recipe().expect("a recipe"), boundary: "--x".into() },
                json!({
                    "task": "learn",
                    "recipe": "svm-rbf strategy=rest cost=1 gamma=0.30000000000000004 seed=0",
                    "boundary": "--x",
                }),
            ),
            (Task::LoadModel {}, json!({ "task": "load_model" })),
            (Task::ClassifyPicture { model: id("m") }, json!({ "task": "classify_picture", "model": "m" })),
            (
                Task::ClassifyEncrypted { model: id("m"), keys: id("k") },
                json!({ "task": "classify_encrypted", "model": "m", "keys": "k" }),
            ),
        ];
        for (task, expected) in tasks {
            let text = serde_json::to_string(&task).expect("JSON");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), expected);
            assert_eq!(serde_json::from_str::<Task>(&text).expect("a task"), task);
        }
    }

    #[test]
    fn what_is_read_is_checked_again() {
        for wrong in [
            json!({ "task": "filter", "filter": "mean radius=9999" }),
            json!({ "task": "filter", "filter": "oracle" }),
            json!({ "task": "learn", "recipe": "svm-linear cost=-1", "boundary": "x" }),
            json!({ "task": "learn", "recipe": "knn cost=1", "boundary": "x" }),
            json!({ "task": "format_disk" }),
            json!({ "task": "classify_picture", "model": "m", "keys": "k" }),
        ] {
            assert!(serde_json::from_value::<Task>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_task_does_not_tell_ids_to_the_log() {
        let task = Task::ClassifyEncrypted { model: id("capability"), keys: id("capability") };
        assert!(!format!("{task:?}").contains("capability"));
    }
}
