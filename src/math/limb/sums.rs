//! Sums of products. Each number is read once. With products of words, each sum is reduced once.

use super::super::floats::{Fixed, Floats, MOST_TERMS, Pair, Twiddle, Work};
use super::super::residue::{Factor, Prime};
use super::{Limb, MOST_LANES, float};

/// The number of float products that are added before a sum is reduced: each is below `0.6 q` in absolute value.
const TERMS: usize = 8;

impl Limb {
    /// Writes two sums of products to `out`: of the first limb of each term with the second, and of the first with the third.
    /// There may be any number of terms.
    pub fn dot(self, out: [&mut [u64]; 2], terms: &[[&[u64]; 3]]) {
        let length = out[0].len();
        assert!(out[1].len() == length && terms.iter().flatten().all(|limb| limb.len() == length));
        assert!(length.is_multiple_of(MOST_LANES));
        self.kernel.run(Dot { prime: self.prime, out, terms });
    }

    /// Writes the sum of a constant below the prime and of limbs, each times a factor below the prime, to `out`.
    pub fn weighted(self, out: &mut [u64], terms: &[(&[u64], u64)], constant: u64) {
        assert!(terms.iter().all(|(limb, _)| limb.len() == out.len()) && out.len().is_multiple_of(MOST_LANES));
        self.kernel.run(Weighted { prime: self.prime, out, terms, constant });
    }

    /// The product of two pairs, read as polynomials of degree one: the constant, the middle and the highest coefficient.
    pub fn tensor(self, out: [&mut [u64]; 3], a: [&[u64]; 2], b: [&[u64]; 2]) {
        let length = out[0].len();
        assert!(out.iter().all(|out| out.len() == length) && length.is_multiple_of(MOST_LANES));
        assert!(a.iter().chain(&b).all(|limb| limb.len() == length));
        self.kernel.run(Tensor { prime: self.prime, out, a, b });
    }
}

struct Dot<'a> {
    prime: Prime,
    out: [&'a mut [u64]; 2],
    terms: &'a [[&'a [u64]; 3]],
}

impl Work for Dot<'_> {
    fn portable(self) {
        for (which, out) in self.out.into_iter().enumerate() {
            for (i, out) in out.iter_mut().enumerate() {
                let products = self.terms.iter().map(|term| self.prime.mul(term[0][i], term[which + 1][i]));
                *out = products.fold(0, |sum, product| self.prime.add(sum, product));
            }
        }
    }

    #[inline(always)]
    unsafe fn floats<V: Floats>(self) {
        let [first, second] = self.out;
        // SAFETY: upheld by the caller; all slices are as long as `out`, a multiple of `MOST_LANES`.
        unsafe {
            let fixed = Fixed::<V>::new(self.prime);
            if V::WORDS && self.terms.len() <= MOST_TERMS {
                let radix = Twiddle::splat(&Pair::new(self.prime.residue(1 << 52), self.prime));
                for i in (0..first.len()).step_by(V::LANES) {
                    let [mut low_x, mut high_x, mut low_y, mut high_y] = [V::splat(0.0); 4];
                    for term in self.terms {
                        let [a, b, c] = [0, 1, 2].map(|k: usize| term[k].as_ptr().add(i).cast());
                        let (a, b, c) = (V::load(a), V::load(b), V::load(c));
                        (low_x, high_x) = (low_x.low(a, b), high_x.high(a, b));
                        (low_y, high_y) = (low_y.low(a, c), high_y.high(a, c));
                    }
                    fixed.residue(fixed.sums(low_x, high_x, radix)).to_words(first.as_mut_ptr().add(i));
                    fixed.residue(fixed.sums(low_y, high_y, radix)).to_words(second.as_mut_ptr().add(i));
                }
                return;
            }
            for i in (0..first.len()).step_by(V::LANES) {
                let (mut x, mut y) = (V::splat(0.0), V::splat(0.0));
                for (number, term) in self.terms.iter().enumerate() {
                    let [a, b, c] = [0, 1, 2].map(|k: usize| term[k].as_ptr().add(i));
                    let a = V::from_words(a);
                    x = x.add(fixed.product(a, V::from_words(b)));
                    y = y.add(fixed.product(a, V::from_words(c)));
                    if number % TERMS == TERMS - 1 {
                        (x, y) = (fixed.reduce(x), fixed.reduce(y));
                    }
                }
                fixed.residue(x).to_words(first.as_mut_ptr().add(i));
                fixed.residue(y).to_words(second.as_mut_ptr().add(i));
            }
        }
    }
}

struct Weighted<'a> {
    prime: Prime,
    out: &'a mut [u64],
    terms: &'a [(&'a [u64], u64)],
    constant: u64,
}

impl Work for Weighted<'_> {
    fn portable(self) {
        let Self { prime, out, terms, constant } = self;
        let terms: Vec<_> = terms.iter().map(|&(limb, factor)| (limb, Factor::new(factor, prime))).collect();
        for (i, out) in out.iter_mut().enumerate() {
            let products = terms.iter().map(|(limb, factor)| factor.mul(limb[i], prime));
            *out = products.fold(constant, |sum, product| prime.add(sum, product));
        }
    }

    #[inline(always)]
    unsafe fn floats<V: Floats>(self) {
        let Self { prime, out, terms, constant } = self;
        // SAFETY: upheld by the caller; all slices are as long as `out`, a multiple of `MOST_LANES`.
        unsafe {
            let (fixed, constant) = (Fixed::<V>::new(prime), V::splat(float(constant)));
            let radix = Twiddle::splat(&Pair::new(prime.residue(1 << 52), prime));
            for i in (0..out.len()).step_by(V::LANES) {
                let mut sum = constant;
                if V::WORDS && terms.len() <= MOST_TERMS {
                    let [mut low, mut high] = [V::splat(0.0); 2];
                    for &(limb, factor) in terms {
                        let (limb, factor) = (V::load(limb.as_ptr().add(i).cast()), V::splat(f64::from_bits(factor)));
                        (low, high) = (low.low(limb, factor), high.high(limb, factor));
                    }
                    sum = sum.add(fixed.reduce(fixed.sums(low, high, radix)));
                } else {
                    for (number, &(limb, factor)) in terms.iter().enumerate() {
                        let factor = Twiddle::splat(&Pair::new(factor, prime));
                        sum = sum.add(fixed.mul(V::from_words(limb.as_ptr().add(i)), factor));
                        if number % TERMS == TERMS - 1 {
                            sum = fixed.reduce(sum);
                        }
                    }
                }
                fixed.residue(sum).to_words(out.as_mut_ptr().add(i));
            }
        }
    }
}

struct Tensor<'a> {
    prime: Prime,
    out: [&'a mut [u64]; 3],
    a: [&'a [u64]; 2],
    b: [&'a [u64]; 2],
}

impl Work for Tensor<'_> {
    fn portable(self) {
        let Self { prime, out: [low, middle, high], a, b } = self;
        for i in 0..low.len() {
            let ([a0, a1], [b0, b1]) = (a.map(|a| a[i]), b.map(|b| b[i]));
            low[i] = prime.mul(a0, b0);
            middle[i] = prime.add(prime.mul(a0, b1), prime.mul(a1, b0));
            high[i] = prime.mul(a1, b1);
        }
    }

    #[inline(always)]
    unsafe fn floats<V: Floats>(self) {
        let Self { prime, out: [low, middle, high], a, b } = self;
        // SAFETY: upheld by the caller; all slices have the same length, a multiple of `MOST_LANES`.
        unsafe {
            let fixed = Fixed::<V>::new(prime);
            for i in (0..low.len()).step_by(V::LANES) {
                // No closures here: the compiler would not know that they may use the instructions.
                let (a0, a1) = (V::from_words(a[0].as_ptr().add(i)), V::from_words(a[1].as_ptr().add(i)));
                let (b0, b1) = (V::from_words(b[0].as_ptr().add(i)), V::from_words(b[1].as_ptr().add(i)));
                let cross = fixed.product(a0, b1).add(fixed.product(a1, b0));
                fixed.residue(fixed.product(a0, b0)).to_words(low.as_mut_ptr().add(i));
                fixed.residue(cross).to_words(middle.as_mut_ptr().add(i));
                fixed.residue(fixed.product(a1, b1)).to_words(high.as_mut_ptr().add(i));
            }
        }
    }
}
