//! Networks in the clear and encrypted.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "tests")]

mod answers;
mod convolutions;

use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;
use crate::photo::{Photo, Shape};
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::keys::EvaluationKeys;
use crate::schemes::ckks::parameters::{LEVELED_14, SMALL};
use crate::schemes::ckks::ring::rotation;
use crate::schemes::ckks::secret::SecretKey;
use crate::watch::{NoWatch, Watch};

const SHAPE: Shape = Shape { width: 12, height: 10, channels: 3 };

/// Numbers that look like learned ones.
fn noise(count: usize, seed: f32) -> Vec<f32> {
    (0..count).map(|i| rounded((i as f32 * 12.9 + seed).sin())).collect()
}

fn patches() -> Patches {
    let (side, filters) = (3u8, 8);
    let features = 2 * filters * 4;
    Patches {
        shape: SHAPE,
        side,
        stride: 1,
        grid: 2,
        threshold: 0.25,
        filters: noise(filters * 27, 1.0),
        offsets: noise(filters, 2.0),
        means: vec![20.0; features],
        scales: vec![0.05; features],
    }
}

fn network(parameters: &'static Parameters, hidden: usize, count: usize) -> Network {
    let labels = (0..count).map(|label| format!("label {label}")).collect();
    with_layers(parameters, labels, Layer::perceptron(hidden, count))
}

fn with_layers(parameters: &'static Parameters, labels: Vec<String>, layers: Vec<Layer>) -> Network {
    let spec = NetworkSpec::new(parameters, patches(), labels, layers).unwrap();
    let weights = |(weights, biases): (usize, usize)| Weights {
        weights: noise(weights, 3.0).iter().map(|weight| rounded(weight / 4.0)).collect(),
        bias: noise(biases, 4.0),
    };
    let weights = spec.numbers().into_iter().map(weights).collect();
    Network::new(spec, weights).unwrap()
}

fn photo(seed: usize) -> Photo {
    let samples = (0..SHAPE.samples()).map(|i| u8::try_from((i * 37 + seed * 101 + i * i * seed) % 251).unwrap());
    Photo::from_samples(SHAPE.width, SHAPE.height, 3, samples.collect()).unwrap()
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

#[test]
fn encrypted_scores_are_those_in_the_clear() {
    for (parameters, hidden, labels) in [(&SMALL, 16, 10), (&SMALL, 0, 3), (&SMALL, 5, 33), (&LEVELED_14, 20, 4)] {
        let network = network(parameters, hidden, labels);
        let spec = network.spec();
        let ring = Ring::new(parameters).unwrap();
        let encoder = Arc::new(Encoder::new(&ring));
        let (secret, _) = SecretKey::generate(&ring, &mut rng(1)).unwrap();
        let keys = spec.evaluation_keys(&ring, &secret, &mut rng(2)).unwrap();
        let circuit = Circuit::new(Arc::clone(&ring), Arc::clone(&encoder), &network).unwrap();
        for seed in 1..4 {
            let features = spec.input().of(&photo(seed)).unwrap();
            let picture = spec.encrypt(&ring, &encoder, &secret, &features, &mut rng(3)).unwrap();
            let scores = circuit.run(keys.clone(), &picture.ciphertext, &NoWatch).unwrap();
            assert_eq!(scores.level(), 0);
            let (clear, opened) = (network.decide(&features), spec.open(&ring, &encoder, &secret, &scores).unwrap());
            assert!(clear.scores.iter().all(|score| score.abs() < 64.0), "{clear:?}");
            for (clear, opened) in clear.scores.iter().zip(&opened.scores) {
                assert!((clear - opened).abs() < PRECISION, "{clear} became {opened}");
            }
            assert_eq!(clear.class, opened.class);
        }
    }
}

#[test]
fn two_hidden_layers() {
    let labels: Vec<_> = (0..5).map(|label| format!("label {label}")).collect();
    let dense = |outputs| Layer::Dense { outputs };
    let layers = vec![dense(24), Layer::Square, dense(9), Layer::Square, dense(5)];
    let mut network = with_layers(&LEVELED_14, labels, layers);
    // Squares of squares grow.
    for weights in &mut network.weights {
        weights.weights.iter_mut().for_each(|weight| *weight = rounded(*weight / 8.0));
    }
    let spec = network.spec();
    assert_eq!((spec.level(), spec.hidden()), (5, 33));
    assert_eq!(spec.needs()[0], Need::Products { level: 4 });
    let bytes = wire::write(&network).unwrap();
    assert_eq!(wire::read(&bytes).unwrap(), network);
    let part = wire::write_spec(spec).unwrap();
    assert_eq!((part[8], &wire::read_spec(&part).unwrap()), (2, spec));

    let ring = Ring::new(&LEVELED_14).unwrap();
    let encoder = Arc::new(Encoder::new(&ring));
    let (secret, _) = SecretKey::generate(&ring, &mut rng(1)).unwrap();
    let keys = spec.evaluation_keys(&ring, &secret, &mut rng(2)).unwrap();
    let circuit = Circuit::new(Arc::clone(&ring), Arc::clone(&encoder), &network).unwrap();
    let features = spec.input().of(&photo(1)).unwrap();
    let picture = spec.encrypt(&ring, &encoder, &secret, &features, &mut rng(3)).unwrap();
    let scores = circuit.run(keys, &picture.ciphertext, &NoWatch).unwrap();
    let (clear, opened) = (network.decide(&features), spec.open(&ring, &encoder, &secret, &scores).unwrap());
    assert!(clear.scores.iter().all(|score| score.abs() < 64.0), "{clear:?}");
    assert!(clear.scores.iter().any(|score| score.abs() > 0.5), "{clear:?}");
    for (clear, opened) in clear.scores.iter().zip(&opened.scores) {
        assert!((clear - opened).abs() < PRECISION, "{clear} became {opened}");
    }
}

/// Ends all work with an error.
struct Stop(Error);

impl Watch for Stop {
    fn check(&self) -> Result<()> {
        Err(self.0.clone())
    }
}

#[test]
fn errors_say_what_is_missing() {
    let network = network(&SMALL, 16, 10);
    let spec = network.spec();
    let ring = Ring::new(&SMALL).unwrap();
    let encoder = Arc::new(Encoder::new(&ring));
    let (secret, _) = SecretKey::generate(&ring, &mut rng(1)).unwrap();
    let circuit = Circuit::new(Arc::clone(&ring), Arc::clone(&encoder), &network).unwrap();
    let features = spec.input().of(&photo(1)).unwrap();
    let picture = spec.encrypt(&ring, &encoder, &secret, &features, &mut rng(3)).unwrap().ciphertext;
    let run = |keys: EvaluationKeys| circuit.run(keys, &picture, &NoWatch).unwrap_err();
    let all = spec.evaluation_keys(&ring, &secret, &mut rng(2)).unwrap();
    for need in spec.needs() {
        let mut keys = EvaluationKeys::new(secret.id());
        let Need::Rotation { steps, .. } = need else { continue };
        all.relinearise().iter().for_each(|key| keys.insert_relinearise(Arc::clone(key)));
        for (element, key) in all.galois().filter(|(element, _)| *element != rotation(ring.degree(), steps)) {
            keys.insert_galois(element, Arc::clone(key));
        }
        let error = run(keys);
        assert_eq!(error.kind(), Code::MissingKey);
        assert!(error.message().contains(&format!("rotations by {steps} steps")), "{error:?}");
    }
    let (other, _) = SecretKey::generate(&ring, &mut rng(5)).unwrap();
    assert_eq!(run(EvaluationKeys::new(other.id())).kind(), Code::ForeignKey);
    let encode = |level| encoder.encode_real(&ring, &[], picture.slots(), level, ring.scale(level)).unwrap();
    let low = secret.encrypt(&ring, &encode(2), &mut rng(6)).unwrap();
    assert_eq!(circuit.run(all.clone(), &low, &NoWatch).unwrap_err().kind(), Code::LevelExhausted);
    let stopped = Error::new(Code::Cancelled, "stop");
    let stop = circuit.run(all, &picture, &Stop(stopped)).unwrap_err();
    assert_eq!(stop.kind(), Code::Cancelled);
    assert_eq!(spec.open(&ring, &encoder, &secret, &picture).unwrap_err().kind(), Code::VectorsDiffer);
    let few = spec.encrypt(&ring, &encoder, &secret, &features[1..], &mut rng(3)).unwrap_err();
    assert_eq!(few.kind(), Code::BadArgument);
    let larger = Ring::new(&LEVELED_14).unwrap();
    assert_eq!(spec.evaluation_keys(&larger, &other, &mut rng(3)).unwrap_err().kind(), Code::WrongParameters);
}

#[test]
fn numbers_of_a_picture_do_not_depend_on_its_size() {
    let patches = patches();
    let small = photo(2);
    let doubled = {
        let (width, channels) = (SHAPE.width as usize, 3);
        let row = |y: usize| {
            let pixel = move |x: usize| (0..channels).map(move |c| ((y / 2) * width + x / 2) * channels + c);
            (0..2 * width).flat_map(pixel).map(|at| small.samples()[at]).collect::<Vec<_>>()
        };
        let samples = (0..2 * SHAPE.height as usize).flat_map(row).collect();
        Photo::from_samples(2 * SHAPE.width, 2 * SHAPE.height, 3, samples).unwrap()
    };
    let numbers = patches.of(&small).unwrap();
    assert_eq!(numbers, patches.of(&doubled).unwrap());
    assert_eq!(numbers.len(), patches.features());
    assert!(numbers.iter().any(|number| number.abs() > 0.1));
    // Brightening all samples by the same amount changes the features only by rounding errors.
    let samples = small.samples().iter().map(|sample| sample / 2).collect::<Vec<_>>();
    let brighter = samples.iter().map(|sample| sample + 100).collect();
    let of = |samples| patches.of(&Photo::from_samples(12, 10, 3, samples).unwrap()).unwrap();
    let difference = of(samples.clone()).iter().zip(of(brighter)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference < 1e-3, "{difference}");
}

#[test]
fn what_cannot_be_is_refused() {
    let spoil = |change: fn(&mut Patches)| {
        let mut spoilt = patches();
        change(&mut spoilt);
        spoilt.check().unwrap_err().kind()
    };
    let changes: [fn(&mut Patches); 10] = [
        |patches| patches.side = 0,
        |patches| patches.side = 11,
        |patches| patches.stride = 0,
        |patches| patches.grid = 9,
        |patches| patches.shape.width = 257,
        |patches| patches.shape.channels = 2,
        |patches| patches.threshold = -1.0,
        |patches| patches.offsets[3] = f32::NAN,
        |patches| patches.filters.truncate(5),
        |patches| patches.means.truncate(5),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        assert_eq!(spoil(change), Code::BadHeader, "change {number}");
    }
    let labels = |labels: &[&str]| labels.iter().map(ToString::to_string).collect::<Vec<_>>();
    for wrong in [labels(&["one"]), labels(&["a", "a"]), labels(&["a", ""]), labels(&["a", "b\n"])] {
        let layers = Layer::perceptron(0, wrong.len());
        assert_eq!(NetworkSpec::new(&SMALL, patches(), wrong, layers).unwrap_err().kind(), Code::BadHeader);
    }
    let dense = |outputs| Layer::Dense { outputs };
    let wrong: [&[Layer]; 8] = [
        &[],
        &[dense(3)],
        &[Layer::Square, dense(2)],
        &[dense(2), Layer::Square],
        &[dense(4), dense(2)],
        &[dense(4097), Layer::Square, dense(2)],
        &[dense(0), Layer::Square, dense(2)],
        &[dense(4), Layer::Square, dense(4), Layer::Square, dense(2)], // more levels than the set has
    ];
    for layers in wrong {
        let spec = NetworkSpec::new(&SMALL, patches(), labels(&["a", "b"]), layers.to_vec());
        assert_eq!(spec.unwrap_err().kind(), Code::BadHeader, "{layers:?}");
    }
}

#[test]
fn weights_keep_eight_bits() {
    for (number, wanted) in [(1.0f32, 1.0f32), (1.003, 1.0), (1.005, 1.007_812_5), (-3.15, -3.156_25), (0.0, 0.0)] {
        assert_eq!(rounded(number).to_bits(), wanted.to_bits());
    }
}
