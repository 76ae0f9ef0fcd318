//! Kernels: how alike two rows are.

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
        /// How fast likeness falls with distance.
        gamma: f64,
    },
    /// `(gamma x . y + shift)^degree`
    Polynomial {
        /// The power, at least 1.
        degree: u32,
        /// What inner products are multiplied by.
        gamma: f64,
        /// What is added to them.
        shift: f64,
    },
}

/// The kinds of kernels, without their numbers.
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
    /// The kernel for standardised rows of so many numbers. Without `gamma` it is one divided by that number, as usual.
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
            Self::Linear => dot(x, y),
            Self::Gaussian { gamma } => {
                let distance: f64 = x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum();
                (-gamma * distance).exp()
            }
            Self::Polynomial { degree, gamma, shift } => {
                (gamma * dot(x, y) + shift).powi(i32::try_from(degree).unwrap_or(i32::MAX))
            }
        }
    }

    /// The kernel of each row with each, as [`Self::table`] gives it, in half the time: it is the same both ways round.
    #[must_use]
    pub fn gram(&self, rows: &Matrix) -> Vec<Vec<f64>> {
        let count = rows.rows();
        let mut table: Vec<Vec<f64>> =
            (0..count).into_par_iter().map(|i| (0..=i).map(|j| self.of(rows.row(i), rows.row(j))).collect()).collect();
        for i in 0..count {
            let mirrored: Vec<f64> = table[i + 1..].iter().map(|row| row[i]).collect();
            table[i].extend(mirrored);
        }
        table
    }

    /// The kernel of each row of `a` with each of `b`: a table with a row for each row of `a`.
    #[must_use]
    pub fn table(&self, a: &Matrix, b: &Matrix) -> Vec<Vec<f64>> {
        (0..a.rows()).into_par_iter().map(|i| (0..b.rows()).map(|j| self.of(a.row(i), b.row(j))).collect()).collect()
    }
}
