//! Filters for patches, learned from patches alone.

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use rayon::prelude::*;

use crate::error::Result;
use crate::math::product::{add_product, transposed};
use crate::network::{Patches, rounded};
use crate::watch::Watch;

/// The maximum number of patches to draw.
const DRAWN: usize = 100_000;
/// The number added to every variance before whitening.
const NOISE: f64 = 0.1;
/// The number of rounds of k-means.
const ROUNDS: usize = 12;
/// The number of steps towards the whitening matrix. Near the end, each step doubles the number of correct digits.
const STEPS: usize = 40;

/// Learns the filters and the offsets of the patches. The number of filters is that of the offsets.
pub(super) fn learn(patches: &mut Patches, pictures: &[u8], rng: &mut ChaCha20Rng, watch: &dyn Watch) -> Result<()> {
    let (length, count) = (patches.patch_samples(), patches.offsets.len());
    let drawn = draw(patches, pictures, rng);
    let (mean, covariance) = moments(&drawn, length);
    let whitening = inverse_root(&covariance, length);
    let mut white = vec![0.0; drawn.len()];
    let rows = white.par_chunks_mut(64 * length).zip(drawn.par_chunks(64 * length));
    rows.for_each(|(white, drawn)| {
        let centred: Vec<f32> =
            drawn.chunks_exact(length).flat_map(|row| row.iter().zip(&mean).map(|(x, m)| x - m)).collect();
        add_product(white, &centred, &whitening, length, length);
    });
    let mut directions: Vec<f32> = (0..count * length).map(|_| bell(rng)).collect();
    directions.chunks_exact_mut(length).for_each(unit);
    for _ in 0..ROUNDS {
        watch.check()?;
        directions = round(&white, &directions, length, rng);
    }
    // The whitening matrix is symmetric.
    let mut filters = vec![0.0; count * length];
    add_product(&mut filters, &directions, &whitening, length, length);
    patches.filters = filters.into_iter().map(rounded).collect();
    let offset = |filter: &[f32]| filter.iter().zip(&mean).map(|(filter, mean)| filter * mean).sum();
    patches.offsets = patches.filters.chunks_exact(length).map(offset).collect();
    Ok(())
}

/// Draws patches from random places in random pictures.
fn draw(patches: &Patches, pictures: &[u8], rng: &mut ChaCha20Rng) -> Vec<f32> {
    let (length, samples) = (patches.patch_samples(), patches.shape.samples());
    let (across, down) = patches.places();
    let count = (pictures.len() / samples) as u64;
    let mut below = |bound: u64| usize::try_from((u64::from(rng.next_u32()) * bound) >> 32).unwrap_or(0);
    // A few small pictures contain fewer patches.
    let most = (pictures.len() / samples).saturating_mul(across * down);
    let mut drawn = vec![0.0; DRAWN.min(most) * length];
    for patch in drawn.chunks_exact_mut(length) {
        let picture = below(count) * samples;
        patches.patch(&pictures[picture..picture + samples], below(across as u64), below(down as u64), patch);
    }
    drawn
}

/// The mean of the rows, and the covariance matrix of their numbers.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "some 100,000 rows")]
fn moments(rows: &[f32], length: usize) -> (Vec<f32>, Vec<f64>) {
    let count = (rows.len() / length) as f64;
    let mut mean = vec![0.0f64; length];
    for row in rows.chunks_exact(length) {
        mean.iter_mut().zip(row).for_each(|(mean, &x)| *mean += f64::from(x) / count);
    }
    let mut covariance = vec![0.0f64; length * length];
    for row in rows.chunks_exact(length) {
        let centred: Vec<f64> = row.iter().zip(&mean).map(|(&x, mean)| f64::from(x) - mean).collect();
        for (sums, x) in covariance.chunks_exact_mut(length).zip(&centred) {
            sums.iter_mut().zip(&centred).for_each(|(sum, y)| *sum += x * y / count);
        }
    }
    (mean.into_iter().map(|mean| mean as f32).collect(), covariance)
}

/// The inverse square root of a covariance matrix plus some noise, by the coupled Newton-Schulz iteration (N. Higham,
/// "Functions of Matrices", 2008, section 6.3).
#[expect(clippy::cast_possible_truncation, reason = "filters have 32 bits")]
fn inverse_root(covariance: &[f64], length: usize) -> Vec<f32> {
    let mut a = covariance.to_vec();
    (0..length).for_each(|i| a[i * length + i] += NOISE);
    let size: f64 = a.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut y: Vec<f64> = a.iter().map(|x| x / size).collect();
    let mut z = vec![0.0; length * length];
    (0..length).for_each(|i| z[i * length + i] = 1.0);
    for _ in 0..STEPS {
        let mut step = times(&z, &y, length);
        for x in &mut step {
            *x *= -0.5;
        }
        (0..length).for_each(|i| step[i * length + i] += 1.5);
        (y, z) = (times(&y, &step, length), times(&step, &z, length));
    }
    z.iter().map(|x| (x / size.sqrt()) as f32).collect()
}

fn times(a: &[f64], b: &[f64], length: usize) -> Vec<f64> {
    let mut out = vec![0.0; length * length];
    for (out, a) in out.chunks_exact_mut(length).zip(a.chunks_exact(length)) {
        for (a, b) in a.iter().zip(b.chunks_exact(length)) {
            out.iter_mut().zip(b).for_each(|(out, b)| *out += a * b);
        }
    }
    out
}

/// A round of k-means. Assigns each row to the direction, or its opposite, along which the row extends furthest. Each new
/// direction is that of the sum of its rows, weighted by these extents.
fn round(rows: &[f32], directions: &[f32], length: usize, rng: &mut ChaCha20Rng) -> Vec<f32> {
    const SOME: usize = 1024;
    let count = directions.len() / length;
    let columns = transposed(directions, length);
    let sums = |rows: &[f32]| {
        let mut reach = vec![0.0; rows.len() / length * count];
        add_product(&mut reach, rows, &columns, length, count);
        let mut sums = vec![0.0f32; count * length];
        for (row, reach) in rows.chunks_exact(length).zip(reach.chunks_exact(count)) {
            let farthest = (0..count).rev().max_by(|&a, &b| reach[a].abs().total_cmp(&reach[b].abs())).unwrap_or(0);
            let sum = &mut sums[farthest * length..(farthest + 1) * length];
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += reach[farthest] * x);
        }
        sums
    };
    let parts: Vec<Vec<f32>> = rows.par_chunks(SOME * length).map(sums).collect();
    let mut next = vec![0.0; count * length];
    for part in &parts {
        next.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
    }
    for direction in next.chunks_exact_mut(length) {
        if direction.iter().all(|x| *x == 0.0) {
            for x in &mut direction[..] {
                *x = bell(rng);
            }
        }
        unit(direction);
    }
    next
}

fn unit(vector: &mut [f32]) {
    let size = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    for x in &mut vector[..] {
        *x /= size;
    }
}

/// An approximately normal number of mean 0 and deviation 1: the sum of twelve uniform ones.
pub(super) fn bell(rng: &mut ChaCha20Rng) -> f32 {
    (0..12).map(|_| uniform(rng)).sum::<f32>() - 6.0
}

/// A number from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "24 bits")]
pub(super) fn uniform(rng: &mut ChaCha20Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / 16_777_216.0
}
