//! Encrypted images for the tests, made without any key: to a server, every unit is a valid ciphertext.

use std::sync::{Arc, LazyLock};

use num_bigint::BigUint;
use safelight::schemes::paillier::stream::{Limits, run_filter};
use safelight::schemes::paillier::wire::image::Frames;
use safelight::schemes::paillier::{Border, Encoding, Filter, ImageHead, Layout, Origin, PublicKey};
use safelight::watch::NoWatch;

/// Pseudorandom bytes that are the same in every run.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            // xorshift64*
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            bytes.extend(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
        }
        bytes.truncate(count);
        bytes
    }
}

/// Two numbers that a server must accept as moduli. They are prime, so all smaller numbers are units.
pub(crate) static KEY: LazyLock<Arc<PublicKey>> = LazyLock::new(|| below_2_to_2048(1_942_289));
pub(crate) static OTHER_KEY: LazyLock<Arc<PublicKey>> = LazyLock::new(|| below_2_to_2048(1_944_839));

fn below_2_to_2048(distance: u32) -> Arc<PublicKey> {
    Arc::new(PublicKey::new((BigUint::from(1u8) << 2048) - distance).expect("an odd number of 2048 bits"))
}

/// Wide enough for a blend by percent.
const SLOT_BITS: u8 = 15;

/// An image in parts, so that tests can damage one of them.
pub(crate) struct Image {
    pub(crate) header: Vec<u8>,
    pub(crate) frames: Frames,
    pub(crate) rows: Vec<Vec<u8>>,
}

impl Image {
    /// An image with a halo of one pixel and room for small filters.
    pub(crate) fn new(width: u32, height: u32, channels: u8, seed: u64) -> Self {
        Self::under(Arc::clone(&KEY), width, height, channels, 1, seed)
    }

    pub(crate) fn under(key: Arc<PublicKey>, width: u32, height: u32, channels: u8, halo: u16, seed: u64) -> Self {
        Self::with_slots(key, (width, height), channels, halo, SLOT_BITS, seed)
    }

    /// An image whose slots have this width, so that its pixels can be multiplied by large weights.
    pub(crate) fn with_slots(
        key: Arc<PublicKey>,
        size: (u32, u32),
        channels: u8,
        halo: u16,
        slot_bits: u8,
        seed: u64,
    ) -> Self {
        let layout = Layout::plan(size, channels, Border::Replicate, (halo, halo), slot_bits, key.bits())
            .expect("an allowed layout");
        let head = ImageHead {
            key,
            layout,
            encoding: Encoding::SAMPLES,
            history: String::new(),
            origins: vec![Origin::UNKNOWN],
        };
        let (header, frames) = Frames::write(head);
        let (key, columns) = (&frames.head.key, frames.head.layout.columns() as usize);
        let mut noise = Noise(seed + 1);
        let rows = (0..frames.head.layout.rows())
            .map(|row| {
                let mut bytes = noise.bytes(columns * key.ciphertext_bytes());
                // The highest byte is zero, so the number is below n^2.
                bytes
                    .chunks_exact_mut(key.ciphertext_bytes())
                    .for_each(|number| number[key.ciphertext_bytes() - 1] = 0);
                frames.write_frame(row, &key.read_ciphertexts(&bytes).expect("in range"))
            })
            .collect();
        Self { header, frames, rows }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.header.clone(), self.rows.concat()].concat()
    }

    /// Puts another number into the first ciphertext of a row, with the correct checksum.
    pub(crate) fn with_number(mut self, row: usize, number: &BigUint) -> Self {
        let size = self.frames.head.key.ciphertext_bytes();
        let mut bytes = number.to_bytes_le();
        bytes.resize(size, 0);
        let frame = &mut self.rows[row];
        frame[..size].copy_from_slice(&bytes);
        // The checksum of a frame covers the header's checksum, the frame's number and the ciphertexts.
        let end = frame.len() - 4;
        let index = u32::try_from(row).expect("a small number");
        let sum =
            crc32fast::hash(&[&self.header[self.header.len() - 4..], &index.to_le_bytes(), &frame[..end]].concat());
        frame[end..].copy_from_slice(&sum.to_le_bytes());
        self
    }
}

/// The filter's result as the library itself computes it, or the code of its error.
pub(crate) fn expected(name: &str, parameters: &[(&str, &str)], input: &[u8]) -> Result<Vec<u8>, String> {
    let parameters: Vec<_> = parameters.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    let filter = Filter::parse(name, &parameters).map_err(|e| e.code().to_owned())?;
    let mut output = Vec::new();
    run_filter(&mut &*input, &mut output, &filter, &Limits::default(), &NoWatch).map_err(|e| e.code().to_owned())?;
    Ok(output)
}

/// Uploads that a server must refuse, with the required code. All are for a mean of radius 1.
pub(crate) fn hostile() -> Vec<(String, Vec<u8>, String)> {
    let good = || Image::new(40, 30, 3, 7);
    let bytes = good().bytes();
    let changed = |at: usize, with: u8| {
        let mut bytes = bytes.clone();
        bytes[at] ^= with;
        bytes
    };
    let header = good().header.len();
    let n = KEY.n();
    let last = good().rows.len() - 1;
    let no_halo = Image::under(Arc::clone(&KEY), 40, 30, 3, 0, 7);
    let mut cases = vec![
        ("empty", Vec::new(), "truncated"),
        ("half a mark", bytes[..5].to_vec(), "truncated"),
        ("half a header", bytes[..header - 9].to_vec(), "truncated"),
        ("no rows", bytes[..header].to_vec(), "truncated"),
        ("one byte short", bytes[..bytes.len() - 1].to_vec(), "truncated"),
        ("one byte more", [bytes.clone(), vec![0]].concat(), "trailing_data"),
        ("twice", [bytes.clone(), bytes.clone()].concat(), "trailing_data"),
        ("a photo", b"\x89PNG\r\n\x1a\nand so on and so on".to_vec(), "not_safelight"),
        ("a newer version", changed(8, 2), "unsupported_version"),
        ("a public key", changed(10, 2), "damaged"),
        ("a bit of the header", changed(40, 1), "damaged"),
        ("a bit of the first row", changed(header + 100, 1), "damaged"),
        ("a bit of the last row", changed(bytes.len() - 10, 1), "damaged"),
        ("zero", good().with_number(2, &BigUint::ZERO).bytes(), "ciphertext_out_of_range"),
        ("n squared", good().with_number(2, &(n * n)).bytes(), "ciphertext_out_of_range"),
        ("not a unit", good().with_number(0, n).bytes(), "ciphertext_not_unit"),
        ("not a unit, in the last row", good().with_number(last, n).bytes(), "ciphertext_not_unit"),
        ("no halo", no_halo.bytes(), "halo_too_small"),
    ]
    .into_iter()
    .map(|(name, bytes, code)| (name.to_owned(), bytes, code.to_owned()))
    .collect::<Vec<_>>();
    for (name, bytes) in vectors("hostile") {
        // Files whose fault only their reader at home can detect are not hostile to a server.
        if let Err(code) = expected("mean", &[("radius", "1")], &bytes) {
            cases.push((name, bytes, code));
        }
    }
    cases
}

/// The test vectors of a folder, if it exists.
pub(crate) fn vectors(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(folder);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "slt"));
    paths.sort();
    let name = |path: &std::path::Path| path.file_name().expect("a file").to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read(path).expect("a readable file"))).collect()
}
