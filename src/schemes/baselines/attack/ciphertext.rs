//! Recovers a picture from the scrambled picture alone.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::error::Result;
use crate::schemes::baselines::{Scheme, check, le};
use crate::schemes::etc::Sheet;
use crate::schemes::etc::scramble::ORDERS;

/// What one scrambled picture reveals under any key, or `None` if this attack has no method for the scheme ([`Scheme::Ele`]).
/// The colours of the whole are left open: see [`super::best_colours`].
///
/// # Errors
/// [`Code::ImagesDiffer`](crate::error::Code::ImagesDiffer) if the scheme cannot scramble such a sheet.
pub fn see(scheme: Scheme, sheet: &Sheet) -> Result<Option<Sheet>> {
    check(scheme, sheet)?;
    Ok(match scheme {
        Scheme::Le => Some(thumbnail(sheet)),
        Scheme::Ele => None,
        Scheme::Pe => Some(grown(sheet)),
    })
}

/// All blocks share a key, so the values at one place of all blocks form a small picture. The pictures of upper halves are
/// smooth. Those that correlate negatively with the smoothest are reversed; the mean of all is the photo at a quarter of its
/// size.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are in thousands, and means of halves are below 16"
)]
fn thumbnail(sheet: &Sheet) -> Sheet {
    let shape = [sheet.width, sheet.height, sheet.channels];
    let values = Scheme::Le.values(sheet);
    let across = sheet.width / le::BLOCK;
    let blocks: Vec<Vec<u32>> = (0..le::blocks(shape)).map(|block| le::values(shape, block)).collect();
    let mut planes: Vec<(f64, Vec<f64>)> = (0..blocks[0].len())
        .map(|place| {
            let plane: Vec<f64> = blocks.iter().map(|block| f64::from(values[block[place] as usize]) - 7.5).collect();
            (roughness(&plane, across), plane)
        })
        .collect();
    planes.sort_by(|a, b| a.0.total_cmp(&b.0));
    // At most half are upper halves. Pictures much rougher than the smoothest are lower halves.
    planes.truncate(planes.len() / 2);
    let limit = f64::midpoint(planes[0].0, 1.0);
    let first = planes[0].1.clone();
    let mean = first.iter().sum::<f64>() / first.len() as f64;
    let mut sums = vec![0.0; first.len()];
    let mut count = 0.0;
    for (rough, plane) in &planes {
        if *rough > limit {
            break;
        }
        let along: f64 = plane.iter().zip(&first).map(|(a, b)| a * (b - mean)).sum();
        let sign = if along < 0.0 { -1.0 } else { 1.0 };
        for (sum, value) in sums.iter_mut().zip(plane) {
            *sum += sign * value;
        }
        count += 1.0;
    }
    let count = f64::max(count, 1.0);
    let mut out = Sheet { samples: vec![0; sheet.samples.len()], ..*sheet };
    for (block, sum) in blocks.iter().zip(sums) {
        let grey = ((sum / count + 7.5) * 17.0).round().clamp(0.0, 255.0) as u8;
        for &value in &block[..block.len() / 2] {
            out.samples[value as usize / 2] = grey;
        }
    }
    out
}

/// The mean difference of neighbours relative to that of any two values: about 1 for noise, near 0 for a smooth picture.
#[expect(clippy::cast_precision_loss, reason = "values are counted in thousands")]
fn roughness(plane: &[f64], across: usize) -> f64 {
    let mean = plane.iter().sum::<f64>() / plane.len() as f64;
    let spread: f64 = plane.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / plane.len() as f64;
    let right = plane.chunks_exact(across).flat_map(|row| row.windows(2).map(|two| (two[0] - two[1]).powi(2)));
    let below = plane.iter().zip(plane.iter().skip(across)).map(|(a, b)| (a - b).powi(2));
    let (sum, count) = right.chain(below).fold((0.0, 0.0), |(sum, count), square| (sum + square, count + 1.0));
    // With one block, or with equal blocks, there is nothing to see.
    if spread == 0.0 || count == 0.0 { 1.0 } else { sum / count / (2.0 * spread) }
}

/// Each pixel has few possible originals (48 in colour), and neighbours are similar. Starting from one pixel, those pixels are
/// decided first whose decided neighbours leave the least doubt.
fn grown(sheet: &Sheet) -> Sheet {
    let channels = sheet.channels;
    let count = sheet.width * sheet.height;
    let mut out = sheet.clone();
    let mut decided = vec![false; count];
    let mut queue: BinaryHeap<(Reverse<u32>, Reverse<usize>)> = BinaryHeap::new();
    // The further its samples are from middle grey, the less likely a pixel is mistaken for its negative.
    let margin = |pixel: usize| {
        let samples = &sheet.samples[pixel * channels..(pixel + 1) * channels];
        samples.iter().map(|&sample| sample.abs_diff(!sample)).min()
    };
    let start = (0..count).max_by_key(|&pixel| (margin(pixel), Reverse(pixel))).unwrap_or(0);
    queue.push((Reverse(0), Reverse(start)));
    while let Some((Reverse(doubt), Reverse(pixel))) = queue.pop() {
        if decided[pixel] {
            continue;
        }
        if pixel != start {
            let (now, ways) = best_way(sheet, &out, &decided, pixel);
            if now != doubt {
                // A neighbour was decided in the meantime.
                queue.push((Reverse(now), Reverse(pixel)));
                continue;
            }
            out.samples[pixel * channels..(pixel + 1) * channels].copy_from_slice(&ways[..channels]);
        }
        decided[pixel] = true;
        for (next, _) in neighbours(sheet, pixel) {
            if !decided[next] {
                let (doubt, _) = best_way(sheet, &out, &decided, next);
                queue.push((Reverse(doubt), Reverse(next)));
            }
        }
    }
    out
}

/// The most likely original of a pixel, and the doubt about it: the distance from its decided neighbours, in thousandths of the
/// next best candidate's distance.
fn best_way(sheet: &Sheet, out: &Sheet, decided: &[bool], pixel: usize) -> (u32, [u8; 3]) {
    let channels = sheet.channels;
    let (mut sums, mut total) = ([0i64; 3], 0i64);
    for (next, weight) in neighbours(sheet, pixel) {
        if decided[next] {
            total += weight;
            for (c, sum) in sums.iter_mut().enumerate().take(channels) {
                *sum += weight * i64::from(out.samples[next * channels + c]);
            }
        }
    }
    let wanted = sums.map(|sum| sum / total.max(1));
    let samples = &sheet.samples[pixel * channels..(pixel + 1) * channels];
    let orders = if channels == 3 { ORDERS.as_slice() } else { &ORDERS[..1] };
    let (mut best, mut rival) = ((i64::MAX, [0; 3]), i64::MAX);
    for order in orders {
        for negated in 0..1u8 << channels {
            let mut way = [0u8; 3];
            let mut distance = 0;
            for c in 0..channels {
                let sample = samples[usize::from(order[c])];
                way[c] = if negated >> c & 1 == 1 { !sample } else { sample };
                distance += (i64::from(way[c]) - wanted[c]).pow(2);
            }
            if distance < best.0 {
                rival = best.0;
                best = (distance, way);
            } else if distance < rival && way != best.1 {
                rival = distance;
            }
        }
    }
    let rival = rival.min(1 << 32);
    (u32::try_from((best.0 + 16) * 1000 / (rival + 16)).unwrap_or(u32::MAX), best.1)
}

/// The pixels around this one, and their weights.
fn neighbours(sheet: &Sheet, pixel: usize) -> impl Iterator<Item = (usize, i64)> + use<> {
    let (width, height) = (sheet.width, sheet.height);
    let (x, y) = (pixel % width, pixel / width);
    (y.saturating_sub(1)..=(y + 1).min(height - 1))
        .flat_map(move |v| (x.saturating_sub(1)..=(x + 1).min(width - 1)).map(move |u| (u, v)))
        .filter(move |&at| at != (x, y))
        .map(move |(u, v)| (v * width + u, if u == x || v == y { 2 } else { 1 }))
}
