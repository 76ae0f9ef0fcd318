//! CRC-32 (IEEE 802.3), as in zlib.
//!
//! The fast library has a table of 16 KB, which does not compress. That would be a tenth of a browser's download. In browsers,
//! where networks are slower than any checksum, a library with a small table is fast enough. Only the build for evaluation
//! keys, which take gigabytes, has a larger table.

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

    /// The checksum of bytes that arrive in pieces.
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

    /// The checksum of `bytes`.
    pub(crate) fn hash(bytes: &[u8]) -> u32 {
        CRC.checksum(bytes)
    }
}
#[cfg(target_arch = "wasm32")]
pub(crate) use small::{Hasher, hash};
