//! Compares products on ciphertexts with those on plain numbers.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "tests"
)]

use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;
use crate::math::kernel::Kernel;
use crate::schemes::ckks::keys::EvaluationKeys;
use crate::schemes::ckks::parameters::{NETWORK_15, SMALL};
use crate::schemes::ckks::secret::SecretKey;

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn number(i: usize) -> f64 {
    (i as f64 * 0.71 + 0.3).sin()
}

#[test]
fn a_matrix_with_repeated_diagonals_is_applied() {
    let offsets = Offsets { rows: 3, row_step: 64, columns: 11 };
    assert_eq!((offsets.groups(), offsets.babies(), offsets.rotations()), (3, 12, 13));
    let slots = 4096;
    let diagonal = |r: usize, t: usize| (0..32).map(|i| number(i * i + 5 * r + 77 * t) / 8.0).collect::<Vec<_>>();
    let values: Vec<f64> = (0..slots).map(number).collect();
    let wanted: Vec<f64> = (0..slots)
        .map(|i| {
            let terms = (0..offsets.rows).flat_map(|r| (0..offsets.columns).map(move |t| (r, t)));
            terms.map(|(r, t)| diagonal(r, t)[i % 32] * values[(i + 64 * r + t) % slots]).sum()
        })
        .collect();
    let mut first = None;
    for kernel in Kernel::all() {
        let ring = Ring::with_kernel(&SMALL, kernel).unwrap();
        let encoder = Arc::new(Encoder::new(&ring));
        let (secret, _) = SecretKey::generate(&ring, &mut rng(1)).unwrap();
        let mut keys = EvaluationKeys::new(secret.id());
        for (step, seed) in offsets.steps().into_iter().zip(10..) {
            let (element, key) = secret.rotation_key(&ring, step as i64, 3, &mut rng(seed)).unwrap();
            keys.insert_galois(element, key);
        }
        let evaluator = Evaluator::new(Arc::clone(&ring), Arc::clone(&encoder), keys);
        let plaintext = encoder.encode_real(&ring, &values, slots, 3, ring.scale(3)).unwrap();
        let a = secret.encrypt(&ring, &plaintext, &mut rng(2)).unwrap();
        let scale = f64::powi(2.0, 24);
        let matrix = PeriodicMatrix::new(&ring, &encoder, offsets, 32, scale, diagonal).unwrap();
        let mut steps = 0;
        let mut count = || {
            steps += 1;
            Ok(())
        };
        let product = evaluator.apply_periodic(&matrix, &a, &mut count).unwrap();
        assert_eq!(steps, offsets.rotations());
        let found = secret.decrypt(&ring, &product).unwrap().decode(&ring, &encoder);
        for (i, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
            assert!((found.re - wanted).abs() < 1e-4, "{kernel:?}, slot {i}: {found} instead of {wanted}");
        }
        let words = product.parts()[0].words().to_vec();
        assert_eq!(&words, first.get_or_insert_with(|| words.clone()), "{kernel:?}");
        assert!(PeriodicMatrix::new(&ring, &encoder, offsets, 1024, scale, diagonal).is_err(), "runs of 4 places");
        assert!(PeriodicMatrix::new(&ring, &encoder, offsets, 32, f64::INFINITY, diagonal).is_err());
    }
}

#[test]
fn the_values_of_a_repeating_vector_stay_the_same_on_runs() {
    let ring = Ring::new(&NETWORK_15).unwrap();
    let encoder = Encoder::new(&ring);
    for period in [16, 1024] {
        let numbers: Vec<f64> = (0..period).map(number).collect();
        let scale = f64::powi(2.0, 20);
        let whole = encoder.encode_real(&ring, &numbers, period, 2, scale).unwrap();
        let offsets = Offsets { rows: 1, row_step: 1, columns: 1 };
        let matrix = PeriodicMatrix::new(&ring, &encoder, offsets, period, scale, |_, _| numbers.clone()).unwrap();
        for place in ring.level(2).places() {
            let mut factors = vec![0; 2 * period];
            let transform = ring.small_transform(place, 2 * period).unwrap();
            matrix.factors(ring.limb(place).prime().value(), &transform, 0..1, &mut factors);
            let run = ring.degree() / (2 * period);
            let repeated: Vec<u64> = factors.iter().flat_map(|&factor| std::iter::repeat_n(factor, run)).collect();
            assert_eq!(whole.poly().limb(place), repeated, "period {period}");
        }
    }
}
