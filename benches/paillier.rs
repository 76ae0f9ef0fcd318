//! What one ciphertext costs: encryption, decryption, addition. `cargo bench`.

use divan::{Bencher, black_box};
use num_bigint::{BigInt, BigUint};
use safelight::math::random;
use safelight::paillier::SecretKey;

fn main() {
    divan::main();
}

const BITS: [u16; 2] = [2048, 3072];

fn key(bits: u16) -> SecretKey {
    SecretKey::generate(bits, &mut random::system()).expect("key")
}

#[divan::bench(args = BITS)]
fn encrypt_by_owner(bencher: Bencher<'_, '_>, bits: u16) {
    let key = key(bits);
    bencher.bench_local(|| key.encrypt(&BigInt::from(1_234_567), &mut random::system()).expect("fits"));
}

#[divan::bench(args = BITS)]
fn encrypt_by_anybody(bencher: Bencher<'_, '_>, bits: u16) {
    let key = key(bits);
    bencher.bench_local(|| key.public().encrypt(&BigInt::from(1_234_567), &mut random::system()).expect("fits"));
}

#[divan::bench(args = BITS)]
fn decrypt(bencher: Bencher<'_, '_>, bits: u16) {
    let key = key(bits);
    let c = key.encrypt(&BigInt::from(1_234_567), &mut random::system()).expect("fits");
    bencher.bench_local(|| key.decrypt(black_box(&c)).expect("own"));
}

/// One product modulo n^2 of residues in Montgomery form: what the server does most.
#[divan::bench(args = BITS)]
fn add(bencher: Bencher<'_, '_>, bits: u16) {
    let key = key(bits);
    let modulus = key.public().square();
    let c = key.encrypt(&BigInt::from(1_234_567), &mut random::system()).expect("fits");
    let a = modulus.residue(&c.number());
    let mut product = a.clone();
    bencher.bench_local(|| modulus.mul_assign(black_box(&mut product), black_box(&a)));
}

/// The same by `num-bigint`, for comparison.
#[divan::bench(args = BITS)]
fn add_by_num_bigint(bencher: Bencher<'_, '_>, bits: u16) {
    let key = key(bits);
    let squared: BigUint = key.public().n() * key.public().n();
    let c = key.encrypt(&BigInt::from(1_234_567), &mut random::system()).expect("fits").number();
    let mut product = c.clone();
    bencher.bench_local(|| product = black_box(&product) * black_box(&c) % &squared);
}
