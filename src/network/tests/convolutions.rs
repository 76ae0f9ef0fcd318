//! Networks of convolutions: encrypted scores are those in the clear, and what cannot be is refused.

use std::sync::Mutex;

use super::*;
use crate::schemes::ckks::parameters::NETWORK_15;

const PICTURE: Shape = Shape { width: 32, height: 32, channels: 3 };

fn pixels() -> Pixels {
    Pixels { shape: PICTURE, means: vec![120.0; 3], scales: vec![1.0 / 64.0; 3] }
}

const fn convolution(kernel: usize, stride: usize) -> Layer {
    Layer::Convolution { kernel, stride }
}

fn labels(count: usize) -> Vec<String> {
    (0..count).map(|label| format!("label {label}")).collect()
}

/// A small network with a layer of every kind.
fn layers(count: usize) -> Vec<Layer> {
    vec![
        convolution(3, 1),
        Layer::Square,
        convolution(4, 2),
        Layer::Square,
        convolution(3, 1),
        Layer::Square,
        Layer::Sum,
        Layer::Average { outputs: count },
    ]
}

fn convolutional(layers: Vec<Layer>, count: usize) -> Network {
    let spec = NetworkSpec::new(&NETWORK_15, pixels(), labels(count), layers).unwrap();
    let weights = |(weights, biases): (usize, usize)| {
        let inputs = (weights / biases.max(1)) as f32;
        Weights {
            weights: noise(weights, 3.0)
                .iter()
                .map(|weight| rounded(weight * (2.0 / inputs.max(1.0)).sqrt()))
                .collect(),
            bias: noise(biases, 4.0).iter().map(|bias| bias / 4.0).collect(),
        }
    };
    let weights = spec.numbers().into_iter().map(weights).collect();
    Network::new(spec, weights).unwrap()
}

fn picture(seed: usize) -> Photo {
    let samples = (0..PICTURE.samples()).map(|i| u8::try_from((i * 37 + seed * 101 + i * i * seed) % 251).unwrap());
    Photo::from_samples(32, 32, 3, samples.collect()).unwrap()
}

/// Records the progress, and stops after a number of reports.
struct Recorder {
    reports: Mutex<Vec<(u64, u64)>>,
    most: usize,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { reports: Mutex::default(), most: usize::MAX }
    }
}

impl Watch for Recorder {
    fn progress(&self, done: u64, total: u64) {
        self.reports.lock().unwrap().push((done, total));
    }

    fn check(&self) -> Result<()> {
        if self.reports.lock().unwrap().len() < self.most { Ok(()) } else { Err(Error::new(Code::Cancelled, "stop")) }
    }
}

#[test]
fn a_network_of_convolutions() {
    let network = convolutional(layers(10), 10);
    let spec = network.spec();
    assert_eq!((spec.level(), spec.input().numbers(), spec.answer_slots().unwrap()), (4, 3072, 16));
    let bytes = wire::write(&network).unwrap();
    assert_eq!(wire::read(&bytes).unwrap(), network);
    let part = wire::write_spec(spec).unwrap();
    assert_eq!((part[8], &wire::read_spec(&part).unwrap()), (3, spec));

    let ring = Ring::new(&NETWORK_15).unwrap();
    let encoder = Arc::new(Encoder::new(&ring));
    let (secret, _) = SecretKey::generate(&ring, &mut rng(1)).unwrap();
    let keys = spec.evaluation_keys(&ring, &secret, &mut rng(2)).unwrap();
    let circuit = Circuit::new(Arc::clone(&ring), Arc::clone(&encoder), &network).unwrap();
    let (promised, taken) = (spec.memory(), circuit.memory());
    assert!(promised.abs_diff(taken) < 1 << 20, "{promised} bytes were promised, {taken} taken");
    let numbers = spec.input().of(&picture(1)).unwrap();
    let sent = spec.encrypt(&ring, &encoder, &secret, &numbers, &mut rng(3)).unwrap();
    let stop = circuit.run(keys.clone(), &sent.ciphertext, &Recorder { most: 40, ..Recorder::default() }).unwrap_err();
    assert_eq!(stop.kind(), Code::Cancelled, "in the middle of a layer");
    let recorder = Recorder::default();
    let scores = circuit.run(keys, &sent.ciphertext, &recorder).unwrap();
    let reports = recorder.reports.into_inner().unwrap();
    assert!(reports.is_sorted() && reports.len() > 100, "{reports:?}");
    assert!(reports.iter().all(|(_, total)| *total == reports[0].1));
    assert_eq!((reports[0].0, reports.last().unwrap().0), (0, reports[0].1), "from nothing to everything");
    let clear = network.decide(&numbers);
    assert!(clear.scores.iter().all(|score| score.abs() < 64.0), "{clear:?}");
    assert!(clear.scores.iter().any(|score| score.abs() > 0.5), "{clear:?}");
    let opened = spec.open(&ring, &encoder, &secret, &scores).unwrap();
    for (clear, opened) in clear.scores.iter().zip(&opened.scores) {
        assert!((clear - opened).abs() < PRECISION, "{clear} became {opened}");
    }
    assert_eq!(clear.class, opened.class);
}

#[test]
fn keys_are_few_and_those_for_low_levels_short() {
    let spec = convolutional(layers(10), 10).spec().clone();
    let needs = spec.needs();
    assert_eq!(needs[0], Need::Products { level: 3 });
    let rotation = |steps: i64| {
        needs.iter().find_map(|need| match need {
            Need::Rotation { steps: found, level } if *found == steps => Some(*level),
            _ => None,
        })
    };
    assert_eq!([1, 4, 512].map(rotation), [Some(4); 3]);
    // A sum's rotation, and those of the scores.
    let origin = 3 * 512 + 63;
    assert_eq!(rotation(origin), Some(1));
    assert_eq!([16, 8192].map(rotation), [Some(0); 2]);
    assert_eq!(needs.len(), 1 + 3 + 1 + 9);
}

#[test]
fn layers_that_do_not_follow_each_other_are_refused() {
    let (one, two) = (convolution(3, 1), convolution(4, 2));
    let last = Layer::Average { outputs: 3 };
    let deep = |count: usize| [one, Layer::Square].repeat(count);
    let wrong: Vec<Vec<Layer>> = vec![
        vec![one],
        vec![one, last],
        vec![one, Layer::Square, Layer::Square, last],
        vec![one, Layer::Sum, Layer::Square, last],
        vec![one, one, Layer::Square, last],
        vec![one, Layer::Square, Layer::Sum, last], // three channels and sixteen
        vec![one, Layer::Square, two, Layer::Square, Layer::Sum, last],
        vec![one, Layer::Square, last, last],
        vec![one, Layer::Square, Layer::Dense { outputs: 3 }],
        vec![one, Layer::Square, Layer::Average { outputs: 4 }],
        vec![convolution(0, 1), Layer::Square, last],
        vec![convolution(8, 1), Layer::Square, last],
        vec![convolution(3, 3), Layer::Square, last],
        vec![convolution(3, 0), Layer::Square, last],
        vec![two, Layer::Square, two, Layer::Square, two, Layer::Square, last], // weights that hardly repeat
        [deep(9), vec![last]].concat(),                                         // more levels than the set has
    ];
    for layers in wrong {
        let spec = NetworkSpec::new(&NETWORK_15, pixels(), labels(3), layers.clone());
        assert_eq!(spec.map(drop).unwrap_err().kind(), Code::BadHeader, "{layers:?}");
    }
    let good = vec![one, Layer::Square, last];
    assert!(NetworkSpec::new(&NETWORK_15, pixels(), labels(3), good.clone()).is_ok());
    assert!(NetworkSpec::new(&NETWORK_15, pixels(), labels(3), [deep(8), vec![last]].concat()).is_ok());
    assert!(NetworkSpec::new(&SMALL, pixels(), labels(3), good.clone()).is_err(), "not a set for convolutions");
    assert!(NetworkSpec::new(&NETWORK_15, patches(), labels(3), good.clone()).is_err(), "not pixels");
    let dense = Layer::perceptron(4, 3);
    assert!(NetworkSpec::new(&NETWORK_15, pixels(), labels(3), dense.clone()).is_err(), "a set for convolutions only");
    assert!(NetworkSpec::new(&SMALL, pixels(), labels(3), dense).is_ok(), "pixels suit dense layers");
    let changes: [fn(&mut Pixels); 7] = [
        |pixels| pixels.shape.width = 31,
        |pixels| pixels.shape.height = 48,
        |pixels| pixels.shape.channels = 2,
        |pixels| pixels.means.truncate(2),
        |pixels| pixels.means[1] = f32::NAN,
        |pixels| pixels.scales[1] = 1.0,
        |pixels| pixels.scales[1] = 0.0,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut spoilt = pixels();
        change(&mut spoilt);
        let spec = NetworkSpec::new(&NETWORK_15, spoilt, labels(3), good.clone());
        assert!(spec.is_err(), "change {number}");
    }
    let too_many = [vec![one, Layer::Square], vec![Layer::Average { outputs: 17 }]].concat();
    assert!(
        NetworkSpec::new(&NETWORK_15, pixels(), labels(17), too_many).is_err(),
        "more labels than slots of a pixel"
    );
}
