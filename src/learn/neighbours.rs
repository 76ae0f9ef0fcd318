//! The nearest neighbours, by `smartcore`.

#![expect(clippy::cast_precision_loss, reason = "neighbours are counted in thousands")]

use smartcore::algorithm::neighbour::KNNAlgorithmName;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::metrics::distance::euclidian::Euclidian;
use smartcore::neighbors::knn_classifier::{KNNClassifier, KNNClassifierParameters};

use super::features::Matrix;
use super::library_failed;
use super::verdict::{Verdict, highest};
use crate::error::Result;

/// The rows that a new row is compared with, by Euclidean distance.
pub(super) struct Neighbours {
    classifier: KNNClassifier<f64, u16, DenseMatrix<f64>, Vec<u16>, Euclidian<f64>>,
    k: usize,
}

impl Neighbours {
    /// Prepares the rows. `class` contains the class of each row; there is a row of each class from 0 on.
    pub(super) fn new(rows: &Matrix, class: &[u16], k: usize) -> Result<Self> {
        // A cover tree does not help with rows of thousands of numbers.
        let how = KNNClassifierParameters::default().with_k(k).with_algorithm(KNNAlgorithmName::LinearSearch);
        let classifier = KNNClassifier::fit(&dense(rows)?, &class.to_vec(), how).map_err(library_failed)?;
        Ok(Self { classifier, k })
    }

    /// Classifies one row. Scores are the neighbours of each class, probabilities their shares.
    pub(super) fn decide(&self, row: &Matrix) -> Result<Verdict> {
        let shares = self.classifier.predict_proba(&dense(row)?).map_err(library_failed)?.remove(0);
        let scores: Vec<f64> = shares.iter().map(|share| (share * self.k as f64).round()).collect();
        Ok(Verdict { class: highest(&scores), scores: Some(scores), probabilities: Some(shares) })
    }
}

fn dense(rows: &Matrix) -> Result<DenseMatrix<f64>> {
    let values = (0..rows.rows()).flat_map(|i| rows.row(i)).copied().collect();
    DenseMatrix::new(rows.rows(), rows.columns(), values, false).map_err(library_failed)
}
