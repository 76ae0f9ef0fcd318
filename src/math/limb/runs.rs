//! Sums of products with factors that stay the same on runs of places, as the values of polynomials in a subring do.

use super::super::floats::{Fixed, Floats, MOST_WIDE_TERMS, Pair, Twiddle, Work};
use super::super::residue::Prime;
use super::{Limb, MOST_LANES, float};

/// The number of float products that are added before a sum is reduced: each is below `0.6 q` in absolute value.
const TERMS: usize = 8;

impl Limb {
    /// Writes a pair of sums for each of `sums`: for each input, its factor times both of its limbs.
    ///
    /// A factor is the same at the places of a run, which has `run` places, a multiple of 8. `factors` are below the prime: for
    /// each run, for each sum, one for each input, of which there are at most 2048.
    ///
    /// # Panics
    /// For limbs or factors of another length.
    pub fn run_sums(self, sums: &mut [[&mut [u64]; 2]], inputs: &[[&[u64]; 2]], factors: &[u64], run: usize) {
        let length = inputs.first().map_or(0, |input| input[0].len());
        assert!(inputs.len() <= MOST_WIDE_TERMS && run.is_multiple_of(MOST_LANES) && length.is_multiple_of(run));
        assert!(inputs.iter().flatten().all(|limb| limb.len() == length));
        assert!(sums.iter().flatten().all(|limb| limb.len() == length));
        assert_eq!(factors.len(), length / run * sums.len() * inputs.len());
        if length > 0 && !sums.is_empty() {
            self.kernel.run(RunSums { prime: self.prime, sums, inputs, factors, run });
        }
    }
}

struct RunSums<'a, 'b> {
    prime: Prime,
    sums: &'a mut [[&'b mut [u64]; 2]],
    inputs: &'a [[&'a [u64]; 2]],
    factors: &'a [u64],
    run: usize,
}

impl Work for RunSums<'_, '_> {
    fn portable(self) {
        let Self { prime, sums, inputs, factors, run } = self;
        for (number, factors) in factors.chunks_exact(sums.len() * inputs.len()).enumerate() {
            for (sum, factors) in sums.iter_mut().zip(factors.chunks_exact(inputs.len())) {
                for (half, sum) in sum.iter_mut().enumerate() {
                    for i in number * run..(number + 1) * run {
                        let products = inputs.iter().zip(factors).map(|(input, &f)| prime.mul(input[half][i], f));
                        sum[i] = products.fold(0, |sum, product| prime.add(sum, product));
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn floats<V: Floats>(self) {
        let Self { prime, sums, inputs, factors, run } = self;
        let (count, of_run) = (inputs.len(), sums.len() * inputs.len());
        // The inputs of one vector of places, side by side: in the limbs, they are a power of two apart, where a cache has little
        // room for them.
        let mut near = vec![0.0; 2 * count * V::LANES];
        let mut weights = vec![0.0; of_run];
        // SAFETY: upheld by the caller; the lengths were checked.
        unsafe {
            let fixed = Fixed::<V>::new(prime);
            let two_52 = prime.residue(1 << 52);
            let radix = [two_52, prime.mul(two_52, two_52)].map(|power| Pair::new(power, prime));
            let radix = [Twiddle::splat(&radix[0]), Twiddle::splat(&radix[1])];
            for (number, factors) in factors.chunks_exact(of_run).enumerate() {
                for (weight, &factor) in weights.iter_mut().zip(factors) {
                    *weight = if V::WORDS { f64::from_bits(factor) } else { float(factor) };
                }
                for i in (number * run..(number + 1) * run).step_by(V::LANES) {
                    for (input, near) in inputs.iter().zip(near.chunks_exact_mut(2 * V::LANES)) {
                        for (half, limb) in input.iter().enumerate() {
                            let words = limb.as_ptr().add(i);
                            let vector = if V::WORDS { V::load(words.cast()) } else { V::from_words(words) };
                            vector.store(near.as_mut_ptr().add(half * V::LANES));
                        }
                    }
                    for (k, sum) in sums.iter_mut().enumerate() {
                        let weights = weights.as_ptr().add(k * count);
                        let [x, y] = if V::WORDS {
                            words(fixed, radix, near.as_ptr(), weights, count)
                        } else {
                            floats(fixed, near.as_ptr(), weights, count)
                        };
                        fixed.residue(x).to_words(sum[0].as_mut_ptr().add(i));
                        fixed.residue(y).to_words(sum[1].as_mut_ptr().add(i));
                    }
                }
            }
        }
    }
}

/// The two sums at a vector of places, by products of words.
///
/// # Safety
/// See [`Floats`]; there are `2 count` vectors behind `inputs` and `count` numbers behind `weights`.
#[inline(always)]
unsafe fn words<V: Floats>(
    fixed: Fixed<V>,
    radix: [Twiddle<V>; 2],
    inputs: *const f64,
    weights: *const f64,
    count: usize,
) -> [V; 2] {
    unsafe {
        // Two chains for each sum: a single one would wait for its products.
        let [mut low_x, mut high_x, mut low_y, mut high_y] = [V::splat(0.0); 4];
        let [mut low_x2, mut high_x2, mut low_y2, mut high_y2] = [V::splat(0.0); 4];
        let mut input = inputs;
        let mut number = 0;
        while number + 1 < count {
            let (weight, next) = (V::splat(*weights.add(number)), V::splat(*weights.add(number + 1)));
            let (x, y) = (V::load(input), V::load(input.add(V::LANES)));
            let (x2, y2) = (V::load(input.add(2 * V::LANES)), V::load(input.add(3 * V::LANES)));
            (low_x, high_x) = (low_x.low(x, weight), high_x.high(x, weight));
            (low_y, high_y) = (low_y.low(y, weight), high_y.high(y, weight));
            (low_x2, high_x2) = (low_x2.low(x2, next), high_x2.high(x2, next));
            (low_y2, high_y2) = (low_y2.low(y2, next), high_y2.high(y2, next));
            (input, number) = (input.add(4 * V::LANES), number + 2);
        }
        if number < count {
            let weight = V::splat(*weights.add(number));
            let (x, y) = (V::load(input), V::load(input.add(V::LANES)));
            (low_x, high_x) = (low_x.low(x, weight), high_x.high(x, weight));
            (low_y, high_y) = (low_y.low(y, weight), high_y.high(y, weight));
        }
        let x = fixed.reduce(fixed.wide_sums(low_x, high_x, radix));
        let y = fixed.reduce(fixed.wide_sums(low_y, high_y, radix));
        let x2 = fixed.reduce(fixed.wide_sums(low_x2, high_x2, radix));
        let y2 = fixed.reduce(fixed.wide_sums(low_y2, high_y2, radix));
        [x.add(x2), y.add(y2)]
    }
}

/// The same by products of floats.
///
/// # Safety
/// See [`words`].
#[inline(always)]
unsafe fn floats<V: Floats>(fixed: Fixed<V>, inputs: *const f64, weights: *const f64, count: usize) -> [V; 2] {
    unsafe {
        let (mut x, mut y) = (V::splat(0.0), V::splat(0.0));
        let mut input = inputs;
        for number in 0..count {
            let weight = V::splat(*weights.add(number));
            x = x.add(fixed.product(V::load(input), weight));
            y = y.add(fixed.product(V::load(input.add(V::LANES)), weight));
            input = input.add(2 * V::LANES);
            if number % TERMS == TERMS - 1 {
                (x, y) = (fixed.reduce(x), fixed.reduce(y));
            }
        }
        [x, y]
    }
}
