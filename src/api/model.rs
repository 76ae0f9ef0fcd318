//! Models and what they say about a picture: `/v1/models` and `/v1/classifiers`.

use serde::Deserialize;

/// A model, as far as its client needs to know it.
#[derive(Debug, Deserialize)]
pub struct ModelFacts {
    /// Anyone who knows the id can use and delete the model.
    pub id: String,
    /// Its classes, in the order of probabilities.
    pub classes: Vec<ClassFacts>,
}

/// One of its classes.
#[derive(Debug, Deserialize)]
pub struct ClassFacts {
    /// The label of its pictures.
    pub label: String,
}

/// What a model says about a picture.
#[derive(Debug, Deserialize)]
pub struct Verdict {
    /// The label of the likeliest class.
    pub label: String,
    /// One probability per class, if the model gives them.
    pub probabilities: Option<Vec<f64>>,
}
