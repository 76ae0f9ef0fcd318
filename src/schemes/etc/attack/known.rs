//! With a photo and its scrambled picture, an attacker finds the transformation of each block, and undoes it for all pictures
//! under that key.

use rayon::prelude::*;

use super::turn::{Colours, Orientation};
use super::{Solution, frame, view};
use crate::error::{Code, Error, Result};
use crate::math::dot::dot;
use crate::schemes::etc::sheet::Sheet;

/// The number of parts across and down whose means are compared first.
const POINTS: usize = 4;
/// The number of candidates to compare in full, for each block of the clear sheet.
const CANDIDATES: usize = 8;

/// The result of an attack with known photos.
#[derive(Clone, Debug)]
pub struct Known {
    /// The solution, with the correct orientation and colours.
    pub solution: Solution,
    /// The share of ambiguous blocks, between 0 and 1: those that are flat, like another block, or symmetric in all known
    /// photos. Another photo may reveal them.
    pub ambiguous: f64,
}

/// Finds the transformations of blocks of `block` pixels from clear sheets and their scrambled ones under one key, which may
/// have been compressed as JPEG.
///
/// # Errors
/// [`Code::BadArgument`] if there is no pair, [`Code::ImagesDiffer`] if the sheets differ in size or have no whole blocks.
pub fn known(pairs: &[(Sheet, Sheet)], block: usize) -> Result<Known> {
    if pairs.is_empty() {
        return Err(Error::new(Code::BadArgument, "this attack needs a photo and its scrambled picture"));
    }
    let [across, down] = frame(pairs.iter().flat_map(|(clear, scrambled)| [clear, scrambled]), block)?;
    let count = across * down;
    let channels = pairs[0].0.channels;
    let turns = Orientation::all();
    let points = |side: fn(&(Sheet, Sheet)) -> &Sheet, turn: Orientation| {
        let of_block = |number: usize| points_of(pairs.iter().map(side), block, number, turn);
        (0..count).map(of_block).collect::<Vec<Vec<f32>>>()
    };
    let clear = points(|pair| &pair.0, Orientation::NONE);
    let scrambled = turns.map(|turn| points(|pair| &pair.1, turn));
    let mut choices: Vec<(u64, usize, usize, Orientation, Colours)> = Vec::new();
    let mut ambiguous = 0;
    let of_blocks: Vec<Vec<(u64, usize, Orientation, Colours)>> = (0..count)
        .into_par_iter()
        .map(|number| {
            let ways = turns.iter().zip(&scrambled).flat_map(|(&turn, scrambled)| {
                let from = clear.iter().enumerate();
                from.flat_map(move |(place, clear)| {
                    let distances = distances(clear, &scrambled[number], channels);
                    distances.map(move |(distance, colours)| (distance, place, turn, colours))
                })
            });
            let mut best: Vec<(f32, usize, Orientation, Colours)> = Vec::new();
            for way in ways {
                if best.len() < CANDIDATES || best.last().is_some_and(|last| way.0 < last.0) {
                    let at = best.partition_point(|other| other.0 <= way.0);
                    best.insert(at, way);
                    best.truncate(CANDIDATES);
                }
            }
            let full = best.into_iter().map(|(_, place, turn, colours)| {
                (misfit(pairs, block, (place, number), turn, colours), place, turn, colours)
            });
            let mut full: Vec<_> = full.collect();
            full.sort_by_key(|way| way.0);
            full
        })
        .collect();
    for (number, ways) in of_blocks.into_iter().enumerate() {
        // A slightly larger misfit counts as equal, because JPEG causes some misfit anyway.
        ambiguous += usize::from(ways.len() > 1 && ways[1].0 <= 2 * ways[0].0);
        choices.extend(ways.into_iter().map(|(misfit, place, turn, colours)| (misfit, number, place, turn, colours)));
    }
    choices.sort_by_key(|choice| (choice.0, choice.1, choice.2));
    let mut places = vec![None; count];
    let mut used = vec![false; count];
    for (_, number, place, turn, colours) in choices {
        if places[place].is_none() && !used[number] {
            places[place] = Some((number, turn, colours));
            used[number] = true;
        }
    }
    let found = used.iter().filter(|used| **used).count();
    let mut left = (0..count).filter(|&number| !used[number]);
    let places = places
        .into_iter()
        .map(|place| place.unwrap_or_else(|| (left.next().unwrap_or(0), Orientation::NONE, Colours::NONE)));
    #[expect(clippy::cast_precision_loss, reason = "there are thousands of blocks at most")]
    let share = |blocks: usize| blocks as f64 / count as f64;
    let solution = Solution { block, across, places: places.collect(), joined: share(found) };
    Ok(Known { solution, ambiguous: share(ambiguous) })
}

/// The means over parts of a block, minus 127.5, channel by channel, after turning the block.
#[expect(clippy::cast_precision_loss, reason = "blocks have at most 64 pixels a side")]
fn points_of<'a>(
    sheets: impl Iterator<Item = &'a Sheet> + Clone,
    block: usize,
    number: usize,
    turn: Orientation,
) -> Vec<f32> {
    // The parts are the same from both ends. They overlap if the side is not a multiple of their number.
    let part = |i: usize| i * block / POINTS..((i + 1) * block).div_ceil(POINTS);
    let mut points = Vec::new();
    let channels = sheets.clone().next().map_or(0, |sheet| sheet.channels);
    let turned = sheets.map(|sheet| {
        let across = sheet.width / block;
        let corner = [number % across * block, number / across * block];
        view::cut(sheet, corner, block, turn, Colours::NONE)
    });
    let turned: Vec<Sheet> = turned.collect();
    for c in 0..channels {
        for sheet in &turned {
            for (rows, columns) in (0..POINTS).flat_map(|y| (0..POINTS).map(move |x| (part(y), part(x)))) {
                let count = (rows.len() * columns.len()) as f32;
                let samples = rows.flat_map(|y| columns.clone().map(move |x| (y * block + x) * channels + c));
                let sum: u32 = samples.map(|at| u32::from(sheet.samples[at])).sum();
                points.push(sum as f32 / count - 127.5);
            }
        }
    }
    points
}

/// The squared distances between the points, for all ways to recolour the second block.
fn distances(a: &[f32], b: &[f32], channels: usize) -> impl Iterator<Item = (f32, Colours)> + use<> {
    let length = a.len() / channels;
    let squares = dot(a, a) + dot(b, b);
    let mut dots = [[0.0f32; 3]; 3];
    for (c, a) in a.chunks_exact(length).enumerate() {
        for (d, b) in b.chunks_exact(length).enumerate() {
            dots[c][d] = dot(a, b);
        }
    }
    Colours::all(channels).map(move |colours| {
        let dot: f32 = (0..channels).map(|c| dots[c][usize::from(colours.order[c])]).sum();
        (squares - 2.0 * if colours.negate { -dot } else { dot }, colours)
    })
}

/// The sum of squared differences between a clear block and a scrambled one, turned and recoloured.
fn misfit(pairs: &[(Sheet, Sheet)], block: usize, blocks: (usize, usize), turn: Orientation, colours: Colours) -> u64 {
    let corner = |number: usize, sheet: &Sheet| {
        let across = sheet.width / block;
        [number % across * block, number / across * block]
    };
    let of_pair = |(clear, scrambled): &(Sheet, Sheet)| {
        let channels = clear.channels;
        let found = view::cut(scrambled, corner(blocks.1, scrambled), block, turn, colours);
        let [left, top] = corner(blocks.0, clear);
        let rows = found.samples.chunks_exact(block * channels).enumerate();
        rows.map(|(y, row)| {
            let start = ((top + y) * clear.width + left) * channels;
            let wanted = &clear.samples[start..start + row.len()];
            row.iter().zip(wanted).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum::<u64>()
        })
        .sum::<u64>()
    };
    pairs.iter().map(of_pair).sum()
}
