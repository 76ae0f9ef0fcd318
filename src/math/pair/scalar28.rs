//! The kernel for WebAssembly without relaxed SIMD: 28-bit digits, one number at a time.
//!
//! WebAssembly multiplies 64-bit words but returns neither the high half nor a carry. Products of 28-bit digits have 56 bits,
//! so a 64-bit sum holds 256 of them before it must be carried: the inner loops consist of multiplications and additions alone.
//! Sums are carried every [`BLOCK`] rows and at the end.
//!
//! Both halves of the pair are processed in the same loop, so that each digit of `a` and `n` is loaded once for its five
//! products. The half `h` needs the quotient digits of `l` one by one, so both halves advance together.

use super::{Constants, Kernel, digit_mask};

const BITS: u32 = 28;
/// The number of rows between carries. Each row adds at most three products to a sum, and `3 * 80 < 256` leaves room for the
/// remainder of the last carry. (A square adds two, one of them doubled.)
const BLOCK: usize = 80;
/// One more than the maximum number of digits.
const MAX: usize = 148;
const MASK: u64 = digit_mask(BITS);

/// One lane of 28-bit digits.
pub(super) struct Scalar28;

impl Kernel for Scalar28 {
    fn name(&self) -> &'static str {
        "scalar-28"
    }

    fn digit_bits(&self) -> u32 {
        BITS
    }

    fn lanes(&self) -> usize {
        1
    }

    fn mul(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
        let k = modulus.digits.len();
        modulus.check_lengths(2, [out.len(), a.len(), b.len()]);
        let n = &modulus.digits[..k];
        let ((al, ah), (bl, bh)) = (a.split_at(k), b.split_at(k));
        let (mut ls, mut hs) = ([0u64; MAX], [0u64; MAX]);
        let (l, h) = (&mut ls[..=k], &mut hs[..=k]);
        h[..k].copy_from_slice(&modulus.start);
        for i in 0..k {
            let (x, y) = (bl[i], bh[i]);
            let first = l[0] + al[0] * x;
            let m = quotient(modulus, first);
            let carry_l = (first + n[0] * m) >> BITS;
            let first = h[0] + (MASK - m) + al[0] * y + ah[0] * x;
            let m2 = quotient(modulus, first);
            let carry_h = (first + n[0] * m2) >> BITS;
            for j in 1..k {
                l[j - 1] = l[j] + al[j] * x + n[j] * m;
                h[j - 1] = h[j] + al[j] * y + ah[j] * x + n[j] * m2;
            }
            shift_top(l, k, carry_l);
            shift_top(h, k, carry_h);
            if (i + 1) % BLOCK == 0 {
                carry_over(l);
                carry_over(h);
            }
        }
        write(out, k, l, h);
    }

    fn square(&self, modulus: &Constants, out: &mut [u64], a: &[u64]) {
        let k = modulus.digits.len();
        modulus.check_lengths(2, [out.len(), a.len()]);
        let n = &modulus.digits[..k];
        let (al, ah) = a.split_at(k);
        let (mut ls, mut hs) = ([0u64; MAX], [0u64; MAX]);
        let (l, h) = (&mut ls[..=k], &mut hs[..=k]);
        h[..k].copy_from_slice(&modulus.start);
        for i in 0..k {
            let (x, twice, y) = (al[i], 2 * al[i], 2 * ah[i]);
            let first = if i == 0 { x * x } else { l[0] };
            let m = quotient(modulus, first);
            let carry_l = (first + n[0] * m) >> BITS;
            let first = h[0] + (MASK - m) + al[0] * y;
            let m2 = quotient(modulus, first);
            let carry_h = (first + n[0] * m2) >> BITS;
            // Products of two different digits are computed once and doubled.
            for j in 1..k.min(i.max(1)) {
                l[j - 1] = l[j] + n[j] * m;
                h[j - 1] = h[j] + al[j] * y + n[j] * m2;
            }
            if i > 0 {
                l[i - 1] = l[i] + x * x + n[i] * m;
                h[i - 1] = h[i] + x * y + n[i] * m2;
            }
            for j in i + 1..k {
                l[j - 1] = l[j] + al[j] * twice + n[j] * m;
                h[j - 1] = h[j] + al[j] * y + n[j] * m2;
            }
            shift_top(l, k, carry_l);
            shift_top(h, k, carry_h);
            if (i + 1) % BLOCK == 0 {
                carry_over(l);
                carry_over(h);
            }
        }
        write(out, k, l, h);
    }

    fn mul_low(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
        let k = modulus.digits.len();
        modulus.check_lengths(1, [out.len(), a.len(), b.len()]);
        let (a, n) = (&a[..k], &modulus.digits[..k]);
        let mut sums = [0u64; MAX];
        let l = &mut sums[..=k];
        for (i, &x) in b.iter().enumerate() {
            let first = l[0] + a[0] * x;
            let m = quotient(modulus, first);
            let carry = (first + n[0] * m) >> BITS;
            for j in 1..k {
                l[j - 1] = l[j] + a[j] * x + n[j] * m;
            }
            shift_top(l, k, carry);
            if (i + 1) % BLOCK == 0 {
                carry_over(l);
            }
        }
        carry_over(l);
        out.copy_from_slice(&l[..k]);
    }
}

/// The quotient digit whose product with `n` makes the lowest column vanish.
fn quotient(modulus: &Constants, column: u64) -> u64 {
    column.wrapping_mul(modulus.inverse) & MASK
}

/// Ends a row: adds the carry of the lowest column to the next one, and appends a new column at the top.
fn shift_top(sum: &mut [u64], k: usize, carry: u64) {
    sum[k - 1] = sum[k];
    sum[k] = 0;
    sum[0] += carry;
}

/// Carries the bits above the lowest 28 of each digit to the next one.
fn carry_over(sum: &mut [u64]) {
    let mut carry = 0;
    for digit in sum {
        let t = *digit + carry;
        *digit = t & MASK;
        carry = t >> BITS;
    }
}

fn write(out: &mut [u64], k: usize, l: &mut [u64], h: &mut [u64]) {
    carry_over(l);
    carry_over(h);
    out[..k].copy_from_slice(&l[..k]);
    out[k..].copy_from_slice(&h[..k]);
}
