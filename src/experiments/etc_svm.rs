//! Recognising faces in scrambled pictures: Kawamura, Kinoshita, Kiya, "A Privacy-Preserving Machine Learning Scheme Using
//! `EtC` Images" (2020), figure 4 and tables 1 and 2.
//!
//! A random half of each person's pictures is used for training, the other half for testing. A random sample of the places in
//! the pictures is used, standardised over the training set. Each person has a machine against all others; the equal error rate
//! is that of all scores together.
//!
//! Pictures are in the clear, scrambled with one key for all persons (key condition 1), or scrambled with one key for each
//! person (key condition 2). The clear ones use either the places that the scrambled ones' samples come from, which must give
//! the same rates to the last bit, or the same number of other places.
//!
//! Kernels have scikit-learn's defaults: for `d` samples, `gamma = 1 / d` (its `scale`, since standardised samples have
//! variance 1), polynomials of degree 3 without a constant term; the cost is 1.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rayon::prelude::*;

use super::yale::Faces;
use crate::error::{Code, Error, Result};
use crate::learn::committee::{Committee, Strategy};
use crate::learn::features::Standardiser;
use crate::learn::kernel::{Family, Kernel};
use crate::learn::rates::{equal_error_rate, mean_and_deviation};
use crate::learn::svm::Training;
use crate::math::random;
use crate::photo::Photo;
use crate::schemes::etc::scramble::Plan;
use crate::schemes::etc::{Form, Label, MasterKey, Nonce, Settings};
use crate::watch::NoWatch;

/// One sample in this many is used.
pub const FRACTIONS: [usize; 4] = [20, 40, 60, 80];
/// The kernels, as in the table.
pub const KERNELS: [Family; 3] = [Family::Linear, Family::Gaussian, Family::Polynomial];
/// The paper's figures for the linear kernel under key condition 1, at each of [`FRACTIONS`]. Its other figures were not
/// available.
pub const PAPER_LINEAR: [f64; 4] = [0.0223, 0.0247, 0.0271, 0.0296];

/// The pictures shown to the machines.
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
    /// All kinds of pictures, as in the table.
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

/// The settings of the experiment.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// The machines' kernels.
    pub kernels: Vec<Family>,
    /// Options for the machines' training.
    pub training: Training,
    /// The side of a block in pixels.
    pub block: u8,
    /// One run per seed, each with a different split, keys and samples.
    pub seeds: Vec<u64>,
}

/// The equal error rates of all runs.
#[derive(Clone, Debug)]
pub struct Row {
    /// The machines' kernel.
    pub kernel: Family,
    /// The pictures they were shown.
    pub pictures: Pictures,
    /// One sample in this many was used.
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

/// Runs the experiment. Rows are ordered by kernel, then by pictures as in [`Pictures::ALL`], then by fraction.
/// `watch(done, all)` receives the progress, and can end it with an error.
///
/// # Errors
/// Errors of `watch`, and [`Code::BadArgument`] if faces do not consist of whole blocks or training fails.
pub fn run(faces: &Faces, experiment: &Experiment, mut watch: impl FnMut(u64, u64) -> Result<()>) -> Result<Vec<Row>> {
    let empty = |kernel| {
        Pictures::ALL
            .into_iter()
            .flat_map(move |pictures| FRACTIONS.map(|fraction| Row { kernel, pictures, fraction, rates: Vec::new() }))
    };
    let mut rows: Vec<Row> = experiment.kernels.iter().flat_map(|&kernel| empty(kernel)).collect();
    let all = (rows.len() * experiment.seeds.len()) as u64;
    let mut done = 0;
    for &seed in &experiment.seeds {
        let draw = Draw::new(faces, experiment.block, seed)?;
        for pictures in Pictures::ALL {
            for fraction in FRACTIONS {
                let products = Products::new(&draw, pictures, fraction)?;
                for row in rows.iter_mut().filter(|row| (row.pictures, row.fraction) == (pictures, fraction)) {
                    watch(done, all)?;
                    row.rates.push(products.rate(row.kernel, experiment.training)?);
                    done += 1;
                }
            }
        }
    }
    watch(done, all)?;
    Ok(rows)
}

/// The random choices of one seed.
struct Draw<'a> {
    faces: &'a Faces,
    /// For each person, the numbers of the pictures: the first half is for training.
    order: Vec<Vec<usize>>,
    /// A random order of the places in a picture, and another one.
    places: [Vec<usize>; 2],
    /// For each place in a scrambled picture, the origin of its sample and whether it is negated: with one key for all, then
    /// with each person's own key.
    one: Vec<(usize, bool)>,
    own: Vec<Vec<(usize, bool)>>,
}

impl<'a> Draw<'a> {
    fn new(faces: &'a Faces, block: u8, seed: u64) -> Result<Self> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let count = |pictures: &Vec<Vec<u8>>| u32::try_from(pictures.len()).unwrap_or(u32::MAX);
        let order = faces.people.iter().map(|person| shuffled(&mut rng, count(person))).collect::<Result<_>>()?;
        let area = faces.width * faces.height;
        let places = [shuffled(&mut rng, area)?, shuffled(&mut rng, area)?];
        let one = origins(&mut rng, faces, block)?;
        let own = faces.people.iter().map(|_| origins(&mut rng, faces, block)).collect::<Result<_>>()?;
        Ok(Self { faces, order, places, one, own })
    }

    /// Samples of all persons' pictures, either those for training or those for testing, and the person of each.
    fn samples(&self, pictures: Pictures, fraction: usize, testing: bool) -> (Vec<Vec<u8>>, Vec<usize>) {
        let [places, others] = &self.places;
        let count = places.len() / fraction;
        let places = if pictures == Pictures::Plain { &others[..count] } else { &places[..count] };
        let mut rows = Vec::new();
        let mut classes = Vec::new();
        for (number, person) in self.faces.people.iter().enumerate() {
            let (train, test) = self.order[number].split_at(person.len() / 2);
            for &picture in if testing { test } else { train } {
                let picture = &person[picture];
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

/// All data that the machines need, for any kernel: the inner products of standardised rows.
struct Products {
    /// The number of samples in a row.
    columns: usize,
    /// The products of the training rows with each other, and those of the test rows with the training rows.
    train: Vec<Vec<f64>>,
    test: Vec<Vec<f64>>,
    /// The product of each test row with itself.
    own: Vec<f64>,
    /// The person of each row.
    train_class: Vec<usize>,
    test_class: Vec<usize>,
}

impl Products {
    fn new(draw: &Draw<'_>, pictures: Pictures, fraction: usize) -> Result<Self> {
        let (train, train_class) = draw.samples(pictures, fraction, false);
        let (test, test_class) = draw.samples(pictures, fraction, true);
        let standard = Standardiser::fit(&train)?;
        let (train, test) = (standard.apply(&train)?, standard.apply(&test)?);
        let own = (0..test.rows()).map(|i| Kernel::Linear.of(test.row(i), test.row(i))).collect();
        let columns = train.columns();
        let (train, test) = (Kernel::Linear.gram(&train), Kernel::Linear.table(&test, &train));
        Ok(Self { columns, train, test, own, train_class, test_class })
    }

    /// The equal error rate of a committee with one machine for each person.
    fn rate(&self, kernel: Family, training: Training) -> Result<f64> {
        let kernel = kernel.kernel(self.columns, None);
        let of_train: Vec<f64> = self.train.iter().enumerate().map(|(i, row)| row[i]).collect();
        let table = |products: &[Vec<f64>], own: &[f64]| -> Vec<Vec<f64>> {
            let row = |(products, &own): (&Vec<f64>, &f64)| {
                products
                    .iter()
                    .zip(&of_train)
                    .map(|(&product, &other)| kernel.of_products(product, own, other))
                    .collect()
            };
            products.par_iter().zip(own).map(row).collect()
        };
        let train = table(&self.train, &of_train);
        let committee = Committee::train(&train, &self.train_class, Strategy::Rest, training, false, &NoWatch)?;
        let decide = |row: &Vec<f64>| committee.members.iter().map(|member| member.machine.decide(row)).collect();
        let decisions: Vec<Vec<f64>> = table(&self.test, &self.own).par_iter().map(decide).collect();
        let (mut genuine, mut impostors) = (Vec::new(), Vec::new());
        for (decisions, &class) in decisions.iter().zip(&self.test_class) {
            for (member, &decision) in committee.members.iter().zip(decisions) {
                if member.class == class { &mut genuine } else { &mut impostors }.push(decision);
            }
        }
        Ok(equal_error_rate(&genuine, &impostors))
    }
}

/// The origins of the samples of faces scrambled under a new key.
fn origins(rng: &mut ChaCha20Rng, faces: &Faces, block: u8) -> Result<Vec<(usize, bool)>> {
    let mut bytes = [0; 32];
    random::fill(rng, &mut bytes)?;
    let key = MasterKey::from_bytes(bytes);
    let (width, height) = (faces.width, faces.height);
    let blank = Photo::from_samples(width, height, 1, vec![0; (width * height) as usize])?;
    let label = Label::new(&blank, &key, Settings { form: Form::Grey, block, fixed_key: true }, Nonce::FIXED)?;
    if label.sheet_size() != (width, height, 1) {
        let message = format!("faces of {width} x {height} pixels have no whole blocks of {block}");
        return Err(Error::new(Code::BadArgument, message));
    }
    Ok(Plan::new(&key, &label)?.origins())
}

fn shuffled(rng: &mut ChaCha20Rng, count: u32) -> Result<Vec<usize>> {
    Ok(random::permutation(rng, count)?.into_iter().map(|number| number as usize).collect())
}

#[cfg(test)]
mod tests;
