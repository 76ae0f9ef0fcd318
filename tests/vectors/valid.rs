//! The valid files and the known facts about each.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::ckks;
use super::clear::Photo;
use super::network;
use super::raw::{Head, Image, Key, key_id};

/// A valid file.
pub(crate) struct Valid {
    /// Its path under `tests/vectors`.
    pub(crate) file: String,
    pub(crate) bytes: Vec<u8>,
    /// The entry in the manifest.
    pub(crate) entry: Value,
}

const MEAN: &[&[i64]] = &[&[1, 1, 1], &[1, 1, 1], &[1, 1, 1]];
const SOBEL_X: &[&[i64]] = &[&[-1, 0, 1], &[-2, 0, 2], &[-1, 0, 1]];
const LAPLACIAN: &[&[i64]] = &[&[0, 1, 0], &[1, -4, 1], &[0, 1, 0]];
const GAUSSIAN: &[&[i64]] =
    &[&[1, 4, 6, 4, 1], &[4, 16, 24, 16, 4], &[6, 24, 36, 24, 6], &[4, 16, 24, 16, 4], &[1, 4, 6, 4, 1]];

pub(crate) fn all() -> Vec<Valid> {
    let mut out: Vec<Valid> = [2048, 3072, 4096].into_iter().flat_map(keys).collect();

    let grey = source("grey-5x3", 2048, (5, 3, 1), 0, (5, 3), (1, 1), 12);
    let rgb = source("rgb-7x5", 2048, (7, 5, 3), 1, (7, 5), (1, 1), 15);
    let other = source("rgb-7x5-other", 2048, (7, 5, 3), 1, (7, 5), (1, 1), 15);
    // Tiles of several pixels, the last of which extend beyond the edge.
    let tiled = source("grey-19x13", 2048, (19, 13, 1), 2, (5, 4), (2, 2), 20);
    let flat = source("rgb-31x2", 3072, (31, 2, 3), 0, (11, 2), (1, 0), 11);
    let single = source("grey-1x1", 4096, (1, 1, 1), 2, (1, 1), (0, 0), 48);

    let results = [
        result("grey-5x3-mean", &[(&grey, MEAN)], 9, 0, "mean", &[("size", "3x3")]),
        result("grey-5x3-brightness", &[(&grey, &[&[1]])], 1, -40, "brightness", &[("offset", "-40")]),
        result("rgb-7x5-sobel-x", &[(&rgb, SOBEL_X)], 1, 0, "sobel-x", &[]),
        result("rgb-7x5-laplacian", &[(&rgb, LAPLACIAN)], 1, 0, "laplacian", &[]),
        result("rgb-7x5-blend", &[(&rgb, &[&[30]]), (&other, &[&[70]])], 100, 0, "blend", &[("share", "30")]),
        result("grey-19x13-gaussian", &[(&tiled, GAUSSIAN)], 256, 0, "gaussian", &[("sigma", "1"), ("radius", "2")]),
        result("grey-19x13-mean-1x3", &[(&tiled, &[&[1], &[1], &[1]])], 3, 0, "mean", &[("size", "1x3")]),
        result(
            "rgb-31x2-kernel",
            &[(&flat, &[&[-1, 5, 2]])],
            4,
            0,
            "kernel",
            &[("weights", "-1,5,2"), ("divisor", "4")],
        ),
    ];
    let mean = &results[6];
    let twice = again("grey-19x13-mean-1x3-brightness", mean, 17);
    out.extend(ckks::valid());
    out.extend(network::valid());
    out.extend([grey, rgb, other, tiled, flat, single].into_iter().chain(results).chain([twice]).map(|made| made.file));
    out
}

/// A photo of 5 x 3 pixels under the first test key, with a halo for radius 1. Hostile files are made from it.
pub(crate) fn base() -> Image {
    static BASE: LazyLock<Image> = LazyLock::new(|| base_with("grey-5x3"));
    BASE.clone()
}

/// An image of the same shape with another photo.
pub(crate) fn base_with(label: &str) -> Image {
    source(label, 2048, (5, 3, 1), 0, (5, 3), (1, 1), 12).image
}

/// One pixel in one ciphertext, the smallest possible image.
pub(crate) fn tiny() -> Image {
    static TINY: LazyLock<Image> = LazyLock::new(|| source("grey-1x1", 2048, (1, 1, 1), 0, (1, 1), (0, 0), 12).image);
    TINY.clone()
}

/// An image with its intermediate results: photo, ciphertexts, file.
struct Made {
    photo: Photo,
    image: Image,
    file: Valid,
}

fn keys(bits: u16) -> [Valid; 2] {
    let key = Key::test(bits);
    let id = format!("{:032x}", u128::from_be_bytes(key_id(bits, &key.n())));
    let hex = |number: &num_bigint::BigUint| format!("{number:x}");
    let secret = format!("valid/published-test-{bits}.key");
    let public = format!("valid/published-test-{bits}.pub");
    let entry =
        json!({ "file": secret, "kind": "secret_key", "bits": bits, "id": id, "p": hex(&key.p), "q": hex(&key.q) });
    let secret = Valid { file: secret, bytes: key.secret(), entry };
    let entry = json!({ "file": public, "kind": "public_key", "bits": bits, "id": id, "n": hex(&key.n()) });
    [secret, Valid { file: public, bytes: key.public(), entry }]
}

fn source(
    name: &str,
    bits: u16,
    (width, height, planes): (u32, u32, u8),
    border: u8,
    grid: (u16, u16),
    halo: (u16, u16),
    slot_bits: u8,
) -> Made {
    let n = Key::test(bits).n();
    let head = Head {
        bits,
        planes,
        border,
        width,
        height,
        grid,
        halo,
        slot_bits,
        zero: [0; 3],
        low: 0,
        high: 255,
        bias: 0,
        divisor: 1,
        id: key_id(bits, &n),
        n,
        photos: None,
        origins: vec![[0; 32]],
        history_length: None,
        history: Vec::new(),
    };
    let photo = Photo::noise(name, width, height, usize::from(planes));
    let image = Image::encrypt(head, &photo);
    let file = entry(name, &image, &photo.samples, json!({}));
    Made { photo, image, file }
}

fn result(
    name: &str,
    inputs: &[(&Made, &[&[i64]])],
    divisor: i64,
    offset: i64,
    filter: &str,
    parameters: &[(&str, &str)],
) -> Made {
    let clear: Vec<_> = inputs.iter().map(|(made, kernel)| (&made.photo, *kernel)).collect();
    let encrypted: Vec<_> = inputs.iter().map(|(made, kernel)| (&made.image, *kernel)).collect();
    let mut text = filter.to_owned();
    for (name, value) in parameters {
        text = format!("{text} {name}={value}");
    }
    let image = Image::filter(&encrypted, divisor, offset, &text);
    let pixels = Photo::filter(&clear, image.head.border, divisor, offset);
    let from: Vec<_> = inputs.iter().map(|(made, _)| made.file.file.clone()).collect();
    let parameters: serde_json::Map<_, _> = parameters.iter().map(|&(k, v)| (k.to_owned(), v.into())).collect();
    let file = entry(name, &image, &pixels, json!({ "from": from, "filter": filter, "parameters": parameters }));
    let photo = Photo { samples: pixels, ..inputs[0].0.photo_shape() };
    Made { photo, image, file }
}

/// A second filter, after one whose divisor is not 1. It works on sums before their division, but adding an integer to each
/// pixel gives the same result before and after rounding.
fn again(name: &str, made: &Made, offset: i64) -> Made {
    let text = format!("brightness offset={offset}");
    let image = Image::filter(&[(&made.image, &[&[1]])], 1, offset, &text);
    let pixels: Vec<_> = made.photo.samples.iter().map(|value| value + offset).collect();
    let parameters = json!({ "offset": offset.to_string() });
    let from = [&made.file.file];
    let file = entry(name, &image, &pixels, json!({ "from": from, "filter": "brightness", "parameters": parameters }));
    Made { photo: Photo { samples: pixels, ..made.photo_shape() }, image, file }
}

impl Made {
    fn photo_shape(&self) -> Photo {
        let Photo { width, height, planes, .. } = self.photo;
        Photo { width, height, planes, samples: Vec::new() }
    }
}

fn entry(name: &str, image: &Image, pixels: &[i64], made_by: Value) -> Valid {
    let Head { bits, planes, border, width, height, grid, halo, slot_bits, low, high, bias, divisor, .. } = image.head;
    let file = format!("valid/{name}.slt");
    let policies = ["replicate", "reflect", "zero"];
    let mut entry = json!({
        "file": file,
        "kind": "image",
        "key": format!("valid/published-test-{bits}.key"),
        "width": width,
        "height": height,
        "planes": planes,
        "border": policies[usize::from(border)],
        "grid": [grid.0, grid.1],
        "halo": [halo.0, halo.1],
        "slot_bits": slot_bits,
        "low": low,
        "high": high,
        "bias": bias,
        "divisor": divisor,
        "photos": image.head.origins.len(),
        "history": String::from_utf8_lossy(&image.head.history),
        "pixels": pixels,
    });
    if let (Value::Object(entry), Value::Object(made_by)) = (&mut entry, made_by) {
        entry.extend(made_by);
    }
    Valid { file, bytes: image.bytes(), entry }
}
