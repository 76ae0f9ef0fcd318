//! Applies a kernel to rows of cells. Rows go in one by one from the top, and a filtered row comes out as soon as it is known.

use std::collections::VecDeque;

use super::algebra::Algebra;
use super::boxes::{self, Down};
use super::plan::{Axis, Pass, Plan, bucket_bits};
use super::row::{Row, Signed, each_side};
use crate::math::parallel;
use crate::schemes::paillier::kernel::Kernel;

/// A kernel that is being applied to one image.
pub(crate) struct Linear<A: Algebra> {
    columns: usize,
    stages: Vec<Stage<A>>,
}

impl<A: Algebra> Linear<A> {
    /// Prepares a kernel for images of `columns` columns. There must be at least as many columns as the kernel reaches.
    pub(crate) fn new(algebra: &A, kernel: &Kernel, columns: usize) -> Self {
        let stages = match Plan::new(kernel, algebra.lanes()) {
            Plan::Passes(passes) => passes.into_iter().map(|(axis, pass)| Stage::new(axis, pass)).collect(),
            Plan::Full(weights) => vec![Stage::Weights(Weights::new(weights))],
        };
        Self { columns, stages }
    }

    /// Takes the next row. Returns the next row of the result, narrower by the kernel's reach, if it is known.
    pub(crate) fn push(&mut self, algebra: &A, row: Row<A>) -> Option<Signed<A>> {
        let mut row = Signed { plus: row, minus: None };
        let mut columns = self.columns;
        for stage in &mut self.stages {
            row = stage.push(algebra, row, &mut columns)?;
        }
        Some(row)
    }
}

/// A pass that is being applied.
enum Stage<A: Algebra> {
    Down(Down<A>),
    /// The number of columns in the box.
    Across(usize),
    Weights(Weights<A>),
}

impl<A: Algebra> Stage<A> {
    fn new(axis: Axis, pass: Pass) -> Self {
        let length = pass.reach() + 1;
        match (axis, pass) {
            (Axis::Vertical, Pass::Weights(weights)) => {
                Self::Weights(Weights::new(weights.into_iter().map(|weight| vec![weight]).collect()))
            }
            (Axis::Horizontal, Pass::Weights(weights)) => Self::Weights(Weights::new(vec![weights])),
            (Axis::Vertical, _) => Self::Down(Down::new(length)),
            (Axis::Horizontal, _) => Self::Across(length),
        }
    }

    /// Takes a row of `columns` columns and updates that number.
    fn push(&mut self, algebra: &A, row: Signed<A>, columns: &mut usize) -> Option<Signed<A>> {
        match self {
            Self::Down(down) => down.push(algebra, row),
            Self::Across(length) => {
                *columns -= *length - 1;
                Some(each_side(&row, |row| boxes::across(algebra, row, *length, *columns)))
            }
            Self::Weights(weights) => weights.push(algebra, row, columns),
        }
    }
}

/// Any weights: of a column, of a row or, if the kernel is not the product of these, of a rectangle.
struct Weights<A: Algebra> {
    weights: Vec<Vec<i64>>,
    band: VecDeque<Signed<A>>,
}

/// Columns of a row, the first of these columns, and their weight.
type Term<'a, A> = (&'a Signed<A>, usize, i64);

impl<A: Algebra> Weights<A> {
    fn new(weights: Vec<Vec<i64>>) -> Self {
        Self { weights, band: VecDeque::new() }
    }

    fn push(&mut self, algebra: &A, row: Signed<A>, columns: &mut usize) -> Option<Signed<A>> {
        self.band.push_back(row);
        *columns -= self.weights[0].len() - 1;
        if self.band.len() < self.weights.len() {
            return None;
        }
        let out = self.row(algebra, *columns);
        self.band.pop_front();
        Some(out)
    }

    /// The result for the rows in the band.
    fn row(&self, algebra: &A, columns: usize) -> Signed<A> {
        let mut terms: Vec<Term<'_, A>> = Vec::new();
        for (row, weights) in self.band.iter().zip(&self.weights) {
            terms.extend(weights.iter().enumerate().filter(|(_, weight)| **weight != 0).map(|(at, &w)| (row, at, w)));
        }
        let negative = terms.iter().any(|(row, _, weight)| *weight < 0 || row.minus.is_some());
        let plus = Side::new(&terms, 1);
        let minus = negative.then(|| Side::new(&terms, -1));
        let cells = parallel::map(columns.div_ceil(algebra.lanes()), |cell| {
            let first = cell * algebra.lanes();
            (plus.sum(algebra, first), minus.as_ref().map(|minus| minus.sum(algebra, first)))
        });
        let (plus, minus): (Row<A>, Vec<Option<A::Cell>>) = cells.into_iter().unzip();
        Signed { plus, minus: minus.into_iter().collect() }
    }
}

/// The part of a sum that is added, or the part that is subtracted.
struct Side<'a, A: Algebra> {
    terms: Vec<(&'a Row<A>, usize, u64)>,
    /// The number of bits of the weights to process at a time, the same for all cells.
    bits: u32,
}

impl<'a, A: Algebra> Side<'a, A> {
    /// Selects the terms of this sign.
    fn new(all: &[Term<'a, A>], sign: i64) -> Self {
        let part = |&(row, at, weight): &Term<'a, A>| {
            let part = if weight * sign > 0 { Some(&row.plus) } else { row.minus.as_ref() };
            part.map(|part| (part, at, weight.unsigned_abs()))
        };
        let terms: Vec<_> = all.iter().filter_map(part).collect();
        let (bits, _) = bucket_bits(&terms.iter().map(|&(_, _, weight)| weight).collect::<Vec<_>>());
        Self { terms, bits }
    }

    /// The sum of the terms for the cell that starts at column `first`.
    fn sum(&self, algebra: &A, first: usize) -> A::Cell {
        let gathered = self.terms.iter().map(|&(row, at, weight)| (algebra.gather(row, first + at), weight));
        algebra.weighted(&gathered.collect::<Vec<_>>(), self.bits)
    }
}
