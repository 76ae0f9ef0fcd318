//! Descriptions of models.

use super::super::keys::description::needed;
use super::LoadedModel;
use crate::api::{Class, Model, Network};
use crate::learn::{self, Shape};
use crate::network::NetworkSpec;

/// Describes a model for clients.
pub(in crate::server) fn describe(id: &str, held: &LoadedModel) -> Model {
    match held {
        LoadedModel::Open(model) => of_model(id, model),
        LoadedModel::Network(ready) => of_network(id, ready.network.spec()),
    }
}

fn of_network(id: &str, spec: &NetworkSpec) -> Model {
    let Shape { width, height, channels } = spec.input().shape();
    let class = |label: &String| Class { label: label.clone(), pictures: None };
    Model {
        id: id.to_owned(),
        learner: "network".into(),
        width,
        height,
        channels,
        samples_used: spec.input().numbers(),
        classes: spec.labels().iter().map(class).collect(),
        network: Some(Network {
            parameters: spec.parameters().name.into(),
            level: spec.level(),
            hidden: spec.hidden(),
            keys: spec.needs().into_iter().map(needed).collect(),
        }),
    }
}

fn of_model(id: &str, model: &learn::Model) -> Model {
    let parts = model.parts();
    let Shape { width, height, channels } = parts.shape;
    let class = |(label, &pictures): (&String, &u32)| Class { label: label.clone(), pictures: Some(pictures) };
    Model {
        network: None,
        id: id.to_owned(),
        learner: model.learner().as_str().into(),
        width,
        height,
        channels,
        samples_used: parts.places.len(),
        classes: parts.labels.iter().zip(&parts.pictures).map(class).collect(),
    }
}
