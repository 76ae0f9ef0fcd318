//! Memory for vectors.
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

/// In bytes.
const ALIGNMENT: usize = 64;

impl Words {
    /// Zeros.
    pub(crate) fn new(length: usize) -> Self {
        let buffer = Buffer::new(length + ALIGNMENT / size_of::<u64>());
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

/// Much memory comes straight from the system, in large pages where it has them: a processor that walks through gigabytes
/// otherwise waits for the places of small ones a quarter of its time.
#[cfg(all(feature = "ckks", target_os = "linux"))]
mod buffer {
    use memmap2::{Advice, MmapMut};

    /// From this many words on: 4 MiB.
    const MUCH: usize = 1 << 19;

    #[derive(Debug)]
    pub(super) enum Buffer {
        Little(Vec<u64>),
        Much(MmapMut),
    }

    impl Buffer {
        pub(super) fn new(length: usize) -> Self {
            let pages = (length >= MUCH).then(|| MmapMut::map_anon(length * size_of::<u64>()));
            // Who cannot have it this way gets it as always.
            let Some(Ok(pages)) = pages else { return Self::Little(vec![0; length]) };
            // A wish, which changes nothing but speed.
            let _ = pages.advise(Advice::HugePage);
            Self::Much(pages)
        }
    }

    impl std::ops::Deref for Buffer {
        type Target = [u64];

        fn deref(&self) -> &[u64] {
            match self {
                Self::Little(words) => words,
                // SAFETY: any bytes are words.
                Self::Much(pages) => unsafe { pages.align_to().1 },
            }
        }
    }

    impl std::ops::DerefMut for Buffer {
        fn deref_mut(&mut self) -> &mut [u64] {
            match self {
                Self::Little(words) => words,
                // SAFETY: any bytes are words.
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
