//! Descriptions of models, as JSON.

use serde::Serialize;

use super::super::keys::description::KeyJson;
use super::LoadedModel;
use crate::learn::{Model, Shape};
use crate::network::NetworkSpec;

/// A model, as JSON.
#[derive(Serialize)]
pub(in crate::server) struct ModelJson {
    id: String,
    learner: &'static str,
    width: u32,
    height: u32,
    channels: u8,
    samples_used: usize,
    classes: Vec<ClassJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<NetworkJson>,
}

/// One of its labels.
#[derive(Serialize)]
struct ClassJson {
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pictures: Option<u32>,
}

/// What a client needs for a network; its file has all of it.
#[derive(Serialize)]
struct NetworkJson {
    parameters: &'static str,
    /// The level at which pictures are encrypted.
    level: usize,
    hidden: usize,
    keys: Vec<KeyJson>,
}

impl ModelJson {
    pub(in crate::server) fn new(id: &str, held: &LoadedModel) -> Self {
        match held {
            LoadedModel::Open(model) => Self::of_model(id, model),
            LoadedModel::Network(ready) => Self::of_network(id, ready.network.spec()),
        }
    }

    fn of_network(id: &str, spec: &NetworkSpec) -> Self {
        let Shape { width, height, channels } = spec.patches().shape;
        let class = |label: &String| ClassJson { label: label.clone(), pictures: None };
        let needs = spec.needs();
        Self {
            id: id.to_owned(),
            learner: "network",
            width,
            height,
            channels,
            samples_used: spec.patches().features(),
            classes: spec.labels().iter().map(class).collect(),
            network: Some(NetworkJson {
                parameters: spec.parameters().name,
                level: spec.level(),
                hidden: spec.hidden(),
                keys: needs.into_iter().map(KeyJson::of_need).collect(),
            }),
        }
    }

    fn of_model(id: &str, model: &Model) -> Self {
        let parts = model.parts();
        let Shape { width, height, channels } = parts.shape;
        let class = |(label, &pictures): (&String, &u32)| ClassJson { label: label.clone(), pictures: Some(pictures) };
        Self {
            network: None,
            id: id.to_owned(),
            learner: model.learner().as_str(),
            width,
            height,
            channels,
            samples_used: parts.places.len(),
            classes: parts.labels.iter().zip(&parts.pictures).map(class).collect(),
        }
    }
}
