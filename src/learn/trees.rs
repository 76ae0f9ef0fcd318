//! Random forests (Breiman 2001), by `smartcore`.
//!
//! In the library's terms, each tree is a forest of one. So trees grow on all cores, the watcher sees the progress, and the
//! votes can be counted.

#![expect(clippy::cast_precision_loss, reason = "trees are counted in thousands")]

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use smartcore::ensemble::random_forest_classifier::{RandomForestClassifier, RandomForestClassifierParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::library_failed;
use super::verdict::{Verdict, highest};
use crate::error::Result;
use crate::watch::Watch;

type Tree = RandomForestClassifier<f32, u16, DenseMatrix<f32>, Vec<u16>>;

/// Trees that vote.
pub(super) struct Trees {
    trees: Vec<Tree>,
    classes: usize,
}

impl Trees {
    /// Grows trees on rows of samples, each on rows drawn with repetition and with the square root of all columns at each fork.
    /// `class` contains the class of each row; there is a row of each class from 0 on.
    pub(super) fn grow(rows: &[Vec<u8>], class: &[u16], count: u32, seed: u64, watch: &dyn Watch) -> Result<Self> {
        let classes = class.iter().max().map_or(0, |&last| usize::from(last) + 1);
        let table = dense(rows)?;
        let class = class.to_vec();
        let done = AtomicU64::new(0);
        let grow = |number: u32| {
            watch.check()?;
            let how = RandomForestClassifierParameters::default()
                .with_n_trees(1)
                .with_seed(seed.wrapping_add(u64::from(number)));
            let tree = Tree::fit(&table, &class, how).map_err(library_failed)?;
            watch.progress(done.fetch_add(1, Ordering::Relaxed) + 1, u64::from(count));
            Ok(tree)
        };
        Ok(Self { trees: (0..count).into_par_iter().map(grow).collect::<Result<_>>()?, classes })
    }

    /// Classifies one row of samples. Scores are votes, probabilities their shares.
    pub(super) fn decide(&self, row: &[u8]) -> Result<Verdict> {
        let row = dense(&[row])?;
        let mut scores = vec![0.0; self.classes];
        for tree in &self.trees {
            let class = tree.predict(&row).map_err(library_failed)?[0];
            scores[usize::from(class)] += 1.0;
        }
        let shares = scores.iter().map(|votes| votes / self.trees.len() as f64).collect();
        Ok(Verdict { class: highest(&scores), scores: Some(scores), probabilities: Some(shares) })
    }
}

fn dense<R: AsRef<[u8]>>(rows: &[R]) -> Result<DenseMatrix<f32>> {
    let columns = rows.first().map_or(0, |row| row.as_ref().len());
    let values = rows.iter().flat_map(AsRef::as_ref).map(|&sample| f32::from(sample)).collect();
    DenseMatrix::new(rows.len(), columns, values, false).map_err(library_failed)
}
