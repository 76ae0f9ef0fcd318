//! Compares all kernels with schoolbook multiplication and with each other.

#![allow(clippy::unwrap_used)]

use super::{Kernel, Transform};
use crate::math::residue::{MOST_BITS, Prime};

/// Fixed pseudorandom numbers (xorshift64).
fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// The largest primes of a few lengths that have the required roots of unity.
fn primes(degree: usize) -> Vec<Prime> {
    [MOST_BITS, 45, 30].iter().map(|&bits| Prime::below(1 << bits, 2 * degree as u64).unwrap()).collect()
}

/// The product by definition: `X^N` is -1.
fn schoolbook(prime: Prime, a: &[u64], b: &[u64]) -> Vec<u64> {
    let mut product = vec![0; a.len()];
    for (i, &x) in a.iter().enumerate() {
        for (j, &y) in b.iter().enumerate() {
            let (term, at) = (prime.mul(x, y), i + j);
            if at < a.len() {
                product[at] = prime.add(product[at], term);
            } else {
                product[at - a.len()] = prime.sub(product[at - a.len()], term);
            }
        }
    }
    product
}

/// Polynomials that are likely to reveal faults: noise with edge cases, and the largest residues.
fn polynomials(prime: Prime, degree: usize) -> [Vec<u64>; 4] {
    let last = prime.value() - 1;
    let mut next = noise(prime.value());
    let edges = (0..degree).map(|i| match i % 5 {
        0 => last,
        1 => 0,
        2 => 1,
        _ => prime.residue(next()),
    });
    let edges: Vec<u64> = edges.collect();
    let high = (0..degree).map(|_| last - next() % 3).collect();
    [edges, high, vec![last; degree], vec![0; degree]]
}

#[test]
fn products_are_those_of_the_schoolbook() {
    for degree in [16, 32, 64, 128] {
        for prime in primes(degree) {
            let [a, b, highest, _] = polynomials(prime, degree);
            for (a, b) in [(&a, &b), (&highest, &highest)] {
                let wanted = schoolbook(prime, a, b);
                for kernel in Kernel::all() {
                    let transform = Transform::new(prime, degree, kernel).unwrap();
                    let (mut x, mut y) = (a.clone(), b.clone());
                    transform.forward(&mut x);
                    transform.forward(&mut y);
                    x.iter_mut().zip(&y).for_each(|(x, &y)| *x = prime.mul(*x, y));
                    transform.backward(&mut x);
                    assert_eq!(x, wanted, "{kernel:?}, {degree} coefficients modulo {}", prime.value());
                }
            }
        }
    }
}

#[test]
fn all_kernels_give_the_same_residues_and_come_back() {
    for degree in [16, 2048, 4096, 1 << 16] {
        for prime in primes(degree) {
            let transforms =
                Kernel::all().into_iter().map(|kernel| (kernel, Transform::new(prime, degree, kernel).unwrap()));
            let transforms: Vec<_> = transforms.collect();
            for polynomial in polynomials(prime, degree) {
                let mut wanted = polynomial.clone();
                transforms[0].1.forward(&mut wanted);
                assert!(wanted.iter().all(|&value| value < prime.value()));
                for (kernel, transform) in &transforms {
                    let mut x = polynomial.clone();
                    transform.forward(&mut x);
                    assert_eq!(x, wanted, "{kernel:?}, {degree}");
                    let mut out = vec![1; degree];
                    transform.backward_of(&x, &mut out);
                    assert_eq!(out, polynomial, "{kernel:?}, {degree}");
                    transform.backward(&mut x);
                    assert_eq!(x, polynomial, "{kernel:?}, {degree}");
                }
            }
        }
    }
}

#[test]
fn the_values_stand_where_the_documentation_says() {
    let degree = 32;
    let prime = Prime::below(1 << 40, 64).unwrap();
    let psi = prime.root(64).unwrap();
    let [polynomial, ..] = polynomials(prime, degree);
    let mut values = polynomial.clone();
    Transform::new(prime, degree, Kernel::Portable).unwrap().forward(&mut values);
    for (i, &value) in (0u64..).zip(&values) {
        let point = prime.pow(psi, 2 * (i.reverse_bits() >> 59) + 1);
        let wanted = polynomial.iter().rev().fold(0, |sum, &c| prime.add(prime.mul(sum, point), c));
        assert_eq!(value, wanted, "place {i}");
    }
}

#[test]
fn what_has_no_roots_has_no_transform() {
    let prime = Prime::below(1 << 40, 64).unwrap();
    assert!(Transform::new(prime, 32, Kernel::Portable).is_some());
    assert!(Transform::new(prime, 33, Kernel::Portable).is_none());
    assert!(Transform::new(prime, 8, Kernel::Portable).is_none());
    assert!(Transform::new(Prime::new(1_000_003).unwrap(), 32, Kernel::Portable).is_none());
}
