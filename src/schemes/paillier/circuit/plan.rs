//! Finds the cheapest way to apply a kernel. The cost is counted in additions, each of which is a product of ciphertexts. The
//! weights are public.
//!
//! A kernel of rank one is applied in passes down and across, in any order. Passes with negative weights come last, because
//! they leave two rows for each, one to add and one to subtract, and every later pass costs twice as much. `lanes` is the
//! number of columns in a cell, on which the cost of a box depends.

use crate::schemes::paillier::kernel::{Kernel, MAX_SIDE};

/// One step of a filter along one axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Each pixel and the next one: weights 1, 1.
    Pair,
    /// A number of pixels, at least three, all of weight 1.
    Box(usize),
    /// Any weights.
    Weights(Vec<i64>),
}

/// Down or across: a box is added up differently in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    Vertical,
    Horizontal,
}

/// How to apply a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// One pass after another.
    Passes(Vec<(Axis, Pass)>),
    /// All weights at once.
    Full(Vec<Vec<i64>>),
}

/// The cost of a subtraction: its share of an inversion of many numbers, and a product with the inverse.
const SUBTRACTION: f64 = 4.0;
/// The cost of doubling, relative to an addition.
pub(super) const DOUBLING: f64 = 0.7;

impl Plan {
    pub(crate) fn new(kernel: &Kernel, lanes: usize) -> Self {
        let Kernel::Separable { vertical, horizontal } = kernel else {
            return Self::Full(kernel.rows().collect());
        };
        // Two minus signs cancel out.
        let sign = if horizontal.iter().all(|&weight| weight <= 0) { -1 } else { 1 };
        let [vertical, horizontal] =
            [vertical, horizontal].map(|axis| axis.iter().map(|w| w * sign).collect::<Vec<_>>());
        let down = cheapest(&vertical, Axis::Vertical, lanes).into_iter().map(|pass| (Axis::Vertical, pass));
        let across = cheapest(&horizontal, Axis::Horizontal, lanes).into_iter().map(|pass| (Axis::Horizontal, pass));
        // Passes with a sign come last; the others keep their order.
        let (signed, mut passes): (Vec<_>, Vec<_>) = down.chain(across).partition(|(_, pass)| pass.is_signed());
        passes.extend(signed);
        let passes = Self::Passes(passes);
        // Applying all weights at once can only pay off for few weights.
        let few = vertical.len() <= MAX_SIDE && horizontal.len() <= MAX_SIDE;
        let full = few.then(|| Self::Full(kernel.rows().collect()));
        full.filter(|full| full.cost(lanes) < passes.cost(lanes)).unwrap_or(passes)
    }

    /// The number of additions for each pixel of the result, without the extra ones at the edges.
    pub(crate) fn cost(&self, lanes: usize) -> f64 {
        let (mut cost, mut signed) = (0.0, false);
        match self {
            Self::Passes(passes) => {
                for (axis, pass) in passes {
                    cost += pass.cost(*axis, lanes, signed);
                    signed |= pass.is_signed();
                }
            }
            Self::Full(rows) => {
                let pass = Pass::Weights(rows.concat());
                cost += pass.cost(Axis::Vertical, lanes, false);
                signed = pass.is_signed();
            }
        }
        if signed { cost + SUBTRACTION } else { cost }
    }
}

impl Pass {
    /// The number of pixels by which the result is shorter than the input.
    pub(crate) fn reach(&self) -> usize {
        match self {
            Self::Pair => 1,
            Self::Box(length) => length - 1,
            Self::Weights(weights) => weights.len() - 1,
        }
    }

    fn is_signed(&self) -> bool {
        matches!(self, Self::Weights(weights) if weights.iter().any(|&weight| weight < 0))
    }

    /// The number of additions for each pixel. `signed` means that the previous pass left two rows, not one.
    fn cost(&self, axis: Axis, lanes: usize, signed: bool) -> f64 {
        let side = |chosen: &dyn Fn(i64) -> bool, weights: &[i64]| {
            let weights = weights.iter().filter(|&&weight| weight != 0 && chosen(weight));
            bucket_bits(&weights.map(|weight| weight.unsigned_abs()).collect::<Vec<_>>()).1
        };
        match self {
            // Both sums contain a term for every weight, from the row with the matching sign.
            Self::Weights(weights) if signed => 2.0 * side(&|_| true, weights),
            Self::Weights(weights) => side(&|weight| weight > 0, weights) + side(&|weight| weight < 0, weights),
            _ => box_cost(self.reach() + 1, axis, lanes) * if signed { 2.0 } else { 1.0 },
        }
    }
}

/// The cheapest passes whose product has these weights.
fn cheapest(weights: &[i64], axis: Axis, lanes: usize) -> Vec<Pass> {
    let cost = |passes: &[Pass]| passes.iter().map(|pass| pass.cost(axis, lanes, false)).sum::<f64>();
    let simple = |weights: &[i64]| {
        let (boxed, direct) = (boxed(weights), vec![Pass::Weights(weights.to_vec())]);
        boxed.filter(|passes| cost(passes) <= cost(&direct)).unwrap_or(direct)
    };
    let mut best = simple(weights);
    // Take out pairs as long as possible: a Gaussian of radius 1 consists of two, one of radius 2 of four.
    let (mut rest, mut pairs) = (weights.to_vec(), Vec::new());
    while let Some(quotient) = without_pair(&rest) {
        rest = quotient;
        pairs.push(Pass::Pair);
        let passes: Vec<_> = pairs.iter().cloned().chain(simple(&rest)).collect();
        if cost(&passes) < cost(&best) {
            best = passes;
        }
    }
    best
}

/// If all weights are equal, perhaps with zeros beside them: a box, and a pass that multiplies and moves it if necessary.
fn boxed(weights: &[i64]) -> Option<Vec<Pass>> {
    let first = weights.iter().position(|&weight| weight != 0)?;
    let end = weights.iter().rposition(|&weight| weight != 0)? + 1;
    if weights[first..end].iter().any(|&weight| weight != weights[first]) {
        return None;
    }
    let passes = match end - first {
        1 => vec![],
        2 => vec![Pass::Pair],
        length => vec![Pass::Box(length)],
    };
    let rest = [&weights[..=first], &weights[end..]].concat();
    let moves = (rest != [1]).then_some(Pass::Weights(rest));
    Some(passes.into_iter().chain(moves).collect())
}

/// The weights divided by `1 + z`, as polynomials, if the division is exact.
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

/// The number of additions for each sum of a box, computed as in [`super::boxes`].
fn box_cost(length: usize, axis: Axis, lanes: usize) -> f64 {
    // In blocks of n, n sums take n - 1 additions from the end, n - 2 from the start of the next block, n - 1 to join.
    let blocks = |length: usize| if length < 2 { 0.0 } else { 3.0 - 4.0 / count(length) };
    match axis {
        Axis::Vertical if length == 3 => 1.5,
        Axis::Vertical => blocks(length),
        Axis::Horizontal => {
            let (whole, rest) = (length / lanes, length % lanes);
            let doublings = if whole > 0 { lanes.ilog2() } else { length.ilog2() };
            let parts = rest.count_ones() + u32::from(whole > 0) - 1;
            blocks(whole) + f64::from(doublings + parts)
        }
    }
}

/// How many bits of all weights to process at a time, and the cost of the sum.
///
/// For each group of bits, the terms with the same digit are added up. Then the sums of digits `d`, `d + 1`, ... are added up
/// to `sum of d * (terms with digit d)` with two additions for each digit (N. Pippenger, 1976). With one bit at a time, this is
/// Straus's method.
pub(crate) fn bucket_bits(weights: &[u64]) -> (u32, f64) {
    let bits = u64::BITS - weights.iter().max().map_or(u64::BITS, |largest| largest.leading_zeros());
    let cost = |width: u32| {
        let groups = bits.div_ceil(width);
        let mut additions = 0;
        for group in 0..groups {
            let digits = weights.iter().map(|weight| weight >> (group * width) & ((1 << width) - 1));
            // The digits that occur, all below 64, as bits.
            let (used, seen) =
                digits.filter(|&digit| digit > 0).fold((0, 0u64), |(used, seen), digit| (used + 1, seen | 1 << digit));
            let different = seen.count_ones() as usize;
            // Additions into buckets, to the running sum, and to the sum of running sums; and of all groups but the first to
            // the total.
            let up = seen.checked_ilog2().map_or(0, |largest| largest as usize - 1);
            additions += (used - different) + different.saturating_sub(1) + up + usize::from(used > 0);
        }
        count(additions) - 1.0 + DOUBLING * f64::from((groups - 1) * width)
    };
    if bits == 0 {
        return (1, 0.0);
    }
    (1..=6).map(|width| (width, cost(width))).min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((1, 0.0))
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes::paillier::Filter;

    fn plan(filter: &str) -> Plan {
        Plan::new(&Filter::from_text(filter).expect(filter).kernels()[0], 8)
    }

    #[test]
    fn the_cheapest_way_is_taken() {
        let passes = |vertical: &[Pass], horizontal: &[Pass]| {
            let down = vertical.iter().map(|pass| (Axis::Vertical, pass.clone()));
            Plan::Passes(down.chain(horizontal.iter().map(|pass| (Axis::Horizontal, pass.clone()))).collect())
        };
        let pairs = |count| vec![Pass::Pair; count];
        let weights = |weights: &[i64]| Pass::Weights(weights.to_vec());
        assert_eq!(plan("mean size=3x5"), passes(&[Pass::Box(5)], &[Pass::Box(3)]));
        assert_eq!(plan("gaussian sigma=0.85 radius=1"), passes(&pairs(2), &pairs(2)));
        assert_eq!(plan("gaussian sigma=1"), passes(&pairs(4), &pairs(4)));
        assert_eq!(plan("sobel-x"), passes(&pairs(2), &[weights(&[-1, 0, 1])]));
        assert_eq!(plan("brightness offset=3"), passes(&[], &[]));
        assert_eq!(plan("kernel weights=1,1,1,1,1,1"), passes(&[], &[Pass::Box(6), weights(&[1, 0])]));
        assert!(matches!(plan("laplacian"), Plan::Full(_)));
    }

    #[test]
    fn passes_with_negative_weights_come_last() {
        let across = (Axis::Horizontal, Pass::Pair);
        let last = (Axis::Vertical, Pass::Weights(vec![-1, 0, 1]));
        assert_eq!(plan("sobel-y"), Plan::Passes(vec![across.clone(), across, last]));
        let boxed = (Axis::Horizontal, Pass::Box(9));
        let last = (Axis::Vertical, Pass::Weights(vec![3, -2, 0]));
        let weights = ["3,3,3,3,3,3,3,3,3", "-2,-2,-2,-2,-2,-2,-2,-2,-2"].join(";");
        assert_eq!(plan(&format!("kernel weights={weights}")), Plan::Passes(vec![boxed, last]));
    }

    #[test]
    fn what_filters_cost() {
        let close = |a: f64, b: f64| (a - b).abs() < 0.001;
        for (text, eight, one) in [
            ("mean radius=0", 0.0, 0.0),
            ("mean radius=1", 3.5, 1.5 + 5.0 / 3.0),
            ("mean radius=2", 2.2 + 3.0, 2.2 + 2.2),
            // Down; then twenty-five cells, three doublings to fill their eight lanes, and one more column.
            ("mean radius=100", 3.0 - 4.0 / 201.0 + 3.0 - 4.0 / 25.0 + 3.0 + 1.0, 6.0 - 8.0 / 201.0),
            ("gaussian sigma=1", 8.0, 8.0),
            ("sobel-x", 2.0 + 4.0, 2.0 + 4.0),
            ("sobel-y", 2.0 + 4.0, 2.0 + 4.0),
            ("sharpen", 1.0 + 2.0 * DOUBLING + 3.0 + 4.0, 1.0 + 2.0 * DOUBLING + 3.0 + 4.0),
            ("laplacian", 3.0 + 2.0 * DOUBLING + 4.0, 3.0 + 2.0 * DOUBLING + 4.0),
            ("blend share=0", 0.0, 0.0),
        ] {
            let kernel = Filter::from_text(text).expect(text).kernels().remove(0);
            for (lanes, expected) in [(8, eight), (1, one)] {
                let cost = Plan::new(&kernel, lanes).cost(lanes);
                assert!(close(cost, expected), "{text}, {lanes} lanes: {cost}, not {expected}");
            }
        }
    }

    /// With one column in a cell, the cost is at most six. With eight, doubling the lanes and adding the columns beside whole
    /// cells may take three more additions each.
    #[test]
    fn no_box_is_expensive() {
        for radius in 0..=1024 {
            let filter = Filter::Mean { rx: radius, ry: radius };
            for (lanes, most) in [(1, 6.0), (2, 8.0), (4, 10.0), (8, 12.0)] {
                let cost = Plan::new(&filter.kernels()[0], lanes).cost(lanes);
                assert!(cost <= most, "radius {radius}, {lanes} lanes: {cost}");
            }
        }
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
