//! A known-answer test of the arithmetic, for machines that we cannot test in advance.
//!
//! Browsers may execute the same instruction differently: the fused multiply-add of relaxed SIMD rounds once or twice,
//! depending on the processor. A kernel that relies on one of these computes wrong digits with the other. Therefore the page
//! runs this test before it uses a build.

use std::hint::black_box;

use num_bigint::BigUint;
use num_traits::One as _;
use sha2::{Digest as _, Sha256};

use super::hex::hex;
use super::montgomery::Exponent;
use super::pair::{Batch, PairModulus};

/// The lengths of the moduli in bits: the three key sizes, and the sizes of their factors.
const SIZES: [u64; 5] = [1024, 1536, 2048, 3072, 4096];

/// The exponent of the powers. It is short to keep the test fast.
const EXPONENT: u32 = 700;

/// The SHA-256 of all results, each big-endian and as long as `n^2`. Computed with Python's integers.
const ANSWER: &str = "ae7df19aeefea468f86602b664debf672bf1a8e58a354a9a100050334e8cd1e6";

/// Whether the kernel in use returns the known answers. Takes a few milliseconds.
#[must_use]
pub fn arithmetic_is_right() -> bool {
    passes(|n| results(&PairModulus::new(n)?, n))
}

/// Like [`arithmetic_is_right`], with another implementation of [`results`].
fn passes(results: impl Fn(&BigUint) -> Option<Vec<BigUint>>) -> bool {
    let usual = SIZES.map(|bits| fixed_number("modulus", bits) | BigUint::one() | (BigUint::one() << (bits - 1)));
    let mut digest = Sha256::new();
    for n in usual.into_iter().chain([ones(SIZES[0])]) {
        for number in results(&n).unwrap_or_default() {
            // The bit set above the number preserves its leading zeros.
            let marked = number | (BigUint::one() << (2 * n.bits()));
            digest.update(&marked.to_bytes_be()[1..]);
        }
    }
    // The compiler must keep the answer in one piece, because tests/browser/builds.test.mjs changes it in the file.
    hex(&digest.finalize()) == black_box(ANSWER)
}

/// Computes `(a b)^2` modulo `n^2` for the pairs of [`numbers`], then the last `a` to the power of [`EXPONENT`].
fn results(modulus: &PairModulus, n: &BigUint) -> Option<Vec<BigUint>> {
    let (a, b) = numbers(n);
    let mut all = by_batches(modulus, &a, &b, |out, a, b| {
        let mut product = modulus.empty();
        modulus.mul(&mut product, a, b);
        modulus.square(out, &product);
    });
    let base = [a.last()?.clone()];
    let exponent = Exponent::new(&EXPONENT.into());
    all.extend(by_batches(modulus, &base, &base, |out, base, _| *out = modulus.pow(base, &exponent)));
    Some(all)
}

/// Pairs of numbers below `n^2`: edge cases and two arbitrary numbers.
fn numbers(n: &BigUint) -> ([BigUint; 5], [BigUint; 5]) {
    let [first, second] = ["first", "second"].map(|label| fixed_number(label, 2 * n.bits()) >> 2);
    let a = [BigUint::ZERO, BigUint::one(), n - 1u8, ones(2 * n.bits() - 2), first];
    let b = [second.clone(), n * n - 1u8, n - 1u8, ones(n.bits()), second];
    (a, b)
}

/// Applies `work` to batches of as many numbers as the kernel has lanes.
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

/// An arbitrary but fixed number of at most `bits` bits.
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
            assert!(passes(|n| results(&PairModulus::with_kernel(n, kernel)?, n)), "{}", kernel.name());
        }
    }

    #[test]
    fn num_bigint_passes() {
        assert!(passes(|n| {
            let ((a, b), squared) = (numbers(n), n * n);
            let squares = a.iter().zip(&b).map(|(a, b)| (a * b).pow(2) % &squared);
            Some(squares.chain([a[4].modpow(&EXPONENT.into(), &squared)]).collect())
        }));
    }

    /// Another kernel whose first lane is sometimes wrong by one, as if an instruction rounded twice.
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

        fn mul_low(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
            self.0.mul_low(modulus, out, a, b);
        }
    }

    #[test]
    fn a_kernel_that_rounds_fails() {
        for kernel in kernels() {
            let rounded: &'static dyn Kernel = Box::leak(Box::new(Rounded(kernel)));
            assert!(!passes(|n| results(&PairModulus::with_kernel(n, rounded)?, n)), "{}", kernel.name());
        }
    }
}
