//! Machines with known solutions, and the optimality conditions.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]

use super::committee::{Committee, Strategy};
use super::features::{Matrix, Standardiser};
use super::kernel::Kernel;
use super::rates::equal_error_rate;
use super::sigmoid::{Sigmoid, couple};
use super::svm::{Machine, Training};
use super::verdict::highest;
use crate::error::Code;
use crate::watch::NoWatch;

/// Pseudorandom numbers that are always the same.
fn noise(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31) - 0.5
    };
    (0..count).map(|_| next()).collect()
}

/// Three slightly overlapping clouds of points in the plane.
fn clouds(each: usize) -> (Matrix, Vec<usize>) {
    let centres = [(0.0, 0.0), (0.8, 0.2), (0.1, 0.9)];
    let noise = noise(6 * each, 3);
    let class: Vec<usize> = (0..3 * each).map(|i| i % 3).collect();
    let values =
        class.iter().enumerate().flat_map(|(i, &c)| [centres[c].0 + noise[2 * i], centres[c].1 + noise[2 * i + 1]]);
    (Matrix::new(2, values.collect()).unwrap(), class)
}

const EXACT: Training = Training { cost: 1.0, tolerance: 1e-9 };

#[test]
fn two_points_have_the_known_machine() {
    // The middle between -1 and 3 is 1, and the margin is 2: the decision is (x - 1) / 2.
    let rows = Matrix::new(1, vec![-1.0, 3.0]).unwrap();
    let table = Kernel::Linear.table(&rows, &rows);
    let machine = Machine::train(&table, &[false, true], EXACT, &NoWatch).unwrap();
    for (x, wanted) in [(1.0, 0.0), (3.0, 1.0), (-1.0, -1.0), (5.0, 2.0)] {
        let x = Matrix::new(1, vec![x]).unwrap();
        assert!((machine.decide(&Kernel::Linear.table(&x, &rows)[0]) - wanted).abs() < 1e-9);
    }
}

#[test]
fn the_solution_fulfils_the_conditions_of_the_optimum() {
    let (rows, class) = clouds(40);
    let kernels =
        [Kernel::Linear, Kernel::Gaussian { gamma: 2.0 }, Kernel::Polynomial { degree: 3, gamma: 1.0, shift: 1.0 }];
    for kernel in kernels {
        let table = kernel.gram(&rows);
        assert_eq!(table, kernel.table(&rows, &rows), "the same to the last bit");
        let committee = Committee::train(&table, &class, Strategy::Rest, EXACT, false, &NoWatch).unwrap();
        for (this, machine) in committee.members.iter().map(|member| (member.class, &member.machine)) {
            let sum: f64 = machine.weights.iter().sum();
            assert!(sum.abs() < 1e-9, "{kernel:?}: {sum}");
            for (i, &weight) in machine.weights.iter().enumerate() {
                let sign = if class[i] == this { 1.0 } else { -1.0 };
                let (alpha, margin) = (weight * sign, machine.decide(&table[i]) * sign);
                assert!((0.0..=1.0).contains(&alpha));
                let holds = if alpha == 0.0 {
                    margin >= 1.0 - 1e-6
                } else if alpha == 1.0 {
                    margin <= 1.0 + 1e-6
                } else {
                    (margin - 1.0).abs() < 1e-6
                };
                assert!(holds, "{kernel:?}, row {i}: alpha {alpha}, margin {margin}");
            }
        }
    }
}

#[test]
fn both_kinds_of_committees_tell_clouds_apart_and_know_how_sure_they_are() {
    let (rows, class) = clouds(80);
    let kernel = Kernel::Gaussian { gamma: 1.0 };
    let table = kernel.table(&rows, &rows);
    for strategy in [Strategy::Rest, Strategy::Pairs] {
        let committee = Committee::train(&table, &class, strategy, Training::default(), true, &NoWatch).unwrap();
        assert_eq!(committee.members.len(), 3);
        let verdicts: Vec<_> = table.iter().map(|kernels| committee.decide(kernels)).collect();
        let right = |i: &usize| verdicts[*i].class == class[*i];
        let count = (0..class.len()).filter(right).count();
        assert!(count * 100 > class.len() * 85, "{strategy:?}: {count} of {}", class.len());
        // On average, the probabilities predict the number of correct answers.
        let mut expected = 0.0;
        for verdict in &verdicts {
            let probabilities = verdict.probabilities.as_ref().unwrap();
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
            assert_eq!(highest(verdict.scores.as_ref().unwrap()), verdict.class);
            expected += probabilities[highest(probabilities)];
        }
        assert!((expected - count as f64).abs() < 0.1 * class.len() as f64, "{strategy:?}: {expected} for {count}");
    }
}

#[test]
fn too_few_rows_give_no_probabilities() {
    let rows = Matrix::new(1, vec![-1.0, 3.0]).unwrap();
    let table = Kernel::Linear.gram(&rows);
    let committee = Committee::train(&table, &[0, 1], Strategy::Pairs, EXACT, true, &NoWatch).unwrap();
    let verdict = committee.decide(&table[1]);
    assert_eq!((verdict.class, verdict.probabilities), (1, None));
}

#[test]
fn the_curve_of_probabilities_is_the_one_that_rows_were_drawn_from() {
    // The rows are drawn evenly: at each decision value, the share of positive rows is the probability.
    let truth = Sigmoid { slope: -1.7, offset: 0.4 };
    let (mut decisions, mut positive) = (Vec::new(), Vec::new());
    for step in -30..=30 {
        let decision = f64::from(step) / 10.0;
        let wanted = (truth.probability(decision) * 400.0).round() as usize;
        decisions.extend([decision; 400]);
        positive.extend((0..400).map(|i| i < wanted));
    }
    let found = Sigmoid::fit(&decisions, &positive);
    assert!((found.slope - truth.slope).abs() < 0.01 && (found.offset - truth.offset).abs() < 0.01, "{found:?}");
    assert_eq!(truth.probability(1e9), 1.0);
    assert_eq!(truth.probability(-1e9), 0.0);
}

#[test]
fn duels_couple_to_the_probabilities_they_come_from() {
    let truth = [0.5, 0.2, 0.25, 0.05];
    let duel = |i: usize, j: usize| truth[i] / (truth[i] + truth[j]);
    let duels: Vec<Vec<f64>> = (0..4).map(|i| (0..4).map(|j| duel(i, j)).collect()).collect();
    for (found, wanted) in couple(&duels).iter().zip(truth) {
        assert!((found - wanted).abs() < 0.01, "{found} for {wanted}");
    }
}

#[test]
fn the_highest_is_the_first_of_several() {
    assert_eq!(highest(&[1.0, 3.0, 3.0, 2.0]), 1);
    assert_eq!(highest(&[]), 0);
}

#[test]
fn negating_and_moving_samples_changes_no_bit_of_the_kernels() {
    let bytes: Vec<Vec<u8>> =
        (0..12).map(|row| noise(40, row).iter().map(|x| ((x + 0.5) * 255.0) as u8).collect()).collect();
    // Half of the columns are negated. The order of the columns stays, because sums depend on it.
    let negated: Vec<Vec<u8>> = bytes
        .iter()
        .map(|row| row.iter().enumerate().map(|(i, &p)| if i % 2 == 0 { 255 - p } else { p }).collect())
        .collect();
    let standardised = |rows: &[Vec<u8>]| Standardiser::fit(rows).unwrap().apply(rows).unwrap();
    let (a, b) = (standardised(&bytes), standardised(&negated));
    for kernel in
        [Kernel::Linear, Kernel::Gaussian { gamma: 0.1 }, Kernel::Polynomial { degree: 2, gamma: 0.1, shift: 1.0 }]
    {
        assert_eq!(kernel.table(&a, &a), kernel.table(&b, &b));
    }
}

#[test]
fn kernels_can_be_had_from_inner_products() {
    let rows = Matrix::new(7, noise(7 * 21, 5)).unwrap();
    let products = Kernel::Linear.gram(&rows);
    for kernel in
        [Kernel::Linear, Kernel::Gaussian { gamma: 0.7 }, Kernel::Polynomial { degree: 3, gamma: 0.5, shift: 0.25 }]
    {
        let table = kernel.table(&rows, &rows);
        assert_eq!(table, kernel.gram(&rows));
        for (i, j) in (0..21).flat_map(|i| (0..21).map(move |j| (i, j))) {
            let found = kernel.of_products(products[i][j], products[i][i], products[j][j]);
            assert!((found - table[i][j]).abs() < 1e-14, "{kernel:?}: {found} for {}", table[i][j]);
        }
    }
}

#[test]
fn standardised_columns_have_mean_0_and_deviation_1() {
    let rows: [[u8; 3]; 4] = [[0, 7, 255], [10, 7, 0], [20, 7, 255], [30, 7, 0]];
    let out = Standardiser::fit(&rows).unwrap().apply(&rows).unwrap();
    for column in 0..3 {
        let values: Vec<f64> = (0..4).map(|row| out.row(row)[column]).collect();
        let mean = values.iter().sum::<f64>() / 4.0;
        let variance = values.iter().map(|x| x * x).sum::<f64>() / 4.0;
        assert!(mean.abs() < 1e-12);
        assert!((variance - if column == 1 { 0.0 } else { 1.0 }).abs() < 1e-12, "{column}: {variance}");
    }
    let longer = [[1u8; 4]];
    assert_eq!(Standardiser::fit(&rows).unwrap().apply(&longer).unwrap_err().kind(), Code::ImagesDiffer);
}

#[test]
fn the_equal_error_rate_is_where_both_are_the_same() {
    assert_eq!(equal_error_rate(&[2.0, 3.0], &[0.0, 1.0]), 0.0);
    assert_eq!(equal_error_rate(&[0.0, 1.0], &[2.0, 3.0]), 1.0);
    assert_eq!(equal_error_rate(&[1.0, 3.0], &[0.0, 2.0]), 0.5);
    // One of four genuine scores is below one of four impostors' scores.
    assert_eq!(equal_error_rate(&[1.0, 5.0, 6.0, 7.0], &[2.0, 0.0, -1.0, -2.0]), 0.25);
    assert_eq!(equal_error_rate(&[], &[1.0]), 0.5);
}

#[test]
fn nonsense_is_refused() {
    let bad = |table: &[Vec<f64>], positive: &[bool], training| {
        assert_eq!(Machine::train(table, positive, training, &NoWatch).unwrap_err().kind(), Code::BadArgument);
    };
    let table = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
    bad(&table, &[true], EXACT);
    bad(&table, &[true, true], EXACT);
    bad(&[vec![1.0, f64::NAN], vec![0.0, 1.0]], &[true, false], EXACT);
    bad(&table, &[true, false], Training { cost: f64::INFINITY, ..EXACT });
    bad(&table, &[true, false], Training { tolerance: 0.0, ..EXACT });
    assert!(Matrix::new(3, vec![0.0; 4]).is_err());
    assert!(Matrix::new(1, vec![f64::INFINITY]).is_err());
    assert!(Standardiser::fit::<Vec<u8>>(&[]).is_err());
    assert!(Standardiser::fit(&[vec![1u8], vec![1, 2]]).is_err());
}
