//! Kernels: how alike two rows are.

use rayon::prelude::*;

use super::features::Matrix;

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

    /// The kernel of each row of `a` with each of `b`: a table with a row for each row of `a`.
    #[must_use]
    pub fn table(&self, a: &Matrix, b: &Matrix) -> Vec<Vec<f64>> {
        (0..a.rows()).into_par_iter().map(|i| (0..b.rows()).map(|j| self.of(a.row(i), b.row(j))).collect()).collect()
    }
}

/// The sum of products in four parts, which lets the processor add four at a time. Always in the same order.
fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (x8, x_rest) = x.as_chunks::<8>();
    let (y8, y_rest) = y.as_chunks::<8>();
    for (x, y) in x8.iter().zip(y8) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f64>() + x_rest.iter().zip(y_rest).map(|(a, b)| a * b).sum::<f64>()
}
