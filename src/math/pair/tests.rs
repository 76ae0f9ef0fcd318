//! Every kernel against `num-bigint`.

use super::*;
use rand_core::{Rng as _, SeedableRng as _};

fn modulus(bits: u64, rng: &mut rand_chacha::ChaCha20Rng, full: bool) -> BigUint {
    let mut bytes = vec![0; usize::try_from(bits / 8).expect("small")];
    rng.fill_bytes(&mut bytes);
    if full {
        bytes.fill(255);
    }
    BigUint::from_bytes_le(&bytes) | BigUint::one() | (BigUint::one() << (bits - 1))
}

#[test]
fn every_kernel_agrees_with_num_bigint() {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(11);
    for bits in [1024, 1536, 2048, 3072, 4096] {
        for round in 0..6 {
            let n = modulus(bits, &mut rng, round == 0);
            let squared = &n * &n;
            let mut random = || modulus(2 * bits, &mut rng, false) % &squared;
            let edges = [
                BigUint::ZERO,
                BigUint::one(),
                &n - 1u8,
                n.clone(),
                &n + 1u8,
                &squared - 1u8,
                &squared - &n,
                (BigUint::one() << bits) - 1u8,
            ];
            let mut numbers: Vec<BigUint> = edges.to_vec();
            numbers.extend((0..8).map(|_| random()));
            for kernel in kernels() {
                let pair = PairModulus::with_kernel(&n, kernel).expect("odd");
                let others: Vec<BigUint> = numbers.iter().rev().cloned().collect();
                for (a, b) in numbers.chunks(pair.lanes()).zip(others.chunks(pair.lanes())) {
                    let (x, y) = (pair.enter_numbers(a), pair.enter_numbers(b));
                    let (mut product, mut square) = (pair.empty(), pair.empty());
                    pair.mul(&mut product, &x, &y);
                    pair.square(&mut square, &x);
                    let products: Vec<_> = a.iter().zip(b).map(|(a, b)| a * b % &squared).collect();
                    let squares: Vec<_> = a.iter().map(|a| a * a % &squared).collect();
                    assert_eq!(pair.leave(&x), a, "{} {bits} enter", kernel.name());
                    assert_eq!(pair.leave(&product), products, "{} {bits} mul", kernel.name());
                    assert_eq!(pair.leave(&square), squares, "{} {bits} square", kernel.name());
                }
            }
        }
    }
}

#[test]
fn long_chains_stay_in_range() {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(12);
    let n = modulus(2048, &mut rng, false);
    let squared = &n * &n;
    for kernel in kernels() {
        let pair = PairModulus::with_kernel(&n, kernel).expect("odd");
        let start = &squared - 1u8;
        let mut x = pair.broadcast(&start);
        let mut expected = start;
        for _ in 0..300 {
            let mut next = pair.empty();
            pair.square(&mut next, &x);
            pair.mul(&mut x, &next, pair.low_for_tests());
            expected = (&expected * &expected) % &squared;
            let r2 = pair.leave(pair.low_for_tests()).remove(0);
            expected = expected * r2 % &squared;
        }
        assert_eq!(pair.leave(&x), vec![expected; pair.lanes()], "{}", kernel.name());
    }
}

#[test]
fn bad_moduli_are_refused() {
    for bad in [BigUint::ZERO, BigUint::one(), BigUint::one() << 2048usize, (BigUint::one() << 4200usize) + 1u8] {
        assert!(PairModulus::new(&bad).is_none());
    }
}
