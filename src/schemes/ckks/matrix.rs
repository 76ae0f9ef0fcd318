//! Matrices, stored by their diagonals.

use std::collections::BTreeMap;

use num_complex::Complex64;

use crate::error::{Code, Error, Result};

/// A square matrix, stored as its nonzero diagonals. The entry in row `i` and column `i + d`, counted cyclically, is number `i`
/// of diagonal `d`.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    pub(super) slots: usize,
    pub(super) diagonals: BTreeMap<usize, Vec<Complex64>>,
}

impl Matrix {
    /// The matrix with these rows, which have the same length, padded with zeros to `slots` rows and columns.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if `slots` is not a power of two, or less than the number of rows or columns.
    pub fn from_rows(rows: &[Vec<f64>], slots: usize) -> Result<Self> {
        let columns = rows.first().map_or(0, Vec::len);
        if rows.iter().any(|row| row.len() != columns) {
            return Err(Error::new(Code::BadArgument, "the rows of a matrix have different lengths"));
        }
        if !slots.is_power_of_two() || rows.len().max(columns) > slots {
            let message = format!("a matrix of {} rows and {columns} columns does not fit {slots} slots", rows.len());
            return Err(Error::new(Code::BadArgument, message));
        }
        let mut diagonals = BTreeMap::new();
        for (i, row) in rows.iter().enumerate() {
            for (j, &entry) in row.iter().enumerate().filter(|(_, entry)| **entry != 0.0) {
                let diagonal = (j + slots - i) % slots;
                diagonals.entry(diagonal).or_insert_with(|| vec![Complex64::default(); slots])[i] = entry.into();
            }
        }
        Ok(Self { slots, diagonals })
    }

    pub(super) const fn new(slots: usize, diagonals: BTreeMap<usize, Vec<Complex64>>) -> Self {
        Self { slots, diagonals }
    }

    /// The matrix with these diagonals.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if one of them has a length other than `slots`, or an index not below `slots`.
    pub fn from_diagonals(diagonals: BTreeMap<usize, Vec<Complex64>>, slots: usize) -> Result<Self> {
        if !slots.is_power_of_two() || diagonals.iter().any(|(&d, numbers)| d >= slots || numbers.len() != slots) {
            return Err(Error::new(Code::BadArgument, format!("the diagonals do not fit {slots} slots")));
        }
        Ok(Self { slots, diagonals })
    }

    /// The product `self other`, which applies `other` first. Both matrices have the same number of slots.
    pub(super) fn times(&self, other: &Self) -> Self {
        let mut diagonals: BTreeMap<usize, Vec<Complex64>> = BTreeMap::new();
        for (a, x) in &self.diagonals {
            for (b, y) in &other.diagonals {
                let sum =
                    diagonals.entry((a + b) % self.slots).or_insert_with(|| vec![Complex64::default(); self.slots]);
                for (i, sum) in sum.iter_mut().enumerate() {
                    *sum += x[i] * y[(i + a) % self.slots];
                }
            }
        }
        Self { slots: self.slots, diagonals }
    }

    /// Multiplies all entries by `factor`.
    pub(super) fn scale(&mut self, factor: f64) {
        self.diagonals.values_mut().flatten().for_each(|entry| *entry *= factor);
    }

    /// The bound on baby steps: the power of two that requires the fewest rotations.
    pub(super) fn baby_steps(&self) -> usize {
        let rotations = |n: usize| {
            let distinct = |of: fn(usize, usize) -> usize| {
                let mut all: Vec<_> = self.diagonals.keys().map(|&d| of(d, n)).collect();
                all.sort_unstable();
                all.dedup();
                all.iter().filter(|&&step| step != 0).count()
            };
            distinct(|d, n| d % n) + distinct(|d, n| d / n)
        };
        (0..=self.slots.trailing_zeros()).map(|bit| 1 << bit).min_by_key(|&n| rotations(n)).unwrap_or(1)
    }

    /// The rotations for which keys are needed.
    #[must_use]
    pub fn steps(&self) -> Vec<i64> {
        let n = self.baby_steps();
        let steps = self.diagonals.keys().flat_map(|d| [d % n, d / n * n]).filter(|&step| step != 0);
        let mut steps: Vec<_> = steps.map(|step| step.cast_signed() as i64).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }
}
