//! Compares encoding with its definition: values at roots of unity.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "tests"
)]

use num_complex::Complex64;

use super::Encoder;
use crate::error::Code;
use crate::schemes::ckks::parameters::SMALL;
use crate::schemes::ckks::ring::{Poly, Ring};

fn numbers(count: usize) -> Vec<Complex64> {
    (0..count).map(|i| Complex64::new((i as f64 * 0.7).sin(), (i as f64 * 1.3).cos())).collect()
}

#[test]
fn what_is_encoded_comes_back() {
    let ring = Ring::new(&SMALL).unwrap();
    let encoder = Encoder::new(&ring);
    for slots in [1, 2, 8, 1024, 4096] {
        for level in [0, 1, 3] {
            let values = numbers(slots);
            let plaintext = encoder.encode(&ring, &values, slots, level, ring.scale(level)).unwrap();
            let back = plaintext.decode(&ring, &encoder);
            let worst = values.iter().zip(&back).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
            assert!(back.len() == slots && worst < 1e-7, "{slots} slots, level {level}: {worst}");
        }
    }
}

#[test]
fn slots_are_values_at_powers_of_five() {
    let ring = Ring::new(&SMALL).unwrap();
    let encoder = Encoder::new(&ring);
    let slots = 8;
    let values = numbers(slots);
    let mut w = values.clone();
    encoder.to_coefficients(&mut w);
    for (j, value) in values.iter().enumerate() {
        let power = (0..j).fold(1, |power, _| power * 5 % (4 * slots));
        let root = |k: usize| Complex64::cis(2.0 * std::f64::consts::PI * (k * power) as f64 / (4 * slots) as f64);
        let sum: Complex64 = (0..slots).map(|k| root(k) * w[k].re + root(k + slots) * w[k].im).sum();
        assert!((sum - value).norm() < 1e-12, "slot {j}");
    }
}

#[test]
fn products_of_polynomials_are_products_of_slots_and_automorphisms_turn_them() {
    let ring = Ring::new(&SMALL).unwrap();
    let encoder = Encoder::new(&ring);
    for slots in [4, 4096] {
        let (a, b) = (numbers(slots), numbers(2 * slots)[slots..].to_vec());
        let scale = 2f64.powi(30);
        let mut product = encoder.encode(&ring, &a, slots, 3, scale).unwrap();
        product.poly.mul(&ring, &encoder.encode(&ring, &b, slots, 3, scale).unwrap().poly);
        product.scale = scale * scale;
        let check = |poly: Poly, scale: f64, wanted: &dyn Fn(usize) -> Complex64| {
            let plaintext = crate::schemes::ckks::plaintext::Plaintext { poly, level: 3, scale, slots };
            for (i, found) in plaintext.decode(&ring, &encoder).iter().enumerate() {
                assert!((found - wanted(i)).norm() < 1e-5, "slot {i} of {slots}: {found} {}", wanted(i));
            }
        };
        check(product.poly.clone(), product.scale, &|i| a[i] * b[i]);
        let poly = encoder.encode(&ring, &a, slots, 3, scale).unwrap().poly;
        let turned = poly.automorphism(&ring, crate::schemes::ckks::ring::rotation(ring.degree(), 3));
        check(turned, scale, &|i| a[(i + 3) % slots]);
        check(poly.automorphism(&ring, crate::schemes::ckks::ring::CONJUGATION), scale, &|i| a[i].conj());
    }
}

#[test]
fn bad_vectors_are_refused() {
    let ring = Ring::new(&SMALL).unwrap();
    let encoder = Encoder::new(&ring);
    let code =
        |values: &[f64], slots, scale| encoder.encode_real(&ring, values, slots, 1, scale).err().map(|e| e.kind());
    let scale = ring.scale(1);
    assert_eq!(code(&[1.0], 3, scale), Some(Code::BadArgument));
    assert_eq!(code(&[1.0], 0, scale), Some(Code::BadArgument));
    assert_eq!(code(&[1.0], 8192, scale), Some(Code::BadArgument));
    assert_eq!(code(&[1.0; 5], 4, scale), Some(Code::BadArgument));
    assert_eq!(code(&[f64::NAN], 4, scale), Some(Code::PlaintextOutOfRange));
    assert_eq!(code(&[f64::INFINITY], 4, scale), Some(Code::PlaintextOutOfRange));
    assert_eq!(code(&[1e300], 4, scale), Some(Code::PlaintextOutOfRange));
    assert_eq!(code(&[], 4, scale), None);
}
