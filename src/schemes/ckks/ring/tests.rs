//! The primes that every implementation must find, and a comparison of automorphisms with their definition.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "tests"
)]

use sha2::{Digest as _, Sha256};

use super::{Basis, CONJUGATION, Poly, Ring, rotation};
use crate::math::kernel::Kernel;
use crate::schemes::ckks::parameters::{ALL, SMALL};

#[test]
fn the_primes_of_each_set_never_change() {
    for (set, wanted) in ALL.iter().zip(PRIMES) {
        let (primes, scales) = super::primes::search(set).unwrap();
        let mut digest = Sha256::new();
        let mut bits = 0.0;
        for prime in &primes {
            assert_eq!(prime.value() % (2 << set.log_degree), 1);
            digest.update(prime.value().to_le_bytes());
            bits += (prime.value() as f64).log2();
        }
        let distinct: std::collections::BTreeSet<_> = primes.iter().map(|prime| prime.value()).collect();
        assert_eq!(distinct.len(), set.special + set.levels + set.raised + 1, "{}", set.name);
        assert!(bits <= f64::from(set.most_bits), "{}: {bits} bits", set.name);
        let digits = digest.finalize()[..8].iter().fold(0, |digits: u64, &byte| digits << 8 | u64::from(byte));
        assert_eq!(format!("{digits:016x}"), wanted, "{}: {bits:.2} bits", set.name);
        for (level, scale) in scales.iter().enumerate() {
            let bits = if level > set.levels { set.raised_bits } else { set.scale_bits };
            assert!((scale.log2() - f64::from(bits)).abs() < 1e-3, "{}: {scale}", set.name);
        }
    }
}

/// The first digits of the SHA-256 of the primes, in their order, as little-endian words of 64 bits.
const PRIMES: [&str; 7] = [
    "02a69c31da207e7c",
    "b2ea84a2cc07c220",
    "6053901302f63d04",
    "3cff081ea31af783",
    "76cb67037a36720d",
    "7c77b0639a1c01d9",
    "b1eeaa32fc195090",
];

#[test]
fn automorphisms_take_the_power_of_the_variable() {
    let ring = Ring::with_kernel(&SMALL, Kernel::Portable).unwrap();
    let degree = ring.degree();
    let basis = Basis { first: 1, count: 2 };
    let coefficients: Vec<i8> = (0..degree).map(|i| i8::try_from(i * i % 17).unwrap() - 8).collect();
    let poly = Poly::from_small(&ring, basis, &coefficients);
    for element in [rotation(degree, 1), rotation(degree, -3), 2 * degree as u64 - 1] {
        let mut wanted = vec![0i8; degree];
        for (i, &coefficient) in coefficients.iter().enumerate() {
            let power = usize::try_from(i as u64 * element % (2 * degree as u64)).unwrap();
            wanted[power % degree] = if power < degree { coefficient } else { -coefficient };
        }
        assert_eq!(poly.automorphism(&ring, element), Poly::from_small(&ring, basis, &wanted), "{element}");
    }
    assert_eq!(poly.automorphism(&ring, CONJUGATION), poly.automorphism(&ring, 2 * degree as u64 - 1));
    assert_eq!(poly.automorphism(&ring, 1), poly);
}

#[test]
fn all_kernels_agree_on_polynomials() {
    let make = |kernel: Kernel| {
        let ring = Ring::with_kernel(&SMALL, kernel).unwrap();
        let coefficients: Vec<i8> = (0..ring.degree()).map(|i| i8::try_from(i % 251 % 127).unwrap() - 60).collect();
        let mut poly = Poly::from_small(&ring, ring.extended(2, 1), &coefficients);
        let copy = poly.clone();
        poly.mul(&ring, &copy);
        crate::schemes::ckks::switch::divide(&ring, &poly, 2)
    };
    let first = make(Kernel::Portable);
    for kernel in Kernel::all() {
        assert!(make(kernel) == first, "{kernel:?}");
    }
}
