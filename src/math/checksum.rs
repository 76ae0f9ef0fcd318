//! CRC-32 (IEEE 802.3), as in zlib.
//!
//! The fast library has a table of 16 KB, which no compression makes smaller: that would be a tenth of what a browser
//! fetches. There, where networks are slower than any checksum, a library with a small table does; but for evaluation keys,
//! which have gigabytes.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crc32fast::{Hasher, hash};

#[cfg(target_arch = "wasm32")]
mod small {
    use crc::{CRC_32_ISO_HDLC, Crc, Digest, Table};

    #[cfg(feature = "web-ckks")]
    type Size = Table<16>;
    #[cfg(not(feature = "web-ckks"))]
    type Size = Table<1>;

    static CRC: Crc<u32, Size> = Crc::<u32, Size>::new(&CRC_32_ISO_HDLC);

    /// The checksum of bytes that come in pieces.
    pub(crate) struct Hasher(Digest<'static, u32, Size>);

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
