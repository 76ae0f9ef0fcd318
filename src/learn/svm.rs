//! Support-vector machines for two classes, on a table of kernels.
//!
//! The problem for two classes (Cortes, Vapnik 1995), in its dual form: find `alpha` between 0 and `cost` with
//! `sum y_i alpha_i = 0` that minimises `sum_ij y_i y_j alpha_i alpha_j K_ij / 2 - sum_i alpha_i`. It is solved two variables
//! at a time (Platt 1998), chosen by second-order information (Fan, Chen, Lin 2005).

use crate::error::{Code, Error, Result};
use crate::watch::Watch;

/// Options for training a machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Training {
    /// The cost of a training row on the wrong side of the margin.
    pub cost: f64,
    /// The largest final violation of the optimality conditions.
    pub tolerance: f64,
}

impl Default for Training {
    fn default() -> Self {
        Self { cost: 1.0, tolerance: 1e-3 }
    }
}

/// A machine for two classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// `y_i alpha_i` of each training row; most are 0.
    pub weights: Vec<f64>,
    /// The constant added to the weighted sum of kernels.
    pub bias: f64,
}

/// The smallest curvature in calculations, for kernels that are not positive definite.
const FLAT: f64 = 1e-12;
/// The maximum number of steps for each training row, more than any sensible problem takes.
const STEPS_PER_ROW: usize = 10_000;
/// The number of steps between two checks of the watcher. With thousands of rows they take some milliseconds.
const STEPS_UNWATCHED: usize = 256;

impl Machine {
    /// Trains a machine on the table of kernels of all pairs of training rows. `positive` marks the rows in the class.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the table is not square, has a value that is not finite, if there are no rows of one kind, or
    /// `training` is invalid; errors of the watcher.
    pub fn train(table: &[Vec<f64>], positive: &[bool], training: Training, watch: &dyn Watch) -> Result<Self> {
        check(table, positive, training)?;
        let sign: Vec<f64> = positive.iter().map(|&yes| if yes { 1.0 } else { -1.0 }).collect();
        let mut problem = Problem::new(table, &sign);
        let mut steps = STEPS_PER_ROW.saturating_mul(sign.len());
        while let Some((i, j)) = problem.choose(training) {
            problem.step(i, j, training.cost);
            steps -= 1;
            if steps.is_multiple_of(STEPS_UNWATCHED) {
                watch.check()?;
            }
            if steps == 0 {
                let message = "training does not converge; use a lower cost, or standardise the data";
                return Err(Error::new(Code::BadArgument, message));
            }
        }
        let bias = problem.bias(training.cost);
        let weights = problem.alpha.iter().zip(&sign).map(|(alpha, sign)| alpha * sign).collect();
        Ok(Self { weights, bias })
    }

    /// The decision value of a row, positive for the class, from its kernels with the training rows.
    #[must_use]
    pub fn decide(&self, kernels: &[f64]) -> f64 {
        let support = self.weights.iter().zip(kernels).filter(|(weight, _)| **weight != 0.0);
        support.map(|(weight, kernel)| weight * kernel).sum::<f64>() + self.bias
    }
}

fn check(table: &[Vec<f64>], positive: &[bool], training: Training) -> Result<()> {
    let bad = |message: &str| Err(Error::new(Code::BadArgument, message));
    let square = table.len() == positive.len() && table.iter().all(|row| row.len() == table.len());
    if !square {
        return bad("the table of kernels must have a row and a column for each training row");
    }
    // Without an early exit, the loop is vectorised.
    if !table.iter().all(|row| row.iter().fold(true, |finite, value| finite & value.is_finite())) {
        return bad("a kernel is infinite or NaN; standardise the data");
    }
    if !positive.contains(&true) || !positive.contains(&false) {
        return bad("training needs rows of at least two classes");
    }
    let sensible = |number: f64| number.is_finite() && number > 0.0;
    if !sensible(training.cost) || !sensible(training.tolerance) {
        return bad("cost and tolerance must be positive numbers");
    }
    Ok(())
}

struct Problem<'a> {
    table: &'a [Vec<f64>],
    sign: &'a [f64],
    /// The kernel of each row with itself, contiguous in memory.
    diagonal: Vec<f64>,
    alpha: Vec<f64>,
    /// The descent of the objective in the direction of each `y_t alpha_t`.
    slope: Vec<f64>,
}

impl<'a> Problem<'a> {
    /// Starts with all `alpha` equal to 0.
    fn new(table: &'a [Vec<f64>], sign: &'a [f64]) -> Self {
        let diagonal = table.iter().enumerate().map(|(t, row)| row[t]).collect();
        Self { table, sign, diagonal, alpha: vec![0.0; sign.len()], slope: sign.to_vec() }
    }

    /// The two variables to change next, or `None` at the end.
    fn choose(&self, training: Training) -> Option<(usize, usize)> {
        let Training { cost, tolerance } = training;
        let (mut i, mut highest) = (usize::MAX, f64::NEG_INFINITY);
        for (t, &slope) in self.slope.iter().enumerate() {
            if slope > highest && self.may_rise(t, cost) {
                (i, highest) = (t, slope);
            }
        }
        if i == usize::MAX {
            return None;
        }
        let row = self.table[i].as_slice();
        let (mut j, mut best, mut lowest) = (usize::MAX, 0.0, f64::INFINITY);
        for (t, &slope) in self.slope.iter().enumerate() {
            if slope < highest && self.may_fall(t, cost) {
                lowest = lowest.min(slope);
                let gain = highest - slope;
                let drop = gain * gain / positive(self.diagonal[i] + self.diagonal[t] - 2.0 * row[t]);
                if drop > best {
                    (j, best) = (t, drop);
                }
            }
        }
        (j != usize::MAX && highest - lowest >= tolerance).then_some((i, j))
    }

    /// Whether `y_t alpha_t` can grow.
    fn may_rise(&self, t: usize, cost: f64) -> bool {
        if self.sign[t] > 0.0 { self.alpha[t] < cost } else { self.alpha[t] > 0.0 }
    }

    /// Whether `y_t alpha_t` can shrink.
    fn may_fall(&self, t: usize, cost: f64) -> bool {
        if self.sign[t] > 0.0 { self.alpha[t] > 0.0 } else { self.alpha[t] < cost }
    }

    /// Raises `y_i alpha_i` and lowers `y_j alpha_j` by the same amount, the best within the bounds.
    fn step(&mut self, i: usize, j: usize, cost: f64) {
        let curvature = positive(self.diagonal[i] + self.diagonal[j] - 2.0 * self.table[i][j]);
        let room = |t: usize, up: bool| if up { cost - self.alpha[t] } else { self.alpha[t] };
        let (room_i, room_j) = (room(i, self.sign[i] > 0.0), room(j, self.sign[j] < 0.0));
        let amount = ((self.slope[i] - self.slope[j]) / curvature).min(room_i).min(room_j);
        // A variable that reaches a bound is set to it exactly, despite rounding.
        let moved = |t: usize, up: bool, at_bound: bool| match (up, at_bound) {
            (true, true) => cost,
            (false, true) => 0.0,
            (true, false) => self.alpha[t] + amount,
            (false, false) => self.alpha[t] - amount,
        };
        let new_i = moved(i, self.sign[i] > 0.0, amount >= room_i);
        let new_j = moved(j, self.sign[j] < 0.0, amount >= room_j);
        let change_i = (new_i - self.alpha[i]) * self.sign[i];
        let change_j = (new_j - self.alpha[j]) * self.sign[j];
        (self.alpha[i], self.alpha[j]) = (new_i, new_j);
        for ((slope, of_i), of_j) in self.slope.iter_mut().zip(&self.table[i]).zip(&self.table[j]) {
            *slope -= change_i * of_i + change_j * of_j;
        }
    }

    /// The mean over the free variables or, if there are none, the middle of the interval that the other variables allow.
    fn bias(&self, cost: f64) -> f64 {
        let (mut sum, mut free) = (0.0, 0u32);
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        for (t, &value) in self.slope.iter().enumerate() {
            if self.alpha[t] > 0.0 && self.alpha[t] < cost {
                sum += value;
                free += 1;
            } else if self.may_rise(t, cost) {
                low = low.max(value);
            } else {
                high = high.min(value);
            }
        }
        match (free > 0, low.is_finite(), high.is_finite()) {
            (true, ..) => sum / f64::from(free),
            (false, true, true) => f64::midpoint(low, high),
            (false, true, false) => low,
            _ => high,
        }
    }
}

/// A curvature that is safe to divide by.
fn positive(curvature: f64) -> f64 {
    if curvature > 0.0 { curvature } else { FLAT }
}
