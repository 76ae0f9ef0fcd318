//! Tests of the whole scheme: compares decrypted results with computation on plain numbers.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "tests"
)]

use std::sync::{Arc, LazyLock};

use num_complex::Complex64;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::ciphertext::Ciphertext;
use super::encode::Encoder;
use super::evaluator::Evaluator;
use super::keys::{EvaluationKeys, PublicKey};
use super::matrix::Matrix;
use super::parameters::{LEVELED_14, SMALL};
use super::polynomial::{Kind, Polynomial};
use super::ring::{CONJUGATION, Ring};
use super::secret::SecretKey;
use crate::error::Code;

struct World {
    ring: Arc<Ring>,
    encoder: Arc<Encoder>,
    secret: SecretKey,
    public: PublicKey,
    evaluator: Evaluator,
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

impl World {
    fn new(parameters: &'static super::parameters::Parameters, steps: &[i64]) -> Self {
        let ring = Ring::new(parameters).unwrap();
        let encoder = Arc::new(Encoder::new(&ring));
        let (secret, public) = SecretKey::generate(&ring, &mut rng(1)).unwrap();
        let mut keys = EvaluationKeys::new(secret.id());
        let top = ring.top();
        keys.insert_relinearise(secret.relinearisation_key(&ring, top, &mut rng(2)).unwrap());
        for (&step, seed) in steps.iter().zip(10..) {
            let (element, key) = secret.rotation_key(&ring, step, top, &mut rng(seed)).unwrap();
            keys.insert_galois(element, key);
        }
        keys.insert_galois(CONJUGATION, secret.galois_key(&ring, CONJUGATION, top, &mut rng(3)).unwrap());
        let evaluator = Evaluator::new(Arc::clone(&ring), Arc::clone(&encoder), keys);
        Self { ring, encoder, secret, public, evaluator }
    }

    fn encrypt(&self, values: &[Complex64], seed: u8) -> Ciphertext {
        let top = self.ring.parameters().levels;
        let slots = values.len();
        let plaintext = self.encoder.encode(&self.ring, values, slots, top, self.ring.scale(top)).unwrap();
        self.public.encrypt(&self.ring, &plaintext, &mut rng(seed)).unwrap()
    }

    /// The largest difference from the expected numbers.
    fn error(&self, a: &Ciphertext, wanted: impl Fn(usize) -> Complex64) -> f64 {
        let found = self.secret.decrypt(&self.ring, a).unwrap().decode(&self.ring, &self.encoder);
        found.iter().enumerate().map(|(i, found)| (found - wanted(i)).norm()).fold(0.0, f64::max)
    }

    fn check(&self, what: &str, a: &Ciphertext, bound: f64, wanted: impl Fn(usize) -> Complex64) {
        let error = self.error(a, wanted);
        assert!(error < bound, "{what}: off by {error:e}, that is 2^{:.1}", error.log2());
    }
}

static SMALL_WORLD: LazyLock<World> = LazyLock::new(|| World::new(&SMALL, &[1, 2, 4, 8, 3, -1]));

fn numbers(count: usize, seed: f64) -> Vec<Complex64> {
    (0..count).map(|i| Complex64::new((i as f64 * 0.71 + seed).sin(), (i as f64 * 1.37 + seed).cos())).collect()
}

#[test]
fn both_ways_of_encrypting_are_opened_by_the_owner() {
    let world = &*SMALL_WORLD;
    let a = numbers(4096, 1.0);
    world.check("with the public key", &world.encrypt(&a, 4), 1e-5, |i| a[i]);
    let plaintext = world.encoder.encode(&world.ring, &a, 4096, 2, world.ring.scale(2)).unwrap();
    let own = world.secret.encrypt(&world.ring, &plaintext, &mut rng(5)).unwrap();
    world.check("with the secret key", &own, 1e-6, |i| a[i]);
    let (other, _) = SecretKey::generate(&world.ring, &mut rng(6)).unwrap();
    assert_eq!(other.decrypt(&world.ring, &own).unwrap_err().kind(), Code::ForeignKey);
}

#[test]
fn sums_and_products() {
    let world = &*SMALL_WORLD;
    let evaluator = &world.evaluator;
    for slots in [1, 8, 4096] {
        let (a, b) = (numbers(slots, 1.0), numbers(slots, 2.0));
        let (x, y) = (world.encrypt(&a, 4), world.encrypt(&b, 5));
        world.check("sum", &evaluator.add(&x, &y).unwrap(), 1e-5, |i| a[i] + b[i]);
        world.check("difference", &evaluator.sub(&x, &y).unwrap(), 1e-5, |i| a[i] - b[i]);
        world.check("negative", &evaluator.negate(&x), 1e-5, |i| -a[i]);
        let product = evaluator.rescale(&evaluator.mul(&x, &y).unwrap()).unwrap();
        assert!((product.scale() / world.ring.scale(2) - 1.0).abs() < 1e-12);
        world.check("product", &product, 1e-5, |i| a[i] * b[i]);
        // Different levels.
        world.check("sum across levels", &evaluator.add(&product, &x).unwrap(), 1e-5, |i| a[i] * b[i] + a[i]);
        let deeper = evaluator.rescale(&evaluator.mul(&product, &x).unwrap()).unwrap();
        world.check("product across levels", &deeper, 1e-5, |i| a[i] * b[i] * a[i]);
        let plain = world.encoder.encode(&world.ring, &b, slots, 3, world.ring.divisor(3)).unwrap();
        let product = evaluator.rescale(&evaluator.mul_plain(&x, &plain).unwrap()).unwrap();
        world.check("product with a plaintext", &product, 1e-5, |i| a[i] * b[i]);
        let plain = world.encoder.encode(&world.ring, &b, slots, 3, x.scale()).unwrap();
        world.check("sum with a plaintext", &evaluator.add_plain(&x, &plain).unwrap(), 1e-5, |i| a[i] + b[i]);
        let constant = Complex64::new(0.3, -1.7);
        world.check("sum with a constant", &evaluator.add_constant(&x, constant).unwrap(), 1e-5, |i| a[i] + constant);
        let product = evaluator.mul_constant(&x, constant, world.ring.divisor(3)).unwrap();
        world.check("product with a constant", &evaluator.rescale(&product).unwrap(), 1e-5, |i| a[i] * constant);
        let mut two = evaluator.mul_only(&x, &y).unwrap();
        evaluator.add_product(&mut two, &evaluator.mul_only(&x, &x).unwrap()).unwrap();
        let two = evaluator.rescale(&evaluator.relinearise(&two).unwrap()).unwrap();
        world.check("sum of products", &two, 3e-5, |i| a[i] * b[i] + a[i] * a[i]);
    }
}

#[test]
fn rotations_and_sums_of_slots() {
    let world = &*SMALL_WORLD;
    let evaluator = &world.evaluator;
    for slots in [4, 16, 4096] {
        let a = numbers(slots, 1.0);
        let x = world.encrypt(&a, 4);
        for steps in [0, 1, 3, -1, 5, 15] {
            let turned = evaluator.rotate(&x, steps).unwrap();
            let at = |i: usize| (i as i64 + steps).rem_euclid(slots as i64) as usize;
            world.check(&format!("{steps} steps of {slots}"), &turned, 1e-5, |i| a[at(i)]);
        }
        let many = evaluator.rotate_many(&x, &[0, 1, 3]).unwrap();
        for (turned, steps) in many.iter().zip([0, 1, 3]) {
            world.check("hoisted", turned, 1e-5, |i| a[(i + steps) % slots]);
        }
        world.check("conjugates", &evaluator.conjugate(&x).unwrap(), 1e-5, |i| a[i].conj());
        let sums = evaluator.inner_sum(&x, 4).unwrap();
        world.check("sums of four", &sums, 1e-4, |i| (0..4).map(|k| a[(i + k) % slots]).sum());
        let lower = evaluator.drop_to(&x, 1).unwrap();
        world.check("at a lower level", &evaluator.rotate(&lower, 3).unwrap(), 1e-5, |i| a[(i + 3) % slots]);
    }
    let x = world.encrypt(&numbers(64, 1.0), 4);
    assert_eq!(evaluator.rotate(&x, 16).unwrap_err().kind(), Code::MissingKey);
    assert!(evaluator.rotate(&x, 16).unwrap_err().to_string().contains("16 steps"));
    assert_eq!(evaluator.inner_sum(&x, 3).unwrap_err().kind(), Code::BadArgument);
}

#[test]
fn matrices() {
    let slots = 16;
    let entry = |i: usize, j: usize| ((i * 7 + j * 3) % 11) as f64 / 11.0 - 0.5;
    let rows: Vec<Vec<f64>> = (0..10).map(|i| (0..slots).map(|j| entry(i, j)).collect()).collect();
    let matrix = Matrix::from_rows(&rows, slots).unwrap();
    let world = World::new(&SMALL, &matrix.steps());
    let a = numbers(slots, 1.0);
    let x = world.encrypt(&a, 4);
    let encoded = world.evaluator.encode_matrix(&matrix, 3).unwrap();
    let y = world.evaluator.rescale(&world.evaluator.apply(&encoded, &x).unwrap()).unwrap();
    world.check("matrix", &y, 1e-4, |i| {
        rows.get(i).map_or(0.0.into(), |row| row.iter().zip(&a).map(|(m, a)| a * m).sum())
    });
    let wrong = world.evaluator.drop_to(&x, 2).unwrap();
    assert_eq!(world.evaluator.apply(&encoded, &wrong).unwrap_err().kind(), Code::VectorsDiffer);
    assert_eq!(Matrix::from_rows(&rows, 8).unwrap_err().kind(), Code::BadArgument);
}

#[test]
fn polynomials_of_many_degrees() {
    let world = World::new(&LEVELED_14, &[]);
    let a: Vec<Complex64> = (0..64).map(|i| Complex64::new(f64::from(i) / 32.0 - 1.0, 0.0)).collect();
    let x = world.encrypt(&a, 4);
    for degree in [1, 2, 3, 7, 8, 15, 31, 59] {
        for kind in [Kind::Monomial, Kind::Chebyshev] {
            let coefficients = (0..=degree).map(|i| f64::from((i * i + 3) % 7) / 7.0 - 0.4).collect();
            let polynomial = Polynomial::new(kind, coefficients).unwrap();
            let y = world.evaluator.polynomial(&polynomial, &x).unwrap();
            assert_eq!(y.level(), world.ring.top() - polynomial.depth());
            assert!((y.scale() / world.ring.scale(y.level()) - 1.0).abs() < 1e-12);
            let what = format!("{kind:?} of degree {degree}");
            world.check(&what, &y, 1e-4, |i| polynomial.value(a[i].re).into());
        }
    }
    let sine = Polynomial::interpolate(|x| (3.0 * x).sin(), 15).unwrap();
    let y = world.evaluator.polynomial(&sine, &x).unwrap();
    world.check("sine", &y, 1e-6, |i| (3.0 * a[i].re).sin().into());
}

#[test]
fn every_operation_keeps_its_promise() {
    let rows = super::selftest::run(&SMALL, 8192, false, 5).unwrap();
    assert!(rows.len() > 10);
    for row in &rows {
        // Bounds that are far too large would prove nothing.
        assert!(row.passes() && row.worst > row.bound / 64.0, "{row:?}");
        assert!(row.numbers >= 8192);
    }
}

#[test]
fn what_cannot_be_done_says_why() {
    let world = &*SMALL_WORLD;
    let evaluator = &world.evaluator;
    let x = world.encrypt(&numbers(8, 1.0), 4);
    let y = world.encrypt(&numbers(16, 1.0), 4);
    assert_eq!(evaluator.add(&x, &y).unwrap_err().kind(), Code::VectorsDiffer);
    assert_eq!(evaluator.mul(&x, &y).unwrap_err().kind(), Code::VectorsDiffer);
    let unscaled = evaluator.mul(&x, &x).unwrap();
    assert_eq!(evaluator.add(&x, &unscaled).unwrap_err().kind(), Code::VectorsDiffer);
    let bottom = evaluator.drop_to(&x, 0).unwrap();
    assert_eq!(evaluator.rescale(&bottom).unwrap_err().kind(), Code::LevelExhausted);
    assert_eq!(evaluator.drop_to(&bottom, 1).unwrap_err().kind(), Code::LevelExhausted);
    let cube = Polynomial::new(Kind::Monomial, vec![0.0, 0.0, 0.0, 1.0]).unwrap();
    let error = evaluator.polynomial(&cube, &evaluator.drop_to(&x, 2).unwrap()).unwrap_err();
    assert!(error.kind() == Code::LevelExhausted && error.to_string().contains("degree 3"), "{error}");
    let (other, _) = SecretKey::generate(&world.ring, &mut rng(9)).unwrap();
    let stranger = Evaluator::new(Arc::clone(&world.ring), Arc::clone(&world.encoder), EvaluationKeys::new(other.id()));
    assert_eq!(stranger.add(&x, &x).unwrap_err().kind(), Code::ForeignKey);
    let empty = Evaluator::new(Arc::clone(&world.ring), Arc::clone(&world.encoder), EvaluationKeys::new(x.key()));
    assert_eq!(empty.mul(&x, &x).unwrap_err().kind(), Code::MissingKey);
    assert_eq!(empty.rotate(&x, 1).unwrap_err().kind(), Code::MissingKey);
}
