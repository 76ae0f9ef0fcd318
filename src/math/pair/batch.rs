//! Where the digits of many numbers lie.

use zeroize::Zeroize;

/// Independent numbers modulo `n^2`: the digits of `l` of all lanes, then those of `h`; the lanes of a digit lie side by
/// side.
#[derive(Clone, Zeroize)]
pub struct Batch(pub(super) Words);

/// Independent numbers modulo `n`, laid out as one half of a [`Batch`].
#[derive(Clone, Zeroize)]
pub struct LowBatch(pub(super) Words);

/// Words that start at a multiple of 64 bytes, so that no vector load crosses a cache line.
pub(super) struct Words {
    buffer: Vec<u64>,
    start: usize,
    length: usize,
}

const ALIGNMENT: usize = 64;

impl Words {
    pub(super) fn new(length: usize) -> Self {
        let buffer = vec![0; length + ALIGNMENT / size_of::<u64>()];
        // If the allocator cannot say, an unaligned start is slower but not wrong.
        let start = buffer.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT / size_of::<u64>());
        Self { buffer, start, length }
    }
}

impl Clone for Words {
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.length);
        copy.copy_from_slice(self);
        copy
    }
}

impl Zeroize for Words {
    fn zeroize(&mut self) {
        self.buffer.zeroize();
    }
}

impl std::ops::Deref for Words {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        &self.buffer[self.start..self.start + self.length]
    }
}

impl std::ops::DerefMut for Words {
    fn deref_mut(&mut self) -> &mut [u64] {
        &mut self.buffer[self.start..self.start + self.length]
    }
}
