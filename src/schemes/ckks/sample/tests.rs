//! Checks distributions by counting.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "tests"
)]

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::{TAILS, gaussian, sort, sparse, ternary, uniform};
use crate::schemes::ckks::parameters::{DEVIATION, SMALL};
use crate::schemes::ckks::ring::Ring;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([7; 32])
}

#[test]
fn the_table_is_that_of_the_gaussian() {
    let weight = |k: usize| (-((k * k) as f64) / (2.0 * DEVIATION * DEVIATION)).exp();
    let total = weight(0) + 2.0 * (1..60).map(weight).sum::<f64>();
    for (k, &tail) in TAILS.iter().enumerate() {
        let wanted = 2.0 * (k + 1..60).map(weight).sum::<f64>() / total * 2f64.powi(63);
        assert!((tail as f64 - wanted).abs() <= wanted * 1e-12 + 1.0, "{k}: {tail} {wanted}");
    }
}

#[test]
fn errors_have_the_deviation_and_no_mean() {
    let errors = gaussian(&mut rng(), 1 << 20);
    let count = errors.len() as f64;
    let mean: f64 = errors.iter().map(|&e| f64::from(e)).sum::<f64>() / count;
    let variance = errors.iter().map(|&e| f64::from(e) * f64::from(e)).sum::<f64>() / count;
    // Five standard deviations of the measured number.
    assert!(mean.abs() < 5.0 * DEVIATION / count.sqrt(), "{mean}");
    assert!((variance / (DEVIATION * DEVIATION) - 1.0).abs() < 5.0 * (2.0 / count).sqrt(), "{variance}");
    assert!(errors.iter().any(|&e| e > 12) && errors.iter().all(|&e| e.abs() < 29));
}

#[test]
fn ternary_coefficients_are_as_likely() {
    let coefficients = ternary(&mut rng(), 300_000);
    for value in [-1, 0, 1] {
        let count = coefficients.iter().filter(|&&c| c == value).count();
        assert!(count.abs_diff(100_000) < 1500, "{value}: {count}");
    }
}

#[test]
fn sparse_secrets_have_their_weight_anywhere() {
    let mut places = vec![0; 64];
    for seed in 0..200 {
        let coefficients = sparse(&mut ChaCha20Rng::from_seed([seed; 32]), 64, 16);
        assert_eq!(coefficients.iter().filter(|&&c| c != 0).count(), 16);
        assert!(coefficients.iter().all(|c| (-1..=1).contains(c)));
        coefficients.iter().zip(&mut places).for_each(|(&c, place)| *place += i32::from(c != 0));
    }
    // 50 each, within five deviations of 6.1.
    assert!(places.iter().all(|&count| (20..80).contains(&count)), "{places:?}");
}

#[test]
fn the_network_sorts() {
    let mut words: Vec<u64> = (0..1024u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    let mut wanted = words.clone();
    wanted.sort_unstable();
    sort(&mut words);
    assert_eq!(words, wanted);
}

#[test]
fn uniform_limbs_depend_on_seed_number_and_prime_alone() {
    let ring = Ring::new(&SMALL).unwrap();
    let all = uniform(&ring, ring.extended(3, 1), &[1; 32], 5);
    let some = uniform(&ring, ring.level(1), &[1; 32], 5);
    for place in ring.level(1).places() {
        assert_eq!(all.limb(place), some.limb(place));
        assert!(all.limb(place).iter().all(|&word| word < ring.limb(place).prime().value()));
        let mean = all.limb(place).iter().map(|&w| w as f64).sum::<f64>() / ring.degree() as f64;
        let ratio = mean / ring.limb(place).prime().value() as f64;
        assert!((ratio - 0.5).abs() < 0.02, "{ratio}");
    }
    assert!(all != uniform(&ring, ring.extended(3, 1), &[2; 32], 5));
    assert!(all != uniform(&ring, ring.extended(3, 1), &[1; 32], 6));
}
