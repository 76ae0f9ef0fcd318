//! Compares every operation on random numbers with exact arithmetic, and with the bound of [`super::noise`].

use std::sync::Arc;

use num_complex::Complex64;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::bootstrap::{Numbers, Plan};
use super::ciphertext::Ciphertext;
use super::encode::Encoder;
use super::evaluator::Evaluator;
use super::keys::EvaluationKeys;
use super::noise::Noise;
use super::parameters::Parameters;
use super::polynomial::Polynomial;
use super::ring::{CONJUGATION, Ring};
use super::secret::SecretKey;
use crate::error::{Code, Error, Result};

/// The measurements of one operation. Errors are absolute; the numbers are within the unit circle.
#[derive(Clone, Debug)]
pub struct Row {
    /// The operation's name.
    pub operation: &'static str,
    /// The number of values tested.
    pub numbers: usize,
    /// The largest error.
    pub worst: f64,
    /// The mean error.
    pub mean: f64,
    /// The bound on the largest error.
    pub bound: f64,
}

impl Row {
    /// Whether the largest error is within the bound.
    #[must_use]
    pub fn passes(&self) -> bool {
        // Also false for NaN.
        self.worst <= self.bound
    }
}

/// The rotation of the test.
const STEPS: u8 = 3;

struct Bench {
    ring: Arc<Ring>,
    encoder: Arc<Encoder>,
    secret: SecretKey,
    rng: ChaCha20Rng,
    rows: Vec<Row>,
}

/// Runs all operations of a set on at least `numbers` values each. With `bootstrap`, also tests bootstrapping if the set has
/// levels for it. The same seed gives the same numbers, keys and errors.
///
/// # Errors
/// [`Code::BadArgument`] for a set for networks, whose rescaling follows more than one product.
pub fn run(set: &'static Parameters, numbers: usize, bootstrap: bool, seed: u64) -> Result<Vec<Row>> {
    if set.weight_bits > 0 {
        let message = format!("the set {:?} is only for networks of convolutions; choose another set", set.name);
        return Err(Error::new(Code::BadArgument, message));
    }
    let ring = Ring::new(set)?;
    let encoder = Arc::new(Encoder::new(&ring));
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let (secret, public) = SecretKey::generate(&ring, &mut rng)?;
    let mut bench = Bench { ring, encoder, secret, rng, rows: Vec::new() };
    let level = set.levels;
    let mut keys = EvaluationKeys::new(bench.secret.id());
    keys.insert_relinearise(bench.secret.relinearisation_key(&bench.ring, level, &mut bench.rng)?);
    let (element, key) = bench.secret.rotation_key(&bench.ring, STEPS.into(), level, &mut bench.rng)?;
    keys.insert_galois(element, key);
    keys.insert_galois(CONJUGATION, bench.secret.galois_key(&bench.ring, CONJUGATION, level, &mut bench.rng)?);
    let evaluator = Evaluator::new(Arc::clone(&bench.ring), Arc::clone(&bench.encoder), keys);
    for _ in 0..numbers.div_ceil(set.slots()) {
        bench.round(&public, &evaluator)?;
    }
    if bootstrap && set.raised > 0 {
        bench.bootstrap()?;
    }
    Ok(bench.rows)
}

impl Bench {
    /// Runs each operation once, on a vector of all slots.
    fn round(&mut self, public: &super::keys::PublicKey, evaluator: &Evaluator) -> Result<()> {
        let ring = Arc::clone(&self.ring);
        let (set, noise) = (ring.parameters(), Noise::new(&ring));
        let level = set.levels;
        let (scale, below) = (ring.scale(level), ring.scale(level) * ring.scale(level) / ring.divisor(level));
        let (a, b) = (self.numbers(), self.numbers());
        let plain = |numbers: &[Complex64], scale: f64| self.encoder.encode(&ring, numbers, set.slots(), level, scale);
        let (pa, pb, factor) = (plain(&a, scale)?, plain(&b, scale)?, plain(&b, ring.divisor(level))?);
        let x = self.secret.encrypt(&ring, &pa, &mut self.rng)?;
        let fresh = noise.encrypt_as_owner(scale);
        self.row("encrypt with the secret key", &x, fresh, |i| a[i])?;
        let y = public.encrypt(&ring, &pb, &mut self.rng)?;
        let public = noise.encrypt_as_anybody(scale);
        self.row("encrypt with the public key", &y, public, |i| b[i])?;
        self.row("add", &evaluator.add(&x, &y)?, fresh + public, |i| a[i] + b[i])?;
        self.row("subtract", &evaluator.sub(&x, &y)?, fresh + public, |i| a[i] - b[i])?;
        self.row("add a plaintext", &evaluator.add_plain(&x, &pb)?, fresh + noise.encode(scale), |i| a[i] + b[i])?;
        let rescaled = noise.rescale(below);
        let product = evaluator.rescale(&evaluator.mul_plain(&x, &factor)?)?;
        let bound = fresh + noise.encode(ring.divisor(level)) + rescaled;
        self.row("multiply by a plaintext, rescale", &product, bound, |i| a[i] * b[i])?;
        let product = evaluator.rescale(&evaluator.mul_constant(&x, b[0], ring.divisor(level))?)?;
        self.row("multiply by a constant, rescale", &product, fresh + rescaled, |i| a[i] * b[0])?;
        let product = evaluator.rescale(&evaluator.mul(&x, &y)?)?;
        let bound = fresh + public + noise.switch(level, scale * scale) + rescaled;
        self.row("multiply, relinearise, rescale", &product, bound, |i| a[i] * b[i])?;
        let switched = fresh + noise.switch(level, scale);
        let at = |i: usize| a[(i + usize::from(STEPS)) % set.slots()];
        self.row("rotate", &evaluator.rotate(&x, STEPS.into())?, switched, at)?;
        for turned in evaluator.rotate_many(&x, &[STEPS.into()])? {
            self.row("rotate, hoisted", &turned, switched, at)?;
        }
        self.row("conjugate", &evaluator.conjugate(&x)?, switched, |i| a[i].conj())?;
        // Three products deep, on numbers within the unit interval. The polynomial's derivative increases their errors up to
        // threefold.
        let cube = Polynomial::new(super::polynomial::Kind::Chebyshev, vec![0.25, 0.0, -0.5, 0.25])?;
        if set.levels >= cube.depth() {
            let real: Vec<Complex64> = a.iter().map(|a| a.re.into()).collect();
            let plaintext = self.encoder.encode(&ring, &real, set.slots(), level, scale)?;
            let x = self.secret.encrypt(&ring, &plaintext, &mut self.rng)?;
            let bound = 12.0 * (fresh + noise.switch(level, scale * scale) + rescaled);
            let y = evaluator.polynomial(&cube, &x)?;
            self.row("polynomial of degree 3", &y, bound, |i| cube.value(a[i].re).into())?;
        }
        Ok(())
    }

    /// Bootstraps a number of slots that is cheap to generate keys for. The promised precision is 18 bits.
    fn bootstrap(&mut self) -> Result<()> {
        let (ring, slots) = (Arc::clone(&self.ring), 64);
        let plan = Plan::new(&ring, &self.encoder, slots, Numbers::Complex)?;
        let keys = self.secret.bootstrapping_keys(&ring, &plan, &mut self.rng)?;
        let evaluator = Evaluator::new(Arc::clone(&ring), Arc::clone(&self.encoder), keys);
        let bootstrapper = plan.encode(&evaluator)?;
        let level = bootstrapper.needed_level();
        let values = self.numbers()[..slots].to_vec();
        let plaintext = self.encoder.encode(&ring, &values, slots, level, ring.scale(level))?;
        let x = self.secret.encrypt(&ring, &plaintext, &mut self.rng)?;
        let y = evaluator.bootstrap(&bootstrapper, &x)?;
        self.row("bootstrap", &y, f64::powi(2.0, -18), |i| values[i])
    }

    /// As many numbers as there are slots, in the square within the unit circle.
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    fn numbers(&mut self) -> Vec<Complex64> {
        let mut number =
            || ((self.rng.next_u64() >> 11) as f64 / f64::powi(2.0, 52) - 1.0) * std::f64::consts::FRAC_1_SQRT_2;
        (0..self.ring.parameters().slots()).map(|_| Complex64::new(number(), number())).collect()
    }

    /// Adds the measured errors to the operation's row.
    #[expect(clippy::cast_precision_loss, reason = "there are not that many numbers")]
    fn row(
        &mut self,
        operation: &'static str,
        a: &Ciphertext,
        bound: f64,
        wanted: impl Fn(usize) -> Complex64,
    ) -> Result<()> {
        let found = self.secret.decrypt(&self.ring, a)?.decode(&self.ring, &self.encoder);
        let errors = found.iter().enumerate().map(|(i, found)| (found - wanted(i)).norm());
        // `max` would ignore NaN.
        let worst = |a: f64, b: f64| if b.is_nan() || b > a { b } else { a };
        let (sum, largest) = errors.fold((0.0, 0.0), |(sum, largest), error| (sum + error, worst(largest, error)));
        let row = Row { operation, numbers: found.len(), worst: largest, mean: sum / found.len() as f64, bound };
        match self.rows.iter_mut().find(|old| old.operation == operation) {
            Some(old) => {
                let all = old.numbers + row.numbers;
                old.mean = (old.mean * old.numbers as f64 + row.mean * row.numbers as f64) / all as f64;
                (old.numbers, old.worst) = (all, worst(old.worst, row.worst));
            }
            None => self.rows.push(row),
        }
        Ok(())
    }
}
