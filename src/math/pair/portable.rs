//! The kernel for every machine: 64-bit digits, one number at a time.

use super::{Constants, Kernel, MAX_DIGITS};

/// One lane of 64-bit digits.
pub(super) struct Portable;

impl Kernel for Portable {
    fn name(&self) -> &'static str {
        "portable"
    }

    fn digit_bits(&self) -> u32 {
        64
    }

    fn lanes(&self) -> usize {
        1
    }

    fn mul(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
        let k = modulus.digits.len();
        modulus.check_lengths(2, [out.len(), a.len(), b.len()]);
        let ((al, ah), (bl, bh)) = (a.split_at(k), b.split_at(k));
        let mut quotient = [0; MAX_DIGITS];
        let (l, h) = out.split_at_mut(k);
        product(modulus, l, al, bl, &mut quotient[..k]);
        products(modulus, h, [(al, bh), (ah, bl)], &quotient[..k]);
    }

    fn square(&self, modulus: &Constants, out: &mut [u64], a: &[u64]) {
        let k = modulus.digits.len();
        modulus.check_lengths(2, [out.len(), a.len()]);
        let (al, ah) = a.split_at(k);
        let mut doubled = [0; MAX_DIGITS];
        let doubled = &mut doubled[..k];
        let mut carry = 0;
        for (d, &digit) in doubled.iter_mut().zip(al) {
            *d = digit << 1 | carry;
            carry = digit >> 63;
        }
        let mut quotient = [0; MAX_DIGITS];
        let (l, h) = out.split_at_mut(k);
        square(modulus, l, al, doubled, &mut quotient[..k]);
        products(modulus, h, [(doubled, ah)], &quotient[..k]);
    }

    fn mul_low(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
        let k = modulus.digits.len();
        modulus.check_lengths(1, [out.len(), a.len(), b.len()]);
        product(modulus, out, a, b, &mut [0; MAX_DIGITS][..k]);
    }
}

/// `out = (a b + m n) / R`; stores the quotient `m`.
fn product(modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64], quotient: &mut [u64]) {
    let k = modulus.digits.len();
    let mut sum = [0u64; MAX_DIGITS];
    let sum = &mut sum[..=k];
    for (&digit, m) in b.iter().zip(quotient) {
        let carry = add_product(&mut sum[..k], a, digit);
        // The total is below 4 n b / R + 2 n < R, so the top digit holds the carry.
        sum[k] += carry;
        *m = sum[0].wrapping_mul(modulus.inverse);
        reduce(sum, modulus, *m);
    }
    out.copy_from_slice(&sum[..k]);
}

/// `out = (a a + m n) / R`, where products of two different digits are computed once: row `i` consists of digit `i` itself and
/// the doubled digits above it. `doubled` is `2 a`. Its digit `i + 1` includes the carry from doubling digit `i`, which does
/// not belong to the digits above `i`.
fn square(modulus: &Constants, out: &mut [u64], a: &[u64], doubled: &[u64], quotient: &mut [u64]) {
    let k = modulus.digits.len();
    let mut sums = [0u64; 2 * MAX_DIGITS];
    let sums = &mut sums[..=2 * k];
    for (i, &x) in a.iter().enumerate() {
        let mut row = [0; MAX_DIGITS];
        let row = &mut row[..k - i];
        row.copy_from_slice(&doubled[i..]);
        row[0] = x;
        if let Some(next) = row.get_mut(1) {
            *next = a[i + 1] << 1;
        }
        let carry = add_product(&mut sums[2 * i..i + k], row, x);
        add_at(&mut sums[i + k..], carry);
    }
    for (i, m) in quotient.iter_mut().enumerate() {
        *m = sums[i].wrapping_mul(modulus.inverse);
        let carry = add_product(&mut sums[i..i + k], &modulus.digits, *m);
        add_at(&mut sums[i + k..], carry);
    }
    out.copy_from_slice(&sums[k..2 * k]);
}

/// `out = (sum of a b over the pairs - quotient + m n) / R`, plus a multiple of `n` that makes it nonnegative.
fn products<const N: usize>(modulus: &Constants, out: &mut [u64], pairs: [(&[u64], &[u64]); N], quotient: &[u64]) {
    let k = modulus.digits.len();
    let mut sum = [0u64; MAX_DIGITS];
    let sum = &mut sum[..k + 2];
    // The sum of the start and R - 1 - quotient, the complement of the quotient, is below R + n.
    let mut carry = false;
    for ((sum, &start), &m) in sum.iter_mut().zip(&modulus.start).zip(quotient) {
        let (total, c1) = start.overflowing_add(!m);
        let (total, c2) = total.overflowing_add(u64::from(carry));
        (*sum, carry) = (total, c1 | c2);
    }
    sum[k] = u64::from(carry);
    for i in 0..k {
        for (a, b) in pairs {
            let carry = add_product(&mut sum[..k], a, b[i]);
            let (top, overflow) = sum[k].overflowing_add(carry);
            sum[k] = top;
            sum[k + 1] += u64::from(overflow);
        }
        let m = sum[0].wrapping_mul(modulus.inverse);
        reduce(&mut sum[..=k], modulus, m);
        // Adds the digit that the reduction shifted to the top and the digit above it.
        let (top, overflow) = sum[k].overflowing_add(sum[k + 1]);
        debug_assert!(!overflow);
        sum[k] = top;
        sum[k + 1] = 0;
    }
    out.copy_from_slice(&sum[..k]);
}

/// `sum = (sum + m n) / digit size`, exactly.
fn reduce(sum: &mut [u64], modulus: &Constants, m: u64) {
    let k = modulus.digits.len();
    let carry = add_product(&mut sum[..k], &modulus.digits, m);
    let (top, overflow) = sum[k].overflowing_add(carry);
    sum.copy_within(1..k, 0);
    sum[k - 1] = top;
    sum[k] = u64::from(overflow);
}

/// `sum += a * digit`; returns the carry.
fn add_product(sum: &mut [u64], a: &[u64], digit: u64) -> u64 {
    let mut carry = 0u64;
    for (sum, &a) in sum.iter_mut().zip(a) {
        let wide = u128::from(a) * u128::from(digit) + u128::from(*sum) + u128::from(carry);
        #[expect(clippy::cast_possible_truncation, reason = "taking the digits apart")]
        {
            *sum = wide as u64;
            carry = (wide >> 64) as u64;
        }
    }
    carry
}

/// Adds a carry, starting at the lowest digit.
fn add_at(sum: &mut [u64], mut carry: u64) {
    for digit in sum {
        let (total, overflow) = digit.overflowing_add(carry);
        (*digit, carry) = (total, u64::from(overflow));
    }
}
