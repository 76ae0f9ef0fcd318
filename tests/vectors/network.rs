//! Files of networks, written by hand: one filter on patches of 2 x 2 pixels of a grey picture of 4 x 3 pixels, one hidden
//! unit, two labels; and a convolution on the pixels of a grey picture of 32 x 32. Their answer for a picture is computed a
//! second time here, as simply as possible.

use safelight::error::Code;
use serde_json::json;

use super::hostile::{Found, Hostile};
use super::raw::{MARK, crc32, sealed};
use super::valid::Valid;

const FRONT: u8 = 12;
const NETWORK: u8 = 13;

const WIDTH: usize = 4;
const HEIGHT: usize = 3;
const PICTURE: [u8; WIDTH * HEIGHT] = [10, 200, 30, 90, 120, 60, 250, 0, 77, 140, 15, 210];

const FILTER: [f32; 4] = [1.0, -0.5, 0.25, -2.0];
const OFFSET: f32 = 0.125;
const THRESHOLD: f32 = 0.25;
const MEANS: [f32; 2] = [3.0, 2.0];
const SCALES: [f32; 2] = [0.5, 0.25];
/// The weights and bias from the two numbers to the hidden unit.
const FIRST: ([f32; 2], f32) = ([1.5, -0.75], 0.5);
/// The weights and biases from its square to the two scores.
const SECOND: ([f32; 2], [f32; 2]) = ([2.0, -1.0], [-0.5, 0.375]);

/// The header of a public part, field by field.
#[derive(Clone)]
struct Front {
    set: u16,
    width: u32,
    channels: u8,
    stride: u8,
    cells: u8,
    filters: u16,
    labels: u16,
    hidden: u16,
    threshold: f32,
    text: &'static [u8],
    filter: f32,
    /// The list of layers in version 2; absent in version 1.
    layers: Option<&'static [u8]>,
}

const GOOD: Front = Front {
    set: 1,
    width: 4,
    channels: 1,
    stride: 1,
    cells: 1,
    filters: 1,
    labels: 2,
    hidden: 1,
    threshold: THRESHOLD,
    text: b"\x03yes\x02no",
    filter: FILTER[0],
    layers: None,
};

/// Two hidden layers of one unit each, which only version 2 can express, and a set with enough levels.
const DEEP: Front = Front { set: 2, layers: Some(b"\x05\0\x01\x01\0\x02\x01\x01\0\x02\x01\x02\0"), ..GOOD };

impl Front {
    fn bytes(&self) -> Vec<u8> {
        let mut header = self.set.to_le_bytes().to_vec();
        header.extend(self.width.to_le_bytes());
        header.extend(3u32.to_le_bytes());
        header.extend([self.channels, 2, self.stride, self.cells]);
        header.extend([self.filters, self.labels].into_iter().flat_map(u16::to_le_bytes));
        if self.layers.is_none() {
            header.extend(self.hidden.to_le_bytes());
        }
        header.extend(self.threshold.to_le_bytes());
        header.extend(u32::try_from(self.text.len()).expect("short").to_le_bytes());
        header.extend(self.layers.unwrap_or_default());
        let mut body = self.text.to_vec();
        body.extend(halves(&[&[self.filter], &FILTER[1..]].concat()));
        body.extend([&[OFFSET][..], &MEANS, &SCALES].concat().iter().flat_map(|number| number.to_le_bytes()));
        file(FRONT, if self.layers.is_some() { 2 } else { 1 }, &header, &body)
    }
}

/// A convolution with a kernel of 3 x 3 from one channel to 16, squares, and two scores of the channels' averages.
const CONVOLUTION: Pixels = Pixels { set: 7, side: 32, layers: b"\x03\0\x03\x03\x01\x02\x05\x02\0", scale: 0.015_625 };
const MEAN: f32 = 120.0;

/// The header of the public part of a network that takes pixels, field by field, and the scale of its samples.
#[derive(Clone)]
struct Pixels {
    set: u16,
    side: u32,
    layers: &'static [u8],
    scale: f32,
}

impl Pixels {
    fn bytes(&self) -> Vec<u8> {
        let mut header = self.set.to_le_bytes().to_vec();
        header.extend([self.side, self.side].into_iter().flat_map(u32::to_le_bytes));
        header.push(1);
        header.extend(2u16.to_le_bytes());
        header.extend(u32::try_from(GOOD.text.len()).expect("short").to_le_bytes());
        header.extend(self.layers);
        let mut body = GOOD.text.to_vec();
        body.extend([MEAN, self.scale].into_iter().flat_map(f32::to_le_bytes));
        file(FRONT, 3, &header, &body)
    }
}

/// A number between -1 and 1, with few bits.
fn few_bits(i: usize) -> f32 {
    f32::from(i8::try_from(i * 29 % 65).expect("small") - 32) / 32.0
}

fn large_picture() -> Vec<u8> {
    (0..32 * 32).map(|i| u8::try_from(i * i % 251).expect("a byte")).collect()
}

fn convolutional(front: &[u8]) -> Vec<u8> {
    let mut body = front.to_vec();
    body.extend(halves(&(0..16 * 9).map(|i| few_bits(i) / 4.0).collect::<Vec<_>>()));
    body.extend((0..16).flat_map(|i| few_bits(i + 200).to_le_bytes()));
    body.extend(halves(&(0..2 * 16).map(|i| few_bits(i + 300)).collect::<Vec<_>>()));
    body.extend((0..2).flat_map(|i| few_bits(i + 400).to_le_bytes()));
    file(NETWORK, 1, &u32::try_from(front.len()).expect("short").to_le_bytes(), &body)
}

/// Its scores for the large picture. Right of the last column is the first column of the next row.
fn convolutional_scores() -> [f64; 2] {
    let picture: Vec<f64> =
        large_picture().iter().map(|&sample| f64::from((f32::from(sample) - MEAN) * CONVOLUTION.scale)).collect();
    let average = |channel: usize| {
        let value = |pixel: usize| {
            let terms = (0..9).map(|tap| {
                let neighbour = picture[(pixel + 1024 + tap / 3 * 32 + tap % 3 - 33) % 1024];
                f64::from(few_bits(channel * 9 + tap) / 4.0) * neighbour
            });
            let sum = terms.sum::<f64>() + f64::from(few_bits(channel + 200));
            sum * sum
        };
        (0..1024).map(value).sum::<f64>() / 1024.0
    };
    let averages: Vec<f64> = (0..16).map(average).collect();
    [0, 1].map(|label| {
        let terms = averages.iter().enumerate().map(|(i, average)| f64::from(few_bits(label * 16 + i + 300)) * average);
        terms.sum::<f64>() + f64::from(few_bits(label + 400))
    })
}

fn halves(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()[2..].to_vec()).collect()
}

/// A file with a body after its header, and the checksum of both.
fn file(kind: u8, version: u16, header: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(header.len()).expect("short");
    let mut file = sealed([&MARK[..], &version.to_le_bytes(), &[kind, 3], &length.to_le_bytes(), header].concat());
    let crc = crc32(&[&file[file.len() - 4..], body].concat());
    file.extend(body);
    file.extend(crc.to_le_bytes());
    file
}

fn network(front: &[u8], length: usize, last: f32) -> Vec<u8> {
    with_between(front, &[], length, last)
}

/// A network with the weights of further hidden layers between the first and the last one.
fn with_between(front: &[u8], between: &[u8], length: usize, last: f32) -> Vec<u8> {
    let mut body = front.to_vec();
    body.extend(halves(&FIRST.0));
    body.extend(FIRST.1.to_le_bytes());
    body.extend(between);
    body.extend(halves(&SECOND.0));
    body.extend([SECOND.1[0], last].into_iter().flat_map(f32::to_le_bytes));
    file(NETWORK, 1, &u32::try_from(length).expect("short").to_le_bytes(), &body)
}

/// The network's scores for the picture. `between` computes the layers between the first and the last one.
fn scores(between: impl Fn(f64) -> f64) -> [f64; 2] {
    let mut sums = [0.0f64; 2];
    for (x, y) in (0..HEIGHT - 1).flat_map(|y| (0..WIDTH - 1).map(move |x| (x, y))) {
        let patch = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)].map(|(x, y)| f64::from(PICTURE[y * WIDTH + x]));
        let mean = patch.iter().sum::<f64>() / 4.0;
        let variance = patch.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / 4.0;
        let scaled = patch.map(|sample| (sample - mean) / (variance + 10.0).sqrt());
        let answer: f64 = scaled.iter().zip(FILTER).map(|(sample, weight)| sample * f64::from(weight)).sum();
        let answer = answer - f64::from(OFFSET);
        sums[0] += (answer - f64::from(THRESHOLD)).max(0.0);
        sums[1] += (-answer - f64::from(THRESHOLD)).max(0.0);
    }
    let number = |i: usize| ((sums[i] - f64::from(MEANS[i])) * f64::from(SCALES[i])).clamp(-4.0, 4.0);
    let hidden = f64::from(FIRST.0[0]) * number(0) + f64::from(FIRST.0[1]) * number(1) + f64::from(FIRST.1);
    let squared = between(hidden * hidden);
    [0, 1].map(|i| f64::from(SECOND.0[i]) * squared + f64::from(SECOND.1[i]))
}

pub(crate) fn valid() -> Vec<Valid> {
    let front = GOOD.bytes();
    let (part, whole) = ("valid/network.front", "valid/network.model");
    let deep = DEEP.bytes();
    let (deep_part, deep_whole) = ("valid/network-deep.front", "valid/network-deep.model");
    let pixels = CONVOLUTION.bytes();
    let (pixels_part, pixels_whole) = ("valid/network-pixels.front", "valid/network-pixels.model");
    let between = [halves(&[0.25]), (-0.5f32).to_le_bytes().to_vec()].concat();
    vec![
        Valid {
            file: part.into(),
            entry: json!({ "file": part, "kind": "network_front", "labels": ["yes", "no"], "hidden": 1 }),
            bytes: front.clone(),
        },
        Valid {
            file: whole.into(),
            entry: json!({
                "file": whole, "kind": "network", "front": part, "width": WIDTH, "height": HEIGHT, "picture": PICTURE,
                "scores": scores(|squared| squared),
            }),
            bytes: network(&front, front.len(), SECOND.1[1]),
        },
        Valid {
            file: deep_part.into(),
            entry: json!({ "file": deep_part, "kind": "network_front", "labels": ["yes", "no"], "hidden": 2 }),
            bytes: deep.clone(),
        },
        Valid {
            file: deep_whole.into(),
            entry: json!({
                "file": deep_whole, "kind": "network", "front": deep_part, "width": WIDTH, "height": HEIGHT,
                "picture": PICTURE, "scores": scores(|squared| (0.25 * squared - 0.5).powi(2)),
            }),
            bytes: with_between(&deep, &between, deep.len(), SECOND.1[1]),
        },
        Valid {
            file: pixels_part.into(),
            entry: json!({ "file": pixels_part, "kind": "network_front", "labels": ["yes", "no"], "hidden": 0 }),
            bytes: pixels.clone(),
        },
        Valid {
            file: pixels_whole.into(),
            entry: json!({
                "file": pixels_whole, "kind": "network", "front": pixels_part, "width": 32, "height": 32,
                "picture": large_picture(), "scores": convolutional_scores(),
            }),
            bytes: convolutional(&pixels),
        },
    ]
}

pub(crate) fn hostile() -> Vec<Hostile> {
    let one = |name: &str, bytes: Vec<u8>, code: Code, found: Found| Hostile {
        file: format!("hostile/network-{name}.slt"),
        bytes,
        code,
        found,
    };
    let part = |name: &str, front: Front, code: Code| one(name, front.bytes(), code, Found::Front);
    let pixels = |name: &str, front: Pixels, code: Code| one(name, front.bytes(), code, Found::Front);
    let (good, length) = (GOOD.bytes(), GOOD.bytes().len());
    let whole = |name: &str, bytes: Vec<u8>, code: Code| one(name, bytes, code, Found::Network);
    let mut flipped = network(&good, length, SECOND.1[1]);
    let place = flipped.len() - 6;
    flipped[place] ^= 1;
    vec![
        part("set", Front { set: 99, ..GOOD }, Code::UnknownParameters),
        part("width", Front { width: 257, ..GOOD }, Code::BadHeader),
        part("narrow", Front { width: 1, ..GOOD }, Code::BadHeader),
        part("stride", Front { stride: 0, ..GOOD }, Code::BadHeader),
        part("channels", Front { channels: 255, ..GOOD }, Code::Truncated),
        part("cells", Front { cells: 255, ..GOOD }, Code::Truncated),
        part("filters", Front { filters: u16::MAX, ..GOOD }, Code::Truncated),
        part("no-filters", Front { filters: 0, ..GOOD }, Code::TrailingData),
        part("labels", Front { labels: 3, ..GOOD }, Code::BadHeader),
        part("same-labels", Front { text: b"\x02no\x02no", ..GOOD }, Code::BadHeader),
        part("label-not-text", Front { text: b"\x03y\xffs\x02no", ..GOOD }, Code::BadHeader),
        part("label-too-long", Front { text: b"\x03yes\xffno", ..GOOD }, Code::BadHeader),
        part("hidden", Front { hidden: 4097, ..GOOD }, Code::BadHeader),
        part("layer-unknown", Front { layers: Some(b"\x01\0\x03\x02\0"), ..DEEP }, Code::BadHeader),
        part("layers-none", Front { layers: Some(b"\0\0"), ..DEEP }, Code::BadHeader),
        part("layers-cut", Front { layers: Some(b"\x03\0\x01\x02\0\x02"), ..DEEP }, Code::BadHeader),
        part("layers-more", Front { layers: Some(b"\x01\0\x01\x02\0\x02"), ..DEEP }, Code::BadHeader),
        part("layers-square-last", Front { layers: Some(b"\x02\0\x01\x02\0\x02"), ..DEEP }, Code::BadHeader),
        part("layers-dense-twice", Front { layers: Some(b"\x02\0\x01\x02\0\x01\x02\0"), ..DEEP }, Code::BadHeader),
        part("layers-empty", Front { layers: Some(b"\x03\0\x01\0\0\x02\x01\x02\0"), ..DEEP }, Code::BadHeader),
        part("layers-labels", Front { layers: Some(b"\x01\0\x01\x03\0"), ..DEEP }, Code::BadHeader),
        part("layer-kind", Front { layers: Some(b"\x01\0\x09\x02\0"), ..DEEP }, Code::BadHeader),
        part("convolution-of-features", Front { layers: Some(CONVOLUTION.layers), ..DEEP }, Code::BadHeader),
        pixels("pixels-set", Pixels { set: 1, ..CONVOLUTION }, Code::BadHeader),
        pixels("pixels-side", Pixels { side: 48, ..CONVOLUTION }, Code::BadHeader),
        pixels("pixels-none", Pixels { side: 0, ..CONVOLUTION }, Code::BadHeader),
        pixels("pixels-scale", Pixels { scale: f32::NAN, ..CONVOLUTION }, Code::BadHeader),
        pixels("pixels-huge-scale", Pixels { scale: 1.0, ..CONVOLUTION }, Code::BadHeader),
        pixels("pixels-stride", Pixels { layers: b"\x03\0\x03\x03\x08\x02\x05\x02\0", ..CONVOLUTION }, Code::BadHeader),
        pixels("pixels-kernel", Pixels { layers: b"\x03\0\x03\xff\x01\x02\x05\x02\0", ..CONVOLUTION }, Code::BadHeader),
        pixels(
            "pixels-sum",
            Pixels { layers: b"\x04\0\x03\x03\x01\x02\x04\x05\x02\0", ..CONVOLUTION },
            Code::BadHeader,
        ),
        pixels("pixels-dense", Pixels { layers: b"\x01\0\x01\x02\0", ..CONVOLUTION }, Code::BadHeader),
        pixels("pixels-cut", Pixels { layers: b"\x03\0\x03\x03", ..CONVOLUTION }, Code::BadHeader),
        part("levels", Front { set: 1, ..DEEP }, Code::BadHeader),
        part("threshold", Front { threshold: -1.0, ..GOOD }, Code::BadHeader),
        part("filter", Front { filter: f32::INFINITY, ..GOOD }, Code::BadHeader),
        whole("long-front", network(&good, length + 1, 0.0), Code::TrailingData),
        whole("short-front", network(&good, length - 1, 0.0), Code::Truncated),
        whole("huge-front", network(&good, u32::MAX as usize, 0.0), Code::Truncated),
        whole("weight", network(&good, length, f32::NAN), Code::BadHeader),
        whole("flipped", flipped, Code::Damaged),
        whole("front-alone", good, Code::WrongKind),
    ]
}
