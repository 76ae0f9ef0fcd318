//! Servers that do not do what they say, and owners who notice.

use std::sync::{Arc, LazyLock};

use num_bigint::BigUint;
use safelight::error::{Code, Result};
use safelight::math::comb::Lookup;
use safelight::math::montgomery::{Limb, from_limbs, to_limbs};
use safelight::math::random;
use safelight::photo::Photo;
use safelight::schemes::paillier::stream::{
    DecryptOptions, Limits, decrypt_image, decrypt_image_with, encrypt_image, run_filter,
};
use safelight::schemes::paillier::wire::image::Frames;
use safelight::schemes::paillier::wire::key::{read_secret, write_secret};
use safelight::schemes::paillier::{
    Border, Check, Encoding, EncryptOptions, EncryptionKey, Expectation, Filter, ImageHead, Origin, SecretKey, View,
};
use safelight::watch::NoWatch;

const SIDE: u32 = 24;

static KEY: LazyLock<Arc<SecretKey>> =
    LazyLock::new(|| Arc::new(SecretKey::generate(2048, &mut random::system()).expect("a key")));

fn photo(seed: u32) -> Photo {
    let samples = (0..SIDE * SIDE).map(|i| ((i + seed * 7919).wrapping_mul(2_654_435_761) >> 24) as u8);
    Photo::from_samples(SIDE, SIDE, 1, samples.collect()).expect("a photo")
}

fn filter(text: &str) -> Filter {
    Filter::from_text(text).expect(text)
}

fn encrypt(photo: &Photo, filters: &[&str]) -> Vec<u8> {
    let mut options = EncryptOptions::for_halo((0, 0), Border::Reflect);
    options.slot_bits = 24;
    for text in filters {
        let (x, y) = filter(text).radius();
        options.halo = (options.halo.0 + x, options.halo.1 + y);
    }
    let mut bytes = Vec::new();
    encrypt_image(EncryptionKey::Owner(Arc::clone(&KEY)), photo, &options, &mut bytes, &NoWatch).expect("encrypted");
    bytes
}

fn apply(text: &str, input: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    run_filter(&mut &*input, &mut output, &filter(text), &Limits::default(), &NoWatch).expect(text);
    output
}

/// The code of the error that the owner sees, without and with the original photo.
fn seen(bytes: &[u8], originals: &[Photo]) -> (Option<Code>, Option<Code>) {
    let code = |result: Result<_>| result.err().map(|error| error.kind());
    let options = DecryptOptions { view: View::Exact16, originals: originals.to_vec(), ..DecryptOptions::default() };
    let without = decrypt_image(&KEY, &mut &*bytes, View::Exact16, &Limits::default(), &NoWatch);
    let with = decrypt_image_with(&KEY, &mut &*bytes, options, &Limits::default(), &NoWatch);
    (code(without.map(drop)), code(with.map(drop)))
}

/// A parsed encrypted image.
#[derive(Clone)]
struct Image {
    head: ImageHead,
    /// Ciphertexts, row by row.
    rows: Vec<Vec<BigUint>>,
}

impl Image {
    fn read(bytes: &[u8]) -> Self {
        let header = safelight::wire::Prologue::parse(&bytes[..16]).expect("ours").total_bytes();
        let frames = Frames::read(&bytes[..header]).expect("ours");
        let width = frames.head.key.square().width();
        let rows = (0..).zip(bytes[header..].chunks_exact(frames.frame_bytes())).map(|(row, bytes)| {
            let limbs = frames.read_frame(row, bytes).expect("ours");
            limbs.chunks_exact(width).map(from_limbs).collect()
        });
        Self { rows: rows.collect(), head: frames.head }
    }

    fn write(&self) -> Vec<u8> {
        let (mut bytes, frames) = Frames::write(self.head.clone());
        let width = self.head.key.square().width();
        for (row, ciphertexts) in (0..).zip(&self.rows) {
            let limbs: Vec<Limb> = ciphertexts.iter().flat_map(|c| to_limbs(c, width)).collect();
            bytes.extend(frames.write_frame(row, &limbs));
        }
        bytes
    }

    fn squared(&self) -> BigUint {
        self.head.key.n() * self.head.key.n()
    }
}

/// Changes the result of a mean, as a server can that knows the photo's ciphertexts. Returns what the owner sees.
fn cheat(change: impl Fn(&Image, &mut Image)) -> (Option<Code>, Option<Code>) {
    let photo = photo(1);
    let input = encrypt(&photo, &["mean size=3x3"]);
    let mut result = Image::read(&apply("mean size=3x3", &input));
    change(&Image::read(&input), &mut result);
    seen(&result.write(), &[photo])
}

const WRONG: (Option<Code>, Option<Code>) = (Some(Code::WrongResult), Some(Code::WrongResult));

#[test]
fn honest_results_pass() {
    assert_eq!(cheat(|_, _| ()), (None, None));
    for filters in [
        &["gaussian sigma=1"][..],
        &["sobel-x"],
        &["laplacian", "mean size=5x1"],
        &["kernel weights=-1,2;0,-3 divisor=2", "brightness offset=9", "mean size=1x3"],
        &["mean radius=4"],
        &[],
    ] {
        let photo = photo(2);
        let result = filters.iter().fold(encrypt(&photo, filters), |image, text| apply(text, &image));
        assert_eq!(seen(&result, &[photo]), (None, None), "{filters:?}");
    }
}

#[test]
fn blends_pass_whatever_was_done_before() {
    let (a, b, c) = (photo(3), photo(4), photo(5));
    let blur = "mean size=3x3";
    let first = apply(blur, &encrypt(&a, &[blur]));
    let second = apply(blur, &encrypt(&b, &[blur]));
    let mixed = apply("blend share=30", &[first, second.clone()].concat());
    assert_eq!(Image::read(&mixed).head.history, "mean size=3x3; blend share=30 [mean size=3x3]");
    assert_eq!(seen(&mixed, &[a.clone(), b.clone()]), (None, None));
    assert_eq!(seen(&mixed, &[b, a]), (None, Some(Code::WrongResult)));
    let other = apply(blur, &encrypt(&c, &[blur]));
    let mut foreign = Image::read(&apply("blend share=30", &[second, other].concat()));
    foreign.head = Image::read(&mixed).head;
    assert_eq!(seen(&foreign.write(), &[]).0, Some(Code::WrongResult));
}

#[test]
fn dropped_repeated_weighted_moved_and_changed_ciphertexts_are_seen() {
    // A term left out, used twice, or used with another weight.
    let times = |power: i32| {
        move |input: &Image, result: &mut Image| {
            let squared = result.squared();
            let c = &input.rows[1][1];
            let c = if power < 0 { c.modinv(&squared).expect("a unit") } else { c.clone() };
            result.rows[0][0] = &result.rows[0][0] * c.modpow(&power.unsigned_abs().into(), &squared) % squared;
        }
    };
    for power in [-1, 1, 3] {
        assert_eq!(cheat(times(power)), WRONG, "{power}");
    }
    assert_eq!(cheat(|_, result| result.rows[0].swap(0, 1)), WRONG);
    assert_eq!(cheat(|_, result| result.rows.swap(0, 1)), WRONG);
    assert_eq!(cheat(|_, result| result.rows[0].rotate_left(1)), WRONG);
    assert_eq!(cheat(|input, result| result.rows[0][0] = input.rows[0][0].clone()), WRONG);
    let last = |image: &mut Image| image.rows.last_mut().and_then(|row| row.last_mut()).map(|c| *c += 1u8);
    assert_eq!(cheat(move |_, result| assert!(last(result).is_some())), WRONG);
    // A fresh mask on the correct number.
    assert_eq!(
        cheat(|_, result| {
            let (squared, n) = (result.squared(), result.head.key.n().clone());
            result.rows[0][0] = &result.rows[0][0] * BigUint::from(7u8).modpow(&n, &squared) % squared;
        }),
        WRONG
    );
}

#[test]
fn another_filter_is_seen_by_what_the_header_says() {
    let photo = photo(6);
    let input = encrypt(&photo, &["mean size=3x3"]);
    let mean = Image::read(&apply("mean size=3x3", &input));
    let mut gaussian = Image::read(&apply("gaussian sigma=0.85 radius=1", &input));
    gaussian.head = mean.head.clone();
    assert_eq!(seen(&gaussian.write(), std::slice::from_ref(&photo)), WRONG);

    let mut other_origin = mean.clone();
    other_origin.head.origins = vec![Origin([1; 32])];
    assert_eq!(seen(&other_origin.write(), &[]).0, Some(Code::WrongResult));
    let mut nonsense = mean;
    nonsense.head.history = "mean size=3x3; something".into();
    assert_eq!(seen(&nonsense.write(), &[]).0, Some(Code::BadHeader));
}

/// A header may give the numbers another meaning: a picture half as bright, or one that starts at grey.
#[test]
fn other_numbers_than_those_of_the_filter_are_seen() {
    let changes: [fn(&mut Encoding); 4] = [
        |encoding| encoding.divisor *= 2,
        |encoding| encoding.bias += 100,
        |encoding| encoding.high += 1,
        |encoding| (encoding.low, encoding.bias) = (-9, 9),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let seen = cheat(|_, result| change(&mut result.head.encoding));
        assert_eq!(seen, WRONG, "change {number}");
    }
}

/// Opens an image with the owner's choice of acceptable images and expected filters.
fn opened(bytes: &[u8], check: Check, expect: Option<&[&str]>) -> Result<bool> {
    let expect = expect.map(|filters| Expectation::new(filters).expect("filters"));
    let options = DecryptOptions { view: View::Exact16, check, expect, ..DecryptOptions::default() };
    decrypt_image_with(&KEY, &mut &*bytes, options, &Limits::default(), &NoWatch).map(|opened| opened.verified)
}

/// The file does not decide whether it is verified: a server could blank out the origins and put another picture there.
#[test]
fn a_file_without_origins_opens_only_on_demand() {
    let forged_image = |origins: usize| {
        let mut image = Image::read(&apply("mean size=3x3", &encrypt(&photo(1), &["mean size=3x3"])));
        image.head.origins = vec![Origin::UNKNOWN; origins];
        image.rows.swap(0, 1);
        image
    };
    let forged = |origins| forged_image(origins).write();
    let code = |check, expect| opened(&forged(1), check, expect).map_err(|error| error.kind());
    assert_eq!(code(Check::Required, None), Err(Code::NotVerifiable));
    assert_eq!(code(Check::WherePossible, None), Ok(false));
    assert_eq!(code(Check::None, None), Ok(false));
    // An image that cannot be verified fails every expectation, regardless of its header.
    for check in Check::ALL {
        assert_eq!(code(check, Some(&["mean size=3x3"])), Err(Code::NotVerifiable));
    }
    // A header that our encryptor and filters never make is not accepted for photos of others either.
    let mut other = forged_image(1);
    other.head.history = "gaussian sigma=1".into();
    let other = other.write();
    assert_eq!(opened(&other, Check::WherePossible, None).map_err(|error| error.kind()), Err(Code::BadHeader));
    assert_eq!(opened(&other, Check::None, None).ok(), Some(false));
    // One of two photos is not enough.
    let blend = "blend share=30";
    let mut half = Image::read(&apply(blend, &[encrypt(&photo(2), &[]), encrypt(&photo(3), &[])].concat()));
    assert_eq!(opened(&half.write(), Check::Required, None).ok(), Some(true));
    half.head.origins[1] = Origin::UNKNOWN;
    assert_eq!(opened(&half.write(), Check::Required, None).err().map(|e| e.kind()), Some(Code::NotVerifiable));
}

/// A server may apply another filter than requested and say so. That passes the check, but is not what the owner wanted.
#[test]
fn only_the_expected_filters_will_do() {
    let filters = ["mean size=3x3", "sharpen"];
    let input = encrypt(&photo(1), &filters);
    let mean = apply(filters[0], &input);
    let both = apply(filters[1], &mean);
    let code =
        |image: &[u8], expect: &[&str]| opened(image, Check::Required, Some(expect)).map_err(|error| error.kind());
    assert_eq!(code(&mean, &["mean radius=1"]), Ok(true));
    assert_eq!(code(&both, &["mean", "sharpen"]), Ok(true));
    assert_eq!(code(&input, &[""]), Ok(true));
    for (image, expect) in [
        (&mean, &["sharpen"][..]),
        (&mean, &["mean size=3x1"]),
        (&mean, &[""]),
        (&mean, &["mean", "sharpen"]),
        (&both, &["mean"]),
        (&both, &["sharpen", "mean"]),
        (&input, &["mean"]),
    ] {
        assert_eq!(code(image, expect), Err(Code::WrongResult), "{expect:?}");
    }
    let [a, b] = [4, 5].map(|seed| apply("mean size=3x3", &encrypt(&photo(seed), &["mean size=3x3"])));
    let mixed = apply("blend share=30", &[a, b].concat());
    assert_eq!(code(&mixed, &["mean", "blend share=30 [mean]"]), Ok(true));
    for other in ["blend share=30", "blend share=31 [mean]", "blend share=30 [sharpen]"] {
        assert_eq!(code(&mixed, &["mean", other]), Err(Code::WrongResult), "{other}");
    }
    // A lie about the filter is still detected.
    let mut lie = Image::read(&both);
    lie.head.history = "mean size=3x3; laplacian".into();
    assert_eq!(code(&lie.write(), &["mean", "laplacian"]), Err(Code::WrongResult));
}

/// Anyone can add to a plaintext. The mask remains correct, so only the photo reveals the change.
#[test]
fn an_added_constant_is_seen_with_the_photo_at_hand() {
    let add = |_: &Image, result: &mut Image| {
        let (n, squared) = (result.head.key.n().clone(), result.squared());
        let bits = u32::from(result.head.layout.slot_bits);
        let ones: BigUint = (0..result.head.layout.used_slots()).map(|slot| BigUint::from(9u8) << (slot * bits)).sum();
        for c in result.rows.iter_mut().flatten() {
            *c = &*c * (&ones * &n + 1u8) % &squared;
        }
    };
    // Some sums are at the maximum of a mean. Elsewhere, adding nine adds one after the division.
    let (without, with) = cheat(add);
    assert!(without.is_none() || without == Some(Code::Damaged), "{without:?}");
    assert!(with == Some(Code::WrongResult) || with == Some(Code::Damaged), "{with:?}");
}

#[test]
fn photos_of_others_open_on_demand_and_are_compared_with_the_photo() {
    let photo = photo(7);
    let options = EncryptOptions::for_filter(&filter("mean"), Border::Zero).expect("options");
    let mut bytes = Vec::new();
    let public = EncryptionKey::Public(Arc::clone(KEY.public()));
    let head = encrypt_image(public, &photo, &options, &mut bytes, &NoWatch).expect("encrypted");
    assert_eq!(head.origins, [Origin::UNKNOWN]);
    let result = apply("mean size=3x3", &bytes);
    let unasked = Some(Code::NotVerifiable);
    assert_eq!(seen(&result, std::slice::from_ref(&photo)), (unasked, unasked));
    assert_eq!(opened(&result, Check::WherePossible, None).ok(), Some(false));
    for (original, code) in [(photo, None), (self::photo(8), Some(Code::WrongResult))] {
        let options =
            DecryptOptions { check: Check::WherePossible, originals: vec![original], ..DecryptOptions::default() };
        let opened = decrypt_image_with(&KEY, &mut &*result, options, &Limits::default(), &NoWatch);
        assert_eq!(opened.err().map(|error| error.kind()), code);
    }
}

/// An image that one copy of a key encrypted opens, with all checks, with another copy, whichever prime comes first.
#[test]
fn a_copy_of_the_key_knows_the_masks() {
    let photo = photo(8);
    let result = apply("sharpen", &encrypt(&photo, &["sharpen"]));
    let (p, q) = KEY.primes();
    let swapped = SecretKey::from_primes(&BigUint::from_bytes_le(q), &BigUint::from_bytes_le(p)).expect("a key");
    for key in [read_secret(&write_secret(&KEY)).expect("a key"), swapped] {
        decrypt_image(&key, &mut &result[..], View::Clamp, &Limits::default(), &NoWatch).expect("checked");
    }
}

#[test]
fn scanned_tables_give_the_same() {
    let photo = photo(9);
    let mut options = EncryptOptions::for_filter(&filter("mean"), Border::Zero).expect("options");
    options.lookup = Lookup::Scan;
    // A copy of the key, so that the table of the other tests is not used.
    let key = Arc::new(read_secret(&write_secret(&KEY)).expect("a key"));
    let mut bytes = Vec::new();
    encrypt_image(EncryptionKey::Owner(Arc::clone(&key)), &photo, &options, &mut bytes, &NoWatch).expect("encrypted");
    assert_eq!(seen(&apply("mean size=3x3", &bytes), &[photo]), (None, None));
}
