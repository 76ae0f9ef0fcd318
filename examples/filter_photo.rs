//! Encrypts a photo, has it filtered by a function that has no key, and decrypts the result.
//!
//! ```sh
//! cargo run --release --example filter_photo -- photo.png blurred.png
//! ```
//!
//! Without arguments, it uses a small picture of its own and writes nothing.

use std::env::args_os;
use std::fs;
use std::sync::Arc;

use safelight::error::Result;
use safelight::math::random;
use safelight::photo::{self, Photo, encode_png};
use safelight::schemes::paillier::stream::{Limits, decrypt_image, encrypt_image, run_filter};
use safelight::schemes::paillier::{Border, EncryptOptions, EncryptionKey, Filter, SecretKey, View};
use safelight::watch::NoWatch;

fn main() -> Result<()> {
    let files: Vec<_> = args_os().skip(1).collect();
    let photo = match files.first() {
        Some(file) => Photo::decode(&fs::read(file)?, &photo::Limits::default())?.into_srgb(),
        None => Photo::from_samples(32, 24, 3, (0..32 * 24 * 3).map(|i| u8::try_from(i % 256).unwrap_or(0)).collect())?,
    };
    let filter = Filter::from_text("gaussian sigma=2")?;

    // The client. Real keys have 3072 bits; this one is made faster.
    let key = Arc::new(SecretKey::generate(2048, &mut random::system())?);
    let options = EncryptOptions::for_filter(&filter, Border::Replicate)?;
    let mut encrypted = Vec::new();
    encrypt_image(EncryptionKey::Owner(Arc::clone(&key)), &photo, &options, &mut encrypted, &NoWatch)?;
    println!("encrypted: {} bytes", encrypted.len());

    // The server: it has the bytes, and nothing else.
    let mut filtered = Vec::new();
    run_filter(&mut &encrypted[..], &mut filtered, &filter, &Limits::default(), &NoWatch)?;
    println!("filtered:  {} bytes", filtered.len());

    // The client.
    let (head, picture) = decrypt_image(&key, &mut &filtered[..], View::default(), &Limits::default(), &NoWatch)?;
    println!("decrypted: {} by {} pixels, {}", photo.width(), photo.height(), head.history);
    if let Some(file) = files.get(1) {
        let samples = picture.samples8();
        fs::write(file, encode_png(photo.width(), photo.height(), photo.channels(), &samples, None)?)?;
    }
    Ok(())
}
