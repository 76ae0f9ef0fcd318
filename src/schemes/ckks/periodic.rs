//! Products of encrypted vectors with matrices whose diagonals repeat, such as those of convolutions.
//!
//! A vector with period `p` is a polynomial in `X^(N / 2p)`. So it takes `2p` coefficients instead of `N`, a transform of degree
//! `2p`, and its values are the same on runs of `N / 2p` places: products with it are products with a factor for each run.
//!
//! The product is the sum, over the diagonals, of the diagonal times the vector rotated by its offset (S. Halevi, V. Shoup,
//! "Algorithms in `HElib`", CRYPTO 2014). Offsets are `row_step r + t`, for a range of rows `r` and of columns `t`. With
//! `t = 4 g + j`, the vector is rotated by all `row_step r + j`, one after the other, and the sums over these by `4 g`, with
//! Horner's scheme. This takes the keys for three rotations: by `row_step`, 1 and 4.
//!
//! Offsets start at zero. The caller moves the origin of the vector instead, which costs nothing if the diagonals repeat.

use num_complex::Complex64;

use super::ciphertext::Ciphertext;
use super::encode::Encoder;
use super::evaluator::Evaluator;
use super::ring::{Poly, Ring, SmallTransform};
use crate::error::{Code, Error, Result};
use crate::math::parallel;

/// The number of columns that are summed before each rotation of Horner's scheme, and its number of steps.
pub const COLUMNS: usize = 4;

/// Words for the transformed diagonals of a few groups of columns.
const MOST_WORDS: usize = 1 << 22;

/// The offsets of a matrix's diagonals: `row_step r + t` for `r < rows` and `t < columns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offsets {
    /// The number of rows.
    pub rows: usize,
    /// The slots between two rows.
    pub row_step: usize,
    /// The number of columns.
    pub columns: usize,
}

impl Offsets {
    /// The groups of columns.
    #[must_use]
    pub const fn groups(&self) -> usize {
        self.columns.div_ceil(COLUMNS)
    }

    /// The number of rotations of the vector, before the sums, including that by 0.
    #[must_use]
    pub const fn babies(&self) -> usize {
        let columns = if self.columns < COLUMNS { self.columns } else { COLUMNS };
        self.rows * columns
    }

    /// The steps of the rotations whose keys are needed.
    #[must_use]
    pub fn steps(&self) -> Vec<usize> {
        let steps = [(self.row_step, self.rows > 1), (1, self.columns > 1), (COLUMNS, self.groups() > 1)];
        steps.into_iter().filter(|(_, needed)| *needed).map(|(step, _)| step).collect()
    }

    /// The memory in bytes for diagonals of this period.
    #[must_use]
    pub const fn memory(&self, period: usize) -> usize {
        self.groups() * self.babies() * 2 * period * size_of::<i32>()
    }

    /// The number of rotations.
    #[must_use]
    pub const fn rotations(&self) -> usize {
        self.babies() - 1 + self.groups() - 1
    }
}

/// A matrix whose diagonals have the period `period`, encoded for ciphertexts of any level.
pub struct PeriodicMatrix {
    offsets: Offsets,
    period: usize,
    scale: f64,
    /// For each group of columns, each row, and each column of the group: the coefficients of the diagonal, `2 period` numbers.
    coefficients: Vec<i32>,
}

impl PeriodicMatrix {
    /// Encodes a matrix at this scale. `diagonal(r, t)` returns the `period` numbers of a diagonal: its entries in the first
    /// rows of the matrix. The period must be a power of two of at least 8 whose runs have at least 8 places.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for another period; [`Code::PlaintextOutOfRange`] for numbers that are not finite or too large for
    /// the scale.
    pub fn new(
        ring: &Ring,
        encoder: &Encoder,
        offsets: Offsets,
        period: usize,
        scale: f64,
        diagonal: impl Fn(usize, usize) -> Vec<f64> + Sync + Send,
    ) -> Result<Self> {
        if !period.is_power_of_two() || period < 8 || period * 2 * 8 > ring.degree() {
            let message = format!("a period of {period} slots is not supported in this ring");
            return Err(Error::new(Code::BadArgument, message));
        }
        let babies = offsets.babies();
        let per_row = babies / offsets.rows.max(1);
        let encoded = parallel::map(offsets.groups() * babies, |number| {
            let (group, row, column) = (number / babies, number % babies / per_row, number % per_row);
            let (giant, column) = (COLUMNS * group, COLUMNS * group + column);
            if column >= offsets.columns {
                return Ok(vec![0; 2 * period]);
            }
            let mut numbers = diagonal(row, column);
            numbers.resize(period, 0.0);
            // Rotated back, to compensate for the rotation that follows.
            numbers.rotate_right(giant % period);
            encoder.small_coefficients(&numbers, scale)
        });
        let coefficients = encoded.into_iter().collect::<Result<Vec<_>>>()?.concat();
        Ok(Self { offsets, period, scale, coefficients })
    }

    /// Its memory in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of_val(&*self.coefficients)
    }

    /// The transformed diagonals of some groups modulo the prime `q`, which is that of the transform: for each run, each group and each baby, one factor.
    fn factors(&self, q: u64, transform: &SmallTransform, groups: std::ops::Range<usize>, out: &mut [u64]) {
        let (width, babies) = (2 * self.period, self.offsets.babies());
        let row = groups.len() * babies;
        let diagonals =
            self.coefficients[groups.start * babies * width..groups.end * babies * width].chunks_exact(width);
        let mut values = vec![0; width];
        for (number, coefficients) in diagonals.enumerate() {
            for (value, &coefficient) in values.iter_mut().zip(coefficients) {
                // The sign's bits, all ones or zeros, without a branch.
                let sign = i64::from(coefficient >> 31).cast_unsigned();
                *value = i64::from(coefficient).cast_unsigned().wrapping_add(q & sign);
            }
            transform.forward(&mut values);
            for (run, &value) in values.iter().enumerate() {
                out[run * row + number] = value;
            }
        }
    }
}

impl Encoder {
    /// The coefficients of a vector that repeats these numbers, times the scale: for each number, first the real and then the
    /// imaginary coefficients of a polynomial in `X^(N / 2p)`.
    fn small_coefficients(&self, numbers: &[f64], scale: f64) -> Result<Vec<i32>> {
        let mut values: Vec<_> = numbers.iter().map(|&number| Complex64::from(number)).collect();
        self.to_coefficients(&mut values);
        let small = |number: f64| {
            let number = (number * scale).round_ties_even();
            #[expect(clippy::cast_possible_truncation, reason = "the size is checked")]
            let small = (number.abs() < f64::from(i32::MAX)).then_some(number as i32);
            small.ok_or_else(|| Error::new(Code::PlaintextOutOfRange, "a weight is infinite, NaN, or too large"))
        };
        values.iter().map(|value| value.re).chain(values.iter().map(|value| value.im)).map(small).collect()
    }
}

impl Evaluator {
    /// The product of a matrix with an encrypted vector of any number of slots that is a multiple of the matrix's period. The
    /// scales are multiplied; [`Evaluator::rescale`] divides the result again. `step` is called after each of
    /// [`Offsets::rotations`], and can stop the work.
    ///
    /// # Errors
    /// [`Code::MissingKey`] without the rotations' keys; [`Code::VectorsDiffer`] for fewer slots than the period.
    pub fn apply_periodic(
        &self,
        matrix: &PeriodicMatrix,
        a: &Ciphertext,
        step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Ciphertext> {
        if a.slots < matrix.period {
            let message = format!("the matrix has a period of {}, but the ciphertext {} slots", matrix.period, a.slots);
            return Err(Error::new(Code::VectorsDiffer, message));
        }
        let babies = self.babies(&matrix.offsets, a, step)?;
        let of_group = babies.len() * 2 * matrix.period * (a.level + 1);
        let at_once = (MOST_WORDS / of_group).max(1);
        let mut total: Option<Ciphertext> = None;
        let mut end = matrix.offsets.groups();
        while end > 0 {
            let start = end.saturating_sub(at_once);
            for sums in self.sums_of_groups(matrix, &babies, start..end)?.into_iter().rev() {
                let sums = a.with(sums, a.level, a.scale * matrix.scale);
                total = Some(match total {
                    None => sums,
                    Some(total) => {
                        let turned = self.rotate(&total, steps(COLUMNS))?;
                        step()?;
                        self.add(&turned, &sums)?
                    }
                });
            }
            end = start;
        }
        total.ok_or_else(|| Error::new(Code::Internal, "a matrix has no diagonals"))
    }

    /// The rotations by `row_step r + j`, row after row.
    fn babies(
        &self,
        offsets: &Offsets,
        a: &Ciphertext,
        step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Vec<Ciphertext>> {
        let mut babies = Vec::with_capacity(offsets.babies());
        let mut row = a.clone();
        for number in 0..offsets.rows {
            if number > 0 {
                row = self.rotate(&row, steps(offsets.row_step))?;
                step()?;
            }
            babies.push(row.clone());
            for _ in 1..offsets.babies() / offsets.rows {
                babies.push(self.rotate(&babies[babies.len() - 1], 1)?);
                step()?;
            }
        }
        Ok(babies)
    }

    /// For each group, the sum of the products of its diagonals with the rotated vectors.
    fn sums_of_groups(
        &self,
        matrix: &PeriodicMatrix,
        babies: &[Ciphertext],
        groups: std::ops::Range<usize>,
    ) -> Result<Vec<[Poly; 2]>> {
        let ring = &*self.ring;
        let (degree, level) = (ring.degree(), babies[0].level);
        let basis = ring.level(level);
        let (runs, run) = (2 * matrix.period, degree / (2 * matrix.period));
        let row = groups.len() * babies.len();
        let transforms = parallel::map(basis.count, |i| ring.small_transform(basis.first + i, runs));
        let transforms = transforms.into_iter().collect::<Result<Vec<_>>>()?;
        let mut factors = ring.room(basis.count * runs * row);
        parallel::each(&mut factors, runs * row, |i, factors| {
            let q = ring.limb(basis.first + i).prime().value();
            matrix.factors(q, &transforms[i], groups.clone(), factors);
        });
        // Pieces of limbs, so that all cores have work even at low levels.
        let pieces = if runs < 4 { 1 } else { 4 };
        let (runs, length) = (runs / pieces, degree / pieces);
        let mut words = ring.room(2 * groups.len() * basis.count * degree);
        parallel::each(&mut words, 2 * groups.len() * length, |number, out| {
            let (place, piece) = (basis.first + number / pieces, number % pieces);
            let inputs: Vec<[&[u64]; 2]> = babies
                .iter()
                .map(|baby| [0, 1].map(|half: usize| &baby.parts[half].limb(place)[piece * length..][..length]))
                .collect();
            let mut sums: Vec<[&mut [u64]; 2]> = out
                .chunks_exact_mut(2 * length)
                .map(|pair| {
                    let (first, second) = pair.split_at_mut(length);
                    [first, second]
                })
                .collect();
            let factors = &factors[(number * runs) * row..][..runs * row];
            ring.limb(place).run_sums(&mut sums, &inputs, factors, run);
        });
        let poly = |group: usize, half: usize| {
            Poly::from_values(ring, basis, |place, limb| {
                for (piece, limb) in limb.chunks_exact_mut(length).enumerate() {
                    let number = (place - basis.first) * pieces + piece;
                    limb.copy_from_slice(&words[((number * groups.len() + group) * 2 + half) * length..][..length]);
                }
            })
        };
        Ok((0..groups.len()).map(|group| [poly(group, 0), poly(group, 1)]).collect())
    }
}

/// A number of slots as steps.
pub(crate) const fn steps(slots: usize) -> i64 {
    slots.cast_signed() as i64
}

#[cfg(all(test, feature = "client"))]
mod tests;
