//! Rows of cells, and their sums.

use super::algebra::Algebra;
use crate::math::parallel;

/// Neighbouring cells. The last one may extend beyond the last column.
pub(crate) type Row<A> = Vec<<A as Algebra>::Cell>;

/// A row of sums: a part to add and, if there are negative weights, a part to subtract.
pub(crate) struct Signed<A: Algebra> {
    pub(crate) plus: Row<A>,
    pub(crate) minus: Option<Row<A>>,
}

/// The sum of two rows, each of which may have a part to subtract.
pub(crate) fn combine<A: Algebra>(algebra: &A, a: Signed<A>, b: Signed<A>) -> Signed<A> {
    let minus = match (a.minus, b.minus) {
        (Some(a), Some(b)) => Some(add(algebra, &a, &b)),
        (one, other) => one.or(other),
    };
    Signed { plus: add(algebra, &a.plus, &b.plus), minus }
}

pub(super) fn sum<A: Algebra>(algebra: &A, a: &Signed<A>, b: &Signed<A>) -> Signed<A> {
    // The rows of a pass have either both parts or only one.
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

pub(super) fn copy<A: Algebra>(row: &Signed<A>) -> Signed<A> {
    each_side(row, Clone::clone)
}

pub(super) fn each_side<A: Algebra>(row: &Signed<A>, work: impl Fn(&Row<A>) -> Row<A>) -> Signed<A> {
    Signed { plus: work(&row.plus), minus: row.minus.as_ref().map(work) }
}
