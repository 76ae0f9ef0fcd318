//! Networks: learning them from pictures, writing them to files, and refusing what is invalid.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use safelight::error::{Code, Error, Result};
use safelight::learn::network::{NetworkTrainer, Settings};
use safelight::network::wire::{read, read_spec, write, write_spec};
use safelight::network::{Circuit, Network, PRECISION};
use safelight::photo::Photo;
use safelight::schemes::ckks::encode::Encoder;
use safelight::schemes::ckks::ring::Ring;
use safelight::schemes::ckks::secret::SecretKey;
use safelight::watch::{NoWatch, Watch};

const LABELS: [&str; 3] = ["across", "down", "checks"];

/// Stripes across, down, or both, at varying positions and with noise.
fn picture(class: usize, number: usize) -> Photo {
    let mut state = u32::try_from(class * 1000 + number).unwrap().wrapping_mul(2_654_435_761);
    let samples = (0..20 * 16).map(|i| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (x, y) = ((i % 20 + number) / 3 % 2, (i / 20 + number) / 3 % 2);
        let light = [y, x, x ^ y][class];
        u8::try_from(u32::try_from(light * 100).unwrap() + 40 + (state >> 26)).unwrap()
    });
    Photo::from_samples(20, 16, 1, samples.collect()).unwrap()
}

fn train(hidden: usize, watch: &dyn Watch) -> Result<Network> {
    let settings = Settings { hidden, filters: 4, epochs: 30, ..Settings::default() };
    let mut trainer = NetworkTrainer::new(settings)?;
    for number in 0..60 {
        for (class, label) in LABELS.iter().enumerate() {
            trainer.add(label, &picture(class, number))?;
        }
    }
    trainer.finish(watch)
}

#[test]
fn pictures_are_learned_from_and_the_same_is_said_of_encrypted_ones() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    for hidden in [0, 8] {
        let network = train(hidden, &NoWatch).unwrap();
        let spec = network.spec();
        let ring = Ring::new(spec.parameters()).unwrap();
        let encoder = Arc::new(Encoder::new(&ring));
        let (secret, _) = SecretKey::generate(&ring, &mut rng).unwrap();
        let keys = spec.evaluation_keys(&ring, &secret, &mut rng).unwrap();
        let circuit = Circuit::new(Arc::clone(&ring), Arc::clone(&encoder), &network).unwrap();
        let mut right = 0;
        for (number, class) in (100..110).flat_map(|number| (0..3).map(move |class| (number, class))) {
            let features = spec.input().of(&picture(class, number)).unwrap();
            let clear = network.decide(&features);
            right += usize::from(clear.class == class);
            let picture = spec.encrypt(&ring, &encoder, &secret, &features, &mut rng).unwrap();
            let scores = circuit.run(keys.clone(), &picture.ciphertext, &NoWatch).unwrap();
            let opened = spec.open(&ring, &encoder, &secret, &scores).unwrap();
            let worst = clear.scores.iter().zip(&opened.scores).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < PRECISION, "{worst}");
            assert_eq!(clear.class, opened.class);
        }
        assert!(right >= 28, "{right} of 30");
    }
}

#[test]
fn the_same_pictures_give_the_same_network() {
    let (one, other) = (train(8, &NoWatch).unwrap(), train(8, &NoWatch).unwrap());
    assert_eq!(write(&one).unwrap(), write(&other).unwrap());
}

#[test]
fn files_come_back_as_they_were() {
    for hidden in [0, 8] {
        let network = train(hidden, &NoWatch).unwrap();
        let bytes = write(&network).unwrap();
        assert_eq!(read(&bytes).unwrap(), network);
        let spec = write_spec(network.spec()).unwrap();
        assert_eq!(read_spec(&spec).unwrap(), *network.spec());
        // The network's file contains the public part unchanged, after the header of 4 bytes.
        assert_eq!(bytes[24..24 + spec.len()], spec);
        assert_eq!(read(&spec).unwrap_err().kind(), Code::WrongKind);
        assert_eq!(read_spec(&bytes).unwrap_err().kind(), Code::WrongKind);
    }
}

#[test]
fn damaged_files_are_refused() {
    let network = train(8, &NoWatch).unwrap();
    let (bytes, spec) = (write(&network).unwrap(), write_spec(network.spec()).unwrap());
    let read = |bytes: &[u8], whole: bool| if whole { read(bytes).map(drop) } else { read_spec(bytes).map(drop) };
    for (good, whole) in [(&bytes[..], true), (&spec[..], false)] {
        let read = |bytes: &[u8]| read(bytes, whole);
        assert!(read(good).is_ok());
        for length in (0..good.len()).step_by(7).chain(0..80) {
            assert!(read(&good[..length]).is_err(), "{length} bytes are enough");
        }
        for place in (0..good.len()).step_by(11).chain(0..80) {
            let mut bad = good.to_vec();
            bad[place] ^= 1;
            assert!(read(&bad).is_err(), "byte {place} can be anything");
        }
        assert_eq!(read(&[good, &[0]].concat()).unwrap_err().kind(), Code::TrailingData);
    }
}

/// Replaces bytes in the header of a file, and corrects the checksums.
fn with_header(file: &[u8], place: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let header = usize::try_from(u32::from_le_bytes(file[12..16].try_into().unwrap())).unwrap();
    file[16 + place..16 + place + bytes.len()].copy_from_slice(bytes);
    let crc = crc32fast::hash(&file[..16 + header]).to_le_bytes();
    file[16 + header..20 + header].copy_from_slice(&crc);
    let end = file.len() - 4;
    let crc = crc32fast::hash(&file[16 + header..end]).to_le_bytes();
    file[end..].copy_from_slice(&crc);
    file
}

#[test]
fn hostile_headers_are_refused_before_anything_is_made_of_them() {
    let network = train(8, &NoWatch).unwrap();
    let (bytes, spec) = (write(&network).unwrap(), write_spec(network.spec()).unwrap());
    let code = |place: usize, bytes: &[u8]| read_spec(&with_header(&spec, place, bytes)).unwrap_err().kind();
    assert_eq!(read_spec(&with_header(&spec, 0, &1u16.to_le_bytes())).unwrap(), *network.spec());
    assert_eq!(code(0, &77u16.to_le_bytes()), Code::UnknownParameters);
    // Width, channels, side, stride, cells, filters, labels, hidden, threshold, length of labels.
    assert_eq!(code(2, &u32::MAX.to_le_bytes()), Code::BadHeader);
    assert_eq!(code(10, &[2]), Code::Truncated);
    assert_eq!(code(11, &[255]), Code::Truncated);
    assert_eq!(code(12, &[0]), Code::BadHeader);
    assert_eq!(code(13, &[255]), Code::Truncated);
    assert_eq!(code(14, &u16::MAX.to_le_bytes()), Code::Truncated);
    assert_eq!(code(16, &2u16.to_le_bytes()), Code::BadHeader);
    assert_eq!(code(16, &4u16.to_le_bytes()), Code::BadHeader);
    assert_eq!(code(18, &u16::MAX.to_le_bytes()), Code::BadHeader);
    assert_eq!(code(20, &f32::NAN.to_le_bytes()), Code::BadHeader);
    assert_eq!(code(24, &u32::MAX.to_le_bytes()), Code::Truncated);
    let of_network = |length: u32| read(&with_header(&bytes, 0, &length.to_le_bytes())).unwrap_err().kind();
    assert_eq!(of_network(u32::MAX), Code::Truncated);
    assert_eq!(of_network(0), Code::Truncated);
    assert_eq!(of_network(u32::try_from(spec.len() - 1).unwrap()), Code::Truncated);
    assert_eq!(of_network(u32::try_from(spec.len() + 1).unwrap()), Code::TrailingData);
}

/// A watcher that ends the work immediately.
struct Impatient;

impl Watch for Impatient {
    fn check(&self) -> Result<()> {
        Err(Error::new(Code::Cancelled, "enough"))
    }
}

#[test]
fn training_is_refused_or_ends_early() {
    assert_eq!(train(8, &Impatient).unwrap_err().kind(), Code::Cancelled);
    let new = |settings| NetworkTrainer::new(settings).err().map(|error: Error| error.kind());
    assert_eq!(new(Settings { hidden: 5000, ..Settings::default() }), Some(Code::BadArgument));
    assert_eq!(new(Settings { filters: 0, ..Settings::default() }), Some(Code::BadArgument));
    assert_eq!(new(Settings { epochs: 0, ..Settings::default() }), Some(Code::BadArgument));
    let mut trainer = NetworkTrainer::new(Settings::default()).unwrap();
    let narrow = Photo::from_samples(500, 5, 1, vec![7; 2500]).unwrap();
    assert_eq!(trainer.add("a", &narrow).unwrap_err().kind(), Code::BadArgument);
    trainer.add("a", &picture(0, 0)).unwrap();
    assert_eq!(trainer.add("", &picture(0, 0)).unwrap_err().kind(), Code::BadArgument);
    // A picture of any size, in colour.
    trainer.add("a", &Photo::from_samples(50, 90, 3, vec![7; 13_500]).unwrap()).unwrap();
    assert_eq!(trainer.finish(&NoWatch).unwrap_err().kind(), Code::BadArgument);
}
