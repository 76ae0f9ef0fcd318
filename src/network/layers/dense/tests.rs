//! Layers of all shapes give the same results as sums in the clear.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "tests")]

use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;
use crate::schemes::ckks::keys::EvaluationKeys;
use crate::schemes::ckks::noise::Noise;
use crate::schemes::ckks::parameters::SMALL;
use crate::schemes::ckks::secret::SecretKey;

fn weight(output: usize, input: usize) -> f64 {
    ((output * 31 + input * 17) as f64).sin() / 16.0
}

#[test]
fn every_shape() {
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let ring = Ring::new(&SMALL).unwrap();
    let encoder = Arc::new(Encoder::new(&ring));
    let (secret, _) = SecretKey::generate(&ring, &mut rng).unwrap();
    let level = 2;
    let shapes = [
        Dense::packed(64, 4, 4096).unwrap(),
        Dense::packed(100, 10, 256).unwrap(),
        Dense::packed(512, 64, 1024).unwrap(),
        Dense::packed(8, 32, 64).unwrap(),
        Dense::packed(1, 1, 4096).unwrap(),
        Dense::in_order(16, 3, 4096).unwrap(),
        Dense::in_order(4, 30, 4096).unwrap(),
        Dense::in_order(32, 32, 4096).unwrap(),
    ];
    for shape in shapes {
        let mut keys = EvaluationKeys::new(secret.id());
        let (turns, sums) = shape.steps();
        for (step, level) in turns.iter().map(|step| (*step, level)).chain(sums.iter().map(|step| (*step, level - 1))) {
            let (element, key) = secret.rotation_key(&ring, steps(step), level, &mut rng).unwrap();
            keys.insert_galois(element, key);
        }
        let evaluator = Evaluator::new(Arc::clone(&ring), Arc::clone(&encoder), keys);
        let bias: Vec<f64> = (0..shape.outputs).map(|output| output as f64 / 50.0).collect();
        let layer = EncodedDense::new(&ring, &encoder, shape, level, weight, &bias).unwrap();
        let inputs: Vec<f64> = (0..shape.inputs).map(|input| (input as f64 * 0.7).cos()).collect();
        let plaintext =
            encoder.encode_real(&ring, &shape.pack(&inputs), shape.slots(), level, ring.scale(level)).unwrap();
        let encrypted = secret.encrypt(&ring, &plaintext, &mut rng).unwrap();
        let out = layer.apply(&evaluator, &encrypted).unwrap();
        assert_eq!((out.level(), out.slots()), (level - 1, shape.outputs));
        let found = secret.decrypt(&ring, &out).unwrap().decode(&ring, &encoder);
        // Each input's error goes through its weight; each block's rounding is summed up.
        let noise = Noise::new(&ring);
        let turned = noise.encrypt_as_owner(ring.scale(level)) + 16.0 * noise.switch(level, ring.scale(level));
        let blocks = (shape.slots / shape.outputs) as f64;
        let each = noise.rescale(ring.scale(level - 1)) + 2.0 * noise.switch(level - 1, ring.scale(level - 1));
        let bound =
            turned * shape.inputs as f64 / 16.0 + shape.inputs as f64 * noise.encode(layer.scale) + blocks * each;
        for (output, found) in found.iter().enumerate() {
            let wanted: f64 = inputs.iter().enumerate().map(|(input, x)| weight(output, input) * x).sum();
            let error = (found.re - wanted - bias[output]).abs();
            assert!(error < bound, "{shape:?}: output {output} is off by {error:e}, more than {bound:e}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for (inputs, outputs) in [(0, 1), (1, 0), (5000, 1), (1, 5000)] {
        assert_eq!(Dense::packed(inputs, outputs, 4096).unwrap_err().kind(), Code::BadArgument);
        assert_eq!(Dense::in_order(inputs, outputs, 4096).unwrap_err().kind(), Code::BadArgument);
    }
    let ring = Ring::new(&SMALL).unwrap();
    let encoder = Encoder::new(&ring);
    let shape = Dense::packed(4, 4, 4096).unwrap();
    let none = EncodedDense::new(&ring, &encoder, shape, 0, weight, &[]).err().unwrap();
    assert_eq!(none.kind(), Code::LevelExhausted);
    let endless = EncodedDense::new(&ring, &encoder, shape, 1, |_, _| f64::NAN, &[]).err().unwrap();
    assert_eq!(endless.kind(), Code::PlaintextOutOfRange);
}
