//! The transform on floats: products of 50-bit residues by fused multiply-add.
//!
//! With `h` the rounded product of `x` and a factor `w`, the multiply-add gives the rest `l = x w - h` exactly. With `c` the
//! whole number closest to `x (w / q)`, the product is `h - c q + l` modulo `q`, again exact: every number on the way
//! is a whole number below 2^53 in size (J. van der Hoeven, G. Lecerf, G. Quintin, "Modular SIMD arithmetic in Mathemagix",
//! 2016, section 3). The whole number comes from adding and taking away 3 * 2^51, which leaves no room for a fraction.
//!
//! Numbers have signs here. Factors are at most `q / 2` in size. A product of something below `4 q` then has a quotient
//! below `2 q`, which the two roundings of `x (w / q)` make wrong by less than 1/2, so the product is at most `q` in size;
//! one of something below `3 q` at most `0.9 q`. Layers go in pairs, after each of which half of the numbers are reduced
//! to about `q / 2`, so that nothing passes `4 q`.
//!
//! The last layers forward, and the first ones back, would pair numbers within one vector. Blocks are transposed there.
//!
//! The algorithm is written once, for any [`Floats`].
#![allow(unsafe_code)]
#![allow(clippy::inline_always, reason = "instructions exist only inside functions that may use them")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(test)]
mod twin;

use super::Kernel;
use crate::math::residue::{Factor, Prime};

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::detect as has_avx2;

/// The most lanes of a vector.
const MOST_LANES: usize = 8;
/// What leaves no room for a fraction.
const WHOLE: f64 = 6_755_399_441_055_744.0;

/// A few floats.
///
/// # Safety
/// All functions: the processor has the instructions that the implementation is made of, and there are [`Self::LANES`]
/// words behind each pointer.
trait Floats: Copy {
    const LANES: usize;
    unsafe fn splat(number: f64) -> Self;
    unsafe fn load(from: *const f64) -> Self;
    unsafe fn store(self, to: *mut f64);
    /// Whole numbers below 2^52 become floats.
    unsafe fn from_words(from: *const u64) -> Self;
    /// Whole floats from 0 on, below 2^52, become numbers.
    unsafe fn to_words(self, to: *mut u64);
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn mul(self, b: Self) -> Self;
    /// `self b + c`, rounded once.
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    /// `self b - c`, rounded once.
    unsafe fn fms(self, b: Self, c: Self) -> Self;
    /// `c - self b`, rounded once.
    unsafe fn fnma(self, b: Self, c: Self) -> Self;
    /// Adds `q` where the number is below zero.
    unsafe fn lift(self, q: Self) -> Self;
    /// [`Self::LANES`] vectors as rows become columns.
    unsafe fn transpose(rows: &mut [Self]);
}

/// A fixed factor `w`, at most `q / 2` in size, and `w / q`.
#[derive(Clone, Copy)]
struct Pair {
    factor: f64,
    quotient: f64,
}

#[expect(clippy::cast_precision_loss, reason = "residues have 50 bits")]
impl Pair {
    fn new(factor: Factor, prime: Prime) -> Self {
        let q = prime.value();
        let value = factor.value;
        let factor = if value > q / 2 { -((q - value) as f64) } else { value as f64 };
        Self { factor, quotient: factor / q as f64 }
    }
}

/// The factors of one direction.
struct Layers {
    /// For layers that pair whole vectors: the usual order.
    wide: Vec<Pair>,
    /// For layers within a vector, by blocks: for each layer and each factor in it, one for each lane. First all factors
    /// of a vector, then all quotients.
    narrow: Vec<f64>,
}

impl Layers {
    fn new(prime: Prime, lanes: usize, factors: &[Factor]) -> Self {
        let wide: Vec<Pair> = factors.iter().map(|&factor| Pair::new(factor, prime)).collect();
        let mut narrow = Vec::with_capacity(2 * factors.len());
        for block in 0..factors.len() / (lanes * lanes) {
            let mut half = lanes / 2;
            while half > 0 {
                let per_group = lanes / (2 * half);
                for number in 0..per_group {
                    let of_lane =
                        |lane: usize| wide[factors.len() / (2 * half) + (block * lanes + lane) * per_group + number];
                    narrow.extend((0..lanes).map(|lane| of_lane(lane).factor));
                    narrow.extend((0..lanes).map(|lane| of_lane(lane).quotient));
                }
                half /= 2;
            }
        }
        Self { wide, narrow }
    }
}

/// How one direction is computed: on the tables, in place.
type Run = unsafe fn(&Tables, &mut [u64]);

/// What the kernel needs for one degree and prime.
pub(super) struct Tables {
    q: f64,
    inverse: f64,
    lanes: usize,
    forward: Layers,
    backward: Layers,
    scale: Pair,
    run: [Run; 2],
}

impl Tables {
    /// None for a kernel without floats.
    #[expect(clippy::cast_precision_loss, reason = "primes have 50 bits")]
    pub(super) fn new(
        prime: Prime,
        kernel: Kernel,
        forward: &[Factor],
        backward: &[Factor],
        scale: Factor,
    ) -> Option<Self> {
        let (lanes, run): (usize, [Run; 2]) = match kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => (avx2::LANES, [avx2::forward, avx2::backward]),
            #[cfg(test)]
            Kernel::Twin => (twin::LANES, [self::forward::<twin::Plain>, self::backward::<twin::Plain>]),
            Kernel::Portable => return None,
        };
        let (forward, backward) = (Layers::new(prime, lanes, forward), Layers::new(prime, lanes, backward));
        let (q, scale) = (prime.value() as f64, Pair::new(scale, prime));
        Some(Self { q, inverse: 1.0 / q, lanes, forward, backward, scale, run })
    }

    /// From coefficients to values.
    pub(super) fn forward(&self, x: &mut [u64]) {
        // SAFETY: a kernel is chosen only where the processor has it.
        unsafe { self.run[0](self, x) }
    }

    /// From values to coefficients.
    pub(super) fn backward(&self, x: &mut [u64]) {
        // SAFETY: a kernel is chosen only where the processor has it.
        unsafe { self.run[1](self, x) }
    }
}

/// The constants in registers.
#[derive(Clone, Copy)]
struct Fixed<V> {
    q: V,
    inverse: V,
    whole: V,
}

/// A factor in registers.
#[derive(Clone, Copy)]
struct Twiddle<V> {
    factor: V,
    quotient: V,
}

// SAFETY of all of them: passed on to the caller.
impl<V: Floats> Twiddle<V> {
    #[inline(always)]
    unsafe fn splat(pair: &Pair) -> Self {
        unsafe { Self { factor: V::splat(pair.factor), quotient: V::splat(pair.quotient) } }
    }

    /// The factor with this number, and the two of the finer layer that belong to it.
    #[inline(always)]
    unsafe fn of_two_layers(wide: &[Pair], number: usize) -> [Self; 3] {
        unsafe { [Self::splat(&wide[number]), Self::splat(&wide[2 * number]), Self::splat(&wide[2 * number + 1])] }
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        unsafe { Self { factor: V::load(from), quotient: V::load(from.add(V::LANES)) } }
    }
}

// SAFETY of all of them: passed on to the caller.
impl<V: Floats> Fixed<V> {
    #[inline(always)]
    unsafe fn new(tables: &Tables) -> Self {
        unsafe { Self { q: V::splat(tables.q), inverse: V::splat(tables.inverse), whole: V::splat(WHOLE) } }
    }

    /// `x w` modulo `q`, at most `q` in size.
    #[inline(always)]
    unsafe fn mul(self, x: V, w: Twiddle<V>) -> V {
        unsafe {
            let high = x.mul(w.factor);
            let low = x.fms(w.factor, high);
            let quotient = x.fma(w.quotient, self.whole).sub(self.whole);
            quotient.fnma(self.q, high).add(low)
        }
    }

    /// `x` modulo `q`, at most about `q / 2` in size.
    #[inline(always)]
    unsafe fn reduce(self, x: V) -> V {
        unsafe { x.fma(self.inverse, self.whole).sub(self.whole).fnma(self.q, x) }
    }

    #[inline(always)]
    unsafe fn forward(self, a: V, b: V, w: Twiddle<V>) -> (V, V) {
        unsafe {
            let b = self.mul(b, w);
            (a.add(b), a.sub(b))
        }
    }

    #[inline(always)]
    unsafe fn backward(self, a: V, b: V, w: Twiddle<V>) -> (V, V) {
        unsafe { (a.add(b), self.mul(a.sub(b), w)) }
    }
}

/// From coefficients to values.
///
/// # Safety
/// As [`Floats`].
#[inline(always)]
unsafe fn forward<V: Floats>(tables: &Tables, x: &mut [u64]) {
    let (n, lanes) = (x.len(), V::LANES);
    debug_assert!(tables.lanes == lanes && n >= lanes * lanes);
    let words = x.as_mut_ptr();
    let floats = words.cast::<f64>();
    let wide = &tables.forward.wide;
    // SAFETY: every place is below n.
    unsafe {
        let fixed = Fixed::<V>::new(tables);
        for i in (0..n).step_by(lanes) {
            V::from_words(words.add(i)).store(floats.add(i));
        }
        let (mut groups, mut quarter) = (1, n / 4);
        if (n / lanes).trailing_zeros() % 2 == 1 {
            let w = Twiddle::splat(&wide[1]);
            for i in (0..n / 2).step_by(lanes) {
                let (a, b) = fixed.forward(V::load(floats.add(i)), V::load(floats.add(i + n / 2)), w);
                a.store(floats.add(i));
                b.store(floats.add(i + n / 2));
            }
            (groups, quarter) = (2, n / 8);
        }
        while quarter >= lanes {
            for group in 0..groups {
                let [w, u, v] = Twiddle::of_two_layers(wide, groups + group);
                let start = floats.add(group * 4 * quarter);
                for i in (0..quarter).step_by(lanes) {
                    let at = [0, 1, 2, 3].map(|k| start.add(k * quarter + i));
                    let (a, b) = (fixed.reduce(V::load(at[0])), fixed.reduce(V::load(at[1])));
                    let (a, c) = fixed.forward(a, V::load(at[2]), w);
                    let (b, d) = fixed.forward(b, V::load(at[3]), w);
                    let (a, b) = fixed.forward(a, b, u);
                    let (c, d) = fixed.forward(c, d, v);
                    a.store(at[0]);
                    b.store(at[1]);
                    c.store(at[2]);
                    d.store(at[3]);
                }
            }
            (groups, quarter) = (4 * groups, quarter / 4);
        }
        let mut narrow = tables.forward.narrow.as_ptr();
        for block in (0..n).step_by(lanes * lanes) {
            let mut rows = [V::splat(0.0); MOST_LANES];
            let rows = &mut rows[..lanes];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = fixed.reduce(V::load(floats.add(block + i * lanes)));
            }
            V::transpose(rows);
            let mut half = lanes / 2;
            while half > 0 {
                for first in (0..lanes).step_by(2 * half) {
                    let w = Twiddle::load(narrow);
                    narrow = narrow.add(2 * lanes);
                    for i in first..first + half {
                        (rows[i], rows[i + half]) = fixed.forward(rows[i], rows[i + half], w);
                    }
                }
                half /= 2;
            }
            V::transpose(rows);
            for (i, row) in rows.iter().enumerate() {
                fixed.reduce(*row).lift(fixed.q).to_words(words.add(block + i * lanes));
            }
        }
    }
}

/// From values to coefficients.
///
/// # Safety
/// As [`Floats`].
#[inline(always)]
unsafe fn backward<V: Floats>(tables: &Tables, x: &mut [u64]) {
    let (n, lanes) = (x.len(), V::LANES);
    debug_assert!(tables.lanes == lanes && n >= lanes * lanes);
    let words = x.as_mut_ptr();
    let floats = words.cast::<f64>();
    let wide = &tables.backward.wide;
    // SAFETY: every place is below n.
    unsafe {
        let fixed = Fixed::<V>::new(tables);
        for block in (0..n).step_by(lanes * lanes) {
            let mut rows = [V::splat(0.0); MOST_LANES];
            let rows = &mut rows[..lanes];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = fixed.reduce(V::from_words(words.add(block + i * lanes)));
            }
            V::transpose(rows);
            // The factors of this block lie in the order of the layers forward.
            let narrow = tables.backward.narrow.as_ptr().add(block / lanes * 2 * (lanes - 1));
            let mut half = 1;
            while half < lanes {
                let from = narrow.add((lanes / (2 * half) - 1) * 2 * lanes);
                for (number, first) in (0..lanes).step_by(2 * half).enumerate() {
                    let w = Twiddle::load(from.add(number * 2 * lanes));
                    for i in first..first + half {
                        (rows[i], rows[i + half]) = fixed.backward(rows[i], rows[i + half], w);
                    }
                }
                half *= 2;
            }
            V::transpose(rows);
            for (i, row) in rows.iter().enumerate() {
                fixed.reduce(*row).store(floats.add(block + i * lanes));
            }
        }
        let odd = (n / lanes).trailing_zeros() % 2 == 1;
        let (mut groups, mut quarter) = (n / (4 * lanes), lanes);
        while groups > usize::from(odd) {
            for group in 0..groups {
                let [w, u, v] = Twiddle::of_two_layers(wide, groups + group);
                let start = floats.add(group * 4 * quarter);
                for i in (0..quarter).step_by(lanes) {
                    let at = [0, 1, 2, 3].map(|k| start.add(k * quarter + i));
                    let (a, b) = fixed.backward(V::load(at[0]), V::load(at[1]), u);
                    let (c, d) = fixed.backward(V::load(at[2]), V::load(at[3]), v);
                    let (a, c) = fixed.backward(a, c, w);
                    let (b, d) = fixed.backward(b, d, w);
                    fixed.reduce(a).store(at[0]);
                    fixed.reduce(b).store(at[1]);
                    c.store(at[2]);
                    d.store(at[3]);
                }
            }
            (groups, quarter) = (groups / 4, 4 * quarter);
        }
        if odd {
            let w = Twiddle::splat(&wide[1]);
            for i in (0..n / 2).step_by(lanes) {
                let (a, b) = fixed.backward(V::load(floats.add(i)), V::load(floats.add(i + n / 2)), w);
                a.store(floats.add(i));
                b.store(floats.add(i + n / 2));
            }
        }
        let scale = Twiddle::splat(&tables.scale);
        for i in (0..n).step_by(lanes) {
            let scaled = fixed.mul(V::load(floats.add(i)), scale);
            fixed.reduce(scaled).lift(fixed.q).to_words(words.add(i));
        }
    }
}
