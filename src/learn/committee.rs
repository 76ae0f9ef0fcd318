//! Many classes from two-class machines.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use serde::Deserialize;

use super::sigmoid::{Sigmoid, couple};
use super::svm::{Machine, Training};
use super::verdict::{Verdict, highest};
use crate::error::Result;
use crate::watch::Watch;

/// How a committee divides the classes among its machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// One machine per class, against all others. The highest decision value wins.
    Rest,
    /// One machine per pair of classes. The class that wins the most duels wins; ties go to the lower index.
    Pairs,
}

impl Strategy {
    /// Both strategies.
    pub const ALL: [Self; 2] = [Self::Rest, Self::Pairs];

    /// The name for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Pairs => "pairs",
        }
    }

    /// The strategy of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.as_str() == name)
    }

    /// The number of machines.
    #[must_use]
    pub const fn count(self, classes: usize) -> usize {
        match self {
            Self::Rest => classes,
            Self::Pairs => classes * classes.saturating_sub(1) / 2,
        }
    }

    /// For each machine, the positive class and the negative class, which is `None` for all others.
    #[must_use]
    pub fn pairs(self, classes: usize) -> Vec<(usize, Option<usize>)> {
        match self {
            Self::Rest => (0..classes).map(|class| (class, None)).collect(),
            Self::Pairs => (0..classes).flat_map(|a| (a + 1..classes).map(move |b| (a, Some(b)))).collect(),
        }
    }
}

/// One machine of a committee.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The positive class.
    pub class: usize,
    /// The negative class; `None` for all others.
    pub against: Option<usize>,
    /// The machine.
    pub machine: Machine,
    /// The mapping of decision values to probabilities, if there were enough rows to fit it.
    pub sigmoid: Option<Sigmoid>,
}

/// A committee of machines.
#[derive(Clone, Debug, PartialEq)]
pub struct Committee {
    /// The kind of machines.
    pub strategy: Strategy,
    /// The number of classes.
    pub classes: usize,
    /// All machines, in the order of [`Strategy::pairs`].
    pub members: Vec<Member>,
}

/// The number of parts of the rows. Each part yields decision values of rows that a machine was not trained on.
const FOLDS: usize = 5;

impl Committee {
    /// Trains all machines on a table of kernels. `class` is the class of each row, starting at 0. With `probabilities`, each
    /// machine is trained several more times, each time without a fifth of the rows.
    ///
    /// # Errors
    /// As [`Machine::train`].
    pub fn train(
        table: &[Vec<f64>],
        class: &[usize],
        strategy: Strategy,
        training: Training,
        probabilities: bool,
        watch: &dyn Watch,
    ) -> Result<Self> {
        let classes = class.iter().max().map_or(0, |last| last + 1);
        let pairs = strategy.pairs(classes);
        let (done, all) = (AtomicU64::new(0), pairs.len() as u64);
        let train = |(this, against): (usize, Option<usize>)| {
            let takes_part = |&i: &usize| class[i] == this || against.is_none_or(|other| class[i] == other);
            let rows: Vec<usize> = (0..class.len()).filter(takes_part).collect();
            let positive: Vec<bool> = rows.iter().map(|&i| class[i] == this).collect();
            let machine = train_on(table, &rows, &positive, training, watch)?;
            let sigmoid = if probabilities { calibrate(table, &rows, &positive, training, watch)? } else { None };
            watch.progress(done.fetch_add(1, Ordering::Relaxed) + 1, all);
            Ok(Member { class: this, against, machine, sigmoid })
        };
        Ok(Self { strategy, classes, members: pairs.into_par_iter().map(train).collect::<Result<_>>()? })
    }

    /// Classifies a row from its kernels with the training rows.
    #[must_use]
    pub fn decide(&self, kernels: &[f64]) -> Verdict {
        let mut scores = vec![0.0; self.classes];
        let mut single = vec![0.0; self.classes];
        let mut duels = vec![vec![0.5; self.classes]; self.classes];
        let mut calibrated = true;
        for Member { class, against, machine, sigmoid } in &self.members {
            let decision = machine.decide(kernels);
            // Avoid probabilities of exactly 0 or 1, which coupling cannot handle.
            let probability = sigmoid.map(|curve| curve.probability(decision).clamp(1e-7, 1.0 - 1e-7));
            calibrated &= probability.is_some();
            let probability = probability.unwrap_or(0.5);
            match *against {
                None => (scores[*class], single[*class]) = (decision, probability),
                Some(other) => {
                    scores[if decision > 0.0 { *class } else { other }] += 1.0;
                    (duels[*class][other], duels[other][*class]) = (probability, 1.0 - probability);
                }
            }
        }
        let probabilities = calibrated.then(|| {
            if self.strategy == Strategy::Pairs {
                return couple(&duels);
            }
            let sum: f64 = single.iter().sum();
            single.iter().map(|probability| probability / sum).collect()
        });
        Verdict { class: highest(&scores), scores: Some(scores), probabilities }
    }
}

/// Trains a machine on some of the rows. It has weights for all rows, which are 0 for the others.
fn train_on(
    table: &[Vec<f64>],
    rows: &[usize],
    positive: &[bool],
    training: Training,
    watch: &dyn Watch,
) -> Result<Machine> {
    if rows.len() == table.len() {
        return Machine::train(table, positive, training, watch);
    }
    let part: Vec<Vec<f64>> = rows.iter().map(|&i| rows.iter().map(|&j| table[i][j]).collect()).collect();
    let Machine { weights: some, bias } = Machine::train(&part, positive, training, watch)?;
    let mut weights = vec![0.0; table.len()];
    for (&row, weight) in rows.iter().zip(some) {
        weights[row] = weight;
    }
    Ok(Machine { weights, bias })
}

/// Fits the mapping of decision values to probabilities. Returns `None` if one side has a single row.
fn calibrate(
    table: &[Vec<f64>],
    rows: &[usize],
    positive: &[bool],
    training: Training,
    watch: &dyn Watch,
) -> Result<Option<Sigmoid>> {
    // The rows of each side are assigned to the parts in turn, so that every part contains its share of both.
    let mut dealt = [0; 2];
    let places: Vec<usize> = positive
        .iter()
        .map(|&yes| {
            let place = dealt[usize::from(yes)];
            dealt[usize::from(yes)] += 1;
            place
        })
        .collect();
    let folds = FOLDS.min(dealt[0]).min(dealt[1]);
    if folds < 2 {
        return Ok(None);
    }
    let mut decisions = vec![0.0; rows.len()];
    for fold in 0..folds {
        let (held, kept): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|&i| places[i] % folds == fold);
        let kept_rows: Vec<usize> = kept.iter().map(|&i| rows[i]).collect();
        let kept_signs: Vec<bool> = kept.iter().map(|&i| positive[i]).collect();
        let machine = train_on(table, &kept_rows, &kept_signs, training, watch)?;
        for i in held {
            decisions[i] = machine.decide(&table[rows[i]]);
        }
    }
    Ok(Some(Sigmoid::fit(&decisions, positive)))
}
