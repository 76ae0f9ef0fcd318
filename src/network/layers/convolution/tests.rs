//! Compares convolutions on ciphertexts with their plain twin, and the twin with a direct computation.

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
use crate::schemes::ckks::keys::EvaluationKeys;
use crate::schemes::ckks::parameters::{NETWORK_15, Parameters};
use crate::schemes::ckks::secret::SecretKey;

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn number(i: usize) -> f64 {
    (i as f64 * 0.71 + 0.3).sin()
}

const GRID: Grid = Grid { height: 32, width: 32, depth: 16 };

fn kernel(shape: &Convolution, seed: usize) -> Weights {
    let size = 1.0 / ((shape.inputs.count * shape.kernel * shape.kernel) as f64).sqrt();
    Weights {
        weights: (0..shape.weights()).map(|i| (number(i * i + seed) * size) as f32).collect(),
        bias: (0..shape.outputs().count).map(|i| (number(i + seed) * 0.1) as f32).collect(),
    }
}

struct World {
    ring: Arc<Ring>,
    encoder: Arc<Encoder>,
    secret: SecretKey,
    evaluator: Evaluator,
}

impl World {
    fn new(parameters: &'static Parameters, steps: &[usize]) -> Self {
        let ring = Ring::new(parameters).unwrap();
        let encoder = Arc::new(Encoder::new(&ring));
        let (secret, _) = SecretKey::generate(&ring, &mut rng(1)).unwrap();
        let mut keys = EvaluationKeys::new(secret.id());
        let top = ring.top();
        keys.insert_relinearise(secret.relinearisation_key(&ring, top, &mut rng(2)).unwrap());
        for (&step, seed) in steps.iter().zip(10..) {
            let (element, key) = secret.rotation_key(&ring, step as i64, top, &mut rng(seed)).unwrap();
            keys.insert_galois(element, key);
        }
        let evaluator = Evaluator::new(Arc::clone(&ring), Arc::clone(&encoder), keys);
        Self { ring, encoder, secret, evaluator }
    }

    fn encrypt(&self, values: &[f64], level: usize, scale: f64) -> Ciphertext {
        let plaintext = self.encoder.encode_real(&self.ring, values, values.len(), level, scale).unwrap();
        self.secret.encrypt(&self.ring, &plaintext, &mut rng(3)).unwrap()
    }

    /// The largest difference from these numbers, which are rotated to the left by `origin`.
    fn error(&self, a: &Ciphertext, wanted: &[f64], origin: usize) -> f64 {
        let found = self.secret.decrypt(&self.ring, a).unwrap().decode(&self.ring, &self.encoder);
        let wanted = (0..wanted.len()).map(|i| wanted[(i + origin) % wanted.len()]);
        found.iter().zip(wanted).map(|(found, wanted)| (found.re - wanted).abs()).fold(0.0, f64::max)
    }
}

#[test]
fn diagonals_are_counted_as_in_the_design() {
    let count = |step: usize, count: usize, kernel: usize, stride: usize| {
        let shape = Convolution { grid: GRID, inputs: Channels { step, count }, kernel, stride };
        let offsets = shape.placement().offsets();
        (offsets.rows * offsets.columns, offsets.rotations())
    };
    assert_eq!(count(1, 3, 3, 1), (150, 23));
    assert_eq!(count(1, 16, 3, 1), (189, 26));
    assert_eq!(count(1, 16, 4, 2), (475, 42));
    assert_eq!(count(2, 64, 3, 1), (889, 58));
    assert_eq!(count(2, 64, 4, 2), (2101, 90));
    assert_eq!(count(4, 256, 3, 1), (3825, 122));
}

#[test]
fn the_matrix_is_that_of_the_plain_twin() {
    let grid = Grid { height: 16, width: 16, depth: 8 };
    let values: Vec<f64> = (0..grid.slots()).map(number).collect();
    for (step, count, side, stride) in
        [(1, 3, 3, 1), (1, 8, 3, 1), (1, 7, 4, 2), (2, 32, 3, 1), (1, 1, 2, 1), (1, 8, 1, 1)]
    {
        let shape = Convolution { grid, inputs: Channels { step, count }, kernel: side, stride };
        let kernel = kernel(&shape, 5);
        shape.check().unwrap();
        let placement = shape.placement();
        let twin = shape.apply(&kernel, &values);
        for (slot, wanted) in twin.iter().enumerate() {
            let mut sum = f64::from(kernel.bias[shape.outputs().of_slot(grid, slot)]);
            for row in placement.rows.clone() {
                for column in placement.columns.clone() {
                    let from = slot as isize + row * grid.row() as isize + column;
                    let value = values[from.rem_euclid(grid.slots() as isize) as usize];
                    sum += shape.weight(&kernel, slot, row, column) * value;
                }
            }
            assert!((sum - wanted).abs() < 1e-5, "{shape:?}, slot {slot}: {sum} and {wanted}");
        }
    }
}

#[test]
fn convolutions_and_squares_follow_each_other() {
    let world = World::new(&NETWORK_15, &[1, 4, 512]);
    let (ring, evaluator) = (&world.ring, &world.evaluator);
    let mut channels = Channels { step: 1, count: 3 };
    let mut values: Vec<f64> = (0..GRID.slots()).map(|slot| if slot % 16 < 3 { number(slot) } else { 0.0 }).collect();
    let (mut level, mut origin, scale) = (ring.top(), 0, f64::powi(ring.scale(0), 2));
    let mut vector = world.encrypt(&values, level, scale);
    for (number, stride) in [1, 2, 2].into_iter().enumerate() {
        let shape = Convolution { grid: GRID, inputs: channels, kernel: 2 + stride.min(2), stride };
        let kernel = kernel(&shape, number);
        let encoded = EncodedConvolution::new(ring, &world.encoder, &shape, &kernel, [level, origin], scale).unwrap();
        let convolved = encoded.apply(evaluator, &vector, &mut || Ok(())).unwrap();
        assert!(encoded.apply(evaluator, &convolved, &mut || Ok(())).is_err(), "another level and scale");
        vector = evaluator.mul(&convolved, &convolved).unwrap();
        values = shape.apply(&kernel, &values);
        (level, origin, channels) = (level - 1, (origin + shape.placement().origin()) % GRID.slots(), shape.outputs());
        let error = world.error(&convolved, &values, origin);
        assert!(error < f64::powi(2.0, -10), "layer {number}: off by 2^{:.1}", error.log2());
        for value in &mut values {
            *value *= *value;
        }
        let error = world.error(&vector, &values, origin);
        assert!(error < f64::powi(2.0, -9), "square {number}: off by 2^{:.1}", error.log2());
    }
    let shape = Convolution { grid: GRID, inputs: channels, kernel: 3, stride: 1 };
    let kernel = kernel(&shape, 9);
    assert!(EncodedConvolution::new(ring, &world.encoder, &shape, &kernel, [0, 0], scale).is_err());
}
