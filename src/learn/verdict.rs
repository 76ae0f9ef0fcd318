//! The result of a classifier.

/// A classifier's result for one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The class.
    pub class: usize,
    /// The score of each class: decision values, duels won, or neighbours. `None` from a forest.
    pub scores: Option<Vec<f64>>,
    /// The probability of each class; their sum is 1. `None` if unknown.
    pub probabilities: Option<Vec<f64>>,
}

/// The index of the highest value, the first if there are several; 0 if there is no value.
#[must_use]
pub fn highest(values: &[f64]) -> usize {
    (0..values.len()).rev().max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap_or(0)
}
