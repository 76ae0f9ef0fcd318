//! Kernels: the similarity of two rows.

use rayon::prelude::*;

use super::features::Matrix;
use crate::math::dot::dot;

/// A kernel function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kernel {
    /// `x . y`
    Linear,
    /// `exp(-gamma |x - y|^2)`
    Gaussian {
        /// How fast similarity falls with distance.
        gamma: f64,
    },
    /// `(gamma x . y + shift)^degree`
    Polynomial {
        /// The power, at least 1.
        degree: u32,
        /// The factor of the inner products.
        gamma: f64,
        /// The constant added to the inner products.
        shift: f64,
    },
}

/// The kinds of kernels, without their parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// [`Kernel::Linear`]
    Linear,
    /// [`Kernel::Gaussian`]
    Gaussian,
    /// [`Kernel::Polynomial`], of degree 3 with shift 0
    Polynomial,
}

impl Family {
    /// The name in tables and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Gaussian => "rbf",
            Self::Polynomial => "poly",
        }
    }

    /// The kernel for standardised rows of `columns` numbers. By default, `gamma` is `1 / columns`, as usual.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "columns are counted in thousands")]
    pub fn kernel(self, columns: usize, gamma: Option<f64>) -> Kernel {
        let gamma = gamma.unwrap_or(1.0 / columns as f64);
        match self {
            Self::Linear => Kernel::Linear,
            Self::Gaussian => Kernel::Gaussian { gamma },
            Self::Polynomial => Kernel::Polynomial { degree: 3, gamma, shift: 0.0 },
        }
    }
}

impl Kernel {
    /// The kernel of two rows.
    #[must_use]
    pub fn of(&self, x: &[f64], y: &[f64]) -> f64 {
        match *self {
            Self::Gaussian { gamma } => {
                let distance: f64 = x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum();
                libm::exp(-gamma * distance)
            }
            Self::Linear | Self::Polynomial { .. } => self.of_products(dot(x, y), 0.0, 0.0),
        }
    }

    /// The kernel of two rows, from their inner product and the inner product of each with itself. For the Gaussian kernel, the
    /// last bits may differ from those of [`Self::of`].
    #[must_use]
    pub fn of_products(&self, product: f64, x: f64, y: f64) -> f64 {
        match *self {
            Self::Linear => product,
            // Rounding must not make the distance negative.
            Self::Gaussian { gamma } => libm::exp(-gamma * (x + y - 2.0 * product).max(0.0)),
            Self::Polynomial { degree, gamma, shift } => {
                (gamma * product + shift).powi(i32::try_from(degree).unwrap_or(i32::MAX))
            }
        }
    }

    /// The kernels of all pairs of rows, as from [`Self::table`], in half the time, because the table is symmetric.
    #[must_use]
    pub fn gram(&self, rows: &Matrix) -> Vec<Vec<f64>> {
        let mut table = by_groups(rows.rows(), |i| i + 1, |i, j| self.of(rows.row(i), rows.row(j)));
        for i in 0..table.len() {
            let mirrored: Vec<f64> = table[i + 1..].iter().map(|row| row[i]).collect();
            table[i].extend(mirrored);
        }
        table
    }

    /// The kernels of each row of `a` with each row of `b`: a table with one row per row of `a`.
    #[must_use]
    pub fn table(&self, a: &Matrix, b: &Matrix) -> Vec<Vec<f64>> {
        by_groups(a.rows(), |_| b.rows(), |i, j| self.of(a.row(i), b.row(j)))
    }
}

/// A table of `count` rows. Row `i` has `length(i)` numbers, which never decreases. A few rows are computed at a time, column
/// by column, so that the data of a column are fetched from memory once for all of them.
fn by_groups(
    count: usize,
    length: impl Fn(usize) -> usize + Sync,
    number: impl Fn(usize, usize) -> f64 + Sync,
) -> Vec<Vec<f64>> {
    const GROUP: usize = 8;
    let group = |first: usize| {
        let last = count.min(first + GROUP) - 1;
        let mut rows: Vec<Vec<f64>> = (first..=last).map(|i| Vec::with_capacity(length(i))).collect();
        for j in 0..length(last) {
            for (i, row) in (first..).zip(&mut rows) {
                if j < length(i) {
                    row.push(number(i, j));
                }
            }
        }
        rows
    };
    (0..count).step_by(GROUP).collect::<Vec<_>>().into_par_iter().flat_map_iter(group).collect()
}
