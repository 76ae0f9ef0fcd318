//! Sums of many rows or columns with weight 1, at a cost that hardly depends on their number.
//!
//! Rows, or cells, are cut into blocks as long as the box. A window that starts inside a block is the sum from there to the end
//! of the block, plus the sum from the start of the next block to the window's end. Both sums grow one row or cell at a time,
//! so each window takes three additions (M. van Herk, "A fast algorithm for local minimum and maximum filters on rectangular
//! and octagonal kernels", 1992; J. Gil and M. Werman, "Computing 2-D min, median, and max filters", 1993). Nothing is
//! subtracted, because that would need inverses.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::algebra::Algebra;
use super::row::{Row, Signed, copy, sum};
use crate::math::parallel;

/// A vertical box: sums of rows, which come in one by one.
pub(super) enum Down<A: Algebra> {
    Pair {
        last: Option<Signed<A>>,
    },
    Three {
        last: VecDeque<Signed<A>>,
        /// The sum of the last two rows, if known.
        pair: Option<Signed<A>>,
    },
    Blocks(Blocks<A>),
}

impl<A: Algebra> Down<A> {
    /// Prepares a box of `length` rows, at least two.
    pub(super) fn new(length: usize) -> Self {
        match length {
            2 => Self::Pair { last: None },
            3 => Self::Three { last: VecDeque::new(), pair: None },
            _ => Self::Blocks(Blocks::new(length)),
        }
    }

    /// Takes the next row; returns the sum of the last `length` rows, once there are enough.
    pub(super) fn push(&mut self, algebra: &A, row: Signed<A>) -> Option<Signed<A>> {
        match self {
            Self::Pair { last } => {
                let sum = last.as_ref().map(|last| sum(algebra, last, &row));
                *last = Some(row);
                sum
            }
            Self::Three { last, pair } => {
                if last.len() < 2 {
                    last.push_back(row);
                    return None;
                }
                let out = if let Some(upper) = pair.take() {
                    // The last two rows were already added up for the previous row.
                    sum(algebra, &upper, &row)
                } else {
                    let lower = sum(algebra, &last[1], &row);
                    let out = sum(algebra, &last[0], &lower);
                    *pair = Some(lower);
                    out
                };
                last.pop_front();
                last.push_back(row);
                Some(out)
            }
            Self::Blocks(blocks) => blocks.push(algebra, row),
        }
    }
}

/// A longer box, in blocks of `length` rows. It keeps at most `length` rows.
pub(super) struct Blocks<A: Algebra> {
    length: usize,
    /// The remaining sums that reach to the end of the last full block.
    tails: VecDeque<Signed<A>>,
    /// The rows of the current block.
    block: Vec<Signed<A>>,
    /// The sum of these rows, as soon as there are tails to add it to.
    head: Option<Signed<A>>,
}

impl<A: Algebra> Blocks<A> {
    fn new(length: usize) -> Self {
        Self { length, tails: VecDeque::new(), block: Vec::new(), head: None }
    }

    fn push(&mut self, algebra: &A, row: Signed<A>) -> Option<Signed<A>> {
        let mut out = None;
        if let Some(tail) = self.tails.pop_front() {
            let head = match self.head.take() {
                None => copy(&row),
                Some(head) => sum(algebra, &head, &row),
            };
            out = Some(sum(algebra, &tail, &head));
            self.head = Some(head);
        }
        self.block.push(row);
        if self.block.len() == self.length {
            // All tails are used up. The next window is the whole block.
            self.head = None;
            let mut tails = VecDeque::with_capacity(self.length);
            for row in self.block.drain(..).rev() {
                let tail = match tails.front() {
                    None => row,
                    Some(tail) => sum(algebra, &row, tail),
                };
                tails.push_front(tail);
            }
            self.tails = tails;
            out = self.tails.pop_front();
        }
        out
    }
}

/// Computes `columns` sums, each of `length` columns of a row.
///
/// A box of `length = whole * lanes + rest` columns begins with sums of every `lanes`-th column. These lie in the same lane of
/// neighbouring cells, so no lane has to be moved. Each step, for `size` = ..., 4, 2, 1, adds to every sum the sum `size`
/// columns further on. If `rest` has the bit `size`, the step also adds the row itself, and the steps that follow double this
/// part to `size` columns.
pub(super) fn across<A: Algebra>(algebra: &A, row: &Row<A>, length: usize, columns: usize) -> Row<A> {
    let lanes = algebra.lanes();
    let (whole, rest) = (length / lanes, length % lanes);
    let mut done = whole * lanes;
    let mut sums: Option<Cow<'_, Row<A>>> =
        (whole > 0).then(|| Cow::Owned(sums_of_cells(algebra, row, whole, (columns + lanes - 1).div_ceil(lanes))));
    let mut size = lanes;
    while size > 1 {
        size /= 2;
        let added = (rest & size != 0).then_some(done);
        done += rest & size;
        sums = match (sums, added) {
            (None, None) => None,
            // The first part of a short box.
            (None, Some(_)) => Some(Cow::Borrowed(row)),
            (Some(sums), added) => {
                // The steps that follow reach `size - 1` columns further.
                let cells = (columns + size - 1).div_ceil(lanes);
                Some(Cow::Owned(parallel::map(cells, |cell| {
                    let first = cell * lanes;
                    let mut sum = algebra.gather(&sums, first).into_owned();
                    algebra.add(&mut sum, &algebra.gather(&sums, first + size));
                    if let Some(done) = added {
                        algebra.add(&mut sum, &algebra.gather(row, first + done));
                    }
                    sum
                })))
            }
        };
    }
    sums.map(Cow::into_owned).unwrap_or_default()
}

/// Sums of `length` neighbouring cells, one starting at each of the first `count` cells.
fn sums_of_cells<A: Algebra>(algebra: &A, row: &Row<A>, length: usize, count: usize) -> Row<A> {
    let cell = |index: usize| algebra.gather(row, index * algebra.lanes());
    let blocks = parallel::map(count.div_ceil(length), |block| {
        let (first, next) = (block * length, (block + 1) * length);
        let windows = length.min(count - first);
        let (tails, heads) = parallel::join(
            || running_sums(algebra, (first..next).rev().map(cell), length - windows),
            || running_sums(algebra, (next..next + windows - 1).map(cell), 0),
        );
        let mut sums: Row<A> = tails.into_iter().rev().collect();
        for (sum, head) in sums.iter_mut().skip(1).zip(&heads) {
            algebra.add(sum, head);
        }
        sums
    });
    blocks.into_iter().flatten().collect()
}

/// The sums of the first cell, of the first two, and so on, without the first `unused` of these sums.
fn running_sums<'a, A: Algebra>(algebra: &A, cells: impl Iterator<Item = Cow<'a, A::Cell>>, unused: usize) -> Row<A>
where
    A::Cell: 'a,
{
    let mut sum = None;
    let mut sums = Vec::new();
    for (position, cell) in cells.enumerate() {
        algebra.accumulate(&mut sum, &cell);
        if position >= unused {
            sums.extend(sum.clone());
        }
    }
    sums
}
