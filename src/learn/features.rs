//! Rows of 8-bit samples, standardised: every column has mean 0 and deviation 1 over the training set.

#![expect(clippy::cast_precision_loss, reason = "counts and sums of samples are far below 2^52")]

use crate::error::{Code, Error, Result};

/// A matrix, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// Makes a matrix of rows of equal length.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the values do not form complete rows, or one is not finite.
    pub fn new(columns: usize, values: Vec<f64>) -> Result<Self> {
        if columns == 0 || values.is_empty() || !values.len().is_multiple_of(columns) {
            let message = format!("{} numbers are not whole rows of {columns}", values.len());
            return Err(Error::new(Code::BadArgument, message));
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(Error::new(Code::BadArgument, "a value is infinite or NaN; check the data"));
        }
        Ok(Self { columns, values })
    }

    /// The number of columns.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// One row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }
}

/// The maximum number of rows of a training set, so that no sum overflows.
const MOST_ROWS: i64 = 1_000_000;

/// The statistics of the training set for standardisation.
///
/// Sums are stored as integers, so that negating a column (`p` to `255 - p`) negates its standardised values and changes
/// nothing else, to the last bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standardiser {
    count: i64,
    /// For each column: the sum, and `count` times the sum of squares minus the square of the sum.
    sums: Vec<(i64, i64)>,
}

impl Standardiser {
    /// Computes the statistics of a training set.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if there is no row, the rows differ in length, or there are more than a million of them.
    pub fn fit<R: AsRef<[u8]>>(rows: &[R]) -> Result<Self> {
        let first = rows.first().map(AsRef::as_ref).unwrap_or_default();
        let same = rows.iter().all(|row| row.as_ref().len() == first.len());
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if first.is_empty() || !same || count > MOST_ROWS {
            return Err(Error::new(Code::BadArgument, "training needs at least one picture, and all of the same size"));
        }
        let mut sums = vec![(0i64, 0i64); first.len()];
        for row in rows {
            for ((sum, squares), &sample) in sums.iter_mut().zip(row.as_ref()) {
                let sample = i64::from(sample);
                *sum += sample;
                *squares += sample * sample;
            }
        }
        for (sum, squares) in &mut sums {
            *squares = count * *squares - *sum * *sum;
        }
        Ok(Self { count, sums })
    }

    /// Makes a standardiser from its statistics; see [`Self::count`] and [`Self::sums`].
    ///
    /// # Errors
    /// [`Code::BadHeader`] if no training set can have them.
    pub fn from_parts(count: u64, sums: Vec<(i64, i64)>) -> Result<Self> {
        let bad = || Error::new(Code::BadHeader, "the model's means and deviations are impossible");
        let count = i64::try_from(count).ok().filter(|count| (1..=MOST_ROWS).contains(count)).ok_or_else(bad)?;
        let possible = |&(sum, spread): &(i64, i64)| {
            (0..=255 * count).contains(&sum) && (0..=255 * count * 255 * count).contains(&spread)
        };
        if sums.is_empty() || !sums.iter().all(possible) {
            return Err(bad());
        }
        Ok(Self { count, sums })
    }

    /// The number of rows of the training set.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count.unsigned_abs()
    }

    /// The number of columns.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.sums.len()
    }

    /// For each column of the training set: the sum, and `count` times the sum of squares minus the square of the sum.
    #[must_use]
    pub fn sums(&self) -> &[(i64, i64)] {
        &self.sums
    }

    /// Standardises rows of samples. Columns that never changed in the training set become 0.
    ///
    /// # Errors
    /// [`Code::ImagesDiffer`] if a row has another length than those of the training set.
    pub fn apply<R: AsRef<[u8]>>(&self, rows: &[R]) -> Result<Matrix> {
        let deviations: Vec<f64> = self.sums.iter().map(|&(_, spread)| (spread as f64).sqrt()).collect();
        let mut values = Vec::with_capacity(rows.len() * self.sums.len());
        for row in rows {
            let row = row.as_ref();
            if row.len() != self.sums.len() {
                let message =
                    format!("a picture has {} samples, but the model was made for {}", row.len(), self.sums.len());
                return Err(Error::new(Code::ImagesDiffer, message));
            }
            values.extend(self.sums.iter().zip(&deviations).zip(row).map(|((&(sum, spread), deviation), &sample)| {
                let centred = self.count * i64::from(sample) - sum;
                if spread == 0 { 0.0 } else { centred as f64 / deviation }
            }));
        }
        Matrix::new(self.sums.len(), values)
    }
}
