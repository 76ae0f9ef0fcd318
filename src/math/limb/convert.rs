//! Conversion between residue number systems.

use super::super::floats::{Fixed, Floats, MOST_TERMS, Pair, Twiddle, Work};
use super::super::kernel::Kernel;
use super::super::residue::Prime;

/// The number of places that are converted at a time, so that the intermediate values stay in the L1 cache.
const BLOCK: usize = 256;
/// The number of products that are added before a sum is reduced: each is below `0.6 p` in absolute value, and sums stay below
/// 2^53.
const TERMS: usize = 8;

/// A conversion of numbers from residues modulo one set of primes to residues modulo another.
///
/// Let `Q` be the product of the source primes, and `y_i = x (Q / q_i)^-1 mod q_i`. The number is the sum of `y_i Q / q_i`
/// minus `u Q`, where `u` is the rounded sum of `y_i / q_i` (S. Halevi, Y. Polyakov, V. Shoup, "An improved RNS variant of the
/// BFV homomorphic encryption scheme", CT-RSA 2019, section 2). Thus the residues stand for the number closest to zero. Only if
/// that number is within `2^-48 Q` of `Q / 2` can the result be the other one of the two closest numbers.
pub struct Conversion {
    kernel: Kernel,
    from: Vec<Prime>,
    to: Vec<Prime>,
    /// `(Q / q_i)^-1 mod q_i`.
    inverses: Vec<u64>,
    /// `1 / q_i`.
    reciprocals: Vec<f64>,
    /// For each target prime: `-Q mod p`, then `Q / q_i mod p`.
    factors: Vec<Vec<u64>>,
    /// The same for floats.
    pairs: Vec<Vec<Pair>>,
}

impl Conversion {
    /// A conversion between these primes, all of which are different. `from` has at least one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "primes have 50 bits")]
    pub fn new(from: &[Prime], to: &[Prime], kernel: Kernel) -> Self {
        let product = |modulus: Prime, without: Option<usize>| {
            let others = from.iter().enumerate().filter(|&(i, _)| Some(i) != without);
            others.fold(1, |product, (_, other)| modulus.mul(product, modulus.residue(other.value())))
        };
        let factors = to.iter().map(|&p| {
            let rest = (0..from.len()).map(|i| product(p, Some(i)));
            std::iter::once(p.sub(0, product(p, None))).chain(rest).collect()
        });
        let factors: Vec<Vec<u64>> = factors.collect();
        let pairs = to.iter().zip(&factors).map(|(&p, row)| row.iter().map(|&factor| Pair::new(factor, p)).collect());
        Self {
            kernel,
            from: from.to_vec(),
            to: to.to_vec(),
            inverses: from.iter().enumerate().map(|(i, &q)| q.inverse(product(q, Some(i)))).collect(),
            reciprocals: from.iter().map(|q| 1.0 / q.value() as f64).collect(),
            pairs: pairs.collect(),
            factors,
        }
    }

    /// Converts the limbs of coefficients (not of values), one limb for each prime, one after another. `places` assigns a limb
    /// of the target to each target prime.
    ///
    /// # Panics
    /// If the limbs differ in length, or their length is neither a multiple of 256 nor a power of two of at least 8.
    pub fn run(&self, source: &[u64], target: &mut [u64], places: &[usize]) {
        let length = source.len() / self.from.len();
        let block = BLOCK.min(length);
        assert!(source.len() == length * self.from.len() && places.len() == self.to.len());
        assert!(places.iter().all(|place| (place + 1) * length <= target.len()));
        assert!(length.is_multiple_of(block) && block.is_power_of_two() && block >= super::MOST_LANES);
        let mut y = vec![0; block * self.from.len()];
        for at in (0..length).step_by(block) {
            self.kernel.run(Block { conversion: self, source, target, places, y: &mut y, length, at, size: block });
        }
    }
}

struct Block<'a> {
    conversion: &'a Conversion,
    source: &'a [u64],
    target: &'a mut [u64],
    places: &'a [usize],
    /// Room for the `y_i` of the block, as integers or floats.
    y: &'a mut [u64],
    /// The length of a limb.
    length: usize,
    /// The first place and the number of places.
    at: usize,
    size: usize,
}

impl Work for Block<'_> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "residues have 50 bits, and the sum is from 0 on and below the number of primes"
    )]
    fn portable(self) {
        let Self { conversion, source, target, places, y, length, at, size: block } = self;
        let y = &mut y[..conversion.from.len()];
        for place in at..at + block {
            let mut sum = 0.0;
            for (i, &q) in conversion.from.iter().enumerate() {
                y[i] = q.mul(source[i * length + place], conversion.inverses[i]);
                sum += y[i] as f64 * conversion.reciprocals[i];
            }
            let u = sum.round_ties_even() as u64;
            for ((&j, &p), factors) in places.iter().zip(&conversion.to).zip(&conversion.factors) {
                let terms = y.iter().zip(&factors[1..]).map(|(&y, &factor)| p.mul(p.residue(y), factor));
                target[j * length + place] = terms.fold(p.mul(u, factors[0]), |sum, term| p.add(sum, term));
            }
        }
    }

    #[inline(always)]
    unsafe fn floats<V: Floats>(self) {
        let Self { conversion, source, target, places, y, length, at, size: block } = self;
        let y = y.as_mut_ptr().cast::<f64>();
        let mut u = [0.0; BLOCK];
        // SAFETY: upheld by the caller; all places are within the slices.
        unsafe {
            for (i, &q) in conversion.from.iter().enumerate() {
                let fixed = Fixed::<V>::new(q);
                let inverse = Twiddle::splat(&Pair::new(conversion.inverses[i], q));
                let reciprocal = V::splat(conversion.reciprocals[i]);
                for place in (0..block).step_by(V::LANES) {
                    let x = V::from_words(source.as_ptr().add(i * length + at + place));
                    let x = fixed.residue(fixed.mul(x, inverse));
                    let y = y.add(i * block + place);
                    if words::<V>(conversion) {
                        x.to_words(y.cast());
                    } else {
                        x.store(y);
                    }
                    let sum = u.as_mut_ptr().add(place);
                    // Not fused, as on plain numbers.
                    let sum_here = V::load(sum).add(x.mul(reciprocal));
                    (if i + 1 == conversion.from.len() { fixed.round(sum_here) } else { sum_here }).store(sum);
                }
            }
            for (number, (&j, &p)) in places.iter().zip(&conversion.to).enumerate() {
                let out = target.as_mut_ptr().add(j * length + at);
                let (pairs, factors) = (&conversion.pairs[number], &conversion.factors[number]);
                match (words::<V>(conversion), block.is_multiple_of(4 * V::LANES)) {
                    (true, true) => sums_of_words::<V, 4>(p, pairs[0], factors, u.as_ptr(), y, out, block),
                    (true, false) => sums_of_words::<V, 1>(p, pairs[0], factors, u.as_ptr(), y, out, block),
                    (false, true) => sums::<V, 4>(p, pairs, u.as_ptr(), y, out, block),
                    (false, false) => sums::<V, 1>(p, pairs, u.as_ptr(), y, out, block),
                }
            }
        }
    }
}

/// Whether sums are computed on words.
const fn words<V: Floats>(conversion: &Conversion) -> bool {
    V::WORDS && conversion.from.len() <= MOST_TERMS
}

/// Computes [`sums`] on words, which are reduced once.
///
/// # Safety
/// See [`sums`].
#[inline(always)]
unsafe fn sums_of_words<V: Floats, const VECTORS: usize>(
    p: Prime,
    minus_product: Pair,
    factors: &[u64],
    u: *const f64,
    y: *const f64,
    out: *mut u64,
    block: usize,
) {
    // SAFETY: upheld by the caller.
    unsafe {
        let fixed = Fixed::<V>::new(p);
        let (radix, minus_product) =
            (Twiddle::splat(&Pair::new(p.residue(1 << 52), p)), Twiddle::splat(&minus_product));
        for place in (0..block).step_by(VECTORS * V::LANES) {
            let (mut low, mut high) = ([V::splat(0.0); VECTORS], [V::splat(0.0); VECTORS]);
            for (i, &factor) in factors[1..].iter().enumerate() {
                let factor = V::splat(f64::from_bits(factor));
                for v in 0..VECTORS {
                    let y = V::load(y.add(i * block + place + v * V::LANES));
                    low[v] = low[v].low(y, factor);
                    high[v] = high[v].high(y, factor);
                }
            }
            for v in 0..VECTORS {
                let u = fixed.mul(V::load(u.add(place + v * V::LANES)), minus_product);
                let sum = fixed.sums(low[v], high[v], radix).add(u);
                fixed.residue(sum).to_words(out.add(place + v * V::LANES));
            }
        }
    }
}

/// Computes the residues for one target prime. It processes `VECTORS` vectors at a time and reads each factor once for all of
/// them.
///
/// # Safety
/// See [`Floats`]. `block` is a multiple of the length of `VECTORS` vectors, and the pointers are valid for that length.
#[inline(always)]
unsafe fn sums<V: Floats, const VECTORS: usize>(
    p: Prime,
    factors: &[Pair],
    u: *const f64,
    y: *const f64,
    out: *mut u64,
    block: usize,
) {
    // SAFETY: upheld by the caller.
    unsafe {
        let fixed = Fixed::<V>::new(p);
        for place in (0..block).step_by(VECTORS * V::LANES) {
            let mut sums = [V::splat(0.0); VECTORS];
            let factor = Twiddle::splat(&factors[0]);
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = fixed.mul(V::load(u.add(place + v * V::LANES)), factor);
            }
            for (i, factor) in factors[1..].iter().enumerate() {
                let factor = Twiddle::splat(factor);
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.add(fixed.mul(V::load(y.add(i * block + place + v * V::LANES)), factor));
                }
                if i % TERMS == TERMS - 1 {
                    for sum in &mut sums {
                        *sum = fixed.reduce(*sum);
                    }
                }
            }
            for (v, sum) in sums.iter().enumerate() {
                fixed.residue(*sum).to_words(out.add(place + v * V::LANES));
            }
        }
    }
}
