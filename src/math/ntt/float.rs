//! The transform on [`Floats`].
//!
//! A factor below `4 q` gives a quotient below `2 q`. The two roundings of `x (w / q)` change it by less than 1/2, so the
//! product is at most `q` in absolute value. For a factor below `3 q`, the product is at most `0.9 q`. The layers are processed
//! in pairs. After each pair, half of the numbers are reduced to about `q / 2`, so that no number exceeds `4 q`.
//!
//! The last layers forward and the first ones backward combine numbers within one vector. There, blocks are transposed.
#![allow(unsafe_code)]
#![cfg_attr(
    not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "relaxed-simd"), test)),
    allow(dead_code, reason = "there are no kernels on floats elsewhere")
)]
#![allow(clippy::inline_always, reason = "instructions exist only inside functions that may use them")]

use crate::math::floats::{Fixed, Floats, Pair, Twiddle};
use crate::math::kernel::Kernel;
use crate::math::residue::Prime;

/// The maximum number of lanes of a vector.
const MOST_LANES: usize = 8;

/// The factors of one direction.
struct Layers {
    /// For layers that combine whole vectors: in the usual order.
    wide: Vec<Pair>,
    /// For layers within a vector, block by block: for each layer and each of its factors, one number per lane. The quotients
    /// are not stored: they would take the same space again, and loading them takes longer than a product.
    narrow: Vec<f64>,
}

impl Layers {
    fn new(prime: Prime, lanes: usize, factors: &[u64]) -> Self {
        let mut wide: Vec<Pair> = factors.iter().map(|&factor| Pair::new(factor, prime)).collect();
        let mut narrow = Vec::with_capacity(factors.len());
        for block in 0..factors.len() / (lanes * lanes) {
            let mut half = lanes / 2;
            while half > 0 {
                let per_group = lanes / (2 * half);
                for number in 0..per_group {
                    let of_lane =
                        |lane: usize| wide[factors.len() / (2 * half) + (block * lanes + lane) * per_group + number];
                    narrow.extend((0..lanes).map(|lane| of_lane(lane).factor));
                }
                half /= 2;
            }
        }
        wide.truncate(factors.len() / lanes);
        wide.shrink_to_fit();
        Self { wide, narrow }
    }
}

/// The tables for one degree and prime.
pub(super) struct Tables {
    prime: Prime,
    lanes: usize,
    forward: Layers,
    backward: Layers,
    /// `1 / N`; and, in `last`, `1 / N` times the factor of the last backward layer.
    scale: Pair,
    last: Pair,
}

impl Tables {
    /// Returns `None` for a kernel without floats. The factors are residues, and `scale` is `1 / N`.
    pub(super) fn new(prime: Prime, kernel: Kernel, forward: &[u64], backward: &[u64], scale: u64) -> Option<Self> {
        let lanes = kernel.lanes();
        (lanes > 1).then(|| Self {
            prime,
            lanes,
            forward: Layers::new(prime, lanes, forward),
            backward: Layers::new(prime, lanes, backward),
            scale: Pair::new(scale, prime),
            last: Pair::new(prime.mul(scale, backward[1]), prime),
        })
    }
}

// SAFETY of all functions: upheld by the caller.
impl<V: Floats> Twiddle<V> {
    /// The factor at `number`, and the two corresponding factors of the finer layer.
    #[inline(always)]
    unsafe fn of_two_layers(wide: &[Pair], number: usize) -> [Self; 3] {
        unsafe { [Self::splat(&wide[number]), Self::splat(&wide[2 * number]), Self::splat(&wide[2 * number + 1])] }
    }
}

// SAFETY of all functions: upheld by the caller.
impl<V: Floats> Fixed<V> {
    #[inline(always)]
    unsafe fn forward(self, a: V, b: V, w: Twiddle<V>) -> (V, V) {
        unsafe {
            let b = self.mul(b, w);
            (a.add(b), a.sub(b))
        }
    }

    /// Applies two forward layers, on words or floats.
    #[inline(always)]
    unsafe fn forward_twice<const WORDS: bool>(self, wide: &[Pair], floats: *mut f64, groups: usize, quarter: usize) {
        unsafe {
            let load = |from: *mut f64| if WORDS { V::from_words(from.cast()) } else { V::load(from) };
            for group in 0..groups {
                let [w, u, v] = Twiddle::of_two_layers(wide, groups + group);
                let start = floats.add(group * 4 * quarter);
                for i in (0..quarter).step_by(V::LANES) {
                    let at = [0, 1, 2, 3].map(|k| start.add(k * quarter + i));
                    let (a, b) = (self.reduce(load(at[0])), self.reduce(load(at[1])));
                    let (a, c) = self.forward(a, load(at[2]), w);
                    let (b, d) = self.forward(b, load(at[3]), w);
                    let (a, b) = self.forward(a, b, u);
                    let (c, d) = self.forward(c, d, v);
                    a.store(at[0]);
                    b.store(at[1]);
                    c.store(at[2]);
                    d.store(at[3]);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn backward(self, a: V, b: V, w: Twiddle<V>) -> (V, V) {
        unsafe { (a.add(b), self.mul(a.sub(b), w)) }
    }
}

/// Transforms coefficients to values.
///
/// # Safety
/// See [`Floats`].
#[inline(always)]
pub(super) unsafe fn forward<V: Floats>(tables: &Tables, x: &mut [u64]) {
    let (n, lanes) = (x.len(), V::LANES);
    debug_assert!(tables.lanes == lanes && n >= lanes * lanes);
    let words = x.as_mut_ptr();
    let floats = words.cast::<f64>();
    let wide = &tables.forward.wide;
    // SAFETY: every place is below n.
    unsafe {
        let fixed = Fixed::<V>::new(tables.prime);
        // The first pass reads words.
        let (mut groups, mut quarter);
        if (n / lanes).trailing_zeros() % 2 == 1 {
            let w = Twiddle::splat(&wide[1]);
            for i in (0..n / 2).step_by(lanes) {
                let (a, b) = fixed.forward(V::from_words(words.add(i)), V::from_words(words.add(i + n / 2)), w);
                a.store(floats.add(i));
                b.store(floats.add(i + n / 2));
            }
            (groups, quarter) = (2, n / 8);
        } else {
            fixed.forward_twice::<true>(wide, floats, 1, n / 4);
            (groups, quarter) = (4, n / 16);
        }
        while quarter >= lanes {
            fixed.forward_twice::<false>(wide, floats, groups, quarter);
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
                    let w = fixed.twiddle(narrow);
                    narrow = narrow.add(lanes);
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

/// Transforms values to coefficients.
///
/// # Safety
/// See [`Floats`].
#[inline(always)]
pub(super) unsafe fn backward<V: Floats>(tables: &Tables, values: Option<&[u64]>, x: &mut [u64]) {
    let (n, lanes) = (x.len(), V::LANES);
    debug_assert!(tables.lanes == lanes && n >= lanes * lanes);
    let words = x.as_mut_ptr();
    // The first pass reads the values, whether they are in place or not.
    let values = values.map_or(words.cast_const(), <[u64]>::as_ptr);
    let floats = words.cast::<f64>();
    let wide = &tables.backward.wide;
    // SAFETY: every place is below n.
    unsafe {
        let fixed = Fixed::<V>::new(tables.prime);
        for block in (0..n).step_by(lanes * lanes) {
            let mut rows = [V::splat(0.0); MOST_LANES];
            let rows = &mut rows[..lanes];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = fixed.reduce(V::from_words(values.add(block + i * lanes)));
            }
            V::transpose(rows);
            // The factors of this block are stored in the order of the forward layers.
            let narrow = tables.backward.narrow.as_ptr().add(block / lanes * (lanes - 1));
            let mut half = 1;
            while half < lanes {
                let from = narrow.add((lanes / (2 * half) - 1) * lanes);
                for (number, first) in (0..lanes).step_by(2 * half).enumerate() {
                    let w = fixed.twiddle(from.add(number * lanes));
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
        while groups > 1 {
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
        // The last pass divides by N and writes words.
        let (scale, w) = (Twiddle::splat(&tables.scale), Twiddle::splat(&tables.last));
        if odd {
            for i in (0..n / 2).step_by(lanes) {
                let (a, b) = (V::load(floats.add(i)), V::load(floats.add(i + n / 2)));
                fixed.residue(fixed.mul(a.add(b), scale)).to_words(words.add(i));
                fixed.residue(fixed.mul(a.sub(b), w)).to_words(words.add(i + n / 2));
            }
        } else {
            let [_, u, v] = Twiddle::of_two_layers(wide, 1);
            for i in (0..n / 4).step_by(lanes) {
                let at = [0, 1, 2, 3].map(|k| i + k * n / 4);
                let (a, b) = fixed.backward(V::load(floats.add(at[0])), V::load(floats.add(at[1])), u);
                let (c, d) = fixed.backward(V::load(floats.add(at[2])), V::load(floats.add(at[3])), v);
                fixed.residue(fixed.mul(a.add(c), scale)).to_words(words.add(at[0]));
                fixed.residue(fixed.mul(b.add(d), scale)).to_words(words.add(at[1]));
                fixed.residue(fixed.mul(a.sub(c), w)).to_words(words.add(at[2]));
                fixed.residue(fixed.mul(b.sub(d), w)).to_words(words.add(at[3]));
            }
        }
    }
}
