//! Memory for vectors.

use zeroize::Zeroize;

/// Words that start at a multiple of 64 bytes, so that no vector load crosses a cache line.
#[derive(Debug)]
pub(crate) struct Words {
    buffer: Vec<u64>,
    start: usize,
    length: usize,
}

/// In bytes.
const ALIGNMENT: usize = 64;

impl Words {
    /// Zeros.
    pub(crate) fn new(length: usize) -> Self {
        let buffer = vec![0; length + ALIGNMENT / size_of::<u64>()];
        // If the allocator cannot say, an unaligned start is slower but not wrong.
        let start = buffer.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT / size_of::<u64>());
        Self { buffer, start, length }
    }
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Words {}

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
