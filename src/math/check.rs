//! A test of the arithmetic with known answers, for machines that we cannot try beforehand.
//!
//! A browser may run the same instruction in different ways: the multiplication and addition of relaxed SIMD rounds
//! once or twice, as the processor likes. A kernel that counts on one of them gives wrong digits with the other, so the
//! page asks here before it uses a build.

use std::hint::black_box;

use num_bigint::BigUint;
use num_traits::One as _;
use sha2::{Digest as _, Sha256};

use super::montgomery::Exponent;
use super::pair::{Batch, PairModulus};

/// Lengths of the moduli in bits: the three sizes of keys, and those of their factors.
const SIZES: [u64; 5] = [1024, 1536, 2048, 3072, 4096];

/// The exponent of the powers; short, so that the test is quick.
const EXPONENT: u32 = 700;

/// SHA-256 of all results, each as long as `n^2`, its highest byte first. Computed by Python's integers.
const ANSWER: &str = "d8b5e7a8646248c6d41c79508894a25d6b212ef5dcbadc3f0b641c40b4cd187a";

/// Whether the kernel in use gives the known answers, and `num-bigint` too. It takes some milliseconds.
#[must_use]
pub fn arithmetic_is_right() -> bool {
    passes(PairModulus::new)
}

fn passes(prepare: impl Fn(&BigUint) -> Option<PairModulus>) -> bool {
    let usual = SIZES.map(|bits| fixed_number("modulus", bits) | BigUint::one() | (BigUint::one() << (bits - 1)));
    let mut digest = Sha256::new();
    for n in usual.into_iter().chain([ones(SIZES[0])]) {
        let Some(numbers) = prepare(&n).and_then(|modulus| results(&modulus, &n)) else { return false };
        for number in numbers {
            // A one above it keeps the zeros that it begins with.
            let marked = number | (BigUint::one() << (2 * n.bits()));
            digest.update(&marked.to_bytes_be()[1..]);
        }
    }
    // The compiler shall keep the answer in one piece: tests/browser/builds.test.mjs changes it in the file.
    format!("{:064x}", BigUint::from_bytes_be(&digest.finalize())) == black_box(ANSWER)
}

/// `(a b)^2` and `a^EXPONENT` modulo `n^2` for usual numbers and those at the edges, or nothing if `num-bigint` finds
/// others.
fn results(modulus: &PairModulus, n: &BigUint) -> Option<Vec<BigUint>> {
    let (squared, bits) = (n * n, n.bits());
    let [first, second] = ["first", "second"].map(|label| fixed_number(label, 2 * bits) % &squared);
    let a = [BigUint::ZERO, BigUint::one(), n - 1u8, ones(2 * bits) % &squared, first.clone()];
    let b = [second.clone(), &squared - 1u8, n - 1u8, ones(bits), second];
    let (base, exponent) = ([first], BigUint::from(EXPONENT));
    let windows = Exponent::new(&exponent);

    let mut ours = by_batches(modulus, &a, &b, |out, a, b| {
        let mut product = modulus.empty();
        modulus.mul(&mut product, a, b);
        modulus.square(out, &product);
    });
    ours.extend(by_batches(modulus, &base, &base, |out, base, _| *out = modulus.pow(base, &windows)));
    let squares = a.iter().zip(&b).map(|(a, b)| (a * b % &squared).pow(2) % &squared);
    let powers = base.iter().map(|base| base.modpow(&exponent, &squared));
    ours.iter().cloned().eq(squares.chain(powers)).then_some(ours)
}

/// Works on as many numbers at a time as the kernel has lanes.
fn by_batches(
    modulus: &PairModulus,
    a: &[BigUint],
    b: &[BigUint],
    work: impl Fn(&mut Batch, &Batch, &Batch),
) -> Vec<BigUint> {
    let lanes = modulus.lanes();
    let batches = a.chunks(lanes).zip(b.chunks(lanes)).flat_map(|(a, b)| {
        let mut out = modulus.empty();
        work(&mut out, &modulus.enter_numbers(a), &modulus.enter_numbers(b));
        modulus.leave(&out).into_iter().take(a.len())
    });
    batches.collect()
}

/// A number of this many bits with nothing special about it.
fn fixed_number(label: &str, bits: u64) -> BigUint {
    let blocks = (0..bits / 256).flat_map(|block| Sha256::digest(format!("{label} {bits} {block}")));
    BigUint::from_bytes_be(&blocks.collect::<Vec<_>>())
}

fn ones(bits: u64) -> BigUint {
    (BigUint::one() << bits) - 1u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::pair::{Constants, Kernel, kernels};

    #[test]
    fn every_kernel_passes() {
        assert!(arithmetic_is_right());
        for kernel in kernels() {
            assert!(passes(|n| PairModulus::with_kernel(n, kernel)), "{}", kernel.name());
        }
    }

    /// One lane of another kernel, now and then wrong by one, as an instruction that rounds twice makes it.
    struct Rounded(&'static dyn Kernel);

    impl Rounded {
        fn round(out: &mut [u64]) {
            out[0] ^= out[1] >> 3 & 1;
        }
    }

    impl Kernel for Rounded {
        fn name(&self) -> &'static str {
            "rounded"
        }

        fn digit_bits(&self) -> u32 {
            self.0.digit_bits()
        }

        fn lanes(&self) -> usize {
            self.0.lanes()
        }

        fn mul(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
            self.0.mul(modulus, out, a, b);
            Self::round(out);
        }

        fn square(&self, modulus: &Constants, out: &mut [u64], a: &[u64]) {
            self.0.square(modulus, out, a);
        }
    }

    #[test]
    fn a_kernel_that_rounds_fails() {
        for kernel in kernels() {
            let rounded: &'static dyn Kernel = Box::leak(Box::new(Rounded(kernel)));
            assert!(!passes(|n| PairModulus::with_kernel(n, rounded)), "{}", kernel.name());
        }
    }
}
