//! Encrypted images: header and frames. See [`crate::wire`] for the format.

use super::key::read_modulus;
use crate::error::{Code, Error, Result};
use crate::math::checksum;
use crate::math::montgomery::{Limb, limbs_to_bytes};
use crate::schemes::paillier::layout::{MAX_HISTORY, MAX_PHOTOS};
use crate::schemes::paillier::{Border, Encoding, ImageHead, Layout, Origin};
use crate::wire::{Checked, Kind, Reader, in_header, open, seal};

/// An image's head, and the header data that its frames need.
#[derive(Clone, Debug)]
pub struct Frames {
    /// The image's head.
    pub head: ImageHead,
    crc: u32,
    header_bytes: usize,
}

impl Frames {
    /// Writes the header. Returns its bytes, with prologue and checksum, and what the frames need.
    #[must_use]
    pub fn write(head: ImageHead) -> (Vec<u8>, Self) {
        let bytes = seal(Kind::PaillierImage, &header(&head));
        let crc = checksum::hash(&bytes[..bytes.len() - 4]);
        let header_bytes = bytes.len();
        (bytes, Self { head, crc, header_bytes })
    }

    /// Reads the header from the start of a file, at least [`crate::wire::Prologue::total_bytes`] of it.
    ///
    /// # Errors
    /// As [`crate::wire::open`], and [`Code::BadHeader`], [`Code::BadModulus`], [`Code::ImageTooLarge`].
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let Checked { header, crc, .. } = open(bytes, Kind::PaillierImage)?;
        let head = parse(header).map_err(in_header)?;
        Ok(Self { head, crc, header_bytes: crate::wire::PROLOGUE_BYTES + header.len() + 4 })
    }

    /// The length of the header with prologue and checksum, in bytes.
    #[must_use]
    pub fn header_bytes(&self) -> usize {
        self.header_bytes
    }

    /// The length of a frame in bytes, checksum included; `usize::MAX` if no memory could hold it.
    #[must_use]
    pub fn frame_bytes(&self) -> usize {
        usize::try_from(self.frame_length()).unwrap_or(usize::MAX)
    }

    /// The length of the whole file in bytes.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.header_bytes as u64 + u64::from(self.head.layout.rows()) * self.frame_length()
    }

    /// The length of a frame: at most 2^35, which may not fit the browser's 32-bit `usize`.
    fn frame_length(&self) -> u64 {
        u64::from(self.head.layout.columns()) * self.head.key.ciphertext_bytes() as u64 + 4
    }

    /// Writes frame `index` with these ciphertexts.
    #[must_use]
    pub fn write_frame(&self, index: u32, row: &[Limb]) -> Vec<u8> {
        let mut bytes = limbs_to_bytes(row);
        let crc = self.checksum(index, &bytes);
        bytes.extend(crc.to_le_bytes());
        bytes
    }

    /// Reads frame `index`. Every ciphertext is in range, but may not be a unit.
    ///
    /// # Errors
    /// [`Code::Truncated`], [`Code::Damaged`], [`Code::CiphertextOutOfRange`].
    pub fn read_frame(&self, index: u32, bytes: &[u8]) -> Result<Vec<Limb>> {
        let mut reader = Reader::new(bytes);
        let ciphertexts = reader.take(self.frame_bytes() - 4)?;
        let crc = reader.u32()?;
        reader.end()?;
        if self.checksum(index, ciphertexts) != crc {
            return Err(Error::new(
                Code::Damaged,
                format!("row {index} of the encrypted image is damaged; send or copy the whole file again"),
            ));
        }
        self.head.key.read_ciphertexts(ciphertexts)
    }

    fn checksum(&self, index: u32, ciphertexts: &[u8]) -> u32 {
        let mut hasher = checksum::Hasher::new();
        hasher.update(&self.crc.to_le_bytes());
        hasher.update(&index.to_le_bytes());
        hasher.update(ciphertexts);
        hasher.finalize()
    }
}

fn header(head: &ImageHead) -> Vec<u8> {
    let ImageHead { key, layout, encoding, history, origins } = head;
    let border = Border::ALL.iter().position(|&border| border == layout.border).and_then(|p| u8::try_from(p).ok());
    let mut bytes = key.bits().to_le_bytes().to_vec();
    bytes.extend([layout.channels, border.unwrap_or(0)]);
    bytes.extend([layout.width, layout.height].map(u32::to_le_bytes).as_flattened());
    bytes.extend([layout.grid.0, layout.grid.1, layout.halo.0, layout.halo.1].map(u16::to_le_bytes).as_flattened());
    bytes.extend([layout.slot_bits, 0, 0, 0]);
    bytes.extend([encoding.low, encoding.high, encoding.bias, encoding.divisor].map(i64::to_le_bytes).as_flattened());
    bytes.extend(key.id().0);
    bytes.extend(key.n_bytes());
    // Every head has at most 16 photos.
    bytes.push(u8::try_from(origins.len()).unwrap_or(u8::MAX));
    bytes.extend(origins.iter().flat_map(|origin| origin.0));
    // The history of every head is at most 8,192 bytes long.
    bytes.extend(u16::try_from(history.len()).unwrap_or(u16::MAX).to_le_bytes());
    bytes.extend(history.as_bytes());
    bytes
}

fn parse(header: &[u8]) -> Result<ImageHead> {
    let bad = |what: &str| Error::new(Code::BadHeader, format!("the encrypted image's header is invalid: {what}"));
    let mut reader = Reader::new(header);
    let bits = reader.u16()?;
    let channels = reader.u8()?;
    let border = Border::ALL.get(usize::from(reader.u8()?)).copied().ok_or_else(|| bad("unknown border policy"))?;
    let (width, height) = (reader.u32()?, reader.u32()?);
    let grid = (reader.u16()?, reader.u16()?);
    let halo = (reader.u16()?, reader.u16()?);
    let slot_bits = reader.u8()?;
    if reader.array::<3>()? != [0; 3] {
        return Err(bad("reserved bytes are not zero"));
    }
    let encoding = Encoding { low: reader.i64()?, high: reader.i64()?, bias: reader.i64()?, divisor: reader.i64()? };
    let id = reader.array()?;
    let key = read_modulus(&mut reader, bits, id)?;
    let photos = usize::from(reader.u8()?);
    if !(1..=MAX_PHOTOS).contains(&photos) {
        return Err(bad("it is made of no photo or too many"));
    }
    let origins = (0..photos).map(|_| Ok(Origin(reader.array()?))).collect::<Result<_>>()?;
    let length = usize::from(reader.u16()?);
    if length > MAX_HISTORY {
        return Err(bad("the history is too long"));
    }
    let history = std::str::from_utf8(reader.take(length)?).map_err(|_| bad("the history is not UTF-8"))?;
    if history.chars().any(char::is_control) {
        return Err(bad("the history has control characters"));
    }
    reader.end()?;
    let layout = Layout { width, height, channels, border, grid, halo, slot_bits };
    layout.check(bits).map_err(|error| match error.kind() {
        Code::ImageTooLarge => error,
        _ => bad(error.message()),
    })?;
    encoding.check(slot_bits).map_err(|_| bad("the values do not fit the slots"))?;
    Ok(ImageHead { key, layout, encoding, history: history.to_owned(), origins })
}
