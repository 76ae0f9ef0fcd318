//! Compares every kernel with `num-bigint`.

use super::*;
use crate::math::montgomery::{from_limbs, to_limbs};
use rand_core::{Rng as _, SeedableRng as _};

fn modulus(bits: u64, rng: &mut rand_chacha::ChaCha20Rng, full: bool) -> BigUint {
    let mut bytes = vec![0; usize::try_from(bits / 8).expect("small")];
    rng.fill_bytes(&mut bytes);
    if full {
        bytes.fill(255);
    }
    BigUint::from_bytes_le(&bytes) | BigUint::one() | (BigUint::one() << (bits - 1))
}

/// This machine's kernels, and the twins of those that it may lack.
fn all_kernels() -> Vec<&'static dyn Kernel> {
    let twins: [&'static dyn Kernel; 2] = [&fma::twin::Twin, &ifma::twin::Twin];
    kernels().into_iter().chain(twins).collect()
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
            for kernel in all_kernels() {
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
    for kernel in all_kernels() {
        let pair = PairModulus::with_kernel(&n, kernel).expect("odd");
        let start = &squared - 1u8;
        let mut x = pair.broadcast(&start);
        let mut expected = start;
        for _ in 0..300 {
            let mut next = pair.empty();
            pair.square(&mut next, &x);
            pair.mul(&mut x, &next, &pair.cube);
            expected = (&expected * &expected) % &squared;
            let cube = pair.leave(&pair.cube).remove(0);
            expected = expected * cube % &squared;
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

#[test]
fn loading_and_leaving() {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(13);
    for bits in [1024, 1536, 2048, 3072, 4096] {
        let n = modulus(bits, &mut rng, bits == 2048);
        let squared = &n * &n;
        for kernel in all_kernels() {
            let pair = PairModulus::with_kernel(&n, kernel).expect("odd");
            let numbers: Vec<_> = (0..pair.lanes()).map(|_| modulus(2 * bits, &mut rng, false) % &squared).collect();
            let limbs: Vec<_> = numbers.iter().map(|number| to_limbs(number, pair.width())).collect();
            let slices: Vec<_> = limbs.iter().map(Vec::as_slice).collect();

            // Loaded numbers and their squares.
            let loaded = pair.load(slices.iter().copied());
            let mut square = pair.empty();
            pair.square(&mut square, &loaded);
            let leave = |batch: &Batch, count| {
                let factor = pair.plain(&pair.unload_factor(count));
                let limbs = pair.leave_times(batch, &factor, pair.width());
                limbs.chunks_exact(pair.width()).map(from_limbs).collect::<Vec<_>>()
            };
            assert_eq!(leave(&loaded, 1), numbers, "{} {bits}", kernel.name());
            let squares: Vec<_> = numbers.iter().map(|c| c * c % &squared).collect();
            assert_eq!(leave(&square, 2), squares, "{} {bits}", kernel.name());
            let back = pair.unload_factor(-1) * pair.unload_factor(1) % &squared;
            assert_eq!(back, BigUint::one());

            // Longer numbers, and numbers modulo n.
            let long: Vec<_> = numbers.iter().map(|c| c * c).collect();
            let limbs: Vec<_> = long.iter().map(|c| to_limbs(c, 2 * pair.width())).collect();
            let loaded = pair.load_long(&limbs.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let mut plain = pair.empty();
            pair.mul(&mut plain, &loaded, pair.one());
            for (lane, square) in squares.iter().enumerate() {
                let (l, h) = pair.halves(&plain, lane);
                let number = from_limbs(&l) + from_limbs(&h) * &n;
                assert_eq!(number, *square, "{} {bits} long", kernel.name());
            }
            let low = pair.load_low(slices.iter().copied());
            let r = BigUint::one() << pair.bits_of_r();
            let factor = pair.plain_low(&(&r * &r % &n));
            let residues: Vec<_> = numbers.iter().map(|c| c % &n).collect();
            assert_eq!(pair.leave_low(&pair.mul_low(&low, &factor)), residues, "{} {bits} low", kernel.name());

            let mut raised = pair.enter_numbers(&numbers);
            pair.add_to_high(&mut raised, &pair.plain_low(&(&r * 5u8 % &n)));
            let expected: Vec<_> = numbers.iter().map(|c| (c + &n * 5u8) % &squared).collect();
            assert_eq!(pair.leave(&raised), expected, "{} {bits} high", kernel.name());
        }
    }
}
