//! CRC-32 (IEEE 802.3), as in zlib.
//!
//! The fast library has a table of 16 KB, which no compression makes smaller: that would be a tenth of what a browser
//! fetches. There, where networks are slower than any checksum, a library with a small table does.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crc32fast::{Hasher, hash};

#[cfg(target_arch = "wasm32")]
mod small {
    use crc::{CRC_32_ISO_HDLC, Crc, Digest, Table};

    static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

    /// The checksum of bytes that come in pieces.
    pub(crate) struct Hasher(Digest<'static, u32, Table<1>>);

    impl Hasher {
        pub(crate) fn new() -> Self {
            Self(CRC.digest())
        }

        pub(crate) fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(crate) fn finalize(self) -> u32 {
            self.0.finalize()
        }
    }

    /// The checksum of these bytes.
    pub(crate) fn hash(bytes: &[u8]) -> u32 {
        CRC.checksum(bytes)
    }
}
#[cfg(target_arch = "wasm32")]
pub(crate) use small::{Hasher, hash};
