//! The bodies of the fuzz targets, one for each parser. A body must come back from any input; where the input is good,
//! it checks what must then hold.
//!
//! `tests/fuzz_smoke.rs` includes this file too, so it uses nothing but `safelight` and `crc32fast`.

use std::path::Path;
use std::sync::LazyLock;

use safelight::learn::wire as model_file;
use safelight::network::Input;
use safelight::network::wire as network_file;
use safelight::photo::{self, Colour, Outline, Photo, encode_png, encode_png_in};
use safelight::schemes::etc::file::{encode_png as encode_scrambled, read_label};
use safelight::schemes::etc::label::sheet_limits;
use safelight::schemes::etc::{self, Label, MasterKey};
use safelight::schemes::paillier::stream::{DecryptOptions, Limits, check_image, decrypt_image_with, run_filter};
use safelight::schemes::paillier::wire::image::Frames;
use safelight::schemes::paillier::wire::key::{
    read_encryption_key, read_public, read_secret, write_public, write_secret,
};
use safelight::schemes::paillier::{Check, Filter, SecretKey, phe};
use safelight::watch::NoWatch;
use safelight::wire::{PROLOGUE_BYTES, Prologue, age};

#[path = "ckks.rs"]
pub mod ckks;

/// What a target does with an input.
pub type Body = fn(&[u8]);

/// The name and the body of every target.
pub const ALL: [(&str, Body); 20] = [
    ("photo", photo),
    ("colour", colour),
    ("image_header", image_header),
    ("frames", frames),
    ("public_key", public_key),
    ("secret_key", secret_key),
    ("protected_key", protected_key),
    ("filter_query", filter_query),
    ("phe_json", phe_json),
    ("etc_key", etc_key),
    ("etc_label", etc_label),
    ("etc_picture", etc_picture),
    ("model", model),
    ("network", network),
    ("ciphertext", ckks::ciphertext),
    ("plaintext", ckks::plaintext),
    ("ckks_public_key", ckks::public_key),
    ("switch_key", ckks::switch_key),
    ("evaluation_keys", ckks::evaluation_keys),
    ("ckks_secret_key", ckks::secret_key),
];

/// Small, so that an input which keeps its promises is soon done.
fn small() -> Limits {
    Limits { max_bytes: 1 << 20, max_pixels: 1 << 16, max_ciphertexts: 200, ..Limits::default() }
}

/// A photo file, of whatever kind.
pub fn photo(data: &[u8]) {
    let limits = photo::Limits { max_pixels: 1 << 16, max_side: 4096, max_alloc: 1 << 22 };
    outline(data, &limits);
    let Ok(photo) = Photo::decode(data, &limits) else { return };
    // A page learns the same of the file as the command line.
    let outline = Outline::new(data, &limits).expect("what is decoded can be looked through");
    assert!(outline.notices().iter().all(|notice| photo.notices().contains(notice)));
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    assert!(width > 0 && height > 0 && width * height <= 1 << 16);
    assert_eq!(photo.samples().len(), width * height * usize::from(photo.channels()));
    assert!(photo.alpha().is_none_or(|alpha| alpha.len() == width * height));
    let file = encode_png(photo.width(), photo.height(), photo.channels(), photo.samples(), photo.alpha());
    let again = Photo::decode(&file.expect("a photo can be written"), &limits).expect("and read");
    assert!(again.samples() == photo.samples() && again.alpha() == photo.alpha());
}

/// What a photo's samples mean, most often an ICC profile: it is written into a file as it is, and conversion ends.
pub fn colour(data: &[u8]) {
    let Ok(colour) = Colour::from_bytes(data) else { return };
    assert!(
        matches!(colour, Colour::Srgb) || Colour::from_bytes(&colour.to_bytes()).is_ok_and(|again| again == colour)
    );
    let plain = colour.is_srgb();
    for channels in [1u8, 3] {
        let samples: Vec<u8> = (0..16 * channels).map(|i| i.wrapping_mul(37)).collect();
        let file = encode_png_in(&colour, 4, 4, channels, &samples, None).expect("a photo can be written");
        Photo::decode(&file, &photo::Limits::default()).expect("and read");
        let photo = Photo::from_samples(4, 4, channels, samples.clone()).expect("a photo").with_colour(colour.clone());
        let photo = photo.into_srgb();
        assert!(*photo.colour() == Colour::Srgb && photo.samples().len() == samples.len());
        assert!(!plain || photo.samples() == samples);
    }
}

/// What others are told to decode lies in the file, piece by piece, and as many samples as they must find make a photo.
fn outline(data: &[u8], limits: &photo::Limits) {
    let Ok(outline) = Outline::new(data, limits) else { return };
    let ends = outline.parts().iter().fold(0, |end, part| {
        assert!(end <= part.start && part.start <= part.end);
        part.end
    });
    assert!(ends <= data.len());
    if let Some(ended) = outline.ended(data) {
        let again = Outline::new(&ended, limits).expect("a file with an end");
        assert!(again.ended(&ended).is_none());
    }
    let Some(per_pixel) = outline.plain() else { return };
    let pixels = outline.width() as usize * outline.height() as usize;
    let photo = outline.photo(vec![7; pixels * usize::from(per_pixel)], None).expect("a photo");
    assert_eq!(photo.width() as usize * photo.height() as usize, pixels);
}

/// Prologue and header of an encrypted image.
pub fn image_header(data: &[u8]) {
    let _ = Prologue::parse(data);
    for data in [data.to_vec(), repaired(data)] {
        if let Ok(frames) = Frames::read(&data) {
            assert!(frames.total_bytes() >= (frames.header_bytes() + frames.frame_bytes()) as u64);
            // There is one way to write a header.
            let (header, again) = Frames::write(frames.head.clone());
            assert_eq!(header, data[..frames.header_bytes()]);
            assert_eq!(again.head, frames.head);
        }
    }
}

/// A whole encrypted image: filtered, checked, decrypted. The first byte chooses the filter.
pub fn frames(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let filters = [
        ("mean", vec![("radius", "1")]),
        ("sobel-x", vec![]),
        ("kernel", vec![("weights", "1,-2,3;-4,5,6;7,8,-9"), ("divisor", "3")]),
        ("brightness", vec![("offset", "-9")]),
        ("blend", vec![("share", "30")]),
        ("gaussian", vec![("sigma", "2")]),
    ];
    let (name, parameters) = &filters[usize::from(*choice) % filters.len()];
    let parameters: Vec<_> = parameters.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    let filter = Filter::parse(name, &parameters).expect("a good filter");
    for data in [data.to_vec(), repaired(data)] {
        let checked = check_image(&mut &data[..], &small(), &NoWatch);
        let mut output = Vec::new();
        if run_filter(&mut &data[..], &mut output, &filter, &small(), &NoWatch).is_ok() {
            let result = check_image(&mut &output[..], &small(), &NoWatch).expect("a result is a good image");
            assert_eq!(result.total_bytes(), output.len() as u64);
            assert!(filter.inputs() == 2 || checked.is_ok(), "filtered though it is not good");
        }
        let options = DecryptOptions { check: Check::WherePossible, ..DecryptOptions::default() };
        if let Some(key) = test_key()
            && decrypt_image_with(key, &mut &data[..], options, &small(), &NoWatch).is_ok()
        {
            assert!(checked.is_ok(), "decrypted though it is not good");
        }
    }
}

/// A public key file.
pub fn public_key(data: &[u8]) {
    for data in [data.to_vec(), repaired(data)] {
        let _ = read_encryption_key(&data);
        if let Ok(key) = read_public(&data) {
            assert_eq!(write_public(&key), data);
        }
    }
}

/// A secret key file.
pub fn secret_key(data: &[u8]) {
    for data in [data.to_vec(), repaired(data)] {
        if let Ok(key) = read_secret(&data) {
            assert_eq!(*write_secret(&key), data);
            assert_eq!(read_encryption_key(&data).expect("the same").public(), key.public());
        }
    }
}

/// A key file under a passphrase. Only cheap ones are opened.
pub fn protected_key(data: &[u8]) {
    if age::cost(data).is_ok_and(|cost| cost <= 8)
        && let Ok(payload) = age::open(data, "pass")
    {
        assert!(payload.len() <= age::MAX_PAYLOAD && payload.len() < data.len());
    }
}

/// A filter as in an address: `name?parameter=value&parameter=value`.
pub fn filter_query(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (name, query) = text.split_once('?').unwrap_or((&text, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let parameters: Vec<_> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    let Ok(filter) = Filter::parse(name, &parameters) else { return };
    assert_eq!(filter.kernels().len(), filter.inputs());
    let _ = (filter.radius(), filter.slot_bits());
    // Its text means the same filter and may stand in a history.
    let canonical = filter.to_string();
    assert!(canonical.len() < 4096 && !canonical.chars().any(char::is_control));
    let mut words = canonical.split(' ');
    let name = words.next().expect("a name");
    let parameters: Vec<_> = words
        .map(|word| word.split_once('=').expect("name=value"))
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    assert_eq!(Filter::parse(name, &parameters).expect("its own text"), filter);
}

/// The JSON of python-paillier.
pub fn phe_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(phe::Key::Public(key)) = phe::read_key(text) {
        let again = phe::read_key(&phe::write_public_key(&key)).expect("its own text");
        assert!(matches!(again, phe::Key::Public(again) if again == key));
    }
    if let Ok((key, numbers)) = phe::read_numbers(text, None) {
        let ciphertexts: Vec<_> = numbers.iter().map(|number| number.ciphertext.clone()).collect();
        let (again, same) = phe::read_numbers(&phe::write_numbers(&key, &ciphertexts), None).expect("its own text");
        assert!(again == key && same.iter().map(|number| &number.ciphertext).eq(&ciphertexts));
        assert!(numbers.iter().all(|number| number.value(&1.into()).parse::<f64>().is_ok()));
    }
}

/// A key file of scrambled pictures.
pub fn etc_key(data: &[u8]) {
    for data in [data.to_vec(), repaired(data)] {
        if let Ok(key) = etc::wire::read_key(&data) {
            assert_eq!(*etc::wire::write_key(&key), data);
        }
    }
}

/// The line of text that travels with a scrambled picture.
pub fn etc_label(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(label) = text.parse::<Label>() else { return };
    assert_eq!(label.to_string().parse::<Label>().expect("its own text"), label);
    let ((width, height, _), block) = (label.sheet_size(), u32::from(label.block));
    assert!(width.is_multiple_of(block) && height.is_multiple_of(block));
    assert!(width >= label.width && height >= label.height);
    sheet_limits().check(width, height).expect("a picture that can be");
    assert_eq!(label.blocks() as u64, u64::from(width / block) * u64::from(height / block));
}

/// A scrambled picture with its label, put together with another key than its own.
pub fn etc_picture(data: &[u8]) {
    let Ok(Some(mut label)) = read_label(data) else { return };
    let limits = photo::Limits { max_pixels: 1 << 16, max_side: 4096, max_alloc: 1 << 22 };
    let Ok(picture) = Photo::decode(data, &limits) else { return };
    let key = MasterKey::from_bytes([7; 32]);
    assert!(label.key == key.id() || etc::decrypt(&picture, &label, &key).is_err(), "opened with a foreign key");
    label.key = key.id();
    let Ok(photo) = etc::decrypt(&picture, &label, &key) else { return };
    let size = (label.width, label.height, label.channels);
    assert_eq!((photo.width(), photo.height(), photo.channels()), size);
    let file = encode_scrambled(&picture, Some(&label)).expect("a picture can be written");
    assert_eq!(read_label(&file).expect("its label"), Some(label));
}

/// The published test key, where the test vectors are at hand.
fn test_key() -> Option<&'static SecretKey> {
    static KEY: LazyLock<Option<SecretKey>> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let place = "tests/vectors/valid/published-test-2048.key";
        let file = std::fs::read(root.join(place)).or_else(|_| std::fs::read(root.join("..").join(place)));
        read_secret(&file.ok()?).ok()
    });
    KEY.as_ref()
}

/// The same with right checksums, so that a change is seen by what lies behind them.
fn repaired(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    let Ok(prologue) = Prologue::parse(&data) else { return data };
    let end = PROLOGUE_BYTES + prologue.header_bytes;
    if data.len() < end + 4 {
        return data;
    }
    let crc = crc32fast::hash(&data[..end]).to_le_bytes();
    data[end..end + 4].copy_from_slice(&crc);
    if let Ok(frames) = Frames::read(&data) {
        let length = frames.frame_bytes();
        for (index, frame) in (0u32..).zip(data[end + 4..].chunks_exact_mut(length)) {
            let (ciphertexts, sum) = frame.split_at_mut(length - 4);
            let mut hasher = crc32fast::Hasher::new();
            hasher.update(&crc);
            hasher.update(&index.to_le_bytes());
            hasher.update(ciphertexts);
            sum.copy_from_slice(&hasher.finalize().to_le_bytes());
        }
    }
    data
}

/// A model, whose checksums are made right first: a fuzzer hardly ever hits on them.
pub fn model(data: &[u8]) {
    let Some(bytes) = with_checksums(data) else { return };
    let Ok(model) = model_file::read(&bytes, &NoWatch) else { return };
    assert_eq!(model_file::write(&model).expect("a model can be written"), bytes);
    let shape = model.parts().shape;
    if shape.samples() <= 1 << 16
        && let Ok(verdict) = model.classify(shape, &vec![77; shape.samples()])
    {
        assert!(verdict.class < model.parts().labels.len());
    }
}

/// A network or the public part of one, likewise.
pub fn network(data: &[u8]) {
    let Some(bytes) = with_checksums(data) else { return };
    if let Ok(spec) = network_file::read_spec(&bytes) {
        let written = network_file::write_spec(&spec).expect("it can be written");
        assert_eq!(network_file::read_spec(&written).as_ref(), Ok(&spec));
        // What version 1 can express is written in version 1.
        assert!(written == bytes || (written[8], bytes[8]) == (1, 2));
        assert!(!spec.needs().is_empty());
        let shape = spec.input().shape();
        let filters = match spec.input() {
            Input::Patches(patches) => patches.filters.len(),
            Input::Pixels(_) => 1,
        };
        if shape.samples() * filters <= 1 << 20 {
            let photo = Photo::from_samples(shape.width, shape.height, shape.channels, vec![77; shape.samples()]);
            let numbers = spec.input().of(&photo.expect("a photo")).expect("numbers");
            assert!(numbers.iter().all(|number| number.is_finite()));
        }
    }
    let Ok(network) = network_file::read(&bytes) else { return };
    let written = network_file::write(&network).expect("a network can be written");
    assert_eq!(network_file::read(&written).as_ref(), Ok(&network));
    if bytes.len() <= 1 << 14 {
        assert!(network.decide(&[0.5; 16]).class < network.spec().labels().len());
    }
}

/// The same with the right checksums of the header, and of all that follows.
fn with_checksums(data: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = data.to_vec();
    let header = Prologue::parse(data).ok()?.total_bytes();
    if bytes.len() >= header + 4 {
        let crc = crc32fast::hash(&bytes[..header - 4]).to_le_bytes();
        bytes[header - 4..header].copy_from_slice(&crc);
        let end = bytes.len() - 4;
        let crc = crc32fast::hash(&bytes[header - 4..end]).to_le_bytes();
        bytes[end..].copy_from_slice(&crc);
    }
    Some(bytes)
}
