//! Scrambled pictures stored in files: PNG preserves everything, JPEG costs no more than usual.

use std::path::PathBuf;

use safelight::photo::quality::psnr;
use safelight::photo::{Limits, Photo};
use safelight::schemes::etc::file::{Jpeg, Subsampling, encode_jpeg, encode_png, read_label};
use safelight::schemes::etc::{Form, MasterKey, Settings, decrypt, encrypt};

/// The folder of the test data: see the README there.
fn data() -> PathBuf {
    std::env::var_os("SAFELIGHT_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from)
}

/// The test photos, if available.
fn photos() -> Vec<(String, Photo)> {
    let Ok(files) = std::fs::read_dir(data().join("photos")) else {
        println!("skipped: there are no photos; SAFELIGHT_DATA names the folder with the test data");
        return Vec::new();
    };
    let mut photos: Vec<_> = files
        .map(|file| file.expect("a file").path())
        .map(|path| {
            let photo = Photo::decode(&std::fs::read(&path).expect("a file"), &Limits::default()).expect("a photo");
            (path.file_name().expect("a name").to_string_lossy().into_owned(), photo)
        })
        .collect();
    photos.sort_by(|a, b| a.0.cmp(&b.0));
    photos
}

fn decoded(file: &[u8]) -> Photo {
    Photo::decode(file, &Limits::default()).expect("a picture")
}

#[test]
fn png_keeps_every_sample_and_the_label() {
    let samples = (0..61 * 47 * 3u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let photo = Photo::from_samples(61, 47, 3, samples).expect("a photo");
    let key = MasterKey::random().expect("a key");
    let (picture, label) = encrypt(&photo, &key, Settings::new(Form::Colour)).expect("scrambled");
    let file = encode_png(&picture, Some(&label)).expect("a file");
    assert_eq!(read_label(&file).expect("a label"), Some(label.clone()));
    assert_eq!(decrypt(&decoded(&file), &label, &key).expect("a photo"), photo);
    assert_eq!(read_label(&encode_png(&picture, None).expect("a file")).expect("no label"), None);
    let jpeg = encode_jpeg(&picture, Some(&label), Jpeg::default()).expect("a file");
    assert_eq!(read_label(&jpeg).expect("a label"), Some(label));
}

#[test]
fn tables_of_its_own_change_no_pixel_of_a_jpeg_file() {
    let noise = |i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8;
    for (width, height, channels) in [(1, 1, 3), (32, 32, 3), (61, 47, 3), (200, 9, 1), (130, 67, 3)] {
        let count = width * height * u32::from(channels);
        for samples in [
            (0..count).map(noise).collect::<Vec<u8>>(),
            (0..count).map(|i| ((i / 50) & 255) as u8).collect(),
            vec![77; count as usize],
        ] {
            let picture = Photo::from_samples(width, height, channels, samples).expect("a photo");
            for subsampling in [Subsampling::Full, Subsampling::Half, Subsampling::Quarter] {
                for quality in [1, 50, 85, 100] {
                    let file = |optimised| {
                        encode_jpeg(&picture, None, Jpeg { quality, subsampling, optimised }).expect("a file")
                    };
                    let (standard, own) = (file(false), file(true));
                    let what = format!("{width} x {height} x {channels}, {subsampling:?}, {quality}");
                    assert!(own.len() < standard.len(), "{what}: {} and {} bytes", own.len(), standard.len());
                    assert_eq!(decoded(&own), decoded(&standard), "{what}");
                    // Sequential JPEG, which every decoder reads.
                    assert!(own.windows(2).any(|marker| marker == b"\xff\xc0"), "{what}");
                }
            }
        }
    }
}

#[test]
#[cfg(feature = "learn")]
fn tables_of_their_own_save_small_pictures_a_quarter() {
    let folder = data().join("cifar10");
    if !folder.is_dir() {
        println!("skipped: there are no CIFAR-10 sheets; SAFELIGHT_DATA names the folder with the test data");
        return;
    }
    let photos = safelight::experiments::cifar::read(&folder, "test").expect("photos");
    let key = MasterKey::from_bytes([12; 32]);
    let mut sums = [0; 2];
    for photo in &photos[..300] {
        let (picture, _) = encrypt(photo, &key, Settings::new(Form::Colour)).expect("scrambled");
        for (sum, optimised) in sums.iter_mut().zip([false, true]) {
            *sum += encode_jpeg(&picture, None, Jpeg { optimised, ..Jpeg::default() }).expect("a file").len();
        }
    }
    let [standard, own] = sums;
    assert!(4 * own < 3 * standard, "{own} of {standard} bytes");
}

#[test]
fn jpeg_costs_what_it_costs_a_plain_photo() {
    let key = MasterKey::from_bytes([11; 32]);
    for (name, photo) in photos() {
        for (form, subsampling) in [
            (Form::Colour, Subsampling::Full),
            (Form::Colour, Subsampling::Quarter),
            (Form::Grey, Subsampling::Full),
            (Form::Grey420, Subsampling::Full),
        ] {
            for quality in [75, 85, 95] {
                let how = Jpeg { quality, subsampling, optimised: true };
                let (picture, label) = encrypt(&photo, &key, Settings::new(form)).expect("scrambled");
                let file = encode_jpeg(&picture, Some(&label), how).expect("a file");
                let back = decrypt(&decoded(&file), &label, &key).expect("a photo");
                let subsampling = if form == Form::Grey420 { Subsampling::Quarter } else { subsampling };
                let plain = encode_jpeg(&photo, None, Jpeg { subsampling, ..how }).expect("a file");
                let (ours, theirs) =
                    (psnr(&back, &photo).expect("one size"), psnr(&decoded(&plain), &photo).expect("one size"));
                // Decoders smooth subsampled chroma across the edges of scrambled blocks. The grey forms avoid this.
                let loss = if form == Form::Colour && subsampling == Subsampling::Quarter { 3.0 } else { 0.2 };
                assert!(ours > theirs - loss, "{name}, {form:?}, {how:?}: {ours} of {theirs} dB");
                println!(
                    "{name:<14} {:<8} {subsampling:?} {quality}: {ours:.2} dB, plain {theirs:.2} dB; {} and {} bytes",
                    form.as_str(),
                    file.len(),
                    plain.len()
                );
            }
        }
    }
}
