//! Encrypted images over readers and writers, row by row, for the server and the command line.
//!
//! Nothing here holds more than a band of rows in memory, and every function checks everything before it returns `Ok`. After an
//! error, discard all output written so far.

use std::io::{Read, Seek as _, SeekFrom, Write};

use crate::error::{Code, Error, Result};
use crate::math::montgomery::Limb;
use crate::schemes::paillier::layout::MAX_PIXELS;
use crate::schemes::paillier::wire::image::Frames;
use crate::schemes::paillier::{Circuit, Filter, UnitCheck};
use crate::watch::Watch;
use crate::wire::{PROLOGUE_BYTES, Prologue};

/// Limits on the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of bytes of one encrypted image.
    pub max_bytes: u64,
    /// The maximum number of pixels of the photo.
    pub max_pixels: u64,
    /// The maximum number of ciphertexts of the image.
    pub max_ciphertexts: u64,
    /// The maximum number of bytes of the rows in memory at the same time: the rows of the filter's kernel, plus two.
    pub max_band_bytes: u64,
}

impl Limits {
    /// Limits for the user's own files. They need little protection, but a header must not make the program allocate without
    /// limit.
    pub const OWN_FILES: Self =
        Self { max_bytes: 8 << 30, max_pixels: MAX_PIXELS, max_ciphertexts: 1 << 22, max_band_bytes: 1 << 30 };
}

impl Default for Limits {
    /// Limits with room for 16 megapixels in colour with a generous halo.
    fn default() -> Self {
        Self { max_bytes: 1 << 30, max_pixels: MAX_PIXELS, max_ciphertexts: 1 << 20, max_band_bytes: 128 << 20 }
    }
}

/// Reads one encrypted image (or two, one after the other, for a filter of two), filters it on all cores and writes the result.
///
/// If there are two images, the first is kept in an anonymous temporary file.
///
/// # Errors
/// All errors of [`crate::wire`] and [`Circuit`]; [`Code::TooLarge`] beyond the limits; [`Code::TrailingData`] if there is more
/// after the last image; errors of the watcher; [`Code::Io`].
pub fn run_filter(
    input: &mut (dyn Read + Send),
    output: &mut (dyn Write + Send),
    filter: &Filter,
    limits: &Limits,
    watch: &dyn Watch,
) -> Result<()> {
    let mut kept = Vec::new();
    let band = 2 * u64::from(filter.radius().1) + 1;
    for _ in 1..filter.inputs() {
        let mut image = ImageReader::open(&mut *input, limits, band)?;
        kept.push(spool(&mut image, watch)?);
    }
    let mut last = ImageReader::open(&mut *input, limits, band)?;
    let mut kept: Vec<_> = kept
        .iter_mut()
        .map(|file| ImageReader::open(file as &mut (dyn Read + Send), limits, band))
        .collect::<Result<_>>()?;

    let heads: Vec<_> = kept.iter().chain([&last]).map(|image| image.frames.head.clone()).collect();
    let mut circuit = Circuit::new(filter, &heads)?;
    let (header, frames) = Frames::write(circuit.output().clone());
    output.write_all(&header)?;
    let total = u64::from(heads[0].layout.rows());
    let mut written = 0;
    for row in 0..heads[0].layout.rows() {
        watch.check()?;
        let rows = kept.iter_mut().chain([&mut last]).map(ImageReader::next_row).collect::<Result<Vec<_>>>()?;
        for filtered in circuit.push(&rows)? {
            output.write_all(&frames.write_frame(written, &filtered))?;
            written += 1;
        }
        watch.progress(u64::from(row) + 1, total);
    }
    circuit.finish()?;
    at_end(input)?;
    output.flush()?;
    Ok(())
}

/// Checks the header of an encrypted image for a filter; returns the length of the whole image in bytes.
///
/// # Errors
/// As [`run_filter`], as far as the header reveals them.
pub fn check_header(header: &[u8], filter: &Filter, limits: &Limits) -> Result<u64> {
    let frames = Frames::read(header)?;
    check_limits(&frames, limits, 2 * u64::from(filter.radius().1) + 1)?;
    Ok(frames.total_bytes())
}

/// Reads a whole encrypted image and checks everything that needs no key; returns its head.
///
/// # Errors
/// As [`run_filter`].
pub fn check_image(input: &mut (dyn Read + Send), limits: &Limits, watch: &dyn Watch) -> Result<Frames> {
    let mut image = ImageReader::open(&mut *input, limits, 1)?;
    let key = std::sync::Arc::clone(&image.frames.head.key);
    let mut units = UnitCheck::new(&key);
    let total = image.frames.head.layout.rows();
    for row in 0..total {
        watch.check()?;
        units.add_row(&image.next_row()?);
        watch.progress(u64::from(row) + 1, u64::from(total));
    }
    let frames = image.frames;
    units.finish()?;
    at_end(input)?;
    Ok(frames)
}

/// An encrypted image being read: its head, then its rows in order.
struct ImageReader<'a> {
    input: &'a mut (dyn Read + Send),
    header: Vec<u8>,
    frames: Frames,
    next: u32,
    buffer: Vec<u8>,
}

impl<'a> ImageReader<'a> {
    /// Reads the header and checks the limits. `band` is the number of rows that are needed at the same time.
    fn open(input: &'a mut (dyn Read + Send), limits: &Limits, band: u64) -> Result<Self> {
        let mut header = vec![0; PROLOGUE_BYTES];
        // The start of a short file decides between "not a Safelight file" and "cut short".
        let mut filled = 0;
        while filled < header.len() {
            match input.read(&mut header[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        let prologue = Prologue::parse(&header[..filled])?;
        header.resize(prologue.total_bytes(), 0);
        input.read_exact(&mut header[PROLOGUE_BYTES..])?;
        let frames = Frames::read(&header)?;
        check_limits(&frames, limits, band)?;
        let buffer = vec![0; frames.frame_bytes()];
        Ok(Self { input, header, frames, next: 0, buffer })
    }

    fn next_row(&mut self) -> Result<Vec<Limb>> {
        self.next_frame()?;
        self.frames.read_frame(self.next - 1, &self.buffer)
    }

    fn next_frame(&mut self) -> Result<()> {
        self.input.read_exact(&mut self.buffer)?;
        self.next += 1;
        Ok(())
    }
}

fn check_limits(frames: &Frames, limits: &Limits, band: u64) -> Result<()> {
    let layout = &frames.head.layout;
    let too_large = |what: &str, has: u64, allowed: u64| {
        Err(Error::new(
            Code::TooLarge,
            format!("the encrypted image has {has} {what}, more than the {allowed} allowed"),
        ))
    };
    let pixels = u64::from(layout.width) * u64::from(layout.height);
    if pixels > limits.max_pixels {
        return too_large("pixels", pixels, limits.max_pixels);
    }
    if frames.head.ciphertexts() > limits.max_ciphertexts {
        return too_large("ciphertexts", frames.head.ciphertexts(), limits.max_ciphertexts);
    }
    if frames.total_bytes() > limits.max_bytes {
        return too_large("bytes", frames.total_bytes(), limits.max_bytes);
    }
    let band_bytes = (band + 2).saturating_mul(frames.frame_bytes() as u64);
    if band_bytes > limits.max_band_bytes {
        return too_large("bytes in the rows that the filter needs at once", band_bytes, limits.max_band_bytes);
    }
    Ok(())
}

/// Copies an image, unchecked, to an anonymous temporary file, and rewinds the file.
fn spool(image: &mut ImageReader<'_>, watch: &dyn Watch) -> Result<std::fs::File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(&image.header)?;
    for _ in 0..image.frames.head.layout.rows() {
        watch.check()?;
        image.next_frame()?;
        file.write_all(&image.buffer)?;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn at_end(input: &mut (dyn Read + Send)) -> Result<()> {
    let mut byte = [0];
    if input.read(&mut byte)? == 0 {
        return Ok(());
    }
    Err(Error::new(Code::TrailingData, "there is extra data after the encrypted image; send it alone"))
}

#[cfg(feature = "client")]
mod client {
    use std::io::{Read, Write};

    use super::{ImageReader, Limits, Watch, at_end};
    use crate::error::Result;
    use crate::math::comb::Lookup;
    use crate::photo::Photo;
    use crate::schemes::paillier::wire::image::Frames;
    use crate::schemes::paillier::{
        Canvas, Check, EncryptOptions, EncryptionKey, Expectation, ImageDecryptor, ImageEncryptor, ImageHead,
        SecretKey, View,
    };

    /// Encrypts a photo on all cores and writes the encrypted image; returns its head.
    ///
    /// # Errors
    /// As [`ImageEncryptor`]; errors of the watcher; [`crate::error::Code::Io`].
    pub fn encrypt_image(
        key: EncryptionKey,
        photo: &Photo,
        options: &EncryptOptions,
        output: &mut dyn Write,
        watch: &dyn Watch,
    ) -> Result<ImageHead> {
        let encryptor = ImageEncryptor::new(key, photo, options)?;
        let (header, frames) = Frames::write(encryptor.head().clone());
        output.write_all(&header)?;
        let total = frames.head.layout.rows();
        for row in 0..total {
            watch.check()?;
            output.write_all(&frames.write_frame(row, &encryptor.encrypt_row(row)?))?;
            watch.progress(u64::from(row) + 1, u64::from(total));
        }
        output.flush()?;
        Ok(frames.head)
    }

    /// Options for the decryption of an image.
    pub struct DecryptOptions {
        /// How to show values outside 0 to 255.
        pub view: View,
        /// Which images to accept, and whether to verify what the server did.
        pub check: Check,
        /// The filters that must have been applied, if known.
        pub expect: Option<Expectation>,
        /// How to read the key's tables.
        pub lookup: Lookup,
        /// The original photos, to compare a sample of pixels with. If empty, nothing is compared.
        pub originals: Vec<Photo>,
    }

    impl Default for DecryptOptions {
        /// Options that verify images of the owner's photos and refuse others.
        fn default() -> Self {
            Self {
                view: View::default(),
                check: Check::Required,
                expect: None,
                lookup: Lookup::Direct,
                originals: Vec::new(),
            }
        }
    }

    /// A decrypted image.
    pub struct Decrypted {
        /// Its header.
        pub head: ImageHead,
        /// The picture.
        pub canvas: Canvas,
        /// Whether it was verified that the server did what the header says.
        pub verified: bool,
    }

    /// Reads an encrypted image of the owner's photos and decrypts it on all cores, verifying what was done to them.
    ///
    /// # Errors
    /// As [`decrypt_image_with`].
    pub fn decrypt_image(
        key: &SecretKey,
        input: &mut (dyn Read + Send),
        view: View,
        limits: &Limits,
        watch: &dyn Watch,
    ) -> Result<(ImageHead, Canvas)> {
        let options = DecryptOptions { view, ..DecryptOptions::default() };
        let Decrypted { head, canvas, .. } = decrypt_image_with(key, input, options, limits, watch)?;
        Ok((head, canvas))
    }

    /// Reads an encrypted image and decrypts it on all cores.
    ///
    /// # Errors
    /// As [`ImageDecryptor`] and [`crate::wire`]; errors of the watcher; [`crate::error::Code::Io`].
    pub fn decrypt_image_with(
        key: &SecretKey,
        input: &mut (dyn Read + Send),
        options: DecryptOptions,
        limits: &Limits,
        watch: &dyn Watch,
    ) -> Result<Decrypted> {
        let mut image = ImageReader::open(&mut *input, limits, 1)?;
        let head = image.frames.head.clone();
        let mut decryptor = ImageDecryptor::new(key, &head, options.check, options.lookup)?;
        options.expect.iter().try_for_each(|expectation| decryptor.expect(expectation))?;
        if !options.originals.is_empty() {
            decryptor.compare_with(options.originals)?;
        }
        let mut canvas = Canvas::new(&head, options.view);
        let total = head.layout.rows();
        for row in 0..total {
            watch.check()?;
            if let Some(values) = decryptor.decrypt_row(key, row, &image.next_row()?)? {
                canvas.place(row, &values)?;
            }
            watch.progress(u64::from(row) + 1, u64::from(total));
        }
        let verified = decryptor.verifies();
        decryptor.finish()?;
        at_end(input)?;
        Ok(Decrypted { head, canvas, verified })
    }
}
#[cfg(feature = "client")]
pub use client::{DecryptOptions, Decrypted, decrypt_image, decrypt_image_with, encrypt_image};
