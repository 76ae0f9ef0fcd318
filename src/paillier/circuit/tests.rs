//! Kernels on plain integers, several lanes at a time, with the additions counted.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::algebra::Algebra;
use super::linear::{Linear, Signed};
use super::plan::Plan;
use crate::paillier::Filter;
use crate::paillier::kernel::Kernel;

/// Integers, so many side by side.
struct Counting {
    lanes: usize,
    additions: AtomicUsize,
}

impl Algebra for Counting {
    type Cell = Vec<i64>;

    fn lanes(&self) -> usize {
        self.lanes
    }

    fn zero(&self) -> Vec<i64> {
        vec![0; self.lanes]
    }

    fn add(&self, a: &mut Vec<i64>, b: &Vec<i64>) {
        self.additions.fetch_add(1, Ordering::Relaxed);
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    }

    fn double(&self, a: &mut Vec<i64>) {
        self.additions.fetch_add(1, Ordering::Relaxed);
        for a in a {
            *a *= 2;
        }
    }

    fn gather<'a>(&self, row: &'a [Vec<i64>], first: usize) -> Cow<'a, Vec<i64>> {
        let column = |at: usize| row.get(at / self.lanes).map_or(0, |cell| cell[at % self.lanes]);
        Cow::Owned((first..first + self.lanes).map(column).collect())
    }
}

/// What a kernel makes of an image, and how many additions it took.
fn filter(kernel: &Kernel, image: &[Vec<i64>], lanes: usize) -> (Vec<Vec<i64>>, usize) {
    let algebra = Counting { lanes, additions: AtomicUsize::new(0) };
    let columns = image[0].len();
    let width = columns - 2 * usize::from(kernel.radius().0);
    let mut linear = Linear::new(kernel, columns);
    let mut out = Vec::new();
    for row in image {
        let cells: Vec<_> = row
            .chunks(lanes)
            .map(|cell| cell.iter().copied().chain(std::iter::repeat(0)).take(lanes).collect())
            .collect();
        if let Some(Signed { plus, minus }) = linear.push(&algebra, cells) {
            let mut row = plus.concat();
            let minus = minus.map(|minus| minus.concat()).unwrap_or_default();
            row.iter_mut().zip(minus).for_each(|(a, b)| *a -= b);
            assert!(row.len() >= width && row.len() < width + lanes, "{} cells for {width} columns", row.len());
            row.truncate(width);
            out.push(row);
        }
    }
    (out, algebra.additions.into_inner())
}

fn expected(kernel: &Kernel, image: &[Vec<i64>]) -> Vec<Vec<i64>> {
    let weights: Vec<Vec<i64>> = kernel.rows().collect();
    let (rows, columns) = (image.len() + 1 - weights.len(), image[0].len() + 1 - weights[0].len());
    let sum = |y: usize, x: usize| {
        let row =
            |(j, row): (usize, &Vec<i64>)| row.iter().enumerate().map(|(i, w)| w * image[y + j][x + i]).sum::<i64>();
        weights.iter().enumerate().map(row).sum()
    };
    (0..rows).map(|y| (0..columns).map(|x| sum(y, x)).collect()).collect()
}

fn noise(rows: usize, columns: usize) -> Vec<Vec<i64>> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::from(u8::try_from(state >> 56).expect("eight bits"))
    };
    (0..rows).map(|_| (0..columns).map(|_| next()).collect()).collect()
}

#[test]
fn every_kind_of_pass_is_exact() {
    for text in [
        "mean size=1x1",
        "mean size=3x3",
        "mean size=5x3",
        "mean size=3x5",
        "mean size=1x7",
        "mean size=7x1",
        "mean size=81x1",
        "mean size=1x81",
        "mean radius=20",
        "gaussian sigma=0.85 radius=1",
        "gaussian sigma=1",
        "gaussian sigma=2",
        "gaussian sigma=5",
        "sharpen",
        "sobel-x",
        "sobel-y",
        "laplacian",
        "emboss",
        "kernel weights=-1,-2;-3,-4",
        "kernel weights=1048576,-1048576,777;0,0,5;-3,1,0",
        "kernel weights=0,0,0;0,0,7;0,0,0",
        "kernel weights=-2,-2,-2;-2,-2,-2;-2,-2,-2",
        "kernel weights=1,3,3,1",
        "kernel weights=-1,-1;0,0;1,1;2,2",
    ] {
        let kernel = Filter::from_text(text).expect(text).kernels().remove(0);
        let (rx, ry) = (usize::from(kernel.radius().0), usize::from(kernel.radius().1));
        for (columns, rows, lanes) in [(1, 1, 1), (1, 2, 8), (9, 7, 4), (17, 90, 8), (30, 11, 1)] {
            let image = noise(rows + 2 * ry, columns + 2 * rx);
            assert_eq!(
                filter(&kernel, &image, lanes).0,
                expected(&kernel, &image),
                "{text} {columns} x {rows} x {lanes}"
            );
        }
    }
}

/// The plan's cost is what is added, but for the edges and for what the plan counts as less than an addition.
#[test]
fn it_costs_what_the_plan_says() {
    for (text, most) in [
        ("mean radius=1", 3.6),
        ("mean radius=2", 5.5),
        ("mean radius=100", 13.1),
        ("gaussian sigma=1", 8.1),
        ("sobel-x", 2.1),
        ("sharpen", 8.0),
        ("laplacian", 5.1),
    ] {
        let kernel = Filter::from_text(text).expect(text).kernels().remove(0);
        let (rx, ry) = (usize::from(kernel.radius().0), usize::from(kernel.radius().1));
        let (rows, narrow) = (2000, 8 + 2 * rx);
        let (_, additions) = filter(&kernel, &noise(rows + 2 * ry, narrow), 1);
        let each = f64::from(u32::try_from(additions).expect("few")) / f64::from(u32::try_from(rows * 8).expect("few"));
        let planned = Plan::new(&kernel).cost();
        // Columns of the halo are summed up downwards, too.
        let edges = f64::from(u32::try_from(narrow).expect("few")) / 8.0;
        assert!(planned <= most, "{text}: planned {planned}");
        assert!(each <= (planned + 1.0) * edges, "{text}: {each} additions, planned {planned}, edges {edges}");
    }
}

fn kernels() -> impl Strategy<Value = Kernel> {
    let weight = prop_oneof![4 => -3i64..4, 1 => -2000i64..2000, 2 => Just(1i64), 1 => Just(0i64)];
    (1usize..8, 1usize..8)
        .prop_flat_map(move |(rows, columns)| {
            proptest::collection::vec(proptest::collection::vec(weight.clone(), columns), rows)
        })
        .prop_filter_map("all zero", |rows| Kernel::new(rows).ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_kernel_is_exact(kernel in kernels(), columns in 1usize..20, rows in 1usize..20, lanes in prop::sample::select(vec![1usize, 2, 4, 8])) {
        let (rx, ry) = (usize::from(kernel.radius().0), usize::from(kernel.radius().1));
        let image = noise(rows + 2 * ry, columns + 2 * rx);
        prop_assert_eq!(filter(&kernel, &image, lanes).0, expected(&kernel, &image));
    }
}
