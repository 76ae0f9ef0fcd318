//! Products of matrices and encrypted vectors, by diagonals.
//!
//! The product of a matrix with a vector is the sum, over its diagonals, of the diagonal times the vector rotated by its index
//! (S. Halevi, V. Shoup, "Algorithms in `HElib`", CRYPTO 2014). With `d = g n + b` ("giant" and "baby" steps) the vector is
//! rotated by all `b` once, hoisted, and each sum over `b` by `g n`; neither the first rotations nor the last sums are divided
//! by the special primes one by one (J.-P. Bossuat, C. Mouchet, J. Troncoso-Pastoriza, J.-P. Hubaux, "Efficient bootstrapping
//! for approximate homomorphic encryption with non-sparse keys", EUROCRYPT 2021, algorithm 6).

use std::collections::BTreeMap;

use super::ciphertext::Ciphertext;
use super::evaluator::Evaluator;
use super::matrix::Matrix;
use super::ring::{Poly, Ring, rotation};
use super::switch::{Raised, divide, divide_both};
use crate::error::{Code, Error, Result};

/// A matrix encoded for ciphertexts at one level.
pub struct EncodedMatrix {
    slots: usize,
    level: usize,
    special: usize,
    scale: f64,
    /// For each giant step (in slots) and each baby step: the diagonal, rotated back by the giant step, modulo the level's
    /// primes and `special` special primes.
    diagonals: BTreeMap<i64, BTreeMap<i64, Poly>>,
}

impl Evaluator {
    /// Encodes a matrix for ciphertexts at `level`, with the scale that rescaling removes.
    ///
    /// The keys for the rotations must be for this level, or for one with the same number of special primes.
    ///
    /// # Errors
    /// [`Code::LevelExhausted`] for level 0; [`Code::PlaintextOutOfRange`] for entries that are not finite or too large.
    pub fn encode_matrix(&self, matrix: &Matrix, level: usize) -> Result<EncodedMatrix> {
        if level == 0 {
            return Err(self.exhausted("a matrix"));
        }
        self.encode_matrix_at(matrix, level, self.ring.divisor(level))
    }

    /// Like [`Evaluator::encode_matrix`], with any scale.
    pub(super) fn encode_matrix_at(&self, matrix: &Matrix, level: usize, scale: f64) -> Result<EncodedMatrix> {
        let (ring, n) = (&self.ring, matrix.baby_steps());
        let special = ring.special_for(level);
        let mut diagonals: BTreeMap<i64, BTreeMap<i64, Poly>> = BTreeMap::new();
        for (&d, numbers) in &matrix.diagonals {
            let giant = d / n * n;
            let mut numbers = numbers.clone();
            numbers.rotate_right(giant);
            let poly = self.encoder.polynomial(ring, &numbers, matrix.slots, ring.extended(level, special), scale)?;
            let step = |step: usize| step.cast_signed() as i64;
            diagonals.entry(step(giant)).or_default().insert(step(d % n), poly);
        }
        Ok(EncodedMatrix { slots: matrix.slots, level, special, scale, diagonals })
    }

    /// The matrix times the vector. The scales are multiplied; [`Evaluator::rescale`] restores the scale.
    ///
    /// # Errors
    /// [`Code::VectorsDiffer`] for another level or number of slots; [`Code::MissingKey`] without the rotations' keys.
    pub fn apply(&self, matrix: &EncodedMatrix, a: &Ciphertext) -> Result<Ciphertext> {
        if (a.level, a.slots) != (matrix.level, matrix.slots) {
            let message = format!(
                "the matrix is for level {} and {} slots, but the ciphertext has level {} and {} slots",
                matrix.level, matrix.slots, a.level, a.slots
            );
            return Err(Error::new(Code::VectorsDiffer, message));
        }
        let (ring, level, special) = (&*self.ring, matrix.level, matrix.special);
        let key = |step: i64| {
            let element = rotation(ring.degree(), step);
            // All sums are modulo the same primes.
            let keys = self.keys.galois.get(&element).into_iter().flatten();
            let missing = || {
                let message = format!("there is no key for rotations by {step} steps for level {level}");
                Error::new(Code::MissingKey, message)
            };
            let key = keys.filter(|key| key.special == special && key.level >= level).min_by_key(|key| key.level);
            Ok::<_, Error>((element, key.ok_or_else(missing)?))
        };
        let raised = Raised::new(ring, &a.parts[1], level, special);
        let mut babies: BTreeMap<i64, [Poly; 2]> = BTreeMap::new();
        for &step in matrix.diagonals.values().flat_map(BTreeMap::keys) {
            if babies.contains_key(&step) {
                continue;
            }
            let turned = if step == 0 {
                [raise(ring, &a.parts[0], level, special), raise(ring, &a.parts[1], level, special)]
            } else {
                let (element, key) = key(step)?;
                raised.turned(ring, key, element, |place, limb| add_raised(ring, &a.parts[0], special, place, limb))
            };
            babies.insert(step, turned);
        }
        let zero = || Poly::zero(ring, ring.extended(level, special));
        let mut total = [zero(), zero()];
        for (&giant, row) in &matrix.diagonals {
            let sums = Poly::pair(ring, ring.extended(level, special), |place, first, second| {
                let terms = row.iter().map(|(step, diagonal)| {
                    let [b, a] = &babies[step];
                    [diagonal, b, a].map(|poly| poly.limb(place))
                });
                ring.limb(place).dot([first, second], &terms.collect::<Vec<_>>());
            });
            if giant == 0 {
                total.iter_mut().zip(&sums).for_each(|(total, sum)| total.add(ring, sum));
                continue;
            }
            let (element, key) = key(giant)?;
            let second = divide(ring, &sums[1], level);
            let add = |place: usize, limb: &mut [u64]| ring.limb(place).add(limb, sums[0].limb(place));
            let turned = Raised::new(ring, &second, level, special).turned(ring, key, element, add);
            total.iter_mut().zip(&turned).for_each(|(total, turned)| total.add(ring, turned));
        }
        let parts = divide_both(ring, &total, level);
        Ok(a.with(parts, level, a.scale * matrix.scale))
    }
}

/// A polynomial times the special primes, modulo the level's primes and the special ones. Modulo the latter, it is zero.
fn raise(ring: &Ring, poly: &Poly, level: usize, special: usize) -> Poly {
    Poly::from_values(ring, ring.extended(level, special), |place, limb| {
        limb.fill(0);
        add_raised(ring, poly, special, place, limb);
    })
}

/// Adds a polynomial, times the special primes, to the limb at a place.
fn add_raised(ring: &Ring, poly: &Poly, special: usize, place: usize, limb: &mut [u64]) {
    if poly.basis().places().contains(&place) {
        let factor = ring.product(ring.special(ring.extended(0, special)), place);
        ring.limb(place).scale_add(limb, poly.limb(place), factor);
    }
}
