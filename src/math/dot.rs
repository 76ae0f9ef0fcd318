//! Inner products of floating-point numbers.

use std::iter::Sum;
use std::ops::{AddAssign, Mul};

/// The inner product of two rows of equal length, in eight partial sums that the processor computes side by side. The order of
/// additions is fixed, so the same rows always give the same number.
pub(crate) fn dot<T>(x: &[T], y: &[T]) -> T
where
    T: Copy + Default + Mul<Output = T> + AddAssign + Sum,
{
    let mut sums = [T::default(); 8];
    let ((x8, x_rest), (y8, y_rest)) = (x.as_chunks::<8>(), y.as_chunks::<8>());
    for (x, y) in x8.iter().zip(y8) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    let mut sum: T = sums.into_iter().sum();
    sum += x_rest.iter().zip(y_rest).map(|(&x, &y)| x * y).sum();
    sum
}
