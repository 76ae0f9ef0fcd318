//! Random polynomials.
//!
//! Seeds are expanded by `ChaCha20` and read in little-endian words of 64 bits, so that a seed always yields the same
//! polynomial. Secrets are sampled without branches or addresses that depend on them.

#[cfg(any(target_arch = "wasm32", test))]
mod stream;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use zeroize::{Zeroize, Zeroizing};

use super::ring::{Basis, Poly, Ring};

/// The seed of a polynomial.
pub type Seed = [u8; 32];

/// The probabilities that the absolute value of an error is at least 1, 2, ..., times 2^63: the discrete Gaussian of deviation
/// [`DEVIATION`](super::parameters::DEVIATION).
const TAILS: [u64; 29] = [
    8_073_499_201_425_509_800,
    5_883_348_370_701_942_930,
    3_991_629_182_630_250_053,
    2_509_699_002_363_457_274,
    1_456_798_710_654_579_249,
    778_321_634_312_219_174,
    381_795_751_200_163_125,
    171_613_357_976_589_712,
    70_569_585_085_359_829,
    26_512_962_087_029_103,
    9_090_830_680_771_688,
    2_842_272_832_067_367,
    809_697_108_902_602,
    210_041_220_178_844,
    49_588_937_064_720,
    10_650_534_664_075,
    2_080_180_164_796,
    369_346_163_117,
    59_600_389_513,
    8_738_635_276,
    1_163_930_510,
    140_805_938,
    15_468_807,
    1_543_030,
    139_740,
    11_488,
    857,
    58,
    4,
];

/// A polynomial whose values are uniform modulo each prime. The limb at a place depends only on the seed, the number and the
/// place.
#[must_use]
pub fn uniform(ring: &Ring, basis: Basis, seed: &Seed, number: u32) -> Poly {
    Poly::from_values(ring, basis, |place, limb| uniform_limb(ring, seed, number, place, limb))
}

/// Writes one limb of [`uniform`].
pub(super) fn uniform_limb(ring: &Ring, seed: &Seed, number: u32, place: usize, limb: &mut [u64]) {
    let mut word = words(seed, u64::from(number) << 32 | place as u64);
    let prime = ring.limb(place).prime().value();
    let mask = prime.next_power_of_two() - 1;
    for residue in limb {
        // Words that are not below the prime are discarded, so that all residues are equally likely.
        *residue = std::iter::repeat_with(|| word() & mask).find(|&word| word < prime).unwrap_or_default();
    }
}

/// The words of a stream of a seed.
#[cfg(not(target_arch = "wasm32"))]
fn words(seed: &Seed, stream: u64) -> impl FnMut() -> u64 {
    use rand_core::SeedableRng as _;
    let mut rng = ChaCha20Rng::from_seed(*seed);
    rng.set_stream(stream);
    move || rng.next_u64()
}

/// The words of a stream of a seed, in browsers.
#[cfg(target_arch = "wasm32")]
fn words(seed: &Seed, stream: u64) -> impl FnMut() -> u64 {
    let mut words = stream::Stream::new(seed, stream);
    move || words.word()
}

/// Coefficients -1, 0 and 1, with equal probability.
#[must_use]
pub fn ternary(rng: &mut ChaCha20Rng, count: usize) -> Zeroizing<Vec<i8>> {
    let mut coefficients = Zeroizing::new(Vec::with_capacity(count));
    while coefficients.len() < count {
        let mut word = rng.next_u64();
        for _ in 0..32 {
            // One of the four values of two bits is discarded. Which ones were discarded is not secret.
            let bits = word & 3;
            if bits < 3 && coefficients.len() < count {
                coefficients.push(small(bits) - 1);
            }
            word >>= 2;
        }
        word.zeroize();
    }
    coefficients
}

/// Samples `weight` coefficients 1 or -1 at random places, and 0 elsewhere.
///
/// Each place gets a random number, whose lowest bits hold the coefficient. A sorting network, whose comparisons depend only on
/// the length, sorts these numbers, so that all orders are equally likely, except for equal numbers (of 61 bits).
#[must_use]
pub fn sparse(rng: &mut ChaCha20Rng, count: usize, weight: usize) -> Zeroizing<Vec<i8>> {
    let mut words: Zeroizing<Vec<u64>> = Zeroizing::new(Vec::with_capacity(count));
    for i in 0..count {
        let word = rng.next_u64();
        // 0 and 2 for a coefficient other than zero, 1 for zero.
        let code = if i < weight { u64::from(rng.next_u32() & 2) } else { 1 };
        words.push(word & !3 | code);
    }
    sort(&mut words);
    Zeroizing::new(words.iter().map(|&word| small(word & 3) - 1).collect())
}

/// Errors of the discrete Gaussian distribution.
#[must_use]
pub fn gaussian(rng: &mut ChaCha20Rng, count: usize) -> Zeroizing<Vec<i8>> {
    let error = |_| {
        let word = rng.next_u64();
        let (sign, position) = (small(word & 1), word >> 1);
        // Counts the tails that contain the error: a negative difference has its highest bit set.
        let size = TAILS.iter().fold(0, |size, &tail| size + small(position.wrapping_sub(tail) >> 63));
        (size ^ -sign) + sign
    };
    Zeroizing::new((0..count).map(error).collect())
}

#[expect(clippy::cast_possible_truncation, reason = "it is a bit or two")]
const fn small(bits: u64) -> i8 {
    bits as i8
}

/// The bitonic sorting network (K. E. Batcher, 1968) for a power of two.
fn sort(words: &mut [u64]) {
    let mut length = 2;
    while length <= words.len() {
        let mut distance = length / 2;
        while distance > 0 {
            for i in 0..words.len() {
                let partner = i ^ distance;
                if partner > i {
                    let (a, b) = (words[i], words[partner]);
                    let (low, high) = smaller_first(a, b);
                    (words[i], words[partner]) = if i & length == 0 { (low, high) } else { (high, low) };
                }
            }
            distance /= 2;
        }
        length *= 2;
    }
}

/// Orders both numbers, without a branch.
fn smaller_first(a: u64, b: u64) -> (u64, u64) {
    // All ones if b is below a.
    let below = u64::from(a > b).wrapping_neg();
    let change = (a ^ b) & below;
    (a ^ change, b ^ change)
}

#[cfg(test)]
mod tests;
