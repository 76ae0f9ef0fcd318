//! Integer kernels of linear filters.
//!
//! A filter is a correlation: `out(x, y) = sum of weight(i, j) * in(x + i - rx, y + j - ry)`, with `i` counted to the right and
//! `j` downwards, as in image libraries (the kernel is not mirrored).

use crate::error::{Code, Error, Result};

/// The maximum number of rows and of columns of a kernel given weight by weight.
pub const MAX_SIDE: usize = 15;
/// The largest absolute weight.
pub const MAX_WEIGHT: i64 = 1 << 20;

/// A kernel with an odd number of rows and columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Every weight is `vertical[j] * horizontal[i]`: two short passes instead of one long pass.
    Separable {
        /// Weights from top to bottom.
        vertical: Vec<i64>,
        /// Weights from left to right.
        horizontal: Vec<i64>,
    },
    /// Any weights, row by row, all rows of the same length.
    Full(Vec<Vec<i64>>),
}

impl Kernel {
    /// Makes a kernel from its rows. Its centre is the weight in column `columns / 2` and row `rows / 2`, rounded down and
    /// counted from 0, as in `OpenCV`'s `filter2D` and `SciPy`'s `ndimage.correlate`. An even number of rows or columns is
    /// padded with zeros below or on the right.
    ///
    /// # Errors
    /// [`Code::BadFilter`] if it is empty, ragged, larger than 15 x 15, all zero, or has weights above 2^20.
    pub fn new(mut rows: Vec<Vec<i64>>) -> Result<Self> {
        let bad = |what: &str| Err(Error::new(Code::BadFilter, format!("the kernel {what}")));
        let columns = rows.first().map_or(0, Vec::len);
        if columns == 0 || rows.len() > MAX_SIDE || columns > MAX_SIDE {
            return bad("must have 1 to 15 rows and 1 to 15 columns");
        }
        if rows.iter().any(|row| row.len() != columns) {
            return bad("must have rows of equal length; separate weights by ',' and rows by ';'");
        }
        if rows.iter().flatten().any(|weight| weight.unsigned_abs() > MAX_WEIGHT.unsigned_abs()) {
            return bad("has a weight above 1048576");
        }
        if rows.iter().flatten().all(|&weight| weight == 0) {
            return bad("is all zero");
        }
        if columns.is_multiple_of(2) {
            for row in &mut rows {
                row.push(0);
            }
        }
        if rows.len().is_multiple_of(2) {
            rows.push(vec![0; rows[0].len()]);
        }
        Ok(factor(&rows).unwrap_or(Self::Full(rows)))
    }

    /// Makes a kernel of one weight.
    #[must_use]
    pub fn point(weight: i64) -> Self {
        Self::Separable { vertical: vec![1], horizontal: vec![weight] }
    }

    /// The horizontal and vertical reach in pixels.
    #[must_use]
    pub fn radius(&self) -> (u16, u16) {
        let half = |length: usize| u16::try_from(length / 2).unwrap_or(u16::MAX);
        match self {
            Self::Separable { vertical, horizontal } => (half(horizontal.len()), half(vertical.len())),
            Self::Full(rows) => (half(rows[0].len()), half(rows.len())),
        }
    }

    /// The weights, row by row.
    pub fn rows(&self) -> impl Iterator<Item = Vec<i64>> + '_ {
        let row = |index: usize| match self {
            Self::Separable { vertical, horizontal } => horizontal.iter().map(|w| w * vertical[index]).collect(),
            Self::Full(rows) => rows[index].clone(),
        };
        let count = match self {
            Self::Separable { vertical, .. } => vertical.len(),
            Self::Full(rows) => rows.len(),
        };
        (0..count).map(row)
    }

    /// The sum of the positive weights and the sum of the negative ones, negated.
    #[must_use]
    pub fn sums(&self) -> (i64, i64) {
        let sums = |weights: &mut dyn Iterator<Item = i64>| {
            weights.fold((0i64, 0i64), |(plus, minus), w| (plus + w.max(0), minus - w.min(0)))
        };
        match self {
            Self::Separable { vertical, horizontal } => {
                let (vp, vm) = sums(&mut vertical.iter().copied());
                let (hp, hm) = sums(&mut horizontal.iter().copied());
                (vp * hp + vm * hm, vp * hm + vm * hp)
            }
            Self::Full(rows) => sums(&mut rows.iter().flatten().copied()),
        }
    }
}

/// Splits a kernel of rank one into two integer vectors.
fn factor(rows: &[Vec<i64>]) -> Option<Kernel> {
    let first = rows.iter().find(|row| row.iter().any(|&w| w != 0))?;
    let common = first.iter().fold(0, |a, &b| num_integer::gcd(a, b));
    let horizontal: Vec<i64> = first.iter().map(|w| w / common).collect();
    let pivot = horizontal.iter().position(|&w| w != 0)?;
    let mut vertical = Vec::with_capacity(rows.len());
    for row in rows {
        let multiple = row[pivot] / horizontal[pivot];
        if row.iter().zip(&horizontal).any(|(&w, &h)| w != multiple * h) {
            return None;
        }
        vertical.push(multiple);
    }
    Some(Kernel::Separable { vertical, horizontal })
}

/// The sum of weights along one axis of a Gaussian of this radius: 4, 16, and from radius 3 the smallest power of two that is
/// at least `8 * (2 * radius + 1)`.
#[must_use]
pub fn gaussian_sum(radius: u16) -> i64 {
    match radius {
        0 => 1,
        1 => 4,
        2 => 16,
        _ => (8 * (2 * i64::from(radius) + 1)).unsigned_abs().next_power_of_two().cast_signed(),
    }
}

/// The weights of one axis of a Gaussian: with `g(i) = exp(-i^2 / (2 sigma^2))`, the weight at distance `i > 0` is
/// `sum * g(i) / (g(-radius) + ... + g(radius))` rounded half up, and the weight in the middle makes up the difference to
/// [`gaussian_sum`].
#[must_use]
pub fn gaussian_weights(sigma: f64, radius: u16) -> Vec<i64> {
    let sum = gaussian_sum(radius);
    let g = |i: u16| libm::exp(-f64::from(i).powi(2) / (2.0 * sigma * sigma));
    let total = g(0) + 2.0 * (1..=radius).map(g).sum::<f64>();
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "at most 2^15, and finite")]
    let side: Vec<i64> = (1..=radius).map(|i| (sum as f64 * g(i) / total + 0.5).floor() as i64).collect();
    let middle = sum - 2 * side.iter().sum::<i64>();
    side.iter().rev().copied().chain([middle]).chain(side.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_one_kernels_are_found() {
        let sobel = Kernel::new(vec![vec![-1, 0, 1], vec![-2, 0, 2], vec![-1, 0, 1]]).expect("kernel");
        assert_eq!(sobel, Kernel::Separable { vertical: vec![1, 2, 1], horizontal: vec![-1, 0, 1] });
        assert_eq!(sobel.sums(), (4, 4));
        let scaled = Kernel::new(vec![vec![0, 0], vec![6, 4], vec![9, 6]]).expect("kernel");
        assert_eq!(scaled, Kernel::Separable { vertical: vec![0, 2, 3], horizontal: vec![3, 2, 0] });
        let laplacian = Kernel::new(vec![vec![0, 1, 0], vec![1, -4, 1], vec![0, 1, 0]]).expect("kernel");
        assert!(matches!(laplacian, Kernel::Full(_)));
        assert_eq!(laplacian.sums(), (4, 4));
    }

    #[test]
    fn even_kernels_are_filled_up() {
        assert_eq!(Kernel::new(vec![vec![1, 2]]).expect("kernel").radius(), (1, 0));
    }

    #[test]
    fn gaussians_sum_to_a_power_of_two_and_fall_off() {
        assert_eq!(gaussian_weights(0.85, 1), [1, 2, 1]);
        assert_eq!(gaussian_weights(1.0, 2), [1, 4, 6, 4, 1]);
        for radius in 1..40u16 {
            for sigma in [0.3, 1.0, 2.5, 9.0, 40.0] {
                let weights = gaussian_weights(sigma, radius);
                assert_eq!(weights.iter().sum::<i64>(), gaussian_sum(radius));
                assert!(weights.iter().all(|&w| w >= 0), "{sigma} {radius} {weights:?}");
                assert!(weights.iter().eq(weights.iter().rev()));
            }
        }
    }

    #[test]
    fn hostile_kernels_are_refused() {
        for rows in [
            vec![],
            vec![vec![]],
            vec![vec![1], vec![1, 2]],
            vec![vec![0; 3]; 3],
            vec![vec![1; 16]],
            vec![vec![i64::MIN]],
        ] {
            assert_eq!(Kernel::new(rows).expect_err("bad").kind(), Code::BadFilter);
        }
    }
}
