//! Many inverses with one division: three products for each.

use num_bigint::BigUint;
use num_traits::One as _;

use crate::error::Result;
use crate::math::pair::{Batch, PairModulus};
use crate::math::parallel;
use crate::schemes::paillier::PublicKey;
use crate::schemes::paillier::key::not_unit;

/// The number of batches that justifies another division, which gives another core something to do.
const WORTH_A_DIVISION: usize = 48;

/// The inverses of all numbers.
///
/// # Errors
/// [`Code::CiphertextNotUnit`](crate::error::Code::CiphertextNotUnit) if a number has no inverse.
pub(super) fn all(key: &PublicKey, batches: &[&Batch]) -> Result<Vec<Batch>> {
    let parts: Vec<_> = batches.chunks(WORTH_A_DIVISION.max(batches.len().div_ceil(8))).collect();
    let inverted = parallel::map(parts.len(), |part| together(key, parts[part]));
    Ok(inverted.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Inverts all numbers with one division.
fn together(key: &PublicKey, batches: &[&Batch]) -> Result<Vec<Batch>> {
    let pairs = key.pairs();
    // before[k] is the product of the first k batches, lane by lane.
    let mut before = vec![pairs.one().clone()];
    for batch in batches {
        let mut next = pairs.empty();
        pairs.mul(&mut next, &before[before.len() - 1], batch);
        before.push(next);
    }
    let mut inverse = lanes(key, pairs, &before[batches.len()])?;
    let mut inverses = Vec::with_capacity(batches.len());
    for (batch, before) in batches.iter().zip(&before).rev() {
        let mut single = pairs.empty();
        pairs.mul(&mut single, &inverse, before);
        inverses.push(single);
        pairs.mul_assign(&mut inverse, batch);
    }
    inverses.reverse();
    Ok(inverses)
}

/// The inverse of each lane.
fn lanes(key: &PublicKey, pairs: &PairModulus, batch: &Batch) -> Result<Batch> {
    let squared = key.n() * key.n();
    let lanes = pairs.leave(batch);
    let mut before = vec![BigUint::one()];
    for lane in &lanes {
        before.push(&before[before.len() - 1] * lane % &squared);
    }
    let mut inverse = before[lanes.len()].modinv(&squared).ok_or_else(not_unit)?;
    let mut inverses = Vec::with_capacity(lanes.len());
    for (lane, before) in lanes.iter().zip(&before).rev() {
        inverses.push(&inverse * before % &squared);
        inverse = inverse * lane % &squared;
    }
    inverses.reverse();
    Ok(pairs.enter_numbers(&inverses))
}
