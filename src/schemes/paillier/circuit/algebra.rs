//! What linear filters add up: ciphertexts, or the exponents of their masks.

use std::borrow::Cow;

use crate::math::pair::{Batch, PairModulus};

/// Cells that can be added. A cell holds the pixels of [`Self::lanes`] columns, side by side.
pub(crate) trait Algebra: Sync {
    type Cell: Clone + Send + Sync;

    /// The number of columns in a cell: a power of two.
    fn lanes(&self) -> usize;

    fn zero(&self) -> Self::Cell;

    fn add(&self, a: &mut Self::Cell, b: &Self::Cell);

    fn double(&self, a: &mut Self::Cell);

    /// The cell of [`Self::lanes`] columns of a row, starting at column `first`. Columns beyond the row's end are zero.
    fn gather<'a>(&self, row: &'a [Self::Cell], first: usize) -> Cow<'a, Self::Cell>;

    /// The sum of all cells times their weights. The weights are processed `width` bits at a time (see
    /// [`bucket_bits`](super::plan::bucket_bits)).
    fn weighted(&self, terms: &[(Cow<'_, Self::Cell>, u64)], width: u32) -> Self::Cell {
        let largest = terms.iter().map(|&(_, weight)| weight).max().unwrap_or(0);
        let groups = (u64::BITS - largest.leading_zeros()).div_ceil(width);
        let mut sum: Option<Self::Cell> = None;
        for group in (0..groups).rev() {
            if let Some(sum) = &mut sum {
                (0..width).for_each(|_| self.double(sum));
            }
            if let Some(part) = self.buckets(terms, group * width, width) {
                self.accumulate(&mut sum, &part);
            }
        }
        sum.unwrap_or_else(|| self.zero())
    }

    /// The sum of all cells times one digit of their weights: the `width` bits from bit `shift` on.
    fn buckets(&self, terms: &[(Cow<'_, Self::Cell>, u64)], shift: u32, width: u32) -> Option<Self::Cell> {
        let mut buckets: Vec<Option<Self::Cell>> = vec![None; 1 << width];
        for (cell, weight) in terms {
            let digit = usize::try_from(weight >> shift & ((1 << width) - 1)).unwrap_or(0);
            if digit > 0 {
                self.accumulate(&mut buckets[digit], cell);
            }
        }
        // `running` is the sum of all cells with this digit or a larger one. The sum of these sums counts each cell as often as
        // its digit.
        let (mut running, mut sum) = (None, None);
        for bucket in buckets[1..].iter().rev() {
            if let Some(bucket) = bucket {
                self.accumulate(&mut running, bucket);
            }
            if let Some(running) = &running {
                self.accumulate(&mut sum, running);
            }
        }
        sum
    }

    fn accumulate(&self, sum: &mut Option<Self::Cell>, cell: &Self::Cell) {
        match sum {
            None => *sum = Some(cell.clone()),
            Some(sum) => self.add(sum, cell),
        }
    }
}

/// Ciphertexts: multiplying them adds the numbers in them.
impl Algebra for PairModulus {
    type Cell = Batch;

    fn lanes(&self) -> usize {
        self.lanes()
    }

    fn zero(&self) -> Batch {
        self.one().clone()
    }

    fn add(&self, a: &mut Batch, b: &Batch) {
        self.mul_assign(a, b);
    }

    fn double(&self, a: &mut Batch) {
        self.square_assign(a);
    }

    fn gather<'a>(&self, row: &'a [Batch], first: usize) -> Cow<'a, Batch> {
        self.gather(row, first)
    }
}

#[cfg(feature = "client")]
pub(crate) use exponents::Integers;

#[cfg(feature = "client")]
mod exponents {
    use std::borrow::Cow;

    use num_bigint::BigInt;

    use super::Algebra;

    /// Pairs of integers, such as the exponents of masks modulo `p^2` and `q^2`. They are reduced only at the very end.
    pub(crate) struct Integers;

    impl Algebra for Integers {
        type Cell = [BigInt; 2];

        fn lanes(&self) -> usize {
            1
        }

        fn zero(&self) -> [BigInt; 2] {
            [BigInt::ZERO, BigInt::ZERO]
        }

        fn add(&self, a: &mut [BigInt; 2], b: &[BigInt; 2]) {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }

        fn double(&self, a: &mut [BigInt; 2]) {
            for a in a {
                *a *= 2;
            }
        }

        fn gather<'a>(&self, row: &'a [[BigInt; 2]], first: usize) -> Cow<'a, [BigInt; 2]> {
            row.get(first).map_or_else(|| Cow::Owned(self.zero()), Cow::Borrowed)
        }

        /// For integers, a product with a weight is cheap.
        fn weighted(&self, terms: &[(Cow<'_, [BigInt; 2]>, u64)], _width: u32) -> [BigInt; 2] {
            let mut sum = self.zero();
            for (cell, weight) in terms {
                sum.iter_mut().zip(cell.iter()).for_each(|(sum, number)| *sum += number * weight);
            }
            sum
        }
    }
}
