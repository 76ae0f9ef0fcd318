//! GMP by `rug`: products and powers modulo `n^2`, and Paillier with them as kzen-paillier does it. One core.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion};
use rug::rand::RandState;
use rug::{Assign as _, Integer};
use safelight_bench_gmp::Key;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for bits in [2048, 3072, 4096] {
        let mut rng = RandState::new();
        let key = Key::generate(bits, &mut rng);
        arithmetic(&mut criterion, bits, &key, &mut rng);
        encryption(&mut criterion, bits, &key, &mut rng);
    }
    criterion.final_summary();
}

fn arithmetic(criterion: &mut Criterion, bits: u32, key: &Key, rng: &mut RandState<'_>) {
    let (a, b) = (key.n2.clone().random_below(rng), key.n2.clone().random_below(rng));
    // The buffer is reused: nothing is allocated in the loop.
    let mut out = Integer::with_capacity(4 * bits as usize + 64);
    measure(criterion, bits, "product", || {
        out.assign(black_box(&a) * black_box(&b));
        out %= &key.n2;
    });
    measure(criterion, bits, "square", || {
        out.assign(black_box(&a).square_ref());
        out %= &key.n2;
    });
    measure(criterion, bits, "power", || {
        out.assign(black_box(&a).pow_mod_ref(&key.n, &key.n2).expect("positive exponent"));
    });
}

fn encryption(criterion: &mut Criterion, bits: u32, key: &Key, rng: &mut RandState<'_>) {
    let message = key.n.clone().random_below(rng);
    let ciphertext = key.encrypt(&message, rng);
    assert_eq!(key.decrypt(&ciphertext), message);
    assert_eq!(key.decrypt(&key.encrypt_as_owner(&message, rng)), message);
    measure(criterion, bits, "encrypt as anybody", || drop(black_box(key.encrypt(&message, rng))));
    measure(criterion, bits, "encrypt as owner", || drop(black_box(key.encrypt_as_owner(&message, rng))));
    measure(criterion, bits, "decrypt", || drop(black_box(key.decrypt(&ciphertext))));
}

fn measure(criterion: &mut Criterion, bits: u32, what: &str, mut work: impl FnMut()) {
    let mut group: BenchmarkGroup<'_, WallTime> = criterion.benchmark_group(what);
    group.bench_function(BenchmarkId::new("GMP", bits), |bencher| bencher.iter(&mut work));
    group.finish();
}
