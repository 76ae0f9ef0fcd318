//! Benchmarks of every operation on this machine.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::encode::Encoder;
use super::evaluator::Evaluator;
use super::keys::EvaluationKeys;
use super::parameters::Parameters;
use super::ring::Ring;
use super::secret::SecretKey;
use crate::error::Result;

/// The measurement of one operation.
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    /// The operation's name.
    pub operation: &'static str,
    /// The time of the fastest run.
    pub time: Duration,
}

/// The number of rotations of one vector that are computed together.
const MANY: usize = 8;

/// Runs all operations of a set `runs` times each, at the highest level of fresh ciphertexts.
///
/// # Errors
/// None in practice.
pub fn times(set: &'static Parameters, runs: u32) -> Result<Vec<Timed>> {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let ring = Ring::new(set)?;
    let encoder = Arc::new(Encoder::new(&ring));
    let (secret, public) = SecretKey::generate(&ring, &mut rng)?;
    let level = set.levels;
    let mut rows = Vec::new();
    let mut row = |operation: &'static str, work: &mut dyn FnMut() -> Result<()>| {
        let mut fastest = Duration::MAX;
        for _ in 0..runs {
            let start = Instant::now();
            work()?;
            fastest = fastest.min(start.elapsed());
        }
        rows.push(Timed { operation, time: fastest });
        Ok::<_, crate::error::Error>(())
    };
    let mut words = vec![1; ring.degree()];
    let place = ring.level(0).first;
    row("transform of one limb", &mut || {
        ring.transform(place).forward(black_box(&mut words));
        Ok(())
    })?;
    let mut keys = EvaluationKeys::new(secret.id());
    row("make a relinearisation key", &mut || {
        keys = EvaluationKeys::new(secret.id());
        keys.insert_relinearise(secret.relinearisation_key(&ring, level, &mut rng)?);
        Ok(())
    })?;
    let steps: Vec<i64> = (1i64..).take(MANY).collect();
    for &step in &steps {
        let (element, key) = secret.rotation_key(&ring, step, level, &mut rng)?;
        keys.insert_galois(element, key);
    }
    let evaluator = Evaluator::new(Arc::clone(&ring), Arc::clone(&encoder), keys);
    let numbers: Vec<f64> = (0u32..).take(set.slots()).map(|i| libm::sin(f64::from(i))).collect();
    let encode = || encoder.encode_real(&ring, &numbers, set.slots(), level, ring.scale(level));
    let plaintext = encode()?;
    row("encode", &mut || encode().map(|plaintext| drop(black_box(plaintext))))?;
    row("encrypt with the secret key", &mut || {
        secret.encrypt(&ring, &plaintext, &mut rng).map(|x| drop(black_box(x)))
    })?;
    row("encrypt with the public key", &mut || {
        public.encrypt(&ring, &plaintext, &mut rng).map(|x| drop(black_box(x)))
    })?;
    let x = secret.encrypt(&ring, &plaintext, &mut rng)?;
    row("add", &mut || evaluator.add(&x, &x).map(|y| drop(black_box(y))))?;
    row("multiply by a plaintext", &mut || evaluator.mul_plain(&x, &plaintext).map(|y| drop(black_box(y))))?;
    row("multiply, relinearise", &mut || evaluator.mul(&x, &x).map(|y| drop(black_box(y))))?;
    row("rescale", &mut || evaluator.rescale(&x).map(|y| drop(black_box(y))))?;
    row("rotate", &mut || evaluator.rotate(&x, 1).map(|y| drop(black_box(y))))?;
    row("rotate 8 times, hoisted", &mut || evaluator.rotate_many(&x, &steps).map(|y| drop(black_box(y))))?;
    row("decrypt, decode", &mut || {
        drop(black_box(secret.decrypt(&ring, &x)?.decode(&ring, &encoder)));
        Ok(())
    })?;
    Ok(rows)
}
