//! The number-theoretic transform, by every kernel that this machine has.

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use safelight::math::ntt::{Kernel, Transform};
use safelight::math::residue::{MOST_BITS, Prime};

fn transforms(criterion: &mut Criterion) {
    for log in [12u32, 14, 16] {
        let degree = 1usize << log;
        let prime = Prime::below(1 << MOST_BITS, 2 << log).expect("a prime");
        let polynomial: Vec<u64> = (0..1u64 << log).map(|i| prime.mul(i, i)).collect();
        for (name, run) in
            [("forward", Transform::forward as fn(&Transform, &mut [u64])), ("backward", Transform::backward)]
        {
            let mut group = criterion.benchmark_group(format!("ntt {name} 2^{log}"));
            for kernel in Kernel::all() {
                let transform = Transform::new(prime, degree, kernel).expect("a transform");
                group.bench_function(BenchmarkId::from_parameter(format!("{kernel:?}")), |bencher| {
                    bencher.iter_batched_ref(|| polynomial.clone(), |x| run(&transform, x), BatchSize::LargeInput);
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, transforms);
criterion_main!(benches);
