//! Compares all kernels with plain arithmetic and big numbers.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "tests"
)]

use num_bigint::{BigInt, Sign};
use num_integer::Integer as _;
use num_traits::{One as _, Signed as _};

use super::{BLOCK, Blocks, Conversion, Limb};
use crate::math::kernel::Kernel;
use crate::math::residue::Prime;

/// Fixed pseudorandom numbers (xorshift64), with edge cases among them.
fn residues(prime: Prime, seed: u64) -> Vec<u64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let q = prime.value();
    let edge = |number: u64| [0, 1, q - 1, q / 2, q / 2 + 1][usize::try_from(number % 5).unwrap()];
    (0..256).map(|_| if next() % 3 == 0 { edge(next()) } else { next() % q }).collect()
}

fn primes() -> [Prime; 5] {
    let first = Prime::below(1 << 50, 1 << 17).unwrap();
    let second = Prime::below(first.value(), 1 << 17).unwrap();
    let third = Prime::below(second.value(), 1 << 17).unwrap();
    [first, second, third, Prime::below(1 << 40, 1 << 17).unwrap(), Prime::below(1 << 30, 1 << 17).unwrap()]
}

#[test]
fn arithmetic_is_that_of_single_residues() {
    for prime in primes() {
        let [a, b, c] = [1, 2, 3].map(|seed| residues(prime, seed));
        let (s, f) = (prime.value() - 1, prime.value() / 2 + 1);
        for kernel in Kernel::all() {
            let limb = Limb::new(prime, kernel);
            let check = |name: &str, run: &dyn Fn(&mut [u64]), wanted: &dyn Fn(usize) -> u64| {
                let mut out = a.clone();
                run(&mut out);
                let wanted: Vec<u64> = (0..a.len()).map(wanted).collect();
                assert_eq!(out, wanted, "{name}, {kernel:?}, {}", prime.value());
            };
            check("add", &|x| limb.add(x, &b), &|i| prime.add(a[i], b[i]));
            check("sub", &|x| limb.sub(x, &b), &|i| prime.sub(a[i], b[i]));
            check("negate", &|x| limb.negate(x), &|i| prime.sub(0, a[i]));
            check("mul", &|x| limb.mul(x, &b), &|i| prime.mul(a[i], b[i]));
            check("mul_add", &|x| limb.mul_add(x, &b, &c), &|i| prime.add(a[i], prime.mul(b[i], c[i])));
            check("mul_sub", &|x| limb.mul_sub(x, &b, &c), &|i| prime.sub(a[i], prime.mul(b[i], c[i])));
            let both = |i| prime.add(prime.mul(a[i], b[i]), prime.mul(b[i], c[i]));
            let mut other = a.clone();
            check("dot", &|x| limb.dot([x, &mut a.clone()], &[[&a, &b, &c], [&b, &c, &a]]), &both);
            limb.dot([&mut other, &mut a.clone()], &[[&a, &c, &b], [&b, &a, &c]]);
            let mut first = a.clone();
            limb.dot([&mut a.clone(), &mut first], &[[&a, &b, &c], [&b, &c, &a]]);
            assert_eq!(first, other, "second sum, {kernel:?}");
            check("sum", &|x| limb.sum(x, &b, &c), &|i| prime.add(b[i], c[i]));
            check("difference", &|x| limb.difference(x, &b, &c), &|i| prime.sub(b[i], c[i]));
            for terms in [0, 1, 15, 40] {
                let factors: Vec<u64> = (0..terms).map(|i| residues(prime, 7)[i]).collect();
                let pairs: Vec<(&[u64], u64)> = factors.iter().map(|&factor| (&b[..], factor)).collect();
                let factor = factors.iter().fold(0, |sum, &factor| prime.add(sum, factor));
                let wanted = |i: usize| prime.add(prime.mul(b[i], factor), s);
                check("weighted", &|x| limb.weighted(x, &pairs, s), &wanted);
            }
            let mut out = [a.clone(), a.clone(), a.clone()];
            let [low, middle, high] = &mut out;
            limb.tensor([low, middle, high], [&a, &b], [&b, &c]);
            for (k, out) in out.iter().enumerate() {
                let wanted = |i: usize| match k {
                    0 => prime.mul(a[i], b[i]),
                    1 => prime.add(prime.mul(a[i], c[i]), prime.mul(b[i], b[i])),
                    _ => prime.mul(b[i], c[i]),
                };
                check("tensor", &|x| x.copy_from_slice(out), &wanted);
            }
            check("scale", &|x| limb.scale(x, s, f), &|i| prime.mul(prime.add(a[i], s), f));
            check("sub_from_scale", &|x| limb.sub_from_scale(x, &b, f), &|i| prime.mul(prime.sub(b[i], a[i]), f));
            check("sub_scale", &|x| limb.sub_scale(x, &b, f), &|i| prime.mul(prime.sub(a[i], b[i]), f));
            let scaled = |i: usize| prime.add(prime.mul(prime.sub(a[i], b[i]), f), c[i]);
            check("sub_scale_add", &|x| limb.sub_scale_add(x, &b, f, &c), &scaled);
            check("scale_add", &|x| limb.scale_add(x, &b, f), &|i| prime.add(a[i], prime.mul(b[i], f)));
        }
    }
}

#[test]
fn sums_with_factors_of_runs_are_those_of_single_residues() {
    for prime in primes() {
        for (count, sums, run) in [(1, 1, 8), (2, 3, 16), (17, 2, 64), (60, 5, 8), (300, 1, 256)] {
            let limbs: Vec<Vec<u64>> = (0..2 * count).map(|seed| residues(prime, seed + 1)).collect();
            let inputs: Vec<[&[u64]; 2]> = limbs.chunks_exact(2).map(|pair| [&pair[0][..], &pair[1][..]]).collect();
            let (length, count) = (limbs[0].len(), inputs.len());
            let factors: Vec<u64> =
                (0..).flat_map(|seed| residues(prime, 100 + seed)).take(length / run * sums * count).collect();
            let wanted = |k: usize, half: usize, i: usize| {
                let factors = &factors[(i / run * sums + k) * count..][..count];
                let products = inputs.iter().zip(factors).map(|(input, &f)| prime.mul(input[half][i], f));
                products.fold(0, |sum, product| prime.add(sum, product))
            };
            for kernel in Kernel::all() {
                let mut out = vec![vec![u64::MAX; length]; 2 * sums];
                let mut pairs: Vec<[&mut [u64]; 2]> = Vec::new();
                for pair in out.chunks_exact_mut(2) {
                    let [x, y] = pair else { unreachable!() };
                    pairs.push([x, y]);
                }
                Limb::new(prime, kernel).run_sums(&mut pairs, &inputs, &factors, run);
                for (number, out) in out.iter().enumerate() {
                    let wanted: Vec<u64> = (0..length).map(|i| wanted(number / 2, number % 2, i)).collect();
                    assert_eq!(out, &wanted, "{kernel:?}, {count} inputs, sum {number}, {}", prime.value());
                }
            }
        }
    }
}

#[test]
fn blocks_move_the_same_everywhere() {
    let prime = primes()[0];
    let values = residues(prime, 5);
    let count = values.len() / BLOCK;
    let sources: Vec<u32> = (0..count).map(|i| (i * 13 % count * BLOCK + i % BLOCK) as u32).collect();
    let orders = std::array::from_fn(|order| std::array::from_fn(|place| ((3 * place + order) % BLOCK) as u64));
    let blocks = Blocks::new(sources, orders);
    let wanted: Vec<u64> = (0..values.len())
        .map(|i| {
            let (block, place) = (i / BLOCK, i % BLOCK);
            values[block * 13 % count * BLOCK + (3 * place + block % BLOCK) % BLOCK]
        })
        .collect();
    for kernel in Kernel::all() {
        let mut out = vec![0; values.len()];
        Limb::new(prime, kernel).moved(&mut out, &values, &blocks);
        assert_eq!(out, wanted, "{kernel:?}");
    }
}

#[test]
fn numbers_closest_to_zero_keep_their_sign() {
    for other in primes() {
        let b = residues(other, 4);
        for prime in primes() {
            let (q, p) = (prime.value().cast_signed(), other.value().cast_signed());
            let wanted = b.iter().map(|&b| b.cast_signed()).map(|b| if b > p / 2 { b - p } else { b }.rem_euclid(q));
            let wanted: Vec<u64> = wanted.map(i64::cast_unsigned).collect();
            for kernel in Kernel::all() {
                let mut a = vec![0; b.len()];
                Limb::new(prime, kernel).centred(&mut a, &b, other);
                assert_eq!(a, wanted, "{kernel:?}, from {p} to {q}");
            }
        }
    }
}

#[test]
fn conversions_find_the_number_closest_to_zero() {
    let all = primes();
    for (from, to) in [(&all[..1], &all[1..]), (&all[..3], &all[3..]), (&all[2..], &all[..2])] {
        let source: Vec<u64> = from.iter().zip(10..).flat_map(|(&prime, seed)| residues(prime, seed)).collect();
        let length = source.len() / from.len();
        let product: BigInt = from.iter().map(|q| BigInt::from(q.value())).product();
        // The number at each place, by the Chinese remainder theorem.
        let numbers = (0..length).map(|place| {
            let terms = from.iter().enumerate().map(|(i, q)| {
                let rest = &product / q.value();
                let (_, digits) = (rest.clone() % q.value()).to_u64_digits();
                &rest * q.mul(q.inverse(digits[0]), source[i * length + place])
            });
            let number = terms.sum::<BigInt>().mod_floor(&product);
            if &number * 2 > product { number - &product } else { number }
        });
        let numbers: Vec<BigInt> = numbers.collect();
        let places: Vec<usize> = (0..to.len()).collect();
        let mut first = None;
        for kernel in Kernel::all() {
            let mut target = vec![0; length * to.len()];
            Conversion::new(from, to, kernel).run(&source, &mut target, &places);
            for (j, p) in to.iter().enumerate() {
                for (place, number) in numbers.iter().enumerate() {
                    // Close to `Q / 2`, either representative is correct.
                    let from_half: BigInt = number.abs() * 2 - &product;
                    let doubtful = from_half.abs() << 40 < product;
                    let found = BigInt::from_biguint(Sign::Plus, target[j * length + place].into());
                    let fits = |wanted: &BigInt| wanted.mod_floor(&p.value().into()) == found;
                    let other = if number.is_negative() { number + &product } else { number - &product };
                    assert!(fits(number) || doubtful && fits(&other), "{kernel:?}, {place}");
                }
            }
            assert_eq!(&target, first.get_or_insert_with(|| target.clone()), "{kernel:?}");
        }
        assert!(product > BigInt::one());
    }
}
