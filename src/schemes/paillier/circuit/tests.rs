//! Kernels on plain integers, with several lanes, counting the additions.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::algebra::Algebra;
use super::linear::Linear;
use super::plan::{DOUBLING, Plan};
use super::row::Signed;
use crate::schemes::paillier::Filter;
use crate::schemes::paillier::kernel::{Kernel, MAX_WEIGHT};

/// Cells of `lanes` integers each.
struct Counting {
    lanes: usize,
    additions: AtomicUsize,
    doublings: AtomicUsize,
}

impl Counting {
    fn new(lanes: usize) -> Self {
        Self { lanes, additions: AtomicUsize::new(0), doublings: AtomicUsize::new(0) }
    }

    /// The cost so far, in additions.
    fn cost(&self) -> f64 {
        float(self.additions.load(Ordering::Relaxed)) + DOUBLING * float(self.doublings.load(Ordering::Relaxed))
    }
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
        self.doublings.fetch_add(1, Ordering::Relaxed);
        for a in a {
            *a *= 2;
        }
    }

    fn gather<'a>(&self, row: &'a [Vec<i64>], first: usize) -> Cow<'a, Vec<i64>> {
        let column = |at: usize| row.get(at / self.lanes).map_or(0, |cell| cell[at % self.lanes]);
        Cow::Owned((first..first + self.lanes).map(column).collect())
    }
}

type Image = Vec<Vec<i64>>;

/// Applies a kernel to an image.
fn filter(algebra: &Counting, kernel: &Kernel, image: &[Vec<i64>]) -> Image {
    let columns = image[0].len();
    let width = columns - 2 * usize::from(kernel.radius().0);
    let mut linear = Linear::new(algebra, kernel, columns);
    let mut out = Vec::new();
    for row in image {
        let padded = |cell: &[i64]| cell.iter().copied().chain(std::iter::repeat(0)).take(algebra.lanes).collect();
        let cells: Vec<_> = row.chunks(algebra.lanes).map(padded).collect();
        if let Some(Signed { plus, minus }) = linear.push(algebra, cells) {
            let mut row = plus.concat();
            let minus = minus.map(|minus| minus.concat()).unwrap_or_default();
            row.iter_mut().zip(minus).for_each(|(a, b)| *a -= b);
            assert!(row.len() >= width && row.len() < width + algebra.lanes, "{} for {width} columns", row.len());
            row.truncate(width);
            out.push(row);
        }
    }
    out
}

/// Computes the same from the definition.
fn expected(kernel: &Kernel, image: &[Vec<i64>]) -> Image {
    let weights: Vec<Vec<i64>> = kernel.rows().collect();
    let (rows, columns) = (image.len() + 1 - weights.len(), image[0].len() + 1 - weights[0].len());
    let sum = |y: usize, x: usize| {
        let row =
            |(j, row): (usize, &Vec<i64>)| row.iter().enumerate().map(|(i, w)| w * image[y + j][x + i]).sum::<i64>();
        weights.iter().enumerate().map(row).sum()
    };
    (0..rows).map(|y| (0..columns).map(|x| sum(y, x)).collect()).collect()
}

fn noise(rows: usize, columns: usize) -> Image {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::from(u8::try_from(state >> 56).expect("eight bits"))
    };
    (0..rows).map(|_| (0..columns).map(|_| next()).collect()).collect()
}

fn kernel(text: &str) -> Kernel {
    Filter::from_text(text).expect(text).kernels().remove(0)
}

fn radius(kernel: &Kernel) -> (usize, usize) {
    let (rx, ry) = kernel.radius();
    (rx.into(), ry.into())
}

fn float(number: usize) -> f64 {
    f64::from(u32::try_from(number).expect("few"))
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
        "mean size=15x1",
        "mean size=17x1",
        "mean size=31x1",
        "mean size=81x1",
        "mean size=1x81",
        "mean radius=20",
        "mean radius=40",
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
        "kernel weights=0,5,5,5,5,0;0,5,5,5,5,0",
        "kernel weights=1,3,3,1",
        "kernel weights=-1,-1;0,0;1,1;2,2",
        "kernel weights=1,-1;-1,1",
        "kernel weights=-1048576",
        "blend share=0",
    ] {
        let kernel = kernel(text);
        let (rx, ry) = radius(&kernel);
        for (columns, rows, lanes) in [(1, 1, 1), (1, 2, 8), (9, 7, 4), (17, 90, 8), (30, 11, 1)] {
            let image = noise(rows + 2 * ry, columns + 2 * rx);
            assert_eq!(
                filter(&Counting::new(lanes), &kernel, &image),
                expected(&kernel, &image),
                "{text} {columns} x {rows} x {lanes}"
            );
        }
    }
}

/// The image is so large that its edges hardly count.
#[test]
fn it_costs_what_the_plan_says() {
    let wild = (0..15).map(|j| (0..15).map(|i| ((i * 7 + j * 13) % 11 - 5).to_string()).collect::<Vec<_>>().join(","));
    let wild = format!("kernel weights={}", wild.collect::<Vec<_>>().join(";"));
    for (text, lanes) in [
        ("mean radius=1", 8),
        ("mean radius=1", 1),
        ("mean radius=2", 8),
        ("mean radius=20", 1),
        ("mean radius=20", 2),
        ("mean radius=20", 8),
        ("mean radius=100", 8),
        ("gaussian sigma=1", 8),
        ("gaussian sigma=3", 8),
        ("sobel-x", 8),
        ("sobel-y", 8),
        ("sharpen", 8),
        ("laplacian", 8),
        ("emboss", 8),
        ("kernel weights=1048575,-77,1000;13,0,5;-3,1,999999", 8),
        ("kernel weights=1,-2,1;-2,4,-2;1,-2,1", 8),
        (wild.as_str(), 8),
    ] {
        let kernel = kernel(text);
        let (rx, ry) = radius(&kernel);
        let (rows, cells) = (50 + 20 * ry, 25 + 20 * rx / lanes);
        let algebra = Counting::new(lanes);
        filter(&algebra, &kernel, &noise(rows + 2 * ry, cells * lanes + 2 * rx));
        let each = algebra.cost() / float(rows * cells);
        // The kernel itself does not subtract.
        let subtraction = if kernel.sums().1 > 0 { 4.0 } else { 0.0 };
        let planned = Plan::new(&kernel, lanes).cost(lanes) - subtraction;
        assert!(each >= planned * 0.95, "{text}, {lanes} lanes: {each} additions, planned {planned}");
        assert!(each <= planned * 1.12, "{text}, {lanes} lanes: {each} additions, planned {planned}");
    }
}

/// With a halo wider than the image, the cost is no higher than that of adding up the pixels.
#[test]
fn large_boxes_on_small_images_are_cheap() {
    let kernel = kernel("mean radius=100");
    let (columns, rows) = (128, 74);
    let algebra = Counting::new(8);
    let image = noise(rows + 200, columns + 200);
    assert_eq!(filter(&algebra, &kernel, &image), expected(&kernel, &image));
    // 41 cells in a row go in and 16 come out.
    let down = float(41 * (200 + 2 * 73));
    let across = float(rows * (24 + 2 * 16 + 4 * 17));
    assert!(algebra.cost() <= down + across, "{} > {down} + {across}", algebra.cost());
}

fn kernels() -> impl Strategy<Value = Kernel> {
    let weight = prop_oneof![4 => -3i64..4, 1 => -2000i64..2000, 1 => -MAX_WEIGHT..=MAX_WEIGHT, 2 => Just(1i64), 1 => Just(0i64)];
    let any = (1usize..8, 1usize..8)
        .prop_flat_map(move |(rows, columns)| {
            proptest::collection::vec(proptest::collection::vec(weight.clone(), columns), rows)
        })
        .prop_filter_map("all zero", |rows| Kernel::new(rows).ok());
    let axis = || proptest::collection::vec(-2i64..3, 1usize..8);
    let separable = (axis(), axis()).prop_filter_map("all zero", |(vertical, horizontal)| {
        Kernel::new(vertical.iter().map(|v| horizontal.iter().map(|h| v * h).collect()).collect()).ok()
    });
    let boxes = (0u16..25, 0u16..25).prop_map(|(rx, ry)| Filter::Mean { rx, ry }.kernels().remove(0));
    prop_oneof![any, separable, boxes]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_kernel_is_exact(kernel in kernels(), columns in 1usize..20, rows in 1usize..20, lanes in prop::sample::select(vec![1usize, 2, 4, 8])) {
        let (rx, ry) = radius(&kernel);
        let image = noise(rows + 2 * ry, columns + 2 * rx);
        prop_assert_eq!(filter(&Counting::new(lanes), &kernel, &image), expected(&kernel, &image));
    }
}

#[cfg(feature = "client")]
mod exponents {
    use num_bigint::BigInt;

    use super::*;
    use crate::schemes::paillier::circuit::algebra::Integers;
    use crate::schemes::paillier::circuit::row::combine;

    type Pairs = Vec<Vec<[BigInt; 2]>>;

    /// Numbers as long as exponents, some of them negative.
    fn pairs(rows: usize, columns: usize, seed: u32) -> Pairs {
        let pair = |[a, b]: [i64; 2]| [(BigInt::from(a) << 1024) - b, BigInt::from(-b * i64::from(seed))];
        let rows = noise(rows, 2 * columns).into_iter();
        rows.map(|row| row.chunks_exact(2).map(|two| pair([two[0], two[1]])).collect()).collect()
    }

    /// Applies a filter to one image for each of its inputs.
    fn filter(filter: &Filter, images: &[Pairs]) -> Pairs {
        let mut kernels: Vec<_> =
            filter.kernels().iter().map(|kernel| Linear::new(&Integers, kernel, images[0][0].len())).collect();
        let mut out = Vec::new();
        for row in 0..images[0].len() {
            let each = kernels.iter_mut().zip(images);
            let filtered: Vec<_> =
                each.filter_map(|(kernel, image)| kernel.push(&Integers, image[row].clone())).collect();
            let Some(Signed { mut plus, minus }) = filtered.into_iter().reduce(|a, b| combine(&Integers, a, b)) else {
                continue;
            };
            for (cell, minus) in plus.iter_mut().zip(minus.into_iter().flatten()) {
                cell.iter_mut().zip(minus).for_each(|(a, b)| *a -= b);
            }
            out.push(plus);
        }
        out
    }

    fn expected(filter: &Filter, images: &[Pairs]) -> Pairs {
        let (rx, ry) = (usize::from(filter.radius().0), usize::from(filter.radius().1));
        let cell = |y: usize, x: usize, part: usize| {
            let mut sum = BigInt::ZERO;
            for (kernel, image) in filter.kernels().iter().zip(images) {
                for (j, weights) in kernel.rows().enumerate() {
                    for (i, weight) in weights.into_iter().enumerate() {
                        sum += &image[y + j][x + i][part] * weight;
                    }
                }
            }
            sum
        };
        let columns = images[0][0].len() - 2 * rx;
        (0..images[0].len() - 2 * ry).map(|y| (0..columns).map(|x| [cell(y, x, 0), cell(y, x, 1)]).collect()).collect()
    }

    #[test]
    fn exponents_are_filtered_as_ciphertexts_are() {
        for text in [
            "mean size=3x3",
            "mean size=9x1",
            "mean size=1x9",
            "gaussian sigma=1",
            "gaussian sigma=2",
            "sharpen",
            "sobel-x",
            "sobel-y",
            "emboss",
            "kernel weights=1048576,-1048576,777;0,0,5;-3,1,0",
            "kernel weights=-1,-1,-1;-1,-1,-1;-1,-1,-1",
            "brightness offset=5",
            "blend share=0",
            "blend share=37",
            "blend share=100",
        ] {
            let wanted = Filter::from_text(text).expect(text);
            let images: Vec<_> = (1..).take(wanted.inputs()).map(|seed| pairs(12, 13, seed)).collect();
            assert_eq!(filter(&wanted, &images), expected(&wanted, &images), "{text}");
        }
    }

    #[test]
    fn filters_of_exponents_can_follow_each_other() {
        let (first, second) = (Filter::SobelY, Filter::Mean { rx: 1, ry: 2 });
        let image = pairs(11, 9, 1);
        let once = filter(&first, std::slice::from_ref(&image));
        let twice = expected(&second, &[expected(&first, &[image])]);
        assert_eq!(filter(&second, &[once]), twice);
    }
}
