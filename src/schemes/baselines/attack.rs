//! Recovering scrambled pictures without the key.
//!
//! * [`known`]: with a photo and its scrambled picture, an attacker finds the plan, and recovers all pictures under that key.
//! * [`see`]: an attacker sees only a scrambled picture.
//!
//! Chang, Case, "Attacks on Image Encryption Schemes for Privacy-Preserving Deep Neural Networks" (2020) showed both kinds
//! for [`le`] and [`pe`](super::pe); the methods here are ours.

mod ciphertext;

pub use ciphertext::see;

use rayon::prelude::*;

use super::{Plan, Scheme, Step, check, le, shape};
use crate::error::{Code, Error, Result};
use crate::schemes::etc::Sheet;
use crate::schemes::etc::scramble::ORDERS;

/// The number of clear blocks to consider for each scrambled one.
const CANDIDATES: usize = 8;

/// A plan found from pairs.
pub struct Found {
    /// The plan, one of several if the pairs leave a choice.
    pub plan: Plan,
    /// The share of values for which the pairs leave a choice, between 0 and 1. A choice between values that are always equal,
    /// as in a flat sky, costs little.
    pub ambiguous: f64,
}

/// Finds the plan from clear sheets and their scrambled ones under one key.
///
/// # Errors
/// [`Code::BadArgument`] if there is no pair, [`Code::ImagesDiffer`] if the sheets differ in size or the scheme cannot scramble
/// them.
pub fn known(scheme: Scheme, pairs: &[(Sheet, Sheet)]) -> Result<Found> {
    let (first, _) = pairs
        .first()
        .ok_or_else(|| Error::new(Code::BadArgument, "this attack needs a photo and its scrambled picture"))?;
    check(scheme, first)?;
    let shape = shape(first);
    if pairs.iter().any(|(clear, scrambled)| super::shape(clear) != shape || super::shape(scrambled) != shape) {
        return Err(Error::new(Code::ImagesDiffer, "the photos and their pictures must all have the same size"));
    }
    let pairs: Vec<Values> = pairs.iter().map(|(a, b)| [scheme.values(a), scheme.values(b)]).collect();
    let greatest = scheme.greatest();
    let groups = match scheme {
        Scheme::Le => of_one_key(shape, &pairs),
        Scheme::Ele => of_own_keys(shape, &pairs),
        Scheme::Pe => of_pixels(shape, &pairs, greatest),
    };
    let mut steps = vec![Step::default(); pairs[0][0].len()];
    let mut ambiguous = 0;
    for (from, to, found) in groups {
        for (to, step) in to.iter().zip(&found.steps) {
            steps[*to as usize] = Step { from: from[step.from as usize], ..*step };
        }
        ambiguous += found.ambiguous;
    }
    #[expect(clippy::cast_precision_loss, reason = "values are counted in millions")]
    let ambiguous = ambiguous as f64 / steps.len() as f64;
    Ok(Found { plan: Plan { scheme, shape, steps }, ambiguous })
}

/// The values of a clear sheet, and those of the scrambled one.
type Values = [Vec<u8>; 2];
/// The indices of values that stay together, in the clear sheet and in the scrambled one, and how they match.
type Group = (Vec<u32>, Vec<u32>, Matched);

/// Matches values if all blocks share the key, so that each block shows something of it.
fn of_one_key(shape: [usize; 3], pairs: &[Values]) -> Vec<Group> {
    let blocks: Vec<Vec<u32>> = (0..le::blocks(shape)).map(|block| le::values(shape, block)).collect();
    let rows = |side: usize| {
        let row = |place: usize| {
            let of_pair =
                |pair: &Values| blocks.iter().map(|block| pair[side][block[place] as usize]).collect::<Vec<u8>>();
            pairs.iter().flat_map(of_pair).collect()
        };
        (0..blocks[0].len()).map(row).collect::<Vec<Vec<u8>>>()
    };
    let found = matched(&rows(0), &rows(1), 15);
    blocks.into_iter().map(|block| (block.clone(), block, found.clone())).collect()
}

/// Matches values if each block has its own key and its own place. The places are found first, by the counts of values, which
/// no shuffling changes.
fn of_own_keys(shape: [usize; 3], pairs: &[Values]) -> Vec<Group> {
    let blocks: Vec<Vec<u32>> = (0..le::blocks(shape)).map(|block| le::values(shape, block)).collect();
    let counts = |side: usize| {
        let count = |block: &Vec<u32>| {
            let mut counts = vec![0u8; 8 * pairs.len()];
            for (pair, counts) in pairs.iter().zip(counts.chunks_exact_mut(8)) {
                for &value in block {
                    // Ignore reversal.
                    let value = pair[side][value as usize];
                    counts[usize::from(value.min(15 - value))] += 1;
                }
            }
            counts
        };
        blocks.iter().map(count).collect::<Vec<_>>()
    };
    let (clear, scrambled) = (counts(0), counts(1));
    let rows = |side: usize, block: usize| {
        let row = |&value: &u32| pairs.iter().map(|pair| pair[side][value as usize]).collect();
        blocks[block].iter().map(row).collect::<Vec<Vec<u8>>>()
    };
    let mut choices: Vec<(u64, usize, usize)> = (0..blocks.len())
        .into_par_iter()
        .flat_map_iter(|to| {
            let distance = |from: usize| {
                scrambled[to].iter().zip(&clear[from]).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>()
            };
            let mut best: Vec<(u64, usize)> = (0..blocks.len()).map(|from| (distance(from), from)).collect();
            best.sort_unstable();
            best.truncate(CANDIDATES);
            // If the counts leave a choice, compare how well the values fit.
            let tie = best.len() > 1 && best[0].0 == best[1].0;
            let fits = best.into_iter().map(move |(distance, from)| {
                let misfit = if tie { matched(&rows(0, from), &rows(1, to), 15).misfit } else { 0 };
                (distance << 32 | misfit.min(u64::from(u32::MAX)), to, from)
            });
            fits.collect::<Vec<_>>()
        })
        .collect();
    choices.sort_unstable();
    let origins = assigned(blocks.len(), choices.into_iter().map(|(_, to, from)| (to, from)));
    origins
        .into_par_iter()
        .enumerate()
        .map(|(to, from)| {
            let found = matched(&rows(0, from), &rows(1, to), 15);
            (blocks[from].clone(), blocks[to].clone(), found)
        })
        .collect()
}

/// Matches the values of each pixel separately.
#[expect(clippy::cast_possible_truncation, reason = "sheets with more values are refused")]
fn of_pixels([width, height, channels]: [usize; 3], pairs: &[Values], greatest: u8) -> Vec<Group> {
    let pixel = |pixel: usize| {
        let numbers = pixel * channels..(pixel + 1) * channels;
        let rows = |side: usize| {
            numbers.clone().map(|i| pairs.iter().map(|pair| pair[side][i]).collect()).collect::<Vec<Vec<u8>>>()
        };
        let found = matched(&rows(0), &rows(1), greatest);
        let numbers: Vec<u32> = numbers.map(|number| number as u32).collect();
        (numbers.clone(), numbers, found)
    };
    (0..width * height).map(pixel).collect()
}

/// How some values became others, as indices into these values.
#[derive(Clone)]
struct Matched {
    steps: Vec<Step>,
    /// The number of values that have a rival that fits nearly as well.
    ambiguous: usize,
    /// The sum of squared differences.
    misfit: u64,
}

/// Matches values that change places and may be reversed, by their samples in all pairs: the best fits first.
#[expect(clippy::cast_possible_truncation, reason = "a group has at most 96 values")]
fn matched(clear: &[Vec<u8>], scrambled: &[Vec<u8>], greatest: u8) -> Matched {
    let mut fits = Vec::with_capacity(clear.len() * scrambled.len());
    let mut ambiguous = 0;
    for (to, row) in scrambled.iter().enumerate() {
        let (mut best, mut rival) = (u64::MAX, u64::MAX);
        for (from, origin) in clear.iter().enumerate() {
            let (mut same, mut other) = (0, 0);
            for (&a, &b) in row.iter().zip(origin) {
                same += u64::from(a.abs_diff(b)).pow(2);
                other += u64::from(a.abs_diff(greatest - b)).pow(2);
            }
            for misfit in [same, other] {
                rival = rival.min(misfit.max(best));
                best = best.min(misfit);
            }
            fits.push((same.min(other), to, from, other < same));
        }
        // A slightly larger misfit counts as equal, because lossy files have some misfit anyway.
        ambiguous += usize::from(rival <= 2 * best);
    }
    fits.sort_unstable();
    let origins = assigned(clear.len(), fits.iter().map(|&(_, to, from, _)| (to, from)));
    let mut steps: Vec<Step> = origins.into_iter().map(|from| Step { from: from as u32, reversed: false }).collect();
    let mut misfit = 0;
    for &(distance, to, from, reversed) in &fits {
        if steps[to].from as usize == from {
            steps[to].reversed = reversed;
            misfit += distance;
        }
    }
    Matched { steps, ambiguous, misfit }
}

/// The origin of each of `count` places. Takes each pair if both sides are free, then fills the rest in order.
fn assigned(count: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let mut origins = vec![None; count];
    let mut taken = vec![false; count];
    for (to, from) in pairs {
        if origins[to].is_none() && !taken[from] {
            origins[to] = Some(from);
            taken[from] = true;
        }
    }
    let mut left = (0..count).filter(|&from| !taken[from]);
    origins.into_iter().map(|from| from.or_else(|| left.next()).unwrap_or(0)).collect()
}

/// The picture with the channel order and negations that have the highest score, as a person would correct its colours, and
/// that score.
///
/// # Errors
/// Errors of `score`.
pub fn best_colours(sheet: &Sheet, mut score: impl FnMut(&Sheet) -> Result<f64>) -> Result<(f64, Sheet)> {
    let channels = sheet.channels;
    let orders = if channels == 3 { ORDERS.as_slice() } else { &ORDERS[..1] };
    let mut best: Option<(f64, Sheet)> = None;
    for order in orders {
        for negated in 0..1u8 << channels {
            let pixel = |pixel: &[u8]| -> [u8; 3] {
                std::array::from_fn(|c| {
                    let sample = pixel[usize::from(order[c]) % channels];
                    if negated >> c & 1 == 1 { !sample } else { sample }
                })
            };
            let pixels = sheet.samples.chunks_exact(channels);
            let samples = pixels.flat_map(|old| pixel(old).into_iter().take(channels)).collect();
            let view = Sheet { samples, ..*sheet };
            let value = score(&view)?;
            if best.as_ref().is_none_or(|(highest, _)| value > *highest) {
                best = Some((value, view));
            }
        }
    }
    best.ok_or_else(|| Error::new(Code::Internal, "a picture has no view"))
}
