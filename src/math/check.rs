//! A test of the arithmetic with known answers, for machines that we cannot try beforehand.
//!
//! A browser may run the same instruction in different ways: the multiplication and addition of relaxed SIMD rounds once
//! or twice, as the processor likes. A kernel that counts on one of them gives wrong digits with the other, so the page
//! asks here before it uses a build.

use num_bigint::BigUint;
use num_traits::One as _;
use sha2::{Digest as _, Sha256};

use super::montgomery::Exponent;
use super::pair::{Batch, PairModulus};

/// Lengths of the moduli in bits: the three sizes of keys, and those of their factors.
const SIZES: [usize; 5] = [1024, 1536, 2048, 3072, 4096];

/// The exponent of the powers: a few windows long, so that the test is quick.
const EXPONENT: u32 = 0xb_c0de;

/// SHA-256 of all results, each as long as `n^2`, its highest byte first. Computed by Python's integers.
const ANSWER: &str = "1af63267110febbd18d3bcae4cd9c1464d14151c146120b6c65546681f3ae4cd";

/// Whether the kernel in use gives the known answers, and `num-bigint` too. It takes some milliseconds.
#[must_use]
pub fn arithmetic_is_right() -> bool {
    passes(PairModulus::new)
}

fn passes(prepare: impl Fn(&BigUint) -> Option<PairModulus>) -> bool {
    let mut digest = Sha256::new();
    for bits in SIZES {
        let usual = fixed_number("modulus", bits) | BigUint::one() | (BigUint::one() << (bits - 1));
        for n in [usual, ones(bits)] {
            let Some(numbers) = prepare(&n).and_then(|modulus| results(&modulus, &n, bits)) else { return false };
            for number in numbers {
                let bytes = number.to_bytes_be();
                digest.update(vec![0; bits / 4 - bytes.len()]);
                digest.update(bytes);
            }
        }
    }
    format!("{:064x}", BigUint::from_bytes_be(&digest.finalize())) == ANSWER
}

/// Products, squares and powers modulo `n^2`, or nothing if `num-bigint` finds others.
fn results(modulus: &PairModulus, n: &BigUint, bits: usize) -> Option<Vec<BigUint>> {
    let squared = n * n;
    let usual = ["first", "second"].map(|label| fixed_number(label, 2 * bits) % &squared);
    let edges = [BigUint::ZERO, BigUint::one(), n - 1u8, &squared - 1u8, ones(bits), ones(2 * bits) % &squared];
    let numbers: Vec<_> = edges.iter().chain(&usual).cloned().collect();
    let backwards: Vec<_> = numbers.iter().rev().cloned().collect();
    let exponent = BigUint::from(EXPONENT);
    let long_exponent = Exponent::new(&exponent);

    let ours = [
        by_batches(modulus, &numbers, &backwards, |out, a, b| modulus.mul(out, a, b)),
        by_batches(modulus, &numbers, &numbers, |out, a, _| modulus.square(out, a)),
        by_batches(modulus, &usual, &usual, |out, a, _| *out = modulus.pow(a, &long_exponent)),
    ]
    .concat();
    let products = numbers.iter().zip(&backwards).map(|(a, b)| a * b % &squared);
    let squares = numbers.iter().map(|a| a * a % &squared);
    let powers = usual.iter().map(|a| a.modpow(&exponent, &squared));
    products.chain(squares).chain(powers).eq(ours.iter().cloned()).then_some(ours)
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
fn fixed_number(label: &str, bits: usize) -> BigUint {
    let blocks = (0..bits / 256).flat_map(|block| Sha256::digest(format!("{label} {bits} {block}")));
    BigUint::from_bytes_be(&blocks.collect::<Vec<_>>())
}

fn ones(bits: usize) -> BigUint {
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
