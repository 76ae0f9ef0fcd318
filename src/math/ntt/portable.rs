//! The transform on integers (D. Harvey, "Faster arithmetic for number-theoretic transforms", 2014). Between the layers,
//! residues may exceed the prime a few times.

use crate::math::residue::{Factor, Prime};

/// Transforms coefficients to values.
pub(super) fn forward(prime: Prime, factors: &[Factor], x: &mut [u64]) {
    let twice = 2 * prime.value();
    let (mut groups, mut half) = (1, x.len() / 2);
    while half > 0 {
        for (group, factor) in x.chunks_exact_mut(2 * half).zip(&factors[groups..]) {
            let (low, high) = group.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                // Both are below 4 q before and after.
                let u = reduce(*a, twice);
                let v = factor.mul_lazy(*b, prime);
                (*a, *b) = (u + v, u + twice - v);
            }
        }
        (groups, half) = (2 * groups, half / 2);
    }
    for a in x {
        *a = reduce(reduce(*a, twice), prime.value());
    }
}

/// Transforms values to coefficients.
pub(super) fn backward(prime: Prime, factors: &[Factor], scale: Factor, x: &mut [u64]) {
    let twice = 2 * prime.value();
    let (mut groups, mut half) = (x.len() / 2, 1);
    while groups > 0 {
        for (group, factor) in x.chunks_exact_mut(2 * half).zip(&factors[groups..]) {
            let (low, high) = group.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                // Both are below 2 q before and after.
                let (u, v) = (*a, *b);
                (*a, *b) = (reduce(u + v, twice), factor.mul_lazy(u + twice - v, prime));
            }
        }
        (groups, half) = (groups / 2, 2 * half);
    }
    for a in x {
        *a = scale.mul(*a, prime);
    }
}

/// Subtracts `modulus` once if the number is not below it.
fn reduce(number: u64, modulus: u64) -> u64 {
    number.min(number.wrapping_sub(modulus))
}
