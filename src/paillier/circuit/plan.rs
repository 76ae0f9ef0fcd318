//! The cheapest way to a kernel: what is counted is additions, each of which is a product of ciphertexts. The weights are
//! public.

use crate::paillier::kernel::Kernel;

/// One step of a filter along one axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Each pixel and the next one: weights 1, 1.
    Pair,
    /// So many pixels, at least three, all of weight 1.
    Box(usize),
    /// Any weights.
    Weights(Vec<i64>),
}

/// Down or across: the ways to add up a box differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    Vertical,
    Horizontal,
}

/// What a kernel is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Passes down, then passes across.
    Passes { vertical: Vec<Pass>, horizontal: Vec<Pass> },
    /// All weights at once.
    Full(Vec<Vec<i64>>),
}

impl Plan {
    pub(crate) fn new(kernel: &Kernel) -> Self {
        match kernel {
            Kernel::Separable { vertical, horizontal } => Self::Passes {
                vertical: cheapest(vertical, Axis::Vertical),
                horizontal: cheapest(horizontal, Axis::Horizontal),
            },
            Kernel::Full(rows) => Self::Full(rows.clone()),
        }
    }

    /// Additions for each pixel of the result, about: without what is done once more at the edges, and without inversion.
    #[cfg(test)]
    pub(crate) fn cost(&self) -> f64 {
        match self {
            Self::Passes { vertical, horizontal } => {
                let down: f64 = vertical.iter().map(|pass| pass.cost(Axis::Vertical)).sum();
                down + horizontal.iter().map(|pass| pass.cost(Axis::Horizontal)).sum::<f64>()
            }
            Self::Full(rows) => weights_cost(&rows.concat()),
        }
    }
}

impl Pass {
    /// How many pixels fewer come out than go in.
    pub(crate) fn reach(&self) -> usize {
        match self {
            Self::Pair => 1,
            Self::Box(length) => length - 1,
            Self::Weights(weights) => weights.len() - 1,
        }
    }

    /// Additions for each pixel.
    fn cost(&self, axis: Axis) -> f64 {
        match self {
            Self::Pair => 1.0,
            Self::Box(length) => box_cost(*length, axis),
            Self::Weights(weights) => weights_cost(weights),
        }
    }
}

/// The cheapest passes that together have these weights.
fn cheapest(weights: &[i64], axis: Axis) -> Vec<Pass> {
    let mut best = simple(weights, axis);
    let cost = |passes: &[Pass]| passes.iter().map(|pass| pass.cost(axis)).sum::<f64>();
    // Take out pairs, as long as that goes: a Gaussian of radius 1 is two of them, one of radius 2 is four.
    let (mut rest, mut pairs) = (weights.to_vec(), Vec::new());
    while let Some(quotient) = without_pair(&rest) {
        rest = quotient;
        pairs.push(Pass::Pair);
        let passes: Vec<_> = pairs.iter().cloned().chain(simple(&rest, axis)).collect();
        if cost(&passes) < cost(&best) {
            best = passes;
        }
    }
    best
}

/// A box where there is one, or the weights as they are.
fn simple(weights: &[i64], axis: Axis) -> Vec<Pass> {
    let first = weights[0];
    let mut passes = Vec::new();
    let uniform = weights.iter().all(|&weight| weight == first);
    let scale = [first];
    let rest = if uniform { &scale } else { weights };
    if uniform && weights.len() > 1 {
        passes.push(if weights.len() == 2 { Pass::Pair } else { Pass::Box(weights.len()) });
    }
    if rest != [1] {
        passes.push(Pass::Weights(rest.to_vec()));
    }
    let direct = Pass::Weights(weights.to_vec());
    let dearer = passes.iter().map(|pass| pass.cost(axis)).sum::<f64>() > direct.cost(axis);
    if dearer { vec![direct] } else { passes }
}

/// The weights divided by `1 + z`, as polynomials, if that goes.
fn without_pair(weights: &[i64]) -> Option<Vec<i64>> {
    let (last, all) = weights.split_last()?;
    let mut quotient = Vec::with_capacity(all.len());
    let mut carry = 0i64;
    for &weight in all {
        carry = weight.checked_sub(carry)?;
        quotient.push(carry);
    }
    (!quotient.is_empty() && carry == *last).then_some(quotient)
}

/// Down, a box of three shares a sum of two with its neighbour; others are put together from sums from both ends of
/// blocks (M. van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and octagonal kernels",
/// 1992): never more than three, whatever the length. Across, sums of 2, 4, 8, ... pixels are doubled up, since there the
/// neighbours lie in other lanes.
fn box_cost(length: usize, axis: Axis) -> f64 {
    let length_as_float = f64::from(u32::try_from(length).unwrap_or(u32::MAX));
    match (axis, length) {
        (Axis::Vertical, 3) => 1.5,
        (Axis::Vertical, _) => 3.0 * (length_as_float - 1.0) / length_as_float,
        (Axis::Horizontal, _) => f64::from(length.ilog2() + length.count_ones() - 1),
    }
}

/// Additions for a weighted sum whose terms of either sign are summed up apart.
fn weights_cost(weights: &[i64]) -> f64 {
    let side = |sign: i64| {
        let weights = weights.iter().filter(|&&weight| weight * sign > 0).map(|weight| weight.unsigned_abs());
        bucket_bits(&weights.collect::<Vec<_>>()).1
    };
    side(1) + side(-1)
}

/// What doubling costs, as a share of an addition.
const DOUBLING: f64 = 0.7;

/// How many bits of all weights to take at a time, and what the sum costs then.
///
/// For each group of bits, the terms with the same digit are summed up, and the sums of digits `d`, `d + 1`, ... are added
/// up to `sum of d * (terms with digit d)` with two additions for each digit (N. Pippenger, 1976).
pub(crate) fn bucket_bits(weights: &[u64]) -> (u32, f64) {
    let bits = u64::BITS - weights.iter().max().map_or(u64::BITS, |largest| largest.leading_zeros());
    let cost = |width: u32| {
        let groups = bits.div_ceil(width);
        let mut additions = 0;
        for group in 0..groups {
            let digits: Vec<_> = weights.iter().map(|weight| weight >> (group * width) & ((1 << width) - 1)).collect();
            let used = digits.iter().filter(|&&digit| digit > 0).count();
            let mut distinct = digits.clone();
            distinct.sort_unstable();
            distinct.dedup();
            let buckets = distinct.iter().filter(|&&digit| digit > 0).count();
            let largest = distinct.last().copied().unwrap_or(0);
            // Into buckets, the running sum, the sum of running sums; all but the first into the total.
            let up = usize::try_from(largest.saturating_sub(1)).unwrap_or(usize::MAX);
            additions += (used - buckets) + buckets.saturating_sub(1) + up + usize::from(used > 0);
        }
        f64::from(u32::try_from(additions).unwrap_or(u32::MAX)) - 1.0 + DOUBLING * f64::from((groups - 1) * width)
    };
    if bits == 0 {
        return (1, 0.0);
    }
    (1..=6).map(|width| (width, cost(width))).min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((1, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paillier::Filter;

    fn plan(filter: &str) -> Plan {
        Plan::new(&Filter::from_text(filter).expect(filter).kernels()[0])
    }

    #[test]
    fn the_cheapest_way_is_taken() {
        let passes = |vertical, horizontal| Plan::Passes { vertical, horizontal };
        assert_eq!(plan("mean size=3x5"), passes(vec![Pass::Box(5)], vec![Pass::Box(3)]));
        assert_eq!(plan("gaussian sigma=0.85 radius=1"), passes(vec![Pass::Pair; 2], vec![Pass::Pair; 2]));
        assert_eq!(plan("gaussian sigma=1"), passes(vec![Pass::Pair; 4], vec![Pass::Pair; 4]));
        assert_eq!(plan("sobel-x"), passes(vec![Pass::Pair; 2], vec![Pass::Weights(vec![-1, 0, 1])]));
        assert_eq!(plan("brightness offset=3"), passes(vec![], vec![]));
        assert!(matches!(plan("laplacian"), Plan::Full(_)));
        let twice = plan("kernel weights=2,2,2,2,2,2,2,2,2");
        assert_eq!(twice, passes(vec![Pass::Weights(vec![2])], vec![Pass::Box(9)]));
    }

    #[test]
    fn large_boxes_cost_little_more_than_small_ones() {
        assert!(plan("mean radius=1").cost() <= 3.5);
        assert!(plan("mean radius=100").cost() <= 13.0);
        assert!(plan("mean radius=1000").cost() <= 24.0);
    }

    #[test]
    fn many_terms_go_into_buckets() {
        assert_eq!(bucket_bits(&[]), (1, 0.0));
        assert!((bucket_bits(&[1, 1, 1]).1 - 2.0).abs() < 0.01);
        assert!(bucket_bits(&[1]).1.abs() < 0.01);
        let many: Vec<u64> = (0..200).map(|i| i * 7919 % (1 << 12)).collect();
        let (width, cost) = bucket_bits(&many);
        assert!(width > 1 && cost < 900.0, "{width} {cost}");
    }
}
