//! The test vectors: files that every reader of the format must accept, and files that it must refuse with the correct code.
//! `tests/vectors/README.md` explains how they are made.

#[path = "vectors/ckks.rs"]
mod ckks;
#[path = "vectors/clear.rs"]
mod clear;
#[path = "vectors/hostile.rs"]
mod hostile;
#[path = "vectors/network.rs"]
mod network;
#[path = "vectors/raw.rs"]
mod raw;
#[path = "vectors/valid.rs"]
mod valid;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use hostile::Found;
use proptest::prelude::*;
use safelight::error::{Code, Result};
use safelight::network::wire as network_file;
use safelight::photo::Photo;
use safelight::schemes::ckks::encode::Encoder;
use safelight::schemes::ckks::parameters::SMALL;
use safelight::schemes::ckks::plaintext::Plaintext;
use safelight::schemes::ckks::ring::Ring;
use safelight::schemes::ckks::wire as files;
use safelight::schemes::paillier::stream::{
    DecryptOptions, Limits, check_image, decrypt_image, decrypt_image_with, run_filter,
};
use safelight::schemes::paillier::wire::key::{
    read_encryption_key, read_public, read_secret, write_public, write_secret,
};
use safelight::schemes::paillier::{Check, Filter, SecretKey, View};
use safelight::watch::NoWatch;
use serde_json::{Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn read(file: &str) -> Vec<u8> {
    fs::read(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn manifest() -> Value {
    serde_json::from_slice(&read("manifest.json")).expect("JSON")
}

/// The manifest's entries in one list, each with its file's bytes.
fn entries(list: &str, kind: &str) -> Vec<(String, Value, Vec<u8>)> {
    let manifest = manifest();
    let all = manifest[list].as_array().expect("a list").iter();
    let chosen = all.filter(|entry| entry["kind"] == kind);
    chosen.map(|entry| (text(entry, "file"), entry.clone(), read(&text(entry, "file")))).collect()
}

fn text(entry: &Value, name: &str) -> String {
    entry[name].as_str().unwrap_or_else(|| panic!("{name} is missing in {entry}")).to_owned()
}

fn filter(name: &str, parameters: &[(&str, &str)]) -> Filter {
    let parameters: Vec<_> = parameters.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    Filter::parse(name, &parameters).expect(name)
}

fn run(filter: &Filter, mut input: &[u8]) -> Result<Vec<u8>> {
    let mut output = Vec::new();
    run_filter(&mut input, &mut output, filter, &Limits::default(), &NoWatch)?;
    Ok(output)
}

fn check(mut input: &[u8]) -> Result<()> {
    check_image(&mut input, &Limits::default(), &NoWatch).map(drop)
}

/// The values of the picture. Other programs made the vectors, so their masks and tiles are arbitrary.
fn decrypt(key: &SecretKey, mut input: &[u8]) -> Result<Vec<i64>> {
    let options = DecryptOptions { view: View::Exact16, check: Check::None, ..DecryptOptions::default() };
    let opened = decrypt_image_with(key, &mut input, options, &Limits::default(), &NoWatch)?;
    Ok(opened.canvas.samples().iter().map(|&sample| i64::from(sample) - 32768).collect())
}

static TEST_KEY: LazyLock<SecretKey> =
    LazyLock::new(|| read_secret(&read("valid/published-test-2048.key")).expect("a good key"));

fn code<T>(result: Result<T>) -> Option<Code> {
    result.err().map(|error| error.kind())
}

/// All generated files under `tests/vectors`, by path.
fn generated() -> BTreeMap<String, Vec<u8>> {
    let line = |entry: Value| format!("    {entry}");
    let (mut valid, mut hostile) = (Vec::new(), Vec::new());
    let mut files = BTreeMap::new();
    for made in valid::all() {
        valid.push(line(made.entry));
        assert!(files.insert(made.file.clone(), made.bytes).is_none(), "{} is there twice", made.file);
    }
    for made in hostile::all() {
        let entry = json!({ "file": made.file, "kind": made.found.name(), "code": made.code.as_str() });
        hostile.push(line(entry));
        assert!(files.insert(made.file.clone(), made.bytes).is_none(), "{} is there twice", made.file);
    }
    let manifest = format!(
        "{{\n  \"valid\": [\n{}\n  ],\n  \"hostile\": [\n{}\n  ]\n}}\n",
        valid.join(",\n"),
        hostile.join(",\n")
    );
    files.insert("manifest.json".into(), manifest.into_bytes());
    files
}

/// The existing files by path, without those written by hand.
fn present() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::from([("manifest.json".to_owned(), read("manifest.json"))]);
    for list in ["valid", "hostile"] {
        for entry in fs::read_dir(folder().join(list)).expect("a folder") {
            let name = format!("{list}/{}", entry.expect("an entry").file_name().to_string_lossy());
            let bytes = read(&name);
            files.insert(name, bytes);
        }
    }
    files
}

/// Writes the vectors again: `cargo test --test vectors regenerate -- --ignored`.
#[test]
#[ignore = "writes tests/vectors"]
fn regenerate() {
    for list in ["valid", "hostile"] {
        let folder = folder().join(list);
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("removed");
        }
        fs::create_dir_all(folder).expect("made");
    }
    for (file, bytes) in generated() {
        fs::write(folder().join(file), bytes).expect("written");
    }
}

#[test]
fn the_files_are_what_the_generator_makes() {
    let (generated, present) = (generated(), present());
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&generated), names(&present));
    for (file, bytes) in generated {
        assert!(present[&file] == bytes, "{file} is not what the generator makes");
    }
    let total: usize = present.values().map(Vec::len).sum();
    assert!(total < 1 << 20 && present.values().all(|bytes| bytes.len() < 100_000), "{total} bytes are too many");
}

#[test]
fn valid_keys_are_read_and_written_again_unchanged() {
    for (file, entry, bytes) in entries("valid", "public_key") {
        let key = read_public(&bytes).expect(&file);
        assert_eq!(write_public(&key), bytes, "{file}");
        assert_eq!(entry["id"], key.id().to_string(), "{file}");
        assert_eq!(entry["n"], format!("{:x}", key.n()), "{file}");
        assert_eq!(entry["bits"], key.bits(), "{file}");
        assert_eq!(*read_encryption_key(&bytes).expect(&file).public(), key, "{file}");
        assert_eq!(code(read_secret(&bytes)), Some(Code::WrongKind), "{file}");
        assert_eq!(code(check(&bytes)), Some(Code::WrongKind), "{file}");
    }
    for (file, entry, bytes) in entries("valid", "secret_key") {
        let key = read_secret(&bytes).expect(&file);
        assert_eq!(*write_secret(&key), bytes, "{file}");
        assert_eq!(entry["id"], key.public().id().to_string(), "{file}");
        assert_eq!(read_encryption_key(&bytes).expect(&file).public(), key.public(), "{file}");
        assert_eq!(code(read_public(&bytes)), Some(Code::WrongKind), "{file}");
        assert_eq!(code(check(&bytes)), Some(Code::WrongKind), "{file}");
    }
}

#[test]
fn valid_images_decrypt_to_their_pixels() {
    let images = entries("valid", "image");
    assert!(images.len() > 10);
    for (file, entry, bytes) in images {
        let frames = check_image(&mut &bytes[..], &Limits::default(), &NoWatch).expect(&file);
        let head = &frames.head;
        let (layout, encoding) = (&head.layout, &head.encoding);
        let said = json!({
            "width": layout.width, "height": layout.height, "planes": layout.channels, "border": layout.border.as_str(),
            "grid": layout.grid, "halo": layout.halo, "slot_bits": layout.slot_bits, "low": encoding.low,
            "high": encoding.high, "bias": encoding.bias, "divisor": encoding.divisor, "photos": head.origins.len(), "history": head.history,
        });
        for (name, value) in said.as_object().expect("an object") {
            assert_eq!(&entry[name], value, "{file}: {name}");
        }
        assert_eq!(frames.total_bytes(), bytes.len() as u64, "{file}");
        let key = read_secret(&read(&text(&entry, "key"))).expect("a good key");
        assert_eq!(json!(decrypt(&key, &bytes).expect(&file)), entry["pixels"], "{file}");
        let verified = decrypt_image(&key, &mut &bytes[..], View::Exact16, &Limits::default(), &NoWatch);
        assert_eq!(code(verified), Some(Code::NotVerifiable), "{file}");
    }
}

/// The input and the filter determine a result completely, so two servers give the same bytes.
#[test]
fn filters_give_the_very_bytes() {
    let results = entries("valid", "image").into_iter().filter(|(_, entry, _)| entry["filter"].is_string());
    let mut count = 0;
    for (file, entry, bytes) in results {
        let from = entry["from"].as_array().expect("a list").iter();
        let input: Vec<u8> = from.flat_map(|file| read(file.as_str().expect("a name"))).collect();
        let parameters = entry["parameters"].as_object().expect("an object").iter();
        let parameters: Vec<_> = parameters.map(|(k, v)| (k.clone(), v.as_str().expect("text").to_owned())).collect();
        let filter = Filter::parse(&text(&entry, "filter"), &parameters).expect(&file);
        assert!(run(&filter, &input).expect(&file) == bytes, "{file}");
        count += 1;
    }
    assert!(count > 5);
}

#[test]
fn hostile_images_are_refused_with_their_code() {
    let filters = [
        filter("mean", &[("radius", "1")]),
        filter("sharpen", &[]),
        filter("sobel-x", &[]),
        filter("kernel", &[("weights", "1,2,-1;0,3,0;2,-2,1"), ("divisor", "5")]),
    ];
    for (file, entry, bytes) in entries("hostile", Found::Image.name()) {
        let expected = Code::from_name(&text(&entry, "code"));
        assert!(expected.is_some(), "{file}");
        for filter in &filters {
            assert_eq!(code(run(filter, &bytes)), expected, "{file}: {filter}");
        }
        assert_eq!(code(check(&bytes)), expected, "{file}: check");
        assert_eq!(code(decrypt(&TEST_KEY, &bytes)), expected, "{file}: decrypt");
        // As the first of two images, which is copied to a temporary file before it is read.
        let twice = [bytes.clone(), read("valid/grey-5x3.slt")].concat();
        assert!(run(&filter("blend", &[]), &twice).is_err(), "{file}: blend");
    }
    for (file, entry, bytes) in entries("hostile", Found::Filter.name()) {
        assert_eq!(code(run(&filters[0], &bytes)), Code::from_name(&text(&entry, "code")), "{file}");
        assert_eq!(code(check(&bytes)), None, "{file}: check");
    }
    for (file, entry, bytes) in entries("hostile", Found::Decrypt.name()) {
        assert_eq!(code(decrypt(&TEST_KEY, &bytes)), Code::from_name(&text(&entry, "code")), "{file}");
        assert_eq!(code(check(&bytes)), None, "{file}: check");
        assert_eq!(code(run(&filters[0], &bytes)), None, "{file}: filter");
    }
}

#[test]
fn hostile_keys_are_refused_with_their_code() {
    for (file, entry, bytes) in entries("hostile", Found::PublicKey.name()) {
        let expected = Code::from_name(&text(&entry, "code"));
        assert!(expected.is_some(), "{file}");
        assert_eq!(code(read_public(&bytes)), expected, "{file}");
        assert_eq!(code(read_encryption_key(&bytes)), expected, "{file}");
    }
    for (file, entry, bytes) in entries("hostile", Found::SecretKey.name()) {
        let expected = Code::from_name(&text(&entry, "code"));
        assert!(expected.is_some(), "{file}");
        assert_eq!(code(read_secret(&bytes)), expected, "{file}");
        assert_eq!(code(read_encryption_key(&bytes)), expected, "{file}");
    }
}

#[test]
fn valid_vectors_and_their_keys_are_read_and_open() {
    let ring = Ring::new(&SMALL).expect("a ring");
    let encoder = Encoder::new(&ring);
    let mut count = 0;
    let mut shows = |file: &str, entry: &Value, plaintext: &Plaintext| {
        let number = entry["number"].as_f64().expect("a number");
        let numbers = plaintext.decode(&ring, &encoder);
        assert_eq!(json!(numbers.len()), entry["slots"], "{file}");
        assert!(numbers.iter().all(|x| (x.re - number).abs() < 1e-9 && x.im.abs() < 1e-9), "{file}");
        assert_eq!(json!([plaintext.level(), plaintext.scale()]), json!([entry["level"], entry["scale"]]), "{file}");
        count += 1;
    };
    for (file, entry, bytes) in entries("valid", "plaintext") {
        let plaintext = files::read_plaintext(&ring, &bytes).expect(&file);
        shows(&file, &entry, &plaintext);
        assert!(files::write_plaintext(&ring, &plaintext).expect(&file) == bytes, "{file}");
    }
    for (file, entry, bytes) in entries("valid", "ciphertext") {
        let key = files::read_secret(&ring, &read(&text(&entry, "key"))).expect("a good key");
        assert_eq!(*files::write_secret(&ring, &key), read(&text(&entry, "key")), "{file}");
        let ciphertext = files::read_ciphertext(&ring, &bytes).expect(&file);
        assert_eq!(entry["id"], ciphertext.key().to_string(), "{file}");
        shows(&file, &entry, &key.decrypt(&ring, &ciphertext).expect(&file));
    }
    for (file, entry, bytes) in entries("valid", "evaluation_keys") {
        let keys = files::read_set(&ring, &bytes).expect(&file);
        assert_eq!(entry["id"], keys.id().to_string(), "{file}");
        assert!(files::write_set(&ring, &keys).expect(&file) == bytes, "{file}");
        count += 1;
    }
    assert_eq!(count, 3);
}

type VectorReader = fn(&Ring, &[u8]) -> Result<()>;

#[test]
fn hostile_vectors_and_their_keys_are_refused_with_their_code() {
    let ring = Ring::new(&SMALL).expect("a ring");
    let readers: [(Found, VectorReader); 4] = [
        (Found::Ciphertext, |ring, bytes| files::read_ciphertext(ring, bytes).map(drop)),
        (Found::Plaintext, |ring, bytes| files::read_plaintext(ring, bytes).map(drop)),
        (Found::EvaluationKeys, |ring, bytes| files::read_set(ring, bytes).map(drop)),
        (Found::CkksSecretKey, |ring, bytes| files::read_secret(ring, bytes).map(drop)),
    ];
    for (found, reader) in readers {
        let all = entries("hostile", found.name());
        assert!(!all.is_empty());
        for (file, entry, bytes) in all {
            let expected = Code::from_name(&text(&entry, "code"));
            assert!(expected.is_some(), "{file}");
            assert_eq!(code(reader(&ring, &bytes)), expected, "{file}");
        }
    }
}

#[test]
fn valid_networks_say_what_they_should() {
    for (file, entry, bytes) in entries("valid", "network_front") {
        let spec = network_file::read_spec(&bytes).expect(&file);
        assert_eq!(network_file::write_spec(&spec).expect(&file), bytes, "{file}");
        assert_eq!(json!([spec.labels(), spec.hidden()]), json!([entry["labels"], entry["hidden"]]), "{file}");
    }
    let networks = entries("valid", "network");
    assert!(!networks.is_empty());
    for (file, entry, bytes) in networks {
        let network = network_file::read(&bytes).expect(&file);
        assert_eq!(network_file::write(&network).expect(&file), bytes, "{file}");
        assert_eq!(network_file::write_spec(network.spec()).expect(&file), read(&text(&entry, "front")), "{file}");
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok()).expect("a number");
        let samples = entry["picture"].as_array().expect("a list").iter();
        let samples = samples.map(|sample| u8::try_from(number(sample)).expect("a sample")).collect();
        let photo =
            Photo::from_samples(number(&entry["width"]), number(&entry["height"]), 1, samples).expect("a photo");
        let answer = network.decide(&network.spec().input().of(&photo).expect("numbers"));
        for (score, wanted) in answer.scores.iter().zip(entry["scores"].as_array().expect("scores")) {
            assert!((score - wanted.as_f64().expect("a number")).abs() < 1e-4, "{file}: {score} for {wanted}");
        }
    }
}

#[test]
fn hostile_networks_are_refused_with_their_code() {
    for (found, whole) in [(Found::Front, false), (Found::Network, true)] {
        let all = entries("hostile", found.name());
        assert!(!all.is_empty());
        for (file, entry, bytes) in all {
            let outcome =
                if whole { network_file::read(&bytes).map(drop) } else { network_file::read_spec(&bytes).map(drop) };
            assert_eq!(code(outcome), Code::from_name(&text(&entry, "code")), "{file}");
        }
    }
}

/// The result of reading a file: an error, or everything that the reader learns from it.
fn read_all(file: &str, bytes: &[u8], key: &SecretKey) -> Result<Vec<i64>> {
    match Path::new(file).extension().and_then(|extension| extension.to_str()) {
        Some("pub") => read_public(bytes).map(|_| Vec::new()),
        Some("key") => read_secret(bytes).map(|_| Vec::new()),
        _ => decrypt(key, bytes),
    }
}

#[test]
fn every_single_bit_counts() {
    let tiny = valid::tiny().bytes();
    assert_eq!(code(check(&tiny)), None);
    for bit in 0..tiny.len() * 8 {
        let mut bytes = tiny.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(check(&bytes).is_err(), "bit {bit} of an image");
    }
    for file in ["valid/published-test-2048.pub", "valid/published-test-2048.key"] {
        let good = read(file);
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(read_public(&bytes).is_err() && read_secret(&bytes).is_err(), "bit {bit} of {file}");
        }
    }
}

#[test]
fn every_length_but_the_right_one_is_refused() {
    for file in ["valid/published-test-2048.pub", "valid/published-test-2048.key"] {
        let good = read(file);
        for length in 0..good.len() {
            assert!(read_encryption_key(&good[..length]).is_err(), "{length} bytes of {file}");
        }
    }
    let good = read("valid/grey-5x3.slt");
    for length in (0..good.len()).filter(|length| length % 7 == 0 || *length < 700) {
        assert_eq!(code(check(&good[..length])), Some(Code::Truncated), "{length} bytes of an image");
    }
}

/// The valid files under the key of 2048 bits.
fn some_file() -> impl Strategy<Value = (String, Vec<u8>)> {
    let files = present().into_iter().filter(|(name, bytes)| {
        name.starts_with("valid/")
            && bytes.len() < 25_000
            && !["3072", "4096", "31x2", "1x1", "ckks"].iter().any(|other| name.contains(other))
    });
    prop::sample::select(files.collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_is_an_error_and_never_a_wrong_picture((file, good) in some_file(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut bytes = good;
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(read_all(&file, &bytes, &TEST_KEY).is_err(), "bit {} of byte {} of {}", bit, at, file);
    }

    #[test]
    fn a_shorter_file_is_an_error((file, good) in some_file(), length in any::<prop::sample::Index>()) {
        let length = length.index(good.len());
        prop_assert!(read_all(&file, &good[..length], &TEST_KEY).is_err(), "{} bytes of {}", length, file);
    }

    #[test]
    fn changed_bytes_are_an_error((file, good) in some_file(), at in any::<prop::sample::Index>(), with in prop::collection::vec(any::<u8>(), 1..40)) {
        let at = at.index(good.len());
        let end = (at + with.len()).min(good.len());
        let changed = [&good[..at], &with, &good[end..]].concat();
        prop_assert!(changed == good || read_all(&file, &changed, &TEST_KEY).is_err(), "bytes {}.. of {}", at, file);
    }
}
