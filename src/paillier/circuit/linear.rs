//! A kernel at work on rows of cells. Rows go in one by one from the top; a filtered row comes out as soon as it is known.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::algebra::Algebra;
use super::parallel;
use super::plan::{Pass, Plan};
use crate::paillier::kernel::Kernel;

/// Cells side by side: the last one may go beyond the last column.
pub(crate) type Row<A> = Vec<<A as Algebra>::Cell>;

/// A row of sums, as what is to be added and, where there are negative weights, what is to be subtracted.
pub(crate) struct Signed<A: Algebra> {
    pub(crate) plus: Row<A>,
    pub(crate) minus: Option<Row<A>>,
}

/// One kernel on one image.
pub(crate) struct Linear<A: Algebra> {
    columns: usize,
    down: Vec<Stage<A>>,
    across: Vec<Pass>,
}

impl<A: Algebra> Linear<A> {
    /// A kernel for images of so many columns, of which there must be as many as it reaches at least.
    pub(crate) fn new(kernel: &Kernel, columns: usize) -> Self {
        let (down, across) = match Plan::new(kernel) {
            Plan::Passes { vertical, horizontal } => (vertical.iter().map(Stage::new).collect(), horizontal),
            Plan::Full(weights) => (vec![Stage::Weights { weights, band: VecDeque::new() }], Vec::new()),
        };
        Self { columns, down, across }
    }

    /// Takes the next row; gives a row of the result, narrower by the kernel's reach, once there is one.
    pub(crate) fn push(&mut self, algebra: &A, row: Row<A>) -> Option<Signed<A>> {
        let mut row = Signed { plus: row, minus: None };
        let mut columns = self.columns;
        for stage in &mut self.down {
            row = stage.push(algebra, row, &mut columns)?;
        }
        for pass in &self.across {
            columns -= pass.reach();
            row = across(algebra, pass, &row, columns);
        }
        Some(row)
    }
}

/// A pass down the rows.
enum Stage<A: Algebra> {
    Pair {
        last: Option<Signed<A>>,
    },
    Three {
        /// The last two rows, and their sum where it is known.
        last: VecDeque<Signed<A>>,
        pair: Option<Signed<A>>,
    },
    /// Any longer box: see [`Blocks`].
    Blocks(Blocks<A>),
    /// Weights of one column, or of several where the kernel is no product of a column and a row.
    Weights {
        weights: Vec<Vec<i64>>,
        band: VecDeque<Signed<A>>,
    },
}

impl<A: Algebra> Stage<A> {
    fn new(pass: &Pass) -> Self {
        match pass {
            Pass::Pair => Self::Pair { last: None },
            Pass::Box(3) => Self::Three { last: VecDeque::new(), pair: None },
            Pass::Box(length) => Self::Blocks(Blocks::new(*length)),
            Pass::Weights(weights) => {
                Self::Weights { weights: weights.iter().map(|&weight| vec![weight]).collect(), band: VecDeque::new() }
            }
        }
    }

    fn push(&mut self, algebra: &A, row: Signed<A>, columns: &mut usize) -> Option<Signed<A>> {
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
                    // The last two rows, summed up for the row before.
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
            Self::Weights { weights, band } => {
                band.push_back(row);
                *columns -= weights[0].len() - 1;
                if band.len() < weights.len() {
                    return None;
                }
                let out = weighted_row(algebra, *columns, |first| {
                    let rows = weights.iter().zip(&*band);
                    let all = rows.flat_map(|(weights, row)| (first..).zip(weights).map(move |(at, &w)| (row, at, w)));
                    all.filter(|&(_, _, weight)| weight != 0).collect()
                });
                band.pop_front();
                Some(out)
            }
        }
    }
}

/// A box of `length` rows: the rows are cut into blocks of that many. A window that starts inside a block is the sum of
/// the block from there on, made once for all when the block is full, and of the next block up to there, which grows row
/// by row.
struct Blocks<A: Algebra> {
    length: usize,
    /// What is left of the sums to the end of the last full block.
    tails: VecDeque<Signed<A>>,
    /// The rows of the present block.
    block: Vec<Signed<A>>,
    /// Their sum, once there are tails to add it to.
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
            // All tails are used up: the window of the whole block comes next.
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

/// A pass along a row, to `columns` columns.
fn across<A: Algebra>(algebra: &A, pass: &Pass, row: &Signed<A>, columns: usize) -> Signed<A> {
    match pass {
        Pass::Pair => each_side(row, |row| box_across(algebra, row, 2, columns)),
        Pass::Box(length) => each_side(row, |row| box_across(algebra, row, *length, columns)),
        Pass::Weights(weights) => weighted_row(algebra, columns, |first| {
            (first..).zip(weights).filter(|&(_, &weight)| weight != 0).map(|(at, &weight)| (row, at, weight)).collect()
        }),
    }
}

/// Sums of `length` columns: sums of 1, 2, 4, ... columns, of which those that make up the length are added.
fn box_across<A: Algebra>(algebra: &A, row: &Row<A>, length: usize, columns: usize) -> Row<A> {
    let mut doubled: Cow<'_, Row<A>> = Cow::Borrowed(row);
    let mut sum: Option<Row<A>> = None;
    let (mut size, mut done) = (1, 0);
    loop {
        if length & size != 0 {
            let groups = columns.div_ceil(algebra.lanes());
            sum = Some(parallel::map(groups, |group| {
                let cell = algebra.gather(&doubled, group * algebra.lanes() + done);
                match &sum {
                    None => cell.into_owned(),
                    Some(sum) => {
                        let mut sum = sum[group].clone();
                        algebra.add(&mut sum, &cell);
                        sum
                    }
                }
            }));
            done += size;
        }
        if done == length {
            return sum.unwrap_or_default();
        }
        // Only as far as it is still needed.
        let needed = (columns + length - 1).saturating_sub(2 * size - 1).div_ceil(algebra.lanes());
        doubled = Cow::Owned(parallel::map(needed, |group| {
            let first = group * algebra.lanes();
            let mut sum = algebra.gather(&doubled, first).into_owned();
            algebra.add(&mut sum, &algebra.gather(&doubled, first + size));
            sum
        }));
        size *= 2;
    }
}

/// A row of weighted sums: `terms` gives rows, columns and weights for as many columns as a cell has, from a first one on.
fn weighted_row<'a, A: Algebra + 'a>(
    algebra: &A,
    columns: usize,
    terms: impl Fn(usize) -> Vec<(&'a Signed<A>, usize, i64)> + Sync + Send,
) -> Signed<A> {
    let groups = columns.div_ceil(algebra.lanes());
    let negative = terms(0).iter().any(|(row, _, weight)| *weight < 0 || row.minus.is_some());
    let side = |terms: &[(&Signed<A>, usize, i64)], sign: i64| {
        let mut cells = Vec::with_capacity(terms.len());
        for &(row, at, weight) in terms {
            let part = if weight * sign > 0 { Some(&row.plus) } else { row.minus.as_ref() };
            cells.extend(part.map(|part| (algebra.gather(part, at), weight.unsigned_abs())));
        }
        algebra.weighted(&cells)
    };
    let both = parallel::map(groups, |group| {
        let terms = terms(group * algebra.lanes());
        (side(&terms, 1), negative.then(|| side(&terms, -1)))
    });
    let (plus, minus): (Row<A>, Vec<Option<A::Cell>>) = both.into_iter().unzip();
    Signed { plus, minus: minus.into_iter().collect() }
}

/// The sum of two rows of which each may have a part to be subtracted.
pub(crate) fn combine<A: Algebra>(algebra: &A, a: Signed<A>, b: Signed<A>) -> Signed<A> {
    let minus = match (a.minus, b.minus) {
        (Some(a), Some(b)) => Some(add(algebra, &a, &b)),
        (one, other) => one.or(other),
    };
    Signed { plus: add(algebra, &a.plus, &b.plus), minus }
}

fn sum<A: Algebra>(algebra: &A, a: &Signed<A>, b: &Signed<A>) -> Signed<A> {
    // Rows of one pass have both sides or only one.
    let minus = a.minus.as_ref().zip(b.minus.as_ref()).map(|(a, b)| add(algebra, a, b));
    Signed { plus: add(algebra, &a.plus, &b.plus), minus }
}

fn add<A: Algebra>(algebra: &A, a: &Row<A>, b: &Row<A>) -> Row<A> {
    parallel::map(a.len().min(b.len()), |cell| {
        let mut sum = a[cell].clone();
        algebra.add(&mut sum, &b[cell]);
        sum
    })
}

fn copy<A: Algebra>(row: &Signed<A>) -> Signed<A> {
    each_side(row, Clone::clone)
}

fn each_side<A: Algebra>(row: &Signed<A>, work: impl Fn(&Row<A>) -> Row<A>) -> Signed<A> {
    Signed { plus: work(&row.plus), minus: row.minus.as_ref().map(work) }
}
