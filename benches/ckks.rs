//! CKKS: key switching in its several uses, on one core and on two, by the best kernel and by the portable one; and
//! bootstrapping if asked for (`cargo bench --bench ckks -- bootstrap` makes gigabytes of keys first). Where
//! `SAFELIGHT_OPENFHE` names a Python with the package `openfhe`, `benches/peers/openfhe` does the same in between.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use safelight::math::kernel::Kernel;
use safelight::schemes::ckks::bootstrap::{Bootstrapper, Numbers, Plan};
use safelight::schemes::ckks::ciphertext::Ciphertext;
use safelight::schemes::ckks::encode::Encoder;
use safelight::schemes::ckks::evaluator::Evaluator;
use safelight::schemes::ckks::keys::EvaluationKeys;
use safelight::schemes::ckks::parameters::{BOOTSTRAP_16, LEVELED_16, Parameters};
use safelight::schemes::ckks::ring::Ring;
use safelight::schemes::ckks::secret::SecretKey;

/// Slots of the vector that is bootstrapped.
const SLOTS: usize = 1 << 14;

fn main() {
    let bootstrap = std::env::args().any(|argument| argument == "bootstrap");
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| {
            let mut criterion = Criterion::default().sample_size(10).configure_from_args();
            for kernel in [Kernel::best(), Kernel::Portable] {
                leveled(&mut criterion, threads, kernel);
            }
            if bootstrap {
                bootstrapping(&mut criterion, threads);
            }
            criterion.final_summary();
        });
        peer(threads, bootstrap);
    }
}

/// `OpenFHE`'s figures, a line of JSON for each.
fn peer(threads: usize, bootstrap: bool) {
    let Some(python) = std::env::var_os("SAFELIGHT_OPENFHE") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/openfhe/bench.py");
    let mut command = std::process::Command::new(python);
    command.arg(script).args(bootstrap.then_some("--bootstrap")).env("OMP_NUM_THREADS", threads.to_string());
    println!("OpenFHE, {threads} threads");
    let status = command.status().expect("the Python that SAFELIGHT_OPENFHE names");
    assert!(status.success(), "benches/peers/openfhe/bench.py failed");
}

/// A key pair and its evaluation keys.
struct Owner {
    ring: Arc<Ring>,
    encoder: Arc<Encoder>,
    secret: SecretKey,
    rng: ChaCha20Rng,
}

impl Owner {
    fn new(set: &'static Parameters, kernel: Kernel) -> Self {
        let ring = Ring::with_kernel(set, kernel).expect("a ring");
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let (secret, _) = SecretKey::generate(&ring, &mut rng).expect("a key");
        Self { encoder: Arc::new(Encoder::new(&ring)), ring, secret, rng }
    }

    fn evaluator(&self, keys: EvaluationKeys) -> Evaluator {
        Evaluator::new(Arc::clone(&self.ring), Arc::clone(&self.encoder), keys)
    }

    #[expect(clippy::cast_precision_loss, reason = "there are at most 2^16")]
    fn encrypt(&mut self, slots: usize, level: usize) -> Ciphertext {
        let values: Vec<f64> = (0..slots).map(|i| (i as f64 * 0.37).sin()).collect();
        let scale = self.ring.scale(level);
        let plaintext = self.encoder.encode_real(&self.ring, &values, slots, level, scale).expect("a plaintext");
        self.secret.encrypt(&self.ring, &plaintext, &mut self.rng).expect("a ciphertext")
    }
}

fn leveled(criterion: &mut Criterion, threads: usize, kernel: Kernel) {
    let mut owner = Owner::new(&LEVELED_16, kernel);
    let (top, steps) = (owner.ring.top(), [1, 2, 3, 4, 5, 6, 7, 8]);
    let mut keys = EvaluationKeys::new(owner.secret.id());
    let product = owner.secret.relinearisation_key(&owner.ring, top, &mut owner.rng).expect("a key");
    keys.insert_relinearise(product);
    for step in steps {
        let (element, key) = owner.secret.rotation_key(&owner.ring, step, top, &mut owner.rng).expect("a key");
        keys.insert_galois(element, key);
    }
    let evaluator = owner.evaluator(keys);
    let a = owner.encrypt(LEVELED_16.slots(), top);
    let mut group = criterion.benchmark_group(format!("ckks leveled-16, {}, {threads} threads", kernel.name()));
    group.measurement_time(Duration::from_secs(5));
    group.bench_function("rotate", |bencher| bencher.iter(|| evaluator.rotate(black_box(&a), 1)));
    group.bench_function("multiply, relinearise, rescale", |bencher| {
        bencher.iter(|| evaluator.rescale(&evaluator.mul(black_box(&a), &a)?));
    });
    group.bench_function("eight rotations of one vector", |bencher| {
        bencher.iter(|| evaluator.rotate_many(black_box(&a), &steps));
    });
    group.finish();
}

fn bootstrapping(criterion: &mut Criterion, threads: usize) {
    let mut owner = Owner::new(&BOOTSTRAP_16, Kernel::best());
    let plan = Plan::new(&owner.ring, &owner.encoder, SLOTS, Numbers::Real).expect("a plan");
    let keys = owner.secret.bootstrapping_keys(&owner.ring, &plan, &mut owner.rng).expect("keys");
    let evaluator = owner.evaluator(keys);
    let bootstrapper: Bootstrapper = plan.encode(&evaluator).expect("matrices");
    let a = owner.encrypt(SLOTS, bootstrapper.needed_level());
    let mut group = criterion.benchmark_group(format!("ckks bootstrap-16, {threads} threads"));
    group.measurement_time(Duration::from_mins(1));
    group.bench_function("bootstrap", |bencher| bencher.iter(|| evaluator.bootstrap(&bootstrapper, black_box(&a))));
    group.finish();
}
