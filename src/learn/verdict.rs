//! What a classifier says.

/// What a classifier says about one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The class.
    pub class: usize,
    /// How much speaks for each class: decision values, duels won, or neighbours. None from a forest.
    pub scores: Option<Vec<f64>>,
    /// How likely each class is; together 1. None where that is not known.
    pub probabilities: Option<Vec<f64>>,
}

/// The number of the highest value, the first of several; 0 if there is none.
#[must_use]
pub fn highest(values: &[f64]) -> usize {
    (0..values.len()).rev().max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap_or(0)
}
