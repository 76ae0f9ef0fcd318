//! Classifiers: learning, their files, and forged files.

#![cfg(feature = "learn")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::float_cmp, clippy::unwrap_used)]

use proptest::prelude::*;
use safelight::error::{Code, Result};
use safelight::learn::committee::Strategy;
use safelight::learn::{Learner, Model, Shape, Trainer, Verdict, Wishes};
use safelight::watch::{NoWatch, Watch};
use safelight::wire;

const SHAPE: Shape = Shape { width: 16, height: 8, channels: 1 };
const LABELS: [&str; 3] = ["Ada", "Berta", "Çelik"];

/// Pseudorandom numbers from 0 to 1 that are always the same.
fn noise(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 33) as u32) / f64::from(1u32 << 31)
    })
}

/// A picture of one of three people: waves of a direction of their own, with noise.
fn picture(class: usize, number: u64) -> Vec<u8> {
    let mut noise = noise(number * 3 + class as u64 + 1);
    let (dx, dy) = [(0.8, 0.0), (0.0, 0.9), (0.5, 0.5)][class];
    (0..128u32)
        .map(|i| {
            let wave = (f64::from(i % 16) * dx + f64::from(i / 16) * dy).sin();
            (127.5 + 60.0 * wave + 120.0 * (noise.next().unwrap() - 0.5)) as u8
        })
        .collect()
}

fn train(wishes: Wishes) -> Result<Model> {
    let mut trainer = Trainer::new(wishes.recipe()?);
    for number in 0..12 {
        for (class, label) in LABELS.iter().enumerate() {
            trainer.add(label, SHAPE, &picture(class, number))?;
        }
    }
    trainer.finish(&NoWatch)
}

/// Options for every learner.
fn all_wishes() -> Vec<Wishes> {
    let learner = |learner| Wishes { learner: Some(learner), ..Wishes::default() };
    let mut all: Vec<Wishes> = Learner::ALL.into_iter().map(learner).collect();
    all.push(Wishes { strategy: Some(Strategy::Pairs), ..learner(Learner::SvmRbf) });
    all.push(Wishes { sample: Some(2), seed: Some(7), ..learner(Learner::SvmLinear) });
    all.push(Wishes { trees: Some(9), seed: Some(u64::MAX), ..learner(Learner::Forest) });
    all
}

fn open(bytes: &[u8]) -> Result<Model> {
    safelight::learn::wire::read(bytes, &NoWatch)
}

fn write(model: &Model) -> Vec<u8> {
    safelight::learn::wire::write(model).unwrap()
}

fn verdicts(model: &Model) -> Vec<(usize, Verdict)> {
    let test = (100..120).flat_map(|number| (0..3).map(move |class| (class, number)));
    test.map(|(class, number)| (class, model.classify(SHAPE, &picture(class, number)).unwrap())).collect()
}

#[test]
fn every_learner_recognises_pictures_that_it_has_not_seen() {
    for wishes in all_wishes() {
        let model = train(wishes).unwrap();
        assert_eq!(model.parts().labels, LABELS);
        assert_eq!(model.parts().pictures, [12; 3]);
        let verdicts = verdicts(&model);
        let right = verdicts.iter().filter(|(class, verdict)| verdict.class == *class).count();
        assert!(right * 10 >= verdicts.len() * 9, "{wishes:?}: {right} of {}", verdicts.len());
        for (_, verdict) in verdicts {
            let probabilities = verdict.probabilities.unwrap();
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{wishes:?}");
        }
    }
}

#[test]
fn the_same_pictures_give_the_same_model_on_any_number_of_cores() {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for wishes in all_wishes() {
        let model = train(wishes).unwrap();
        let again = alone.install(|| train(wishes)).unwrap();
        assert_eq!(write(&model), write(&again), "{wishes:?}");
        assert_eq!(verdicts(&model), alone.install(|| verdicts(&again)), "{wishes:?}");
    }
}

#[test]
fn a_model_from_its_file_says_the_same() {
    for wishes in all_wishes() {
        let model = train(wishes).unwrap();
        let bytes = write(&model);
        let opened = open(&bytes).unwrap();
        assert_eq!(opened.parts(), model.parts());
        assert_eq!(verdicts(&opened), verdicts(&model), "{wishes:?}");
        assert_eq!(write(&opened), bytes);
    }
}

#[cfg(feature = "client")]
#[test]
fn scrambled_pictures_are_as_good_as_plain_ones() {
    use safelight::photo::Photo;
    use safelight::schemes::etc::{self, Form, MasterKey, Settings};

    let key = MasterKey::from_bytes([7; 32]);
    let settings = Settings { block: 4, fixed_key: true, ..Settings::new(Form::Grey) };
    let scramble = |samples: Vec<u8>| {
        let photo = Photo::from_samples(SHAPE.width, SHAPE.height, 1, samples).unwrap();
        etc::encrypt(&photo, &key, settings).unwrap().0.samples().to_vec()
    };
    for learner in [Learner::SvmLinear, Learner::SvmRbf, Learner::SvmPoly, Learner::Neighbours] {
        let wishes = Wishes { learner: Some(learner), ..Wishes::default() };
        let mut trainer = Trainer::new(wishes.recipe().unwrap());
        for number in 0..12 {
            for (class, label) in LABELS.iter().enumerate() {
                trainer.add(label, SHAPE, &scramble(picture(class, number))).unwrap();
            }
        }
        let (plain, scrambled) = (train(wishes).unwrap(), trainer.finish(&NoWatch).unwrap());
        for (class, verdict) in verdicts(&plain) {
            let number = (100..120).find(|&n| plain.classify(SHAPE, &picture(class, n)).unwrap() == verdict).unwrap();
            let other = scrambled.classify(SHAPE, &scramble(picture(class, number))).unwrap();
            assert_eq!(other.class, verdict.class, "{learner:?}");
            // The order of the sums differs, so training may end one step earlier or later.
            for (a, b) in other.scores.unwrap().iter().zip(verdict.scores.unwrap()) {
                assert!((a - b).abs() < 2e-3, "{learner:?}: {a} for {b}");
            }
        }
    }
}

fn code<T>(outcome: Result<T>) -> Code {
    outcome.err().expect("an error").kind()
}

#[test]
fn what_does_not_go_together_is_refused() {
    let wishes = |change: fn(&mut Wishes)| {
        let mut wishes = Wishes::default();
        change(&mut wishes);
        wishes.recipe()
    };
    assert!(wishes(|_| ()).is_ok());
    assert_eq!(code(wishes(|w| w.trees = Some(5))), Code::BadArgument);
    assert_eq!(code(wishes(|w| w.gamma = Some(1.0))), Code::BadArgument);
    assert_eq!(code(wishes(|w| w.cost = Some(f64::NAN))), Code::BadArgument);
    assert_eq!(code(wishes(|w| w.cost = Some(-1.0))), Code::BadArgument);
    assert_eq!(code(wishes(|w| w.sample = Some(0))), Code::BadArgument);
    assert_eq!(code(wishes(|w| (w.learner, w.neighbours) = (Some(Learner::Neighbours), Some(0)))), Code::BadArgument);

    let trainer = |change: fn(&mut Wishes)| Trainer::new(wishes(change).unwrap());
    let grey = picture(0, 0);
    let mut one = trainer(|_| ());
    one.add("a", SHAPE, &grey).unwrap();
    assert_eq!(code(one.add("b", Shape { width: 8, height: 16, ..SHAPE }, &grey)), Code::ImagesDiffer);
    assert_eq!(code(one.add("b", SHAPE, &grey[1..])), Code::BadArgument);
    assert_eq!(code(one.add("", SHAPE, &grey)), Code::BadArgument);
    assert_eq!(code(one.add("a\nb", SHAPE, &grey)), Code::BadArgument);
    assert_eq!(code(one.add(&"x".repeat(201), SHAPE, &grey)), Code::BadArgument);
    assert_eq!(code(one.finish(&NoWatch)), Code::BadArgument);
    assert_eq!(code(trainer(|_| ()).finish(&NoWatch)), Code::BadArgument);
    assert_eq!(code(trainer(|w| w.sample = Some(129)).add("a", SHAPE, &grey)), Code::BadArgument);

    let mut few = trainer(|w| (w.learner, w.neighbours) = (Some(Learner::Neighbours), Some(3)));
    few.add("a", SHAPE, &grey).unwrap();
    few.add("b", SHAPE, &grey).unwrap();
    assert_eq!(code(few.finish(&NoWatch)), Code::BadArgument);

    let model = train(Wishes::default()).unwrap();
    assert_eq!(code(model.classify(Shape { channels: 3, ..SHAPE }, &[0; 384])), Code::ImagesDiffer);
    assert_eq!(code(model.classify(SHAPE, &[0; 3])), Code::BadArgument);
}

#[test]
fn pictures_without_a_difference_still_make_a_model() {
    for wishes in all_wishes() {
        let mut trainer = Trainer::new(wishes.recipe().unwrap());
        for label in ["a", "b"].into_iter().cycle().take(20) {
            trainer.add(label, SHAPE, &[9; 128]).unwrap();
        }
        let model = trainer.finish(&NoWatch).unwrap();
        let verdict = model.classify(SHAPE, &[9; 128]).unwrap();
        assert!(verdict.class < 2 && verdict.probabilities.is_some_and(|p| (p[0] + p[1] - 1.0).abs() < 1e-9));
        assert_eq!(write(&open(&write(&model)).unwrap()), write(&model));
    }
}

#[test]
fn training_ends_when_its_watcher_says_so() {
    struct Impatient;
    impl Watch for Impatient {
        fn check(&self) -> Result<()> {
            Err(safelight::error::Error::new(Code::Cancelled, "enough"))
        }
    }
    let wishes = Wishes { learner: Some(Learner::Forest), ..Wishes::default() };
    let mut trainer = Trainer::new(wishes.recipe().unwrap());
    trainer.add("a", SHAPE, &picture(0, 0)).unwrap();
    trainer.add("b", SHAPE, &picture(1, 0)).unwrap();
    assert_eq!(code(trainer.finish(&Impatient)), Code::Cancelled);
}

/// The end of the header and the start of the body.
const BODY: usize = 16 + 64 + 4;

/// Corrects both checksums, so that changed data reach the later checks.
fn reseal(bytes: &mut [u8]) {
    let header = crc32fast::hash(&bytes[..BODY - 4]).to_le_bytes();
    bytes[BODY - 4..BODY].copy_from_slice(&header);
    let end = bytes.len() - 4;
    let body = crc32fast::hash(&bytes[BODY - 4..end]).to_le_bytes();
    bytes[end..].copy_from_slice(&body);
}

#[test]
fn files_that_are_damaged_or_cut_or_longer_are_told_apart() {
    let bytes = write(&train(Wishes::default()).unwrap());
    for at in (0..bytes.len()).step_by(7) {
        let mut bad = bytes.clone();
        bad[at] ^= 0x40;
        assert!(open(&bad).is_err(), "byte {at}");
        assert_eq!(code(open(&bytes[..at])), Code::Truncated, "{at} bytes");
    }
    assert_eq!(code(open(&[&bytes[..], b"x"].concat())), Code::TrailingData);
    let mut bad = bytes.clone();
    bad[BODY + 50] ^= 1;
    assert_eq!(code(open(&bad)), Code::Damaged);
    let key = wire::Kind::Model.as_str();
    assert_eq!(key, "model");
}

#[test]
fn numbers_that_are_none_are_refused() {
    let model = train(Wishes { learner: Some(Learner::SvmRbf), ..Wishes::default() }).unwrap();
    let bytes = write(&model);
    let with = |at: usize, value: &[u8]| {
        let mut bad = bytes.clone();
        bad[at..at + value.len()].copy_from_slice(value);
        reseal(&mut bad);
        open(&bad)
    };
    assert!(with(16, &[1]).is_ok(), "resealing alone changes nothing");
    for number in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300] {
        assert_eq!(code(with(16 + 32, &number.to_le_bytes())), Code::BadHeader, "gamma {number}");
    }
    // The first machine's bias comes after labels, places, means and kept pictures.
    let parts = model.parts();
    let labels: usize = parts.labels.iter().map(|label| label.len() + 5).sum();
    let bias = BODY + labels + parts.places.len() * 20 + parts.rows.len() * (2 + parts.places.len());
    for number in [f64::NAN, f64::NEG_INFINITY, 1e13] {
        assert_eq!(code(with(bias, &number.to_le_bytes())), Code::BadHeader, "bias {number}");
        assert_eq!(code(with(bias + 9, &number.to_le_bytes())), Code::BadHeader, "slope {number}");
    }
    // Counts far beyond the size of the file and of any memory.
    for at in [16 + 12, 16 + 16, 16 + 20, 16 + 24] {
        assert_eq!(code(with(at, &u32::MAX.to_le_bytes())), Code::BadHeader, "count at {at}");
    }
    assert_eq!(code(with(16 + 56, &u64::MAX.to_le_bytes())), Code::Truncated);
    assert_eq!(code(with(BODY + 1, b"\xff")), Code::BadHeader, "labels are text");
}

proptest! {
    #[test]
    fn made_up_models_are_refused_or_harmless(which in 0usize..8, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = write(&train(all_wishes()[which]).unwrap());
        for (at, value) in changes {
            let at = at.index(bytes.len() - 20) + 16;
            bytes[at] = value;
        }
        reseal(&mut bytes);
        if let Ok(model) = open(&bytes) {
            let shape = model.parts().shape;
            if shape.samples() < 1 << 20 {
                let _ = model.classify(shape, &vec![200; shape.samples()]);
            }
        }
    }
}
