//! A second implementation of the format, written by hand from its specification and without checks, so that it can also write
//! invalid files. It shares no code with the library.

use num_bigint::{BigInt, BigUint};
use sha2::{Digest as _, Sha256};

use super::clear::Photo;

pub(crate) const MARK: [u8; 8] = [0x89, 0x53, 0x4C, 0x54, 0x0D, 0x0A, 0x1A, 0x0A];
pub(crate) const PUBLIC_KEY: u8 = 1;
pub(crate) const SECRET_KEY: u8 = 2;
pub(crate) const IMAGE: u8 = 3;

/// A published key: its primes are the first after numbers that anyone can compute.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) bits: u16,
    pub(crate) p: BigUint,
    pub(crate) q: BigUint,
}

impl Key {
    pub(crate) fn test(bits: u16) -> Self {
        let (p, q) = match bits {
            2048 => (273, 132),
            3072 => (500, 942),
            _ => (471, 162),
        };
        Self { bits, p: near("safelight test prime p", bits, p), q: near("safelight test prime q", bits, q) }
    }

    /// Another key of 2048 bits.
    pub(crate) fn other() -> Self {
        let prime = |label, k| near(label, 2048, k);
        Self {
            bits: 2048,
            p: prime("safelight other test prime p", 257),
            q: prime("safelight other test prime q", 518),
        }
    }

    pub(crate) fn n(&self) -> BigUint {
        &self.p * &self.q
    }

    pub(crate) fn public(&self) -> Vec<u8> {
        file(PUBLIC_KEY, &public_header(self.bits, key_id(self.bits, &self.n()), &self.n()))
    }

    pub(crate) fn secret(&self) -> Vec<u8> {
        file(SECRET_KEY, &secret_header(self.bits, key_id(self.bits, &self.n()), &self.p, &self.q))
    }
}

/// The number of `bits / 2` bits from the label's SHA-256 stream, with its two highest bits and its lowest bit set, plus `2 k`.
/// `k` is the first that makes it prime.
fn near(label: &str, bits: u16, k: u32) -> BigUint {
    let half = u64::from(bits) / 2;
    let start = BigUint::from_bytes_le(&noise(&format!("{label} {bits}"), usize::from(bits) / 16));
    (start | (BigUint::from(3u8) << (half - 2)) | BigUint::from(1u8)) + 2 * k
}

/// The first bytes of `SHA-256(label, 0), SHA-256(label, 1), ...` with the counter as u32.
pub(crate) fn noise(label: &str, count: usize) -> Vec<u8> {
    let blocks = (0u32..).flat_map(|i| Sha256::new().chain_update(label).chain_update(i.to_le_bytes()).finalize());
    blocks.take(count).collect()
}

pub(crate) fn key_id(bits: u16, n: &BigUint) -> [u8; 16] {
    let digest = Sha256::digest([b"safelight paillier key".to_vec(), number(n, usize::from(bits) / 8)].concat());
    digest[..16].try_into().expect("a digest has 32 bytes")
}

pub(crate) fn public_header(bits: u16, id: [u8; 16], n: &BigUint) -> Vec<u8> {
    [bits.to_le_bytes().to_vec(), id.to_vec(), number(n, usize::from(bits) / 8)].concat()
}

pub(crate) fn secret_header(bits: u16, id: [u8; 16], p: &BigUint, q: &BigUint) -> Vec<u8> {
    let prime = |prime| number(prime, usize::from(bits) / 16);
    [bits.to_le_bytes().to_vec(), id.to_vec(), prime(p), prime(q)].concat()
}

/// The number as `length` little-endian bytes.
pub(crate) fn number(number: &BigUint, length: usize) -> Vec<u8> {
    let mut bytes = number.to_bytes_le();
    bytes.resize(length, 0);
    bytes
}

/// Prologue, header and checksum.
pub(crate) fn file(kind: u8, header: &[u8]) -> Vec<u8> {
    let length = u32::try_from(header.len()).expect("short");
    sealed([&MARK[..], &1u16.to_le_bytes(), &[kind, 1], &length.to_le_bytes(), header].concat())
}

/// The bytes followed by their CRC-32.
pub(crate) fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(crc32(&bytes).to_le_bytes());
    bytes
}

/// CRC-32 as in IEEE 802.3, bit by bit.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)))
}

/// The header of an encrypted image, field by field.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) bits: u16,
    pub(crate) planes: u8,
    pub(crate) border: u8,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) grid: (u16, u16),
    pub(crate) halo: (u16, u16),
    pub(crate) slot_bits: u8,
    pub(crate) zero: [u8; 3],
    pub(crate) low: i64,
    pub(crate) high: i64,
    pub(crate) bias: i64,
    pub(crate) divisor: i64,
    pub(crate) id: [u8; 16],
    pub(crate) n: BigUint,
    /// The number of photos in the header, if it is to be wrong.
    pub(crate) photos: Option<u8>,
    pub(crate) origins: Vec<[u8; 32]>,
    /// The history's length in the header, if it is to be wrong.
    pub(crate) history_length: Option<u16>,
    pub(crate) history: Vec<u8>,
}

impl Head {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let length = u16::try_from(self.history.len()).expect("short");
        let mut out = [&self.bits.to_le_bytes()[..], &[self.planes, self.border]].concat();
        out.extend([self.width, self.height].map(u32::to_le_bytes).concat());
        out.extend([self.grid.0, self.grid.1, self.halo.0, self.halo.1].map(u16::to_le_bytes).concat());
        out.push(self.slot_bits);
        out.extend(self.zero);
        out.extend([self.low, self.high, self.bias, self.divisor].map(i64::to_le_bytes).concat());
        out.extend(self.id);
        out.extend(number(&self.n, usize::from(self.bits) / 8));
        out.push(self.photos.unwrap_or_else(|| u8::try_from(self.origins.len()).expect("few")));
        out.extend(self.origins.concat());
        out.extend(self.history_length.unwrap_or(length).to_le_bytes());
        out.extend(&self.history);
        out
    }

    /// The size of a tile.
    fn tile(&self) -> (u32, u32) {
        (self.width.div_ceil(u32::from(self.grid.0)), self.height.div_ceil(u32::from(self.grid.1)))
    }

    fn used_slots(&self) -> u32 {
        u32::from(self.grid.0) * u32::from(self.grid.1) * u32::from(self.planes)
    }
}

/// An encrypted image: its header and its rows of ciphertexts.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) head: Head,
    pub(crate) rows: Vec<Vec<BigUint>>,
}

impl Image {
    /// Encrypts a photo whose shape is described by `head`.
    pub(crate) fn encrypt(head: Head, photo: &Photo) -> Self {
        let (tile_width, tile_height) = head.tile();
        let (halo_x, halo_y) = (u32::from(head.halo.0), u32::from(head.halo.1));
        let (across, down) = (u32::from(head.grid.0), u32::from(head.grid.1));
        let square = &head.n * &head.n;
        // Masks that are powers of one another hide nothing, which does not matter here.
        let step = BigUint::from_bytes_le(&noise("safelight test mask", usize::from(head.bits) / 8)) % &head.n;
        let step = step.modpow(&head.n, &square);
        let mut mask = step.clone();
        let mut encrypt = |row: u32, column: u32| {
            let mut plaintext = BigUint::ZERO;
            for slot in 0..head.used_slots() {
                let (plane, tile_y, tile_x) = (slot / across / down, slot / across % down, slot % across);
                let x = i64::from(tile_x * tile_width + column) - i64::from(halo_x);
                let y = i64::from(tile_y * tile_height + row) - i64::from(halo_y);
                let value = photo.at(x, y, plane as usize, head.border);
                plaintext += BigUint::from(value.unsigned_abs()) << (slot * u32::from(head.slot_bits));
            }
            mask = &mask * &step % &square;
            (plaintext * &head.n + 1u8) * &mask % &square
        };
        let rows = (0..tile_height + 2 * halo_y)
            .map(|row| (0..tile_width + 2 * halo_x).map(|column| encrypt(row, column)).collect())
            .collect();
        Self { head, rows }
    }

    /// A filter on encrypted images of the same shape: the weights for each image, the divisor, the offset added to each pixel,
    /// and the filter's text.
    pub(crate) fn filter(inputs: &[(&Self, &[&[i64]])], divisor: i64, offset: i64, text: &str) -> Self {
        let (first, kernel) = inputs[0];
        let (rx, ry) = (kernel[0].len() / 2, kernel.len() / 2);
        let mut head = first.head.clone();
        head.halo = (head.halo.0 - u16::try_from(rx).expect("small"), head.halo.1 - u16::try_from(ry).expect("small"));
        head.divisor *= divisor;
        (head.low, head.high) = (offset * head.divisor, offset * head.divisor);
        let mut old_bias = 0;
        for (image, kernel) in inputs {
            for &weight in kernel.iter().copied().flatten() {
                let ends = [weight * image.head.low, weight * image.head.high];
                head.low += ends[0].min(ends[1]);
                head.high += ends[0].max(ends[1]);
                old_bias += weight * image.head.bias;
            }
        }
        head.bias = 0.max(-head.low);
        let constant = head.bias + offset * head.divisor - old_bias;
        head.origins = inputs.iter().flat_map(|(image, _)| image.head.origins.clone()).collect();
        head.history =
            [&first.head.history[..], if first.head.history.is_empty() { b"" } else { b"; " }, text.as_bytes()]
                .concat();

        let square = &head.n * &head.n;
        let ones: BigInt =
            (0..head.used_slots()).map(|slot| BigInt::from(1) << (slot * u32::from(head.slot_bits))).sum();
        let raise = (BigInt::from(1) + BigInt::from(head.n.clone()) * ones * constant)
            .modpow(&1.into(), &square.clone().into());
        let raise = raise.to_biguint().expect("modpow of a positive modulus is not negative");
        let cell = |row: usize, column: usize| {
            let mut product = raise.clone();
            for (image, kernel) in inputs {
                for (j, weights) in kernel.iter().enumerate() {
                    for (i, &weight) in weights.iter().enumerate() {
                        let c = &image.rows[row + j][column + i];
                        let c = if weight < 0 { c.modinv(&square).expect("a unit") } else { c.clone() };
                        product = product * c.modpow(&weight.unsigned_abs().into(), &square) % &square;
                    }
                }
            }
            product
        };
        let (rows, columns) = (first.rows.len() - 2 * ry, first.rows[0].len() - 2 * rx);
        Self { rows: (0..rows).map(|row| (0..columns).map(|column| cell(row, column)).collect()).collect(), head }
    }

    pub(crate) fn header(&self) -> Vec<u8> {
        file(IMAGE, &self.head.bytes())
    }

    /// All frames.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        let header = self.header();
        let size = usize::from(self.head.bits) / 4;
        let frame = |(index, row): (usize, &Vec<BigUint>)| {
            let ciphertexts = row.iter().flat_map(|c| number(c, size)).collect::<Vec<_>>();
            let index = u32::try_from(index).expect("few").to_le_bytes();
            let crc = crc32(&[&header[header.len() - 4..], &index, &ciphertexts].concat());
            [ciphertexts, crc.to_le_bytes().to_vec()].concat()
        };
        self.rows.iter().enumerate().map(frame).collect()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.header(), self.frames().concat()].concat()
    }
}
