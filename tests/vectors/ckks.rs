//! Files of CKKS, written by hand as in [`super::raw`].
//!
//! The secret is the polynomial 1, whose values are all 1. A vector with the same number in all slots is a constant polynomial.
//! So no transform is needed to write them, and only the seeds need a library, which is `ChaCha20`.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use safelight::error::Code;
use serde_json::json;

use super::hostile::{Found, Hostile};
use super::raw::{MARK, crc32, noise, sealed};
use super::valid::Valid;

const CIPHERTEXT: u8 = 6;
const PLAINTEXT: u8 = 7;
const SWITCH_KEY: u8 = 9;
const EVALUATION_KEYS: u8 = 10;
const SECRET_KEY: u8 = 11;

/// The degree of the set `small`, and the lengths of its special prime, of its base prime, and of both.
const DEGREE: usize = 8192;
const SPECIAL: (u64, usize) = (1_125_899_906_826_241, 50);
const BASE: (u64, usize) = (35_184_371_613_697, 45);

const NUMBER: f64 = 1.5;
const SCALE: f64 = 34_359_738_368.0;
/// The number in all slots times the scale.
const SCALED: u64 = 3 << 34;

fn file(kind: u8, header: &[u8]) -> Vec<u8> {
    let length = u32::try_from(header.len()).expect("short");
    sealed([&MARK[..], &1u16.to_le_bytes(), &[kind, 4], &length.to_le_bytes(), header].concat())
}

fn id() -> [u8; 16] {
    noise("safelight ckks test key", 16).try_into().expect("16 bytes")
}

fn seed(label: &str) -> [u8; 32] {
    noise(label, 32).try_into().expect("32 bytes")
}

/// Polynomial number 0, uniform, of a seed, modulo the prime with this index.
fn uniform(seed: [u8; 32], place: u64, (prime, bits): (u64, usize)) -> Vec<u64> {
    let mut stream = ChaCha20Rng::from_seed(seed);
    stream.set_stream(place);
    let words = std::iter::repeat_with(|| stream.next_u64() & ((1 << bits) - 1));
    words.filter(|&word| word < prime).take(DEGREE).collect()
}

/// A limb: its residues bit by bit, and the checksum.
fn limb(header: &[u8], number: u32, residues: &[u64], bits: usize) -> Vec<u8> {
    let all: Vec<u8> = residues.iter().flat_map(|r| (0..bits).map(move |bit| u8::from(r >> bit & 1 == 1))).collect();
    let mut bytes: Vec<u8> =
        all.chunks(8).map(|eight| eight.iter().rev().fold(0, |byte, bit| byte << 1 | bit)).collect();
    let crc = crc32(&[&header[header.len() - 4..], &number.to_le_bytes(), &bytes].concat());
    bytes.extend(crc.to_le_bytes());
    bytes
}

fn minus(a: u64, prime: u64) -> u64 {
    (prime - a) % prime
}

/// The header of a vector, field by field.
#[derive(Clone)]
struct Vector {
    kind: u8,
    set: u16,
    level: u8,
    form: u8,
    slots: u32,
    scale: f64,
}

const ENCRYPTED: Vector = Vector { kind: CIPHERTEXT, set: 1, level: 0, form: 1, slots: 4, scale: SCALE };
const ENCODED: Vector = Vector { kind: PLAINTEXT, ..ENCRYPTED };

impl Vector {
    fn header(&self) -> Vec<u8> {
        let mut header = self.set.to_le_bytes().to_vec();
        let encrypted = self.kind == CIPHERTEXT;
        if encrypted {
            header.extend(id());
        }
        header.push(self.level);
        if encrypted {
            header.push(self.form);
        }
        header.extend(self.slots.to_le_bytes());
        header.extend(self.scale.to_le_bytes());
        if encrypted && self.form == 1 {
            header.extend(seed("safelight ckks test ciphertext"));
        }
        file(self.kind, &header)
    }

    fn residues(&self) -> Vec<u64> {
        if self.kind == PLAINTEXT {
            return vec![SCALED; DEGREE];
        }
        let a = uniform(seed("safelight ckks test ciphertext"), 1, BASE);
        a.iter().map(|&a| (SCALED + minus(a, BASE.0)) % BASE.0).collect()
    }

    fn bytes(&self) -> Vec<u8> {
        let header = self.header();
        let limb = limb(&header, 0, &self.residues(), BASE.1);
        [header, limb].concat()
    }
}

fn secret(set: u16, first: u8) -> Vec<u8> {
    let mut coefficients = vec![0b0101_0101; DEGREE / 4];
    coefficients[0] = first;
    file(SECRET_KEY, &[&set.to_le_bytes()[..], &id(), &coefficients].concat())
}

/// The header of a set: its list of keys. The only key is the one for products at level 0.
fn set_header(count: u32, entries: &[[u8; 7]]) -> Vec<u8> {
    file(EVALUATION_KEYS, &[&1u16.to_le_bytes()[..], &id(), &count.to_le_bytes(), &entries.concat()].concat())
}

const PRODUCTS: [u8; 7] = [1, 0, 1, 0, 0, 0, 0];

fn set() -> Vec<u8> {
    let seed = seed("safelight ckks test switch key");
    let header = file(SWITCH_KEY, &[&1u16.to_le_bytes()[..], &id(), &PRODUCTS, &seed].concat());
    // The square of the secret is 1 as well; times the special prime, it is 0 modulo the special prime.
    let special: Vec<_> = uniform(seed, 0, SPECIAL).iter().map(|&a| minus(a, SPECIAL.0)).collect();
    let base = uniform(seed, 1, BASE);
    let base: Vec<_> = base.iter().map(|&a| (SPECIAL.0 % BASE.0 + minus(a, BASE.0)) % BASE.0).collect();
    let limbs = [limb(&header, 0, &special, SPECIAL.1), limb(&header, 1, &base, BASE.1)];
    [set_header(1, &[PRODUCTS]), header, limbs.concat()].concat()
}

pub(crate) fn valid() -> Vec<Valid> {
    let id = format!("{:032x}", u128::from_be_bytes(id()));
    let made = |name: &str, bytes: Vec<u8>, kind: &str, more: serde_json::Value| {
        let file = format!("valid/{name}.slt");
        let mut entry = json!({ "file": file, "kind": kind, "set": "small" });
        for (name, value) in more.as_object().expect("an object") {
            entry[name] = value.clone();
        }
        Valid { file, bytes, entry }
    };
    let vector = json!({ "level": 0, "slots": 4, "scale": SCALE, "number": NUMBER });
    let mut encrypted = vector.clone();
    encrypted["id"] = id.clone().into();
    encrypted["key"] = "valid/ckks-secret-key.slt".into();
    vec![
        made("ckks-secret-key", secret(1, 0b0101_0110), "ckks_secret_key", json!({ "id": id })),
        made("ckks-ciphertext", ENCRYPTED.bytes(), "ciphertext", encrypted),
        made("ckks-plaintext", ENCODED.bytes(), "plaintext", vector),
        made("ckks-evaluation-keys", set(), "evaluation_keys", json!({ "id": id })),
    ]
}

/// Most faults are in headers, so the limbs are left out, which are checked later.
pub(crate) fn hostile() -> Vec<Hostile> {
    let one = |name: &str, bytes: Vec<u8>, code: Code, found: Found| Hostile {
        file: format!("hostile/ckks-{name}.slt"),
        bytes,
        code,
        found,
    };
    let vector = |name: &str, vector: Vector, code: Code| one(name, vector.header(), code, Found::Ciphertext);
    let secrets = |name: &str, bytes: Vec<u8>, code: Code| one(name, bytes, code, Found::CkksSecretKey);
    let sets = |name: &str, bytes: Vec<u8>, code: Code| one(name, bytes, code, Found::EvaluationKeys);
    let good = ENCRYPTED.bytes();
    let header = ENCRYPTED.header();
    let mut flipped = good.clone();
    flipped[40_000] ^= 1;
    let mut beyond = ENCODED.residues();
    beyond[8000] = BASE.0;
    let beyond = [ENCODED.header(), limb(&ENCODED.header(), 0, &beyond, BASE.1)].concat();
    let turn = |element: u8| [2, 0, 1, element, 0, 0, 0];
    vec![
        one("ciphertext-flip-in-limb", flipped, Code::Damaged, Found::Ciphertext),
        one("ciphertext-cut-in-limb", good[..1000].to_vec(), Code::Truncated, Found::Ciphertext),
        one("ciphertext-without-limbs", header, Code::Truncated, Found::Ciphertext),
        one("ciphertext-is-a-plaintext", ENCODED.header(), Code::WrongKind, Found::Ciphertext),
        vector("ciphertext-set-0", Vector { set: 0, ..ENCRYPTED }, Code::UnknownParameters),
        vector("ciphertext-set-65535", Vector { set: u16::MAX, ..ENCRYPTED }, Code::UnknownParameters),
        vector("ciphertext-of-another-set", Vector { set: 2, ..ENCRYPTED }, Code::WrongParameters),
        vector("ciphertext-level-4", Vector { level: 4, ..ENCRYPTED }, Code::BadHeader),
        vector("ciphertext-level-255", Vector { level: 255, ..ENCRYPTED }, Code::BadHeader),
        vector("ciphertext-form-2", Vector { form: 2, ..ENCRYPTED }, Code::BadHeader),
        vector("ciphertext-slots-0", Vector { slots: 0, ..ENCRYPTED }, Code::BadHeader),
        vector("ciphertext-slots-3", Vector { slots: 3, ..ENCRYPTED }, Code::BadHeader),
        vector("ciphertext-slots-8192", Vector { slots: 8192, ..ENCRYPTED }, Code::BadHeader),
        vector("ciphertext-scale-0", Vector { scale: 0.0, ..ENCRYPTED }, Code::BadHeader),
        vector("ciphertext-scale-negative", Vector { scale: -SCALE, ..ENCRYPTED }, Code::BadHeader),
        vector("ciphertext-scale-infinite", Vector { scale: f64::INFINITY, ..ENCRYPTED }, Code::BadHeader),
        vector("ciphertext-scale-no-number", Vector { scale: f64::NAN, ..ENCRYPTED }, Code::BadHeader),
        vector("ciphertext-scale-too-large", Vector { scale: 4e13, ..ENCRYPTED }, Code::BadHeader),
        one("plaintext-residue-is-the-prime", beyond, Code::ResidueOutOfRange, Found::Plaintext),
        secrets("secret-key-coefficient-2", secret(1, 0b0111_0110), Code::BadSecretKey),
        secrets("secret-key-shorter-than-its-set", secret(2, 0b0101_0110), Code::BadHeader),
        secrets("secret-key-cut", secret(1, 0b0101_0110)[..500].to_vec(), Code::Truncated),
        secrets("secret-key-trailing-byte", [&secret(1, 0b0101_0110)[..], b"x"].concat(), Code::TrailingData),
        secrets(
            "secret-key-too-short",
            file(SECRET_KEY, &[&[1, 0][..], &id(), &[0x55; 100]].concat()),
            Code::BadHeader,
        ),
        sets("keys-without-keys", set_header(1, &[PRODUCTS]), Code::Truncated),
        sets("keys-none", set_header(0, &[]), Code::BadHeader),
        sets("keys-more-than-there-are", set_header(2, &[PRODUCTS]), Code::BadHeader),
        sets("keys-of-4-billion", set_header(u32::MAX, &[PRODUCTS]), Code::BadHeader),
        sets("keys-twice-the-same", set_header(2, &[PRODUCTS, PRODUCTS]), Code::BadHeader),
        sets("keys-out-of-order", set_header(2, &[turn(7), turn(5)]), Code::BadHeader),
        sets("keys-for-an-even-element", set_header(1, &[turn(6)]), Code::BadHeader),
        sets("keys-for-the-identity", set_header(1, &[turn(1)]), Code::BadHeader),
        sets("keys-for-nothing", set_header(1, &[[5, 0, 1, 0, 0, 0, 0]]), Code::BadHeader),
        sets("keys-with-two-special-primes", set_header(1, &[[1, 0, 2, 0, 0, 0, 0]]), Code::BadHeader),
        sets("keys-of-level-4", set_header(1, &[[1, 4, 1, 0, 0, 0, 0]]), Code::BadHeader),
    ]
}
