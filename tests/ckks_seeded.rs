//! Evaluation keys made in parts, and deterministic output: the same seed gives the same keys, evaluation keys and ciphertexts
//! of encrypted vectors on every machine, as recorded in `tests/vectors/ckks-seeded.json`. `tests/browser/ckks.test.mjs`
//! compares browsers with the same file.
//!
//! `SAFELIGHT_BLESS=1 cargo test --test ckks_seeded` writes the file again, which is correct only if the format changes.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "tests")]

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use safelight::error::Code;
use safelight::schemes::ckks::bootstrap::{Numbers, Plan};
use safelight::schemes::ckks::encode::Encoder;
use safelight::schemes::ckks::keys::{EvaluationKeys, KeyId};
use safelight::schemes::ckks::parameters::{Parameters, SMALL};
use safelight::schemes::ckks::ring::{CONJUGATION, Ring};
use safelight::schemes::ckks::secret::SecretKey;
use safelight::schemes::ckks::wire::{
    Entry, Purpose, SetMaker, read_ciphertext, write_public, write_secret, write_seeded, write_set,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/ckks-seeded.json");

/// The seeds of the key and of the ciphertext. The seed of part `i` of the evaluation keys is `PART + i`.
const KEY: u8 = 1;
const CIPHERTEXT: u8 = 2;
const PART: u8 = 3;

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn entries(ring: &Ring, encoder: &Encoder, wanted: &Value) -> Vec<Entry> {
    let one = |wanted: &Value| {
        let level = || number(&wanted["level"]);
        match wanted["purpose"].as_str().unwrap() {
            "products" => vec![Entry::up_to(ring, Purpose::Relinearise, level())],
            "rotation" => vec![Entry::rotation(ring, wanted["steps"].as_i64().unwrap(), level()).unwrap()],
            "conjugation" => vec![Entry::up_to(ring, Purpose::Galois(CONJUGATION), level())],
            "automorphism" => vec![Entry::automorphism(ring, wanted["element"].as_u64().unwrap(), level()).unwrap()],
            "bootstrapping" => {
                let plan = Plan::new(ring, encoder, number(&wanted["slots"]), Numbers::Real).unwrap();
                Entry::bootstrapping(ring, &plan)
            }
            other => panic!("{other}"),
        }
    };
    wanted.as_array().unwrap().iter().flat_map(one).collect()
}

#[test]
fn seeds_give_the_same_bytes_as_ever() {
    let mut cases: Value = serde_json::from_slice(&std::fs::read(FILE).unwrap()).unwrap();
    let known = cases.clone();
    for case in cases.as_array_mut().unwrap() {
        let ring = Ring::new(Parameters::named(case["set"].as_str().unwrap()).unwrap()).unwrap();
        let encoder = Encoder::new(&ring);
        let (secret, public) = SecretKey::generate(&ring, &mut rng(KEY)).unwrap();
        let maker = SetMaker::new(&ring, secret.id(), entries(&ring, &encoder, &case["wanted"])).unwrap();
        let parts = case["made"].as_array().unwrap().iter().map(|part| {
            let part = u8::try_from(number(part)).unwrap();
            hash(&maker.make(&ring, &secret, part.into(), &mut rng(PART + part)).unwrap())
        });
        let (count, level) = (number(&case["numbers"]), number(&case["level"]));
        let numbers: Vec<f64> = (0..count).map(|i| (i * 37 % 101) as f64 / 7.0 - 5.0).collect();
        let slots = count.next_power_of_two();
        let plaintext = encoder.encode_real(&ring, &numbers, slots, level, ring.scale(level)).unwrap();
        let seeded = secret.encrypt_seeded(&ring, &plaintext, &mut rng(CIPHERTEXT)).unwrap();
        let ciphertext = write_seeded(&ring, &seeded).unwrap();
        let opened = secret.decrypt(&ring, &read_ciphertext(&ring, &ciphertext).unwrap()).unwrap();
        let opened = opened.decode(&ring, &encoder);
        assert!(opened.iter().zip(&numbers).all(|(opened, number)| (opened.re - number).abs() < 1e-4));
        let opened: Vec<u8> = opened.iter().flat_map(|number| number.re.to_le_bytes()).collect();
        case["sha256"] = json!({
            "secret": hash(&write_secret(&ring, &secret)),
            "public": hash(&write_public(&ring, &public).unwrap()),
            "header": hash(&maker.head().write()),
            "parts": parts.collect::<Vec<_>>(),
            "ciphertext": hash(&ciphertext),
            "opened": hash(&opened),
        });
    }
    if std::env::var_os("SAFELIGHT_BLESS").is_some() {
        std::fs::write(FILE, format!("{cases:#}\n")).unwrap();
    }
    assert!(cases == known || std::env::var_os("SAFELIGHT_BLESS").is_some(), "{cases:#}");
}

#[test]
fn parts_made_one_by_one_are_the_set_that_is_written_at_once() {
    let ring = Ring::new(&SMALL).unwrap();
    let (secret, _) = SecretKey::generate(&ring, &mut rng(1)).unwrap();
    let mut keys = EvaluationKeys::new(secret.id());
    keys.insert_relinearise(secret.relinearisation_key(&ring, 3, &mut rng(2)).unwrap());
    let (element, key) = secret.rotation_key(&ring, 1, 1, &mut rng(3)).unwrap();
    keys.insert_galois(element, key);
    keys.set_encapsulation(secret.encapsulation(&ring, &mut rng(4)).unwrap());

    let entry = |purpose, level| Entry::up_to(&ring, purpose, level);
    let sparse = [entry(Purpose::ToSparse, 0), entry(Purpose::FromSparse, 3)];
    // The order does not matter, and a key that another one can replace is left out.
    let listed = [
        sparse[1],
        entry(Purpose::Galois(element), 0),
        Entry::rotation(&ring, 1, 1).unwrap(),
        sparse[0],
        entry(Purpose::Relinearise, 3),
    ];
    let maker = SetMaker::new(&ring, secret.id(), listed.to_vec()).unwrap();
    let lengths = maker.part_bytes().unwrap();
    let mut made = maker.head().write();
    for (part, seed) in (2..5).enumerate() {
        let bytes = maker.make(&ring, &secret, part, &mut rng(seed)).unwrap();
        assert_eq!(bytes.len() as u64, lengths[part]);
        made.extend(bytes);
    }
    assert_eq!(lengths.len(), 3);
    assert!(made == write_set(&ring, &keys).unwrap());
    let again = SetMaker::of_header(&ring, &maker.head().write()).unwrap();
    assert_eq!(again.head().entries(), maker.head().entries());

    let code = |entries: &[Entry]| SetMaker::new(&ring, secret.id(), entries.to_vec()).err().map(|error| error.kind());
    assert_eq!(code(&[]), Some(Code::BadArgument));
    assert_eq!(code(&sparse[..1]), Some(Code::BadArgument));
    assert_eq!(code(&[Entry { level: 4, ..listed[0] }]), Some(Code::BadArgument));
    assert_eq!(code(&[sparse[0], entry(Purpose::FromSparse, 1)]), Some(Code::BadArgument));
    for element in [1, 4, 2 * 8192 + 1] {
        assert_eq!(Entry::automorphism(&ring, element, 1).err().map(|error| error.kind()), Some(Code::BadArgument));
    }
    assert_eq!(Entry::automorphism(&ring, 2 * 8192 - 1, 1).unwrap().purpose, Purpose::Galois(CONJUGATION));
    let (other, _) = SecretKey::generate(&ring, &mut rng(9)).unwrap();
    assert_eq!(maker.make(&ring, &other, 0, &mut rng(1)).err().map(|error| error.kind()), Some(Code::ForeignKey));
    for part in [3, usize::MAX] {
        assert_eq!(maker.make(&ring, &secret, part, &mut rng(1)).err().map(|e| e.kind()), Some(Code::BadArgument));
    }
}

/// The keys that the owner of a secret key must send so that a server can bootstrap 2^14 numbers.
#[test]
fn keys_of_bootstrapping_are_not_too_large() {
    for (set, most) in [("bootstrap-15", 1_700_000_000), ("bootstrap-16", 1_500_000_000)] {
        let ring = Ring::new(Parameters::named(set).unwrap()).unwrap();
        let plan = Plan::new(&ring, &Encoder::new(&ring), 1 << 14, Numbers::Real).unwrap();
        let maker = SetMaker::new(&ring, KeyId([0; 16]), Entry::bootstrapping(&ring, &plan)).unwrap();
        let bytes = maker.head().total_bytes().unwrap();
        println!("{set}: {} keys, {bytes} bytes", maker.head().entries().len());
        assert!(bytes <= most, "{set}: {bytes} bytes");
    }
}
