//! The hostile files. Each has one fault; everything else is correct, including the checksums unless damage is the fault.

use num_bigint::BigUint;
use safelight::error::Code;

use super::ckks;
use super::network;
use super::raw::{
    Head, IMAGE, Image, Key, MARK, PUBLIC_KEY, SECRET_KEY, file, key_id, public_header, sealed, secret_header,
};
use super::valid;

/// A hostile file.
pub(crate) struct Hostile {
    /// Its path under `tests/vectors`.
    pub(crate) file: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) code: Code,
    pub(crate) found: Found,
}

/// The readers that find the fault.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Every reader of an encrypted image.
    Image,
    /// Only the mean of radius 1. For other filters the file is valid.
    Filter,
    /// Only the owner who decrypts. For others the file is valid.
    Decrypt,
    /// Every reader of a public key, for any purpose.
    PublicKey,
    /// Every reader of a secret key, for any purpose.
    SecretKey,
    /// Every reader of a CKKS ciphertext.
    Ciphertext,
    /// Every reader of a CKKS plaintext.
    Plaintext,
    /// Every reader of a set of evaluation keys.
    EvaluationKeys,
    /// Every reader of a CKKS secret key.
    CkksSecretKey,
    /// Every reader of the public part of a network.
    Front,
    /// Every reader of a network.
    Network,
}

impl Found {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Filter => "filter",
            Self::Decrypt => "decrypt",
            Self::PublicKey => "public_key",
            Self::SecretKey => "secret_key",
            Self::Ciphertext => "ciphertext",
            Self::Plaintext => "plaintext",
            Self::EvaluationKeys => "evaluation_keys",
            Self::CkksSecretKey => "ckks_secret_key",
            Self::Front => "network_front",
            Self::Network => "network",
        }
    }
}

pub(crate) fn all() -> Vec<Hostile> {
    let mut out = Vec::new();
    out.extend(cut_short());
    out.extend(changed());
    out.extend(envelopes());
    out.extend(headers());
    out.extend(moduli());
    out.extend(ciphertexts());
    out.extend(frames());
    out.extend(filters());
    out.extend(decryptions());
    out.extend(public_keys());
    out.extend(secret_keys());
    out.extend(ckks::hostile());
    out.extend(network::hostile());
    out
}

fn image(name: &str, code: Code, bytes: Vec<u8>) -> Hostile {
    Hostile { file: format!("hostile/{name}.slt"), bytes, code, found: Found::Image }
}

fn cut_short() -> Vec<Hostile> {
    let bytes = valid::base().bytes();
    let header = valid::base().header().len();
    let frame = valid::base().frames()[0].len();
    let ends = [
        ("empty", 0),
        ("cut-in-mark", 5),
        ("cut-after-mark", 8),
        ("cut-in-prologue", 13),
        ("cut-after-prologue", 16),
        ("cut-in-modulus", 200),
        ("cut-in-header-checksum", header - 1),
        ("cut-after-header", header),
        ("cut-in-first-frame", header + 700),
        ("cut-in-frame-checksum", header + frame - 2),
        ("cut-after-first-frame", header + frame),
        ("cut-before-last-byte", bytes.len() - 1),
    ];
    ends.into_iter().map(|(name, end)| image(name, Code::Truncated, bytes[..end].to_vec())).collect()
}

/// A bit changed in transit, or more bytes by a program that treats the file as text.
fn changed() -> Vec<Hostile> {
    let bytes = valid::base().bytes();
    let header = valid::base().header().len();
    let frame = valid::base().frames()[0].len();
    let places = [
        ("flip-in-mark", 1, 3, Code::NotSafelight),
        ("flip-in-kind", 10, 0, Code::Damaged),
        ("flip-in-header-length", 12, 0, Code::Damaged),
        ("flip-in-width", 16 + 4, 0, Code::Damaged),
        ("flip-in-divisor", 16 + 48, 1, Code::Damaged),
        ("flip-in-key-id", 16 + 60, 7, Code::Damaged),
        ("flip-in-modulus", 16 + 100, 4, Code::Damaged),
        ("flip-in-header-checksum", header - 2, 5, Code::Damaged),
        ("flip-in-first-frame", header, 0, Code::Damaged),
        ("flip-in-second-frame", header + frame + 1000, 6, Code::Damaged),
        ("flip-in-last-checksum", bytes.len() - 1, 7, Code::Damaged),
    ];
    let flip = |at: usize, bit: u8| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << bit;
        bytes
    };
    let mut out: Vec<_> = places.into_iter().map(|(name, at, bit, code)| image(name, code, flip(at, bit))).collect();
    out.extend([
        image("text-mode-to-unix", Code::NotSafelight, replace(&bytes, b"\r\n", b"\n")),
        image("text-mode-to-windows", Code::NotSafelight, replace(&bytes, b"\n", b"\r\n")),
        image("text-mode-seven-bits", Code::NotSafelight, bytes.iter().map(|byte| byte & 0x7F).collect()),
    ]);
    let mut frames = valid::base().frames();
    frames[1].fill(0);
    out.push(image("frame-of-zeros", Code::Damaged, [valid::base().header(), frames.concat()].concat()));
    out
}

fn replace(mut rest: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = after;
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

/// Faults of the prologue, with a correct checksum.
fn envelopes() -> Vec<Hostile> {
    let tiny = valid::tiny();
    let header = tiny.head.bytes();
    let frames = |header: &[u8]| [header, &tiny.frames().concat()].concat();
    let with = |mark: [u8; 8], version: u16, kind: u8, scheme: u8, length: u32, header: &[u8]| {
        let prologue = [&mark[..], &version.to_le_bytes(), &[kind, scheme], &length.to_le_bytes(), header].concat();
        frames(&sealed(prologue))
    };
    let length = u32::try_from(header.len()).expect("short");
    let png = *b"\x89PNG\r\n\x1a\n";
    let long = vec![0; 65_537];
    let bad = Code::BadHeader;
    vec![
        image("mark-of-png", Code::NotSafelight, with(png, 1, IMAGE, 1, length, &header)),
        image("version-0", Code::UnsupportedVersion, with(MARK, 0, IMAGE, 1, length, &header)),
        image("version-2", Code::UnsupportedVersion, with(MARK, 2, IMAGE, 1, length, &header)),
        image("kind-0", bad, with(MARK, 1, 0, 1, length, &header)),
        image("kind-4", bad, with(MARK, 1, 4, 1, length, &header)),
        image("scheme-0", bad, with(MARK, 1, IMAGE, 0, length, &header)),
        image("scheme-2", bad, with(MARK, 1, IMAGE, 2, length, &header)),
        image("header-too-long", bad, sealed(with(MARK, 1, IMAGE, 1, 65_537, &long)[..16 + 65_537].to_vec())),
        image("header-of-4-gigabytes", bad, with(MARK, 1, IMAGE, 1, u32::MAX, &header)),
        image("header-empty", bad, frames(&file(IMAGE, &[]))),
        image("header-too-short", bad, frames(&file(IMAGE, &header[..60]))),
        image("header-without-history", bad, frames(&file(IMAGE, &header[..header.len() - 2]))),
        image("header-with-more-behind", bad, frames(&file(IMAGE, &[&header[..], &[0]].concat()))),
        image("a-public-key", Code::WrongKind, Key::test(2048).public()),
        image("a-secret-key", Code::WrongKind, Key::test(2048).secret()),
    ]
}

/// Faults of single fields in the header.
fn headers() -> Vec<Hostile> {
    let case = |name: &str, code: Code, change: &dyn Fn(&mut Head)| {
        let mut tiny = valid::tiny();
        change(&mut tiny.head);
        image(name, code, tiny.bytes())
    };
    let bad = |name: &str, change: &dyn Fn(&mut Head)| case(name, Code::BadHeader, change);
    let large = |name: &str, change: &dyn Fn(&mut Head)| case(name, Code::ImageTooLarge, change);
    vec![
        bad("planes-0", &|head| head.planes = 0),
        bad("planes-2", &|head| head.planes = 2),
        bad("planes-255", &|head| head.planes = 255),
        bad("border-3", &|head| head.border = 3),
        bad("width-0", &|head| head.width = 0),
        bad("height-0", &|head| head.height = 0),
        large("width-times-height-overflows", &|head| (head.width, head.height) = (u32::MAX, u32::MAX)),
        large("width-times-height-is-2-to-32", &|head| (head.width, head.height) = (1 << 16, 1 << 16)),
        large("one-pixel-too-many", &|head| (head.width, head.height) = ((1 << 24) + 1, 1)),
        bad("grid-0-across", &|head| head.grid.0 = 0),
        bad("grid-0-down", &|head| head.grid.1 = 0),
        bad("grid-wider-than-photo", &|head| head.grid.0 = 2),
        bad("grid-does-not-fit-key", &|head| {
            (head.width, head.height) = (100, 100);
            head.grid = (171, 1);
            head.width = 171;
        }),
        bad("grid-65535-by-65535", &|head| (head.width, head.height, head.grid) = (4096, 4096, (u16::MAX, u16::MAX))),
        bad("colour-does-not-fit-key", &|head| (head.planes, head.width, head.grid) = (3, 57, (57, 1))),
        bad("halo-65535-by-65535", &|head| head.halo = (u16::MAX, u16::MAX)),
        bad("halo-1025-above", &|head| head.halo = (0, 1025)),
        bad("slot-bits-0", &|head| head.slot_bits = 0),
        bad("slot-bits-7", &|head| (head.slot_bits, head.high) = (7, 100)),
        bad("slot-bits-49", &|head| head.slot_bits = 49),
        bad("slot-bits-255", &|head| head.slot_bits = 255),
        bad("reserved-not-zero", &|head| head.zero = [0, 1, 0]),
        bad("low-above-high", &|head| (head.low, head.high) = (200, 100)),
        bad("bias-too-small", &|head| (head.low, head.bias) = (-200, 199)),
        bad("bias-too-large", &|head| head.bias = 4096 - 255),
        bad("bias-smallest", &|head| head.bias = i64::MIN),
        bad("bias-largest", &|head| head.bias = i64::MAX),
        bad("low-smallest", &|head| (head.low, head.bias) = (i64::MIN, i64::MAX)),
        bad("high-largest", &|head| head.high = i64::MAX),
        bad("high-beyond-slot", &|head| head.high = 4096),
        bad("high-beyond-30-bits", &|head| (head.high, head.slot_bits) = (1 << 30, 40)),
        bad("divisor-0", &|head| head.divisor = 0),
        bad("divisor-negative", &|head| head.divisor = -9),
        bad("divisor-smallest", &|head| head.divisor = i64::MIN),
        bad("divisor-beyond-31-bits", &|head| head.divisor = 1 << 31),
        bad("photos-0", &|head| head.origins.clear()),
        bad("photos-17", &|head| head.origins = vec![[0; 32]; 17]),
        bad("photos-more-than-there-are", &|head| head.photos = Some(2)),
        bad("photos-fewer-than-there-are", &|head| (head.photos, head.origins) = (Some(1), vec![[0; 32]; 2])),
        bad("history-not-utf8", &|head| head.history = b"mean \xFF\xFE".to_vec()),
        bad("history-half-a-character", &|head| head.history = "mean é".as_bytes()[..6].to_vec()),
        bad("history-with-newline", &|head| head.history = b"mean\nsize=3x3".to_vec()),
        bad("history-with-escape", &|head| head.history = b"mean \x1B[31m".to_vec()),
        bad("history-with-c1-control", &|head| head.history = "mean \u{9B}31m".as_bytes().to_vec()),
        bad("history-too-long", &|head| head.history = vec![b'a'; 8193]),
        bad("history-longer-than-header", &|head| head.history_length = Some(9)),
        bad("history-shorter-than-header", &|head| {
            head.history = b"mean".to_vec();
            head.history_length = Some(3);
        }),
        case("promises-37-million-ciphertexts", Code::TooLarge, &|head| {
            (head.width, head.height, head.halo) = (4096, 4096, (1024, 1024));
        }),
        case("promises-a-row-of-8-gigabytes", Code::TooLarge, &|head| head.width = 1 << 24),
    ]
}

/// Moduli that must not be used. The key id is correct for each.
fn moduli() -> Vec<Hostile> {
    let case = |(name, bits, n, code): (&str, u16, BigUint, Code)| {
        let mut tiny = valid::tiny();
        tiny.head.bits = bits;
        tiny.head.id = key_id(bits, &n);
        tiny.head.n = n;
        image(name, code, tiny.bytes())
    };
    let mut out: Vec<_> = hostile_moduli().into_iter().map(case).collect();
    let mut tiny = valid::tiny();
    tiny.head.id = key_id(2048, &Key::other().n());
    out.push(image("key-id-of-another-key", Code::BadHeader, tiny.bytes()));
    out
}

fn hostile_moduli() -> Vec<(&'static str, u16, BigUint, Code)> {
    let n = Key::test(2048).n();
    let one = BigUint::from(1u8);
    // The top bit stays, and the number becomes a multiple of 4093, the largest prime below 4096.
    let multiple = {
        let multiple = &n - &n % 4093u32;
        if multiple.bit(0) { multiple } else { multiple - 4093u32 }
    };
    vec![
        ("modulus-0", 2048, BigUint::ZERO, Code::BadModulus),
        ("modulus-even", 2048, &n - &one, Code::BadModulus),
        ("modulus-of-2047-bits", 2048, &n >> 1 | &one, Code::BadModulus),
        ("modulus-of-1024-bits", 1024, Key::test(2048).p, Code::BadModulus),
        ("modulus-of-2056-bits", 2056, (n.clone() << 8) + 5u8, Code::BadModulus),
        ("modulus-of-65528-bits", 65_528, n.clone(), Code::BadModulus),
        ("modulus-with-small-factor", 2048, multiple, Code::BadModulus),
        ("modulus-shorter-than-it-says", 3072, n, Code::BadModulus),
    ]
}

/// Numbers that encryption never produces.
fn ciphertexts() -> Vec<Hostile> {
    let Key { p, q, .. } = Key::test(2048);
    let n = &p * &q;
    let case = |name: &str, code: Code, row: usize, column: usize, number: &BigUint| {
        let mut base = valid::base();
        base.rows[row][column].clone_from(number);
        image(name, code, base.bytes())
    };
    let range = |name: &str, number: &BigUint| case(name, Code::CiphertextOutOfRange, 1, 1, number);
    let all_ones = (BigUint::from(1u8) << 4096) - 1u8;
    vec![
        range("ciphertext-zero", &BigUint::ZERO),
        range("ciphertext-is-n-squared", &(&n * &n)),
        range("ciphertext-above-n-squared", &(&n * &n + 1u8)),
        range("ciphertext-all-ones", &all_ones),
        case("ciphertext-out-of-range-in-last-corner", Code::CiphertextOutOfRange, 2, 2, &all_ones),
        case("ciphertext-is-n", Code::CiphertextNotUnit, 1, 1, &n),
        case("ciphertext-is-p", Code::CiphertextNotUnit, 1, 1, &p),
        case("ciphertext-is-multiple-of-q", Code::CiphertextNotUnit, 0, 1, &(&q * 12345u32)),
        case("ciphertext-not-unit-in-last-corner", Code::CiphertextNotUnit, 2, 2, &(&p * &p)),
    ]
}

/// Complete frames in the wrong place.
fn frames() -> Vec<Hostile> {
    let base = valid::base();
    let (header, frames) = (base.header(), base.frames());
    let with = |order: &[&[u8]]| [&header[..], &order.concat()].concat();
    let [a, b, c] = [&frames[0][..], &frames[1][..], &frames[2][..]];
    let mut other = valid::base_with("another photo");
    other.head.history = b"brightness offset=0".to_vec();
    let foreign = other.frames();
    vec![
        image("frames-swapped", Code::Damaged, with(&[b, a, c])),
        image("frame-repeated", Code::Damaged, with(&[a, a, c])),
        image("frame-left-out", Code::Damaged, with(&[a, c])),
        image("frame-of-another-file", Code::Damaged, with(&[a, &foreign[1], c])),
        image("trailing-byte", Code::TrailingData, with(&[a, b, c, &[0]])),
        image("trailing-frame", Code::TrailingData, with(&[a, b, c, c])),
        image("trailing-image", Code::TrailingData, [base.bytes(), base.bytes()].concat()),
    ]
}

/// Valid files that a mean of radius 1 cannot use.
fn filters() -> Vec<Hostile> {
    let case = |name: &str, code: Code, change: &dyn Fn(&mut Image)| {
        let mut base = valid::base();
        change(&mut base);
        Hostile { found: Found::Filter, ..image(name, code, base.bytes()) }
    };
    vec![
        case("halo-too-small", Code::HaloTooSmall, &|image| {
            image.head.halo = (1, 0);
            image.rows.truncate(1);
        }),
        case("slot-too-narrow", Code::SlotOverflow, &|image| image.head.slot_bits = 11),
        case("slot-too-narrow-for-bias", Code::SlotOverflow, &|image| (image.head.low, image.head.bias) = (-255, 255)),
        case("divisor-has-no-room", Code::SlotOverflow, &|image| image.head.divisor = i64::from(i32::MAX)),
        case("history-full", Code::BadFilter, &|image| image.head.history = vec![b'a'; 8190]),
    ]
}

/// Valid files whose fault only the owner of the key can detect.
fn decryptions() -> Vec<Hostile> {
    let decrypt =
        |name: &str, code: Code, bytes: Vec<u8>| Hostile { found: Found::Decrypt, ..image(name, code, bytes) };
    let mut foreign = valid::base();
    let other = Key::other();
    (foreign.head.id, foreign.head.n) = (key_id(2048, &other.n()), other.n());
    // A ciphertext reduced modulo the square of another n is as good as any other.
    let square = &foreign.head.n * &foreign.head.n;
    foreign.rows.iter_mut().flatten().for_each(|c| *c = &*c % &square);

    // A number was added to the plaintexts, although the header does not say so.
    let add = |number: BigUint| {
        let mut base = valid::base();
        let n = &base.head.n;
        let factor = (number * n + 1u8) % (n * n);
        base.rows[1][1] = &base.rows[1][1] * factor % (n * n);
        base.bytes()
    };
    let used = 5 * 3 * 12;
    vec![
        decrypt("under-another-key", Code::ForeignKey, foreign.bytes()),
        decrypt("value-above-high", Code::Damaged, add(BigUint::from(256u32) << (12 * 7))),
        decrypt("value-below-low", Code::Damaged, {
            // -256, borrowed from the slot above.
            let n = Key::test(2048).n();
            add(n - (BigUint::from(256u32) << (12 * 14)))
        }),
        decrypt("value-beyond-used-slots", Code::Damaged, add(BigUint::from(1u8) << used)),
    ]
}

fn public_keys() -> Vec<Hostile> {
    let key = Key::test(2048);
    let good = key.public();
    let case = |name: &str, code: Code, bytes: Vec<u8>| Hostile {
        file: format!("hostile/public-key-{name}.pub"),
        bytes,
        code,
        found: Found::PublicKey,
    };
    let with = |bits: u16, n: &BigUint| file(PUBLIC_KEY, &public_header(bits, key_id(bits, n), n));
    let mut out: Vec<_> =
        hostile_moduli().into_iter().map(|(name, bits, n, code)| case(name, code, with(bits, &n))).collect();
    let mut flipped = good.clone();
    flipped[100] ^= 1;
    let header = public_header(2048, key_id(2048, &key.n()), &key.n());
    out.extend([
        case("empty", Code::Truncated, Vec::new()),
        case("cut", Code::Truncated, good[..200].to_vec()),
        case("flip", Code::Damaged, flipped),
        case("trailing-byte", Code::TrailingData, [&good[..], &[0]].concat()),
        case("header-too-short", Code::BadHeader, file(PUBLIC_KEY, &header[..100])),
        case("header-with-more-behind", Code::BadHeader, file(PUBLIC_KEY, &[&header[..], &[0]].concat())),
        case("id-of-another-key", Code::BadHeader, {
            file(PUBLIC_KEY, &public_header(2048, key_id(2048, &Key::other().n()), &key.n()))
        }),
        case("is-an-image", Code::WrongKind, valid::tiny().bytes()),
    ]);
    out
}

fn secret_keys() -> Vec<Hostile> {
    let key = Key::test(2048);
    let good = key.secret();
    let case = |name: &str, code: Code, bytes: Vec<u8>| Hostile {
        file: format!("hostile/secret-key-{name}.key"),
        bytes,
        code,
        found: Found::SecretKey,
    };
    let with =
        |bits: u16, p: &BigUint, q: &BigUint| file(SECRET_KEY, &secret_header(bits, key_id(bits, &(p * q)), p, q));
    let bad = |name: &str, p: &BigUint, q: &BigUint| case(name, Code::BadSecretKey, with(2048, p, q));
    let mut flipped = good.clone();
    flipped[100] ^= 1;
    let header = secret_header(2048, key_id(2048, &key.n()), &key.p, &key.q);
    vec![
        case("empty", Code::Truncated, Vec::new()),
        case("cut", Code::Truncated, good[..200].to_vec()),
        case("flip", Code::Damaged, flipped),
        case("trailing-byte", Code::TrailingData, [&good[..], &[0]].concat()),
        case("header-too-short", Code::BadHeader, file(SECRET_KEY, &header[..100])),
        case("header-with-more-behind", Code::BadHeader, file(SECRET_KEY, &[&header[..], &[0]].concat())),
        case("id-of-another-key", Code::BadHeader, {
            file(SECRET_KEY, &secret_header(2048, key_id(2048, &Key::other().n()), &key.p, &key.q))
        }),
        case("of-1024-bits", Code::BadModulus, with(1024, &(&key.p >> 512), &(&key.q >> 512))),
        case("shorter-than-it-says", Code::BadSecretKey, with(3072, &key.p, &key.q)),
        bad("primes-0", &BigUint::ZERO, &BigUint::ZERO),
        bad("primes-equal", &key.p, &key.p),
        bad("prime-even", &(&key.p - 1u8), &key.q),
        bad("prime-composite", &(&key.p + 2u8), &key.q),
        bad("prime-too-small", &(&key.p >> 8), &key.q),
        case("is-an-image", Code::WrongKind, valid::tiny().bytes()),
    ]
}
