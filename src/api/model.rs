//! Models and what they say about a picture: `/v1/models` and `/v1/classifiers`.

use serde::{Deserialize, Serialize};

use super::Key;

/// A model, or a network for encrypted pictures.
#[derive(Debug, Deserialize, Serialize)]
pub struct Model {
    /// Anyone who knows the id can use and delete a client's model. The operator's models have names.
    pub id: String,
    /// What it learned with.
    #[serde(default)]
    pub learner: String,
    /// The width of its pictures in pixels.
    #[serde(default)]
    pub width: u32,
    /// Their height.
    #[serde(default)]
    pub height: u32,
    /// Their channels: 1 or 3.
    #[serde(default)]
    pub channels: u8,
    /// How many numbers of each picture it uses.
    #[serde(default)]
    pub samples_used: usize,
    /// Its classes, in the order of probabilities.
    pub classes: Vec<Class>,
    /// For a network: what clients need for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
}

/// One of its classes.
#[derive(Debug, Deserialize, Serialize)]
pub struct Class {
    /// The label of its pictures.
    pub label: String,
    /// How many pictures it learned from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pictures: Option<u32>,
}

/// What a client needs for a network; its file has all of it.
#[derive(Debug, Deserialize, Serialize)]
pub struct Network {
    /// The name of the parameter set.
    pub parameters: String,
    /// The level at which pictures are encrypted.
    pub level: usize,
    /// The number of hidden units.
    pub hidden: usize,
    /// The evaluation keys that it needs.
    pub keys: Vec<Key>,
}

/// What a model says about a picture.
#[derive(Debug, Deserialize, Serialize)]
pub struct Verdict {
    /// The label of the likeliest class.
    pub label: String,
    /// The index of that class.
    #[serde(default)]
    pub class: usize,
    /// One score per class, if the model gives them.
    pub scores: Option<Vec<f64>>,
    /// One probability per class, if the model gives them.
    pub probabilities: Option<Vec<f64>>,
}
