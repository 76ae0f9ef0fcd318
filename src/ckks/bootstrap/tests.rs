//! Bootstrapped vectors against what they were.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "tests")]

use std::sync::Arc;

use num_complex::Complex64;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::{Numbers, Plan};
use crate::ckks::encode::Encoder;
use crate::ckks::evaluator::Evaluator;
use crate::ckks::parameters::BOOTSTRAP_16;
use crate::ckks::ring::Ring;
use crate::ckks::secret::SecretKey;

/// Bits of the largest and of the mean error.
fn precision(slots: usize, numbers: Numbers) -> (f64, f64) {
    let rng = &mut ChaCha20Rng::from_seed([3; 32]);
    let ring = Ring::new(&BOOTSTRAP_16).unwrap();
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
    assert_eq!(b.level(), BOOTSTRAP_16.levels);
    let found = secret.decrypt(&ring, &b).unwrap().decode(&ring, &encoder);
    let errors: Vec<f64> = values.iter().zip(&found).map(|(a, b)| (a - b).norm()).collect();
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    (-errors.iter().fold(0.0, |a: f64, &b| a.max(b)).log2(), -mean.log2())
}

#[test]
fn few_slots() {
    let (worst, mean) = precision(16, Numbers::Complex);
    println!("16 slots: {worst:.1} bits at the worst, {mean:.1} in the mean");
    assert!(worst > 18.0, "{worst:.1} bits");
}
