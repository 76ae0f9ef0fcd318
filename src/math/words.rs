//! Aligned memory for vectors.
#![allow(unsafe_code)]

use zeroize::Zeroize;

use self::buffer::Buffer;

/// Words that start at a multiple of 64 bytes, so that no vector load crosses a cache line.
#[derive(Debug)]
pub(crate) struct Words {
    buffer: Buffer,
    start: usize,
    length: usize,
}

/// The alignment in bytes.
const ALIGNMENT: usize = 64;

impl Words {
    /// `length` zeros.
    pub(crate) fn new(length: usize) -> Self {
        let buffer = Buffer::new(length + ALIGNMENT / size_of::<u64>());
        // If the allocator cannot determine it, an unaligned start is slower but still correct.
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
        (*self.buffer).zeroize();
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

/// Large buffers are mapped directly from the system, in large pages if it has them. With small pages, a processor that works
/// through gigabytes spends a quarter of its time waiting for their address translation.
#[cfg(all(feature = "ckks", target_os = "linux"))]
mod buffer {
    use memmap2::{Advice, MmapMut};

    /// The minimum number of words for a mapping: 4 MiB.
    const MUCH: usize = 1 << 19;

    #[derive(Debug)]
    pub(super) enum Buffer {
        Little(Vec<u64>),
        Much(MmapMut),
    }

    impl Buffer {
        pub(super) fn new(length: usize) -> Self {
            let pages = (length >= MUCH).then(|| MmapMut::map_anon(length * size_of::<u64>()));
            // If the mapping fails, the buffer is allocated as usual.
            let Some(Ok(pages)) = pages else { return Self::Little(vec![0; length]) };
            // Only a hint, which affects nothing but speed.
            let _ = pages.advise(Advice::HugePage);
            Self::Much(pages)
        }
    }

    impl std::ops::Deref for Buffer {
        type Target = [u64];

        fn deref(&self) -> &[u64] {
            match self {
                Self::Little(words) => words,
                // SAFETY: any bytes are valid words.
                Self::Much(pages) => unsafe { pages.align_to().1 },
            }
        }
    }

    impl std::ops::DerefMut for Buffer {
        fn deref_mut(&mut self) -> &mut [u64] {
            match self {
                Self::Little(words) => words,
                // SAFETY: any bytes are valid words.
                Self::Much(pages) => unsafe { pages.align_to_mut().1 },
            }
        }
    }
}

#[cfg(not(all(feature = "ckks", target_os = "linux")))]
mod buffer {
    #[derive(Debug)]
    pub(super) struct Buffer(Vec<u64>);

    impl Buffer {
        pub(super) fn new(length: usize) -> Self {
            Self(vec![0; length])
        }
    }

    impl std::ops::Deref for Buffer {
        type Target = [u64];

        fn deref(&self) -> &[u64] {
            &self.0
        }
    }

    impl std::ops::DerefMut for Buffer {
        fn deref_mut(&mut self) -> &mut [u64] {
            &mut self.0
        }
    }
}
