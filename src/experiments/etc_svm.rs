//! Faces recognised from scrambled pictures: Kawamura, Kinoshita, Kiya, "A Privacy-Preserving Machine Learning Scheme Using
//! `EtC` Images" (2020), figure 4 and tables 1 and 2.
//!
//! Half of each person's pictures, drawn at random, is for training and the other for testing. A random sample of the
//! places in the pictures is used, standardised over the training set. Each person has a machine against all others; the
//! equal error rate is that of all its scores together.
//!
//! Pictures are in the clear, scrambled with one key for all persons (key condition 1), or with one for each person (key
//! condition 2). The clear ones use either the places that the scrambled ones' samples come from, which must give the same
//! rates, or as many others.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::yale::{self, Person};
use crate::error::{Code, Error, Result};
use crate::etc::scramble::Plan;
use crate::etc::{Form, Label, MasterKey, Nonce, Settings};
use crate::learn::committee::{Committee, Strategy};
use crate::learn::features::Standardiser;
use crate::learn::kernel::Family;
use crate::learn::rates::{equal_error_rate, mean_and_deviation};
use crate::learn::svm::Training;
use crate::math::random;
use crate::photo::Photo;
use crate::watch::NoWatch;

/// One sample of so many is used.
pub const FRACTIONS: [usize; 4] = [20, 40, 60, 80];
/// What the paper gives for the linear kernel under key condition 1, at each of [`FRACTIONS`].
pub const PAPER_LINEAR: [f64; 4] = [0.0223, 0.0247, 0.0271, 0.0296];

/// What the machine is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pictures {
    /// In the clear, at the places that the samples of [`Self::OneKey`] come from.
    PlainMapped,
    /// In the clear, at other places.
    Plain,
    /// Scrambled, with one key for all (key condition 1).
    OneKey,
    /// Scrambled, with a key for each person (key condition 2).
    OwnKeys,
}

impl Pictures {
    /// All of them, as in the table.
    pub const ALL: [Self; 4] = [Self::PlainMapped, Self::OneKey, Self::Plain, Self::OwnKeys];

    /// The name in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PlainMapped => "plain, same samples",
            Self::Plain => "plain, other samples",
            Self::OneKey => "scrambled, one key",
            Self::OwnKeys => "scrambled, own keys",
        }
    }
}

/// What to run.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// The machine's kernel, with the usual scale.
    pub kernel: Family,
    /// How it is trained.
    pub training: Training,
    /// The side of a block in pixels.
    pub block: u8,
    /// One run for each: another split, other keys, other samples.
    pub seeds: Vec<u64>,
}

/// The equal error rates of all runs.
#[derive(Clone, Debug)]
pub struct Row {
    /// What the machine was shown.
    pub pictures: Pictures,
    /// One sample of so many was used.
    pub fraction: usize,
    /// One rate for each seed.
    pub rates: Vec<f64>,
}

impl Row {
    /// Mean and deviation over the seeds.
    #[must_use]
    pub fn summary(&self) -> (f64, f64) {
        mean_and_deviation(&self.rates)
    }
}

/// Runs it. `watch(done, all)` is told how far it is, and ends it with an error.
///
/// # Errors
/// What `watch` says, and [`Code::BadArgument`] where training does not work.
pub fn run(
    people: &[Person],
    experiment: &Experiment,
    mut watch: impl FnMut(u64, u64) -> Result<()>,
) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = FRACTIONS
        .iter()
        .flat_map(|&fraction| Pictures::ALL.map(|pictures| Row { pictures, fraction, rates: Vec::new() }))
        .collect();
    let all = (rows.len() * experiment.seeds.len()) as u64;
    let mut done = 0;
    for &seed in &experiment.seeds {
        let run = Run::new(people, experiment, seed)?;
        for row in &mut rows {
            watch(done, all)?;
            row.rates.push(run.rate(row.pictures, row.fraction, experiment)?);
            done += 1;
        }
    }
    watch(done, all)?;
    Ok(rows)
}

/// What one seed decides.
struct Run<'a> {
    people: &'a [Person],
    /// For each person, the numbers of the pictures: the first half is for training.
    order: Vec<Vec<usize>>,
    /// A random order of the places in a picture, and another one.
    places: [Vec<usize>; 2],
    /// For each place in a scrambled picture, where its sample comes from and whether it is negated: with one key for all,
    /// then with each person's own.
    one: Vec<(usize, bool)>,
    own: Vec<Vec<(usize, bool)>>,
}

impl<'a> Run<'a> {
    fn new(people: &'a [Person], experiment: &Experiment, seed: u64) -> Result<Self> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let order = people.iter().map(|_| shuffled(&mut rng, yale::PICTURES)).collect::<Result<_>>()?;
        let count = yale::WIDTH * yale::HEIGHT;
        let places = [shuffled(&mut rng, count)?, shuffled(&mut rng, count)?];
        let one = origins(&mut rng, experiment.block)?;
        let own = people.iter().map(|_| origins(&mut rng, experiment.block)).collect::<Result<_>>()?;
        Ok(Self { people, order, places, one, own })
    }

    fn rate(&self, pictures: Pictures, fraction: usize, experiment: &Experiment) -> Result<f64> {
        let all = yale::PICTURES as usize;
        let half = all / 2;
        let (train, train_class) = self.samples(pictures, fraction, 0..half);
        let (test, test_class) = self.samples(pictures, fraction, half..all);
        let standard = Standardiser::fit(&train)?;
        let (train, test) = (standard.apply(&train)?, standard.apply(&test)?);
        let kernel = experiment.kernel.kernel(train.columns(), None);
        let table = kernel.gram(&train);
        let committee = Committee::train(&table, &train_class, Strategy::Rest, experiment.training, false, &NoWatch)?;
        let (mut genuine, mut impostors) = (Vec::new(), Vec::new());
        for (row, class) in kernel.table(&test, &train).iter().zip(test_class) {
            for member in &committee.members {
                let scores = if member.class == class { &mut genuine } else { &mut impostors };
                scores.push(member.machine.decide(row));
            }
        }
        Ok(equal_error_rate(&genuine, &impostors))
    }

    /// Samples of the pictures, and whose they are. `which` counts in each person's random order.
    fn samples(
        &self,
        pictures: Pictures,
        fraction: usize,
        which: std::ops::Range<usize>,
    ) -> (Vec<Vec<u8>>, Vec<usize>) {
        let [places, others] = &self.places;
        let count = places.len() / fraction;
        let places = if pictures == Pictures::Plain { &others[..count] } else { &places[..count] };
        let mut rows = Vec::new();
        let mut classes = Vec::new();
        for (number, person) in self.people.iter().enumerate() {
            for &picture in &self.order[number][which.clone()] {
                let picture = &person.pictures[picture];
                let scrambled = |origins: &[(usize, bool)], place: usize| {
                    let (from, negated) = origins[place];
                    if negated { !picture[from] } else { picture[from] }
                };
                let row = places.iter().map(|&place| match pictures {
                    Pictures::Plain => picture[place],
                    Pictures::PlainMapped => picture[self.one[place].0],
                    Pictures::OneKey => scrambled(&self.one, place),
                    Pictures::OwnKeys => scrambled(&self.own[number], place),
                });
                rows.push(row.collect());
                classes.push(number);
            }
        }
        (rows, classes)
    }
}

fn origins(rng: &mut ChaCha20Rng, block: u8) -> Result<Vec<(usize, bool)>> {
    let mut bytes = [0; 32];
    random::fill(rng, &mut bytes)?;
    let key = MasterKey::from_bytes(bytes);
    let blank = Photo::from_samples(yale::WIDTH, yale::HEIGHT, 1, vec![0; (yale::WIDTH * yale::HEIGHT) as usize])?;
    let label = Label::new(&blank, &key, Settings { form: Form::Grey, block, fixed_key: true }, Nonce::FIXED)?;
    if label.sheet_size() != (yale::WIDTH, yale::HEIGHT, 1) {
        let message = format!("faces of {} x {} pixels have no whole blocks of {block}", yale::WIDTH, yale::HEIGHT);
        return Err(Error::new(Code::BadArgument, message));
    }
    Ok(Plan::new(&key, &label)?.origins())
}

fn shuffled(rng: &mut ChaCha20Rng, count: u32) -> Result<Vec<usize>> {
    Ok(random::permutation(rng, count)?.into_iter().map(|number| number as usize).collect())
}
