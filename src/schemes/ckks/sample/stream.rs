//! The key stream of `ChaCha20`, four blocks at a time, for browsers. The library used elsewhere has no SIMD there, and most of
//! an evaluation key consists of such words. (D. J. Bernstein, "`ChaCha`, a variant of Salsa20", 2008.)
#![allow(clippy::inline_always, reason = "what is not inlined is not vectorised")]

use row::{Row, add, lanes, row, turned};

/// The number of blocks that are computed together, one in each lane of a vector.
const LANES: usize = 4;
/// The number of 64-bit words in these blocks.
const WORDS: usize = LANES * 8;

/// The key stream of a seed and a 64-bit stream number, as words in order.
pub(super) struct Stream {
    /// The constants, the seed, the number of the next block in two halves, and that of the stream.
    state: [u32; 16],
    buffer: [u64; WORDS],
    used: usize,
}

impl Stream {
    pub(super) fn new(seed: &[u8; 32], number: u64) -> Self {
        let mut state = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for (word, bytes) in state[4..12].iter_mut().zip(seed.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        [state[14], state[15]] = halves(number);
        Self { state, buffer: [0; WORDS], used: WORDS }
    }

    /// The next word.
    #[inline]
    pub(super) fn word(&mut self) -> u64 {
        if self.used == WORDS {
            self.fill();
            self.used = 0;
        }
        self.used += 1;
        self.buffer[self.used - 1]
    }

    fn fill(&mut self) {
        let block = u64::from(self.state[13]) << 32 | u64::from(self.state[12]);
        let blocks: [[u32; 2]; LANES] = std::array::from_fn(|lane| halves(block.wrapping_add(lane as u64)));
        let mut start = self.state.map(|word| row([word; LANES]));
        [start[12], start[13]] = [0, 1].map(|half: usize| row(blocks.map(|block| block[half])));
        [self.state[12], self.state[13]] = halves(block.wrapping_add(LANES as u64));
        let mut rows = start;
        for _ in 0..10 {
            quarter(&mut rows, [0, 4, 8, 12]);
            quarter(&mut rows, [1, 5, 9, 13]);
            quarter(&mut rows, [2, 6, 10, 14]);
            quarter(&mut rows, [3, 7, 11, 15]);
            quarter(&mut rows, [0, 5, 10, 15]);
            quarter(&mut rows, [1, 6, 11, 12]);
            quarter(&mut rows, [2, 7, 8, 13]);
            quarter(&mut rows, [3, 4, 9, 14]);
        }
        for (number, (pair, start)) in rows.as_chunks::<2>().0.iter().zip(start.as_chunks::<2>().0).enumerate() {
            let [low, high] = [lanes(add(pair[0], start[0])), lanes(add(pair[1], start[1]))];
            for lane in 0..LANES {
                self.buffer[8 * lane + number] = u64::from(high[lane]) << 32 | u64::from(low[lane]);
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
const fn halves(number: u64) -> [u32; 2] {
    [number as u32, (number >> 32) as u32]
}

#[inline(always)]
fn quarter(rows: &mut [Row; 16], [a, b, c, d]: [usize; 4]) {
    rows[a] = add(rows[a], rows[b]);
    rows[d] = turned::<16>(rows[d], rows[a]);
    rows[c] = add(rows[c], rows[d]);
    rows[b] = turned::<12>(rows[b], rows[c]);
    rows[a] = add(rows[a], rows[b]);
    rows[d] = turned::<8>(rows[d], rows[a]);
    rows[c] = add(rows[c], rows[d]);
    rows[b] = turned::<7>(rows[b], rows[c]);
}

/// Four 32-bit words, one of each block.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod row {
    use std::arch::wasm32::{
        u8x16_shuffle, u32x4, u32x4_add, u32x4_extract_lane, u32x4_shl, u32x4_shr, v128, v128_or, v128_xor,
    };

    pub(super) type Row = v128;

    #[inline(always)]
    pub(super) fn row([a, b, c, d]: [u32; 4]) -> Row {
        u32x4(a, b, c, d)
    }

    #[inline(always)]
    pub(super) fn lanes(a: Row) -> [u32; 4] {
        [u32x4_extract_lane::<0>(a), u32x4_extract_lane::<1>(a), u32x4_extract_lane::<2>(a), u32x4_extract_lane::<3>(a)]
    }

    #[inline(always)]
    pub(super) fn add(a: Row, b: Row) -> Row {
        u32x4_add(a, b)
    }

    #[inline(always)]
    pub(super) fn turned<const BITS: u32>(a: Row, b: Row) -> Row {
        let x = v128_xor(a, b);
        match BITS {
            16 => u8x16_shuffle::<2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13>(x, x),
            8 => u8x16_shuffle::<3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14>(x, x),
            _ => v128_or(u32x4_shl(x, BITS), u32x4_shr(x, 32 - BITS)),
        }
    }
}

/// The same for all other machines, for tests.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod row {
    pub(super) type Row = [u32; 4];

    pub(super) const fn row(words: [u32; 4]) -> Row {
        words
    }

    pub(super) const fn lanes(a: Row) -> [u32; 4] {
        a
    }

    pub(super) fn add(a: Row, b: Row) -> Row {
        std::array::from_fn(|lane| a[lane].wrapping_add(b[lane]))
    }

    /// The bits that differ, rotated.
    pub(super) fn turned<const BITS: u32>(a: Row, b: Row) -> Row {
        std::array::from_fn(|lane| (a[lane] ^ b[lane]).rotate_left(BITS))
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::{Rng as _, SeedableRng as _};

    use super::Stream;

    #[test]
    fn the_words_are_those_of_the_library() {
        let seed = std::array::from_fn(|i| u8::try_from(7 * i).expect("small"));
        for number in [0, 1, 37 << 32 | 5, u64::MAX] {
            let mut library = ChaCha20Rng::from_seed(seed);
            library.set_stream(number);
            let mut stream = Stream::new(&seed, number);
            assert!((0..1000).all(|_| stream.word() == library.next_u64()), "{number}");
        }
    }
}
