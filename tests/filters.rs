//! Every filter on encrypted photos equals, to the last bit, the filter on the clear photo, computed here by an independent and
//! deliberately simple implementation.

use std::sync::LazyLock;

use safelight::error::Code;
use safelight::math::comb::Lookup;
use safelight::math::random;
use safelight::photo::Photo;
use safelight::schemes::paillier::stream::{
    DecryptOptions, Limits, decrypt_image, decrypt_image_with, encrypt_image, run_filter,
};
use safelight::schemes::paillier::wire::key::{read_secret, write_secret};
use safelight::schemes::paillier::{Border, Check, EncryptOptions, EncryptionKey, Filter, SecretKey, View};
use safelight::watch::NoWatch;

static KEY: LazyLock<Vec<u8>> =
    LazyLock::new(|| write_secret(&SecretKey::generate(2048, &mut random::system()).expect("key")).to_vec());

fn key() -> SecretKey {
    read_secret(&KEY).expect("key")
}

fn filter(text: &str) -> Filter {
    let mut words = text.split(' ');
    let name = words.next().unwrap_or_default();
    let params: Vec<_> = words.filter_map(|w| w.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
    Filter::parse(name, &params).expect(text)
}

/// A photo of noise that includes extreme values.
fn photo(width: u32, height: u32, channels: u8, seed: u32) -> Photo {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let samples = (0..width * height * u32::from(channels)).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        match state % 5 {
            0 => 0,
            1 => 255,
            _ => (state >> 8).to_le_bytes()[0],
        }
    });
    Photo::from_samples(width, height, channels, samples.collect()).expect("photo")
}

/// The filter on clear photos: weights by their definition, `floor(sum / divisor + 1/2)` by integers.
struct Clear {
    weights: Vec<Vec<i64>>,
    divisor: i64,
    offset: i64,
}

impl Clear {
    fn apply(&self, photo: &Photo, border: Border) -> Vec<i64> {
        let (w, h, c) = (i64::from(photo.width()), i64::from(photo.height()), i64::from(photo.channels()));
        let (rows, columns) =
            (i64::try_from(self.weights.len()).expect("small"), i64::try_from(self.weights[0].len()).expect("small"));
        let at = |x: i64, y: i64, channel: i64| -> i64 {
            let fold = |mut v: i64, size: i64| -> Option<i64> {
                match border {
                    Border::Zero => (0..size).contains(&v).then_some(v),
                    Border::Replicate => Some(v.max(0).min(size - 1)),
                    Border::Reflect => {
                        // Reflect until the position is inside.
                        while v < 0 || v >= size {
                            if size == 1 {
                                v = 0;
                            } else if v < 0 {
                                v = -v;
                            } else {
                                v = 2 * (size - 1) - v;
                            }
                        }
                        Some(v)
                    }
                }
            };
            match (fold(x, w), fold(y, h)) {
                (Some(x), Some(y)) => {
                    i64::from(photo.samples()[usize::try_from((y * w + x) * c + channel).expect("inside")])
                }
                _ => 0,
            }
        };
        let mut out = Vec::new();
        for y in 0..h {
            for x in 0..w {
                for channel in 0..c {
                    let mut sum = 0;
                    for j in 0..rows {
                        for i in 0..columns {
                            let weight =
                                self.weights[usize::try_from(j).expect("small")][usize::try_from(i).expect("small")];
                            sum += weight * at(x + i - columns / 2, y + j - rows / 2, channel);
                        }
                    }
                    out.push((sum * 2 + self.divisor).div_euclid(2 * self.divisor) + self.offset);
                }
            }
        }
        out
    }
}

fn cases() -> Vec<(&'static str, Clear)> {
    let plain = |weights: Vec<Vec<i64>>, divisor| Clear { weights, divisor, offset: 0 };
    let wild: Vec<Vec<i64>> = (0..15).map(|j| (0..15).map(|i| (i * 7 + j * 13) % 11 - 5).collect()).collect();
    let wild_text: &'static str = Box::leak(
        format!(
            "kernel divisor=9 weights={}",
            wild.iter()
                .map(|r| r.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
                .collect::<Vec<_>>()
                .join(";")
        )
        .into_boxed_str(),
    );
    vec![
        ("mean", plain(vec![vec![1; 3]; 3], 9)),
        ("mean radius=0", plain(vec![vec![1]], 1)),
        ("mean size=5x3", plain(vec![vec![1; 5]; 3], 15)),
        ("mean size=1x9", plain(vec![vec![1]; 9], 9)),
        ("mean radius=6", plain(vec![vec![1; 13]; 13], 169)),
        ("gaussian", plain(outer(&[1, 4, 6, 4, 1]), 256)),
        ("gaussian sigma=0.85 radius=1", plain(outer(&[1, 2, 1]), 16)),
        ("sharpen", plain(vec![vec![0, -1, 0], vec![-1, 5, -1], vec![0, -1, 0]], 1)),
        ("sobel-x", plain(vec![vec![-1, 0, 1], vec![-2, 0, 2], vec![-1, 0, 1]], 1)),
        ("sobel-y", plain(vec![vec![-1, -2, -1], vec![0, 0, 0], vec![1, 2, 1]], 1)),
        ("laplacian", plain(vec![vec![0, 1, 0], vec![1, -4, 1], vec![0, 1, 0]], 1)),
        ("emboss", plain(vec![vec![-2, -1, 0], vec![-1, 1, 1], vec![0, 1, 2]], 1)),
        ("kernel weights=3", plain(vec![vec![3]], 1)),
        ("kernel weights=-1,2 divisor=3", plain(vec![vec![-1, 2]], 3)),
        ("kernel weights=0,0,0;0,0,-7 divisor=2", plain(vec![vec![0, 0, 0], vec![0, 0, -7]], 2)),
        ("mean radius=20", plain(vec![vec![1; 41]; 41], 1681)),
        ("mean size=81x1", plain(vec![vec![1; 81]], 81)),
        ("mean size=1x81", plain(vec![vec![1]; 81], 81)),
        ("kernel weights=-1,-2;-3,-4", plain(vec![vec![-1, -2], vec![-3, -4]], 1)),
        ("kernel weights=-1,-1,-1;-1,-1,-1 divisor=6", plain(vec![vec![-1; 3]; 2], 6)),
        ("kernel weights=2,2,2,2;2,2,2,2", plain(vec![vec![2; 4]; 2], 1)),
        (
            "kernel weights=1048576,-1048575;77,1048576;-9,0 divisor=1048576",
            plain(vec![vec![1_048_576, -1_048_575], vec![77, 1_048_576], vec![-9, 0]], 1_048_576),
        ),
        (wild_text, plain(wild, 9)),
        ("brightness offset=60", Clear { weights: vec![vec![1]], divisor: 1, offset: 60 }),
        ("brightness offset=-60", Clear { weights: vec![vec![1]], divisor: 1, offset: -60 }),
    ]
}

fn outer(axis: &[i64]) -> Vec<Vec<i64>> {
    axis.iter().map(|a| axis.iter().map(|b| a * b).collect()).collect()
}

fn encrypt(photo: &Photo, options: &EncryptOptions) -> Vec<u8> {
    let mut bytes = Vec::new();
    encrypt_image(EncryptionKey::Owner(std::sync::Arc::new(key())), photo, options, &mut bytes, &NoWatch)
        .expect("encrypt");
    bytes
}

fn run(input: &[u8], filter: &Filter) -> safelight::error::Result<Vec<u8>> {
    let mut output = Vec::new();
    run_filter(&mut &*input, &mut output, filter, &Limits::default(), &NoWatch)?;
    Ok(output)
}

fn exact(bytes: &[u8]) -> Vec<i64> {
    let options = DecryptOptions { view: View::Exact16, check: Check::WherePossible, ..DecryptOptions::default() };
    let opened = decrypt_image_with(&key(), &mut &*bytes, options, &Limits::default(), &NoWatch).expect("decrypt");
    opened.canvas.samples().iter().map(|&s| i64::from(s) - 32768).collect()
}

#[test]
fn every_filter_is_exact() {
    let shapes = [(1, 1, 3), (2, 3, 1), (17, 11, 3), (40, 1, 1)];
    for (number, (text, clear)) in cases().into_iter().enumerate() {
        let filter = filter(text);
        for (turn, border) in Border::ALL.into_iter().enumerate() {
            let (w, h, c) = shapes[(number + turn) % shapes.len()];
            let photo = photo(w, h, c, u32::try_from(number).expect("few"));
            let options = EncryptOptions::for_filter(&filter, border).expect("options");
            let result = run(&encrypt(&photo, &options), &filter).expect(text);
            assert_eq!(exact(&result), clear.apply(&photo, border), "{text} {border:?} {w}x{h}x{c}");
        }
    }
}

#[test]
fn the_default_options_fit_all_small_filters() {
    let photo = photo(23, 9, 3, 5);
    let options = EncryptOptions::for_halo((1, 1), Border::Replicate);
    let bytes = encrypt(&photo, &options);
    for text in [
        "mean",
        "gaussian sigma=1 radius=1",
        "sharpen",
        "sobel-x",
        "sobel-y",
        "laplacian",
        "emboss",
        "brightness offset=-255",
    ] {
        run(&bytes, &filter(text)).expect(text);
    }
    let error = run(&bytes, &filter("mean radius=2")).expect_err("too wide");
    assert_eq!(error.kind(), Code::HaloTooSmall);
    let error = run(&bytes, &filter("kernel weights=9,9,9;9,9,9;9,9,9")).expect_err("too heavy");
    assert_eq!(error.kind(), Code::SlotOverflow);
}

#[test]
fn filters_can_follow_each_other() {
    let photo = photo(14, 13, 1, 9);
    let options = EncryptOptions { border: Border::Reflect, halo: (3, 3), slot_bits: 24, lookup: Lookup::Scan };
    let once = run(&encrypt(&photo, &options), &filter("sobel-x")).expect("first");
    let twice = run(&once, &filter("brightness offset=7")).expect("second");
    let thrice = run(&twice, &filter("mean")).expect("third");
    // sobel-x, then mean: the product of the kernels. A mean does not change the offset.
    let weights = (0..5).map(|j| {
        (0..5)
            .map(|i| {
                let sobel = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]];
                (0..3i64)
                    .flat_map(|b| (0..3i64).map(move |a| (a, b)))
                    .filter_map(|(a, b)| sobel.get(usize::try_from(j - b).ok()?)?.get(usize::try_from(i - a).ok()?))
                    .sum()
            })
            .collect()
    });
    let clear = Clear { weights: weights.collect(), divisor: 9, offset: 7 };
    assert_eq!(exact(&thrice), clear.apply(&photo, Border::Reflect));
}

#[test]
fn rows_that_wait_for_their_inverses_keep_their_order() {
    let photo = photo(130, 130, 3, 6);
    // Wide slots, so that there are more ciphertexts than are inverted together.
    let options = EncryptOptions { border: Border::Reflect, halo: (1, 1), slot_bits: 48, lookup: Lookup::Direct };
    let bytes = encrypt(&photo, &options);
    assert!(bytes.len() > 1200 * 512);
    for (text, weights) in [
        ("sobel-y", vec![vec![-1, -2, -1], vec![0, 0, 0], vec![1, 2, 1]]),
        ("emboss", vec![vec![-2, -1, 0], vec![-1, 1, 1], vec![0, 1, 2]]),
    ] {
        let clear = Clear { weights, divisor: 1, offset: 0 };
        let result = run(&bytes, &filter(text)).expect(text);
        assert_eq!(exact(&result), clear.apply(&photo, Border::Reflect), "{text}");
    }
}

#[test]
fn blending_two_photos() {
    let (a, b) = (photo(9, 8, 3, 1), photo(9, 8, 3, 2));
    for share in [0i64, 30, 50, 100] {
        let filter = filter(&format!("blend share={share}"));
        let options = EncryptOptions::for_filter(&filter, Border::Replicate).expect("options");
        let both = [encrypt(&a, &options), encrypt(&b, &options)].concat();
        let mixed: Vec<i64> = (a.samples().iter().zip(b.samples()))
            .map(|(&a, &b)| (2 * (i64::from(a) * share + i64::from(b) * (100 - share)) + 100) / 200)
            .collect();
        assert_eq!(exact(&run(&both, &filter).expect("blend")), mixed);
    }
    let options = EncryptOptions::for_halo((1, 1), Border::Replicate);
    let narrow = [encrypt(&a, &options), encrypt(&photo(8, 9, 3, 1), &options)].concat();
    assert_eq!(run(&narrow, &filter("blend share=1")).expect_err("shape").kind(), Code::ImagesDiffer);
}

#[test]
fn other_people_can_encrypt_with_the_public_key() {
    let photo = photo(5, 4, 1, 3);
    let filter = filter("mean");
    let options = EncryptOptions::for_filter(&filter, Border::Zero).expect("options");
    let mut bytes = Vec::new();
    let public = EncryptionKey::Public(std::sync::Arc::clone(key().public()));
    encrypt_image(public, &photo, &options, &mut bytes, &NoWatch).expect("encrypt");
    let clear = Clear { weights: vec![vec![1; 3]; 3], divisor: 9, offset: 0 };
    assert_eq!(exact(&run(&bytes, &filter).expect("filter")), clear.apply(&photo, Border::Zero));
}

#[test]
fn another_key_is_told_from_damage() {
    let photo = photo(3, 3, 1, 4);
    let bytes = encrypt(&photo, &EncryptOptions::for_halo((0, 0), Border::Zero));
    let other = SecretKey::generate(2048, &mut random::system()).expect("key");
    let read = |key: &SecretKey, bytes: &[u8]| {
        decrypt_image(key, &mut &*bytes, View::Clamp, &Limits::default(), &NoWatch).err().map(|error| error.kind())
    };
    assert_eq!(read(&other, &bytes), Some(Code::ForeignKey));
    let mut damaged = bytes.clone();
    let last = damaged.len() - 9;
    damaged[last] ^= 1;
    assert_eq!(read(&key(), &damaged), Some(Code::Damaged));
    assert_eq!(read(&key(), &bytes[..bytes.len() - 1]), Some(Code::Truncated));
    assert_eq!(read(&key(), &[bytes.clone(), vec![0]].concat()), Some(Code::TrailingData));
    assert_eq!(read(&key(), &bytes), None);
}
