//! Squares, the activation that takes only one product.

use crate::error::Result;
use crate::schemes::ckks::ciphertext::Ciphertext;
use crate::schemes::ckks::evaluator::Evaluator;

/// The plain twin.
pub(super) fn apply(inputs: &[f64]) -> Vec<f64> {
    inputs.iter().map(|number| number * number).collect()
}

/// Squares every slot.
///
/// # Errors
/// As [`Evaluator::mul`] and [`Evaluator::rescale`].
pub(super) fn square(evaluator: &Evaluator, vector: &Ciphertext) -> Result<Ciphertext> {
    evaluator.rescale(&evaluator.mul(vector, vector)?)
}
