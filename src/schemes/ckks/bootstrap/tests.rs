//! Compares bootstrapped vectors with the original ones.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "tests")]

use std::sync::Arc;

use num_complex::Complex64;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::{Numbers, Plan, REACH, failure_bits, tail_bits};
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::evaluator::Evaluator;
use crate::schemes::ckks::keys::EvaluationKeys;
use crate::schemes::ckks::parameters::{ALL, BOOTSTRAP_15, BOOTSTRAP_16, Parameters, SPARSE_WEIGHT};
use crate::schemes::ckks::ring::{Basis, Ring};
use crate::schemes::ckks::secret::SecretKey;

/// The binary logarithms of the largest and the mean error.
fn precision(set: &'static Parameters, slots: usize, numbers: Numbers) -> (f64, f64) {
    let rng = &mut ChaCha20Rng::from_seed([3; 32]);
    let ring = Ring::new(set).unwrap();
    let encoder = Arc::new(Encoder::new(&ring));
    let (secret, public) = SecretKey::generate(&ring, rng).unwrap();
    let plan = Plan::new(&ring, &encoder, slots, numbers).unwrap();
    let keys = secret.bootstrapping_keys(&ring, &plan, rng).unwrap();
    let evaluator = Evaluator::new(Arc::clone(&ring), Arc::clone(&encoder), keys);
    let bootstrapper = plan.encode(&evaluator).unwrap();
    let number = |i: usize| {
        let imaginary = if numbers == Numbers::Real { 0.0 } else { (i as f64 * 1.3).cos() };
        Complex64::new((i as f64 * 0.7).sin(), imaginary)
    };
    let values: Vec<_> = (0..slots).map(number).collect();
    let level = bootstrapper.needed_level();
    let plaintext = encoder.encode(&ring, &values, slots, level, ring.scale(level)).unwrap();
    let a = public.encrypt(&ring, &plaintext, rng).unwrap();
    let b = evaluator.bootstrap(&bootstrapper, &a).unwrap();
    assert_eq!(b.level(), set.levels);
    let found = secret.decrypt(&ring, &b).unwrap().decode(&ring, &encoder);
    let errors: Vec<f64> = values.iter().zip(&found).map(|(a, b)| (a - b).norm()).collect();
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    (-errors.iter().fold(0.0, |a: f64, &b| a.max(b)).log2(), -mean.log2())
}

#[test]
fn few_slots() {
    for set in [&BOOTSTRAP_15, &BOOTSTRAP_16] {
        let (worst, mean) = precision(set, 16, Numbers::Complex);
        println!("{}, 16 slots: {worst:.1} bits at the worst, {mean:.1} in the mean", set.name);
        assert!(worst > 18.0, "{}: {worst:.1} bits", set.name);
    }
}

/// What raising adds must have the size that [`failure_bits`] assumes: sums of uniform numbers.
#[test]
fn multiples_of_the_base_prime_are_small() {
    let rng = &mut ChaCha20Rng::from_seed([4; 32]);
    let ring = Ring::new(&BOOTSTRAP_15).unwrap();
    let encoder = Arc::new(Encoder::new(&ring));
    let (secret, _) = SecretKey::generate(&ring, rng).unwrap();
    let mut keys = EvaluationKeys::new(secret.id());
    keys.set_encapsulation(secret.encapsulation(&ring, rng).unwrap());
    let evaluator = Evaluator::new(Arc::clone(&ring), Arc::clone(&encoder), keys);
    let plaintext = encoder.encode_real(&ring, &[0.5; 4], 4, 0, ring.scale(0)).unwrap();
    let raised = evaluator.raise(&secret.encrypt(&ring, &plaintext, rng).unwrap()).unwrap();
    let opened = secret.decrypt(&ring, &raised).unwrap();
    // q I and something small, modulo q and modulo another prime.
    let base = ring.level(0).first;
    let [low, high] = [base, base + 1].map(|first| opened.poly().coefficients(&ring, Basis { first, count: 1 }));
    let [q, p] = [base, base + 1].map(|place| ring.limb(place).prime());
    let centred = |residue: u64, modulus: u64| {
        let residue = i64::try_from(residue).unwrap();
        if residue > i64::try_from(modulus / 2).unwrap() { residue - i64::try_from(modulus).unwrap() } else { residue }
    };
    let inverse = p.inverse(p.residue(q.value()));
    let multiples = low.iter().zip(&high[..]).map(|(&low, &high)| {
        let small = centred(low, q.value());
        assert!(small.unsigned_abs() < 1 << 46, "the message and its errors");
        let small = u64::try_from(small.rem_euclid(i64::try_from(p.value()).unwrap())).unwrap();
        centred(p.mul(p.sub(high, small), inverse), p.value())
    });
    let multiples: Vec<i64> = multiples.collect();
    let largest = multiples.iter().map(|i| i.abs()).max().unwrap();
    let variance = multiples.iter().map(|&i| (i * i) as f64).sum::<f64>() / multiples.len() as f64;
    println!("the largest is {largest}, the variance {variance:.3}");
    // Each number and the rounding contribute a variance of 1/12. One of 2^15 numbers exceeds six deviations with a probability
    // of 1/10000.
    let expected = (SPARSE_WEIGHT as f64 + 2.0) / 12.0;
    let six = 6.0 * expected.sqrt();
    assert!((variance - expected).abs() < 0.2 && (largest as f64) < six, "{variance} {largest}");
    assert!(largest as f64 + 0.5 <= REACH);
    for set in ALL.iter().filter(|set| set.raised > 0) {
        println!("{}: {:.1} bits", set.name, failure_bits(set));
        assert!(failure_bits(set) < -60.0, "{}: {}", set.name, failure_bits(set));
    }
}

/// The probabilities for one to three numbers are computed by hand.
#[test]
fn tails_of_sums_are_right() {
    for (terms, limit, chance) in [
        (1.0, 0.25, 0.25),
        (2.0, 0.0, 0.5),
        (2.0, 0.5, 0.125),
        (3.0, 0.0, 0.5),
        (3.0, 1.0, 1.0 / 48.0),
        (3.0, 0.5, 1.0 / 6.0),
    ] {
        let found: f64 = tail_bits(terms, limit).exp2();
        assert!((found - chance).abs() < 1e-12, "{terms} numbers above {limit}: {found}, not {chance}");
    }
}
