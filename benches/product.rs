//! A product, a square and a power modulo `n^2`: each of our kernels, and other pure Rust libraries. One core; kernels
//! work on batches, and all times are for one number.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput};
use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, Uint};
use num_bigint::BigUint;
use safelight::math::montgomery::{Exponent, Modulus};
use safelight::math::pair::{Kernel, PairModulus, kernels};
use safelight::math::random;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for operation in [Operation::Product, Operation::Square, Operation::Power] {
        let mut group = criterion.benchmark_group(operation.name());
        if let Operation::Power = operation {
            // Long enough to need no more.
            group.sample_size(10).sampling_mode(SamplingMode::Flat);
        }
        for bits in [2048, 3072, 4096] {
            let numbers = Numbers::new(bits);
            for (place, kernel) in kernels().into_iter().enumerate() {
                // The first is the one that the library takes on this machine.
                let role = if place == 0 { "ours by" } else { "kernel" };
                ours(&mut group, operation, &numbers, kernel, role);
            }
            whole(&mut group, operation, &numbers);
            by_num_bigint(&mut group, operation, &numbers);
            match bits {
                2048 => by_crypto_bigint::<64>(&mut group, operation, &numbers),
                3072 => by_crypto_bigint::<96>(&mut group, operation, &numbers),
                _ => by_crypto_bigint::<128>(&mut group, operation, &numbers),
            }
        }
        group.finish();
    }
    criterion.final_summary();
}

type Group<'a> = BenchmarkGroup<'a, WallTime>;

#[derive(Clone, Copy)]
enum Operation {
    /// `a b mod n^2`, which adds two encrypted numbers.
    Product,
    /// `a^2 mod n^2`.
    Square,
    /// `a^n mod n^2`, of which the mask in anybody's encryption is made.
    Power,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Square => "square",
            Self::Power => "power",
        }
    }
}

/// A modulus `n` as long as a key's (speed does not depend on its factors), and two numbers below `n^2`.
struct Numbers {
    bits: u64,
    n: BigUint,
    squared: BigUint,
    a: BigUint,
    b: BigUint,
}

impl Numbers {
    fn new(bits: u64) -> Self {
        let mut rng = random::system();
        let mut n = random::bits(&mut rng, bits).expect("randomness");
        n.set_bit(0, true);
        n.set_bit(bits - 1, true);
        let squared = &n * &n;
        let mut below = || random::below(&mut rng, &squared).expect("randomness");
        Self { bits, a: below(), b: below(), n, squared }
    }
}

/// `PairModulus` by one kernel: whole batches, the time divided by the numbers in them.
fn ours(group: &mut Group<'_>, operation: Operation, numbers: &Numbers, kernel: &'static dyn Kernel, role: &str) {
    let Some(modulus) = PairModulus::with_kernel(&numbers.n, kernel) else { return };
    let (a, b) = (modulus.broadcast(&numbers.a), modulus.broadcast(&numbers.b));
    let exponent = Exponent::new(&numbers.n);
    let mut out = modulus.empty();
    group.throughput(Throughput::Elements(modulus.lanes() as u64));
    let name = format!("{role} {}", kernel.name());
    group.bench_function(BenchmarkId::new(name, numbers.bits), |bencher| match operation {
        Operation::Product => bencher.iter(|| modulus.mul(&mut out, black_box(&a), black_box(&b))),
        Operation::Square => bencher.iter(|| modulus.square(&mut out, black_box(&a))),
        Operation::Power => bencher.iter(|| modulus.pow(black_box(&a), &exponent)),
    });
}

/// Our `Modulus`, which knows nothing of the modulus being a square.
fn whole(group: &mut Group<'_>, operation: Operation, numbers: &Numbers) {
    let modulus = Modulus::new(&numbers.squared).expect("odd");
    let (mut a, b) = (modulus.residue(&numbers.a), modulus.residue(&numbers.b));
    let mut out = a.clone();
    let exponent = Exponent::new(&numbers.n);
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new("Modulus, no pairs", numbers.bits), |bencher| match operation {
        Operation::Product => bencher.iter(|| modulus.mul(&mut out, black_box(&a), black_box(&b))),
        Operation::Square => bencher.iter(|| modulus.square_assign(black_box(&mut a))),
        Operation::Power => bencher.iter(|| modulus.pow(black_box(&a), &exponent)),
    });
}

fn by_num_bigint(group: &mut Group<'_>, operation: Operation, numbers: &Numbers) {
    let Numbers { n, squared, a, b, .. } = numbers;
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new("num-bigint", numbers.bits), |bencher| match operation {
        Operation::Product => bencher.iter(|| black_box(a) * black_box(b) % squared),
        Operation::Square => bencher.iter(|| black_box(a) * black_box(a) % squared),
        Operation::Power => bencher.iter(|| black_box(a).modpow(n, squared)),
    });
}

/// In Montgomery form, of a length known to the compiler; its form for any length is no faster.
fn by_crypto_bigint<const LIMBS: usize>(group: &mut Group<'_>, operation: Operation, numbers: &Numbers) {
    let number = |number: &BigUint| {
        let mut limbs = number.to_u64_digits();
        limbs.resize(LIMBS, 0);
        Uint::<LIMBS>::from_words(limbs.try_into().expect("resized"))
    };
    let modulus = Odd::new(number(&numbers.squared)).into_option().expect("odd");
    let params = FixedMontyParams::new_vartime(modulus);
    let (a, b) = (FixedMontyForm::new(&number(&numbers.a), &params), FixedMontyForm::new(&number(&numbers.b), &params));
    let exponent = number(&numbers.n);
    let bits = u32::try_from(numbers.bits).expect("small");
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new("crypto-bigint", bits), |bencher| match operation {
        Operation::Product => bencher.iter(|| black_box(&a).mul(black_box(&b))),
        Operation::Square => bencher.iter(|| black_box(&a).square()),
        Operation::Power => bencher.iter(|| black_box(&a).pow_bounded_exp(&exponent, bits)),
    });
}
