//! A trained model, and its use.

use super::committee::{Committee, Strategy};
use super::features::{Matrix, Standardiser};
use super::kernel::Kernel;
use super::neighbours::Neighbours;
use super::recipe::{Learner, MOST_VOTERS};
use super::trees::Trees;
use super::verdict::Verdict;
use crate::error::{Code, Error, Result};
use crate::photo::Shape;
use crate::watch::Watch;

/// The maximum number of pictures that one model learns from.
pub const MOST_PICTURES: usize = 4096;
/// The maximum number of labels.
pub const MOST_CLASSES: usize = 1000;
/// The maximum number of labels if there is a machine for each pair of them.
pub const MOST_PAIRED: usize = 100;
/// The maximum number of samples of a picture.
pub const MOST_PLACES: usize = 16_384;
/// The maximum number of samples of all pictures together.
pub const MOST_SAMPLES: usize = 1 << 24;
/// The maximum number of samples of all pictures together, times trees: as much as can grow in about a minute.
pub const MOST_GROWTH: usize = 1 << 29;
/// The longest label in bytes.
pub const LONGEST_LABEL: usize = 200;
/// The largest number in a model. Machines stay far below it.
const LARGEST: f64 = 1e12;
/// The highest degree of a polynomial kernel.
const HIGHEST_DEGREE: u32 = 16;

/// The decision rule of a model.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Support-vector machines.
    Machines {
        /// The kernel of the machines.
        kernel: Kernel,
        /// The machines, with a weight for each of the model's rows.
        committee: Committee,
    },
    /// The nearest rows.
    Neighbours {
        /// The number of neighbours.
        k: usize,
    },
    /// A random forest, which is grown again from the rows when the model is loaded.
    Forest {
        /// The number of trees.
        trees: u32,
        /// The seed for growing the trees.
        seed: u64,
    },
}

/// The parts of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// The size of the pictures.
    pub shape: Shape,
    /// The indices of the samples used, ascending.
    pub places: Vec<u32>,
    /// The label of each class.
    pub labels: Vec<String>,
    /// The number of training pictures of each class.
    pub pictures: Vec<u32>,
    /// The standardiser of samples.
    pub standardiser: Standardiser,
    /// The samples of pictures that the rule needs.
    pub rows: Vec<Vec<u8>>,
    /// The class of each row.
    pub class: Vec<u16>,
    /// The decision rule.
    pub rule: Rule,
}

/// A model ready for use. It contains samples of its training pictures.
pub struct Model {
    parts: Parts,
    ready: Ready,
}

enum Ready {
    Machines(Matrix),
    Neighbours(Neighbours),
    Forest(Trees),
}

impl Model {
    /// Checks the parts and prepares the model.
    ///
    /// # Errors
    /// [`Code::BadHeader`] if they are inconsistent, [`Code::TooLarge`] beyond the limits of a model, and errors of the watcher
    /// while trees grow.
    pub fn from_parts(parts: Parts, watch: &dyn Watch) -> Result<Self> {
        parts.check()?;
        let ready = match &parts.rule {
            Rule::Machines { .. } => Ready::Machines(parts.standardiser.apply(&parts.rows)?),
            Rule::Neighbours { k } => {
                Ready::Neighbours(Neighbours::new(&parts.standardiser.apply(&parts.rows)?, &parts.class, *k)?)
            }
            Rule::Forest { trees, seed } => {
                Ready::Forest(Trees::grow(&parts.rows, &parts.class, *trees, *seed, watch)?)
            }
        };
        Ok(Self { parts, ready })
    }

    /// The parts of the model.
    #[must_use]
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The model's approximate memory in bytes.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let parts = match &self.parts.rule {
            Rule::Machines { committee, .. } => Voters::Machines(committee.members.len()),
            Rule::Neighbours { .. } => Voters::Neighbours,
            Rule::Forest { trees, .. } => Voters::Trees(*trees as usize),
        };
        memory(self.parts.rows.len(), self.parts.places.len(), parts)
    }

    /// The learner that made the model.
    #[must_use]
    pub const fn learner(&self) -> Learner {
        match &self.parts.rule {
            Rule::Machines { kernel: Kernel::Linear, .. } => Learner::SvmLinear,
            Rule::Machines { kernel: Kernel::Gaussian { .. }, .. } => Learner::SvmRbf,
            Rule::Machines { kernel: Kernel::Polynomial { .. }, .. } => Learner::SvmPoly,
            Rule::Neighbours { .. } => Learner::Neighbours,
            Rule::Forest { .. } => Learner::Forest,
        }
    }

    /// Classifies a picture. `samples` are its samples, row by row.
    ///
    /// # Errors
    /// [`Code::ImagesDiffer`] if the picture's size differs from the training pictures, [`Code::BadArgument`] for a wrong
    /// number of samples, [`Code::BadHeader`] if the model's numbers overflow.
    pub fn classify(&self, shape: Shape, samples: &[u8]) -> Result<Verdict> {
        shape.check(samples.len())?;
        self.parts.shape.check_same(shape)?;
        let row: Vec<u8> = self.parts.places.iter().map(|&place| samples[place as usize]).collect();
        let verdict = match (&self.ready, &self.parts.rule) {
            (Ready::Machines(support), Rule::Machines { kernel, committee }) => {
                let row = self.parts.standardiser.apply(&[row])?;
                let kernels: Vec<f64> = (0..support.rows()).map(|i| kernel.of(row.row(0), support.row(i))).collect();
                committee.decide(&kernels)
            }
            (Ready::Neighbours(neighbours), _) => neighbours.decide(&self.parts.standardiser.apply(&[row])?)?,
            (Ready::Forest(trees), _) => trees.decide(&row)?,
            (Ready::Machines(_), _) => return Err(Error::new(Code::Internal, "the model's rule changed")),
        };
        let numbers = verdict.scores.iter().chain(&verdict.probabilities);
        if numbers.flatten().any(|number| !number.is_finite()) {
            return Err(bad("its numbers overflow"));
        }
        Ok(verdict)
    }
}

/// The parts of a model besides its samples.
#[derive(Clone, Copy)]
pub(crate) enum Voters {
    /// The number of machines.
    Machines(usize),
    Neighbours,
    /// The number of trees.
    Trees(usize),
}

/// The approximate memory in bytes of a model that keeps `rows` pictures of `places` samples each.
pub(crate) fn memory(rows: usize, places: usize, voters: Voters) -> u64 {
    let (rows, samples) = (rows as u64, rows.saturating_mul(places) as u64);
    // The samples themselves, and the data prepared from them: numbers of 8 bytes, once or twice.
    match voters {
        Voters::Machines(count) => samples.saturating_mul(9).saturating_add((8 * rows).saturating_mul(count as u64)),
        Voters::Neighbours => samples.saturating_mul(17),
        // A tree has at most twice as many forks and leaves as it has training pictures.
        Voters::Trees(count) => samples.saturating_add((200 * rows).saturating_mul(count as u64)),
    }
}

impl Parts {
    fn check(&self) -> Result<()> {
        self.shape.check(self.shape.samples()).map_err(|_| bad("its picture size is invalid"))?;
        let rising = self.places.windows(2).all(|pair| pair[0] < pair[1]);
        let last = self.places.last().is_some_and(|&last| (last as usize) < self.shape.samples());
        if !rising || !last || self.places.len() > MOST_PLACES {
            return Err(bad("its samples are outside the picture"));
        }
        self.check_labels()?;
        let learned_from: u64 = self.pictures.iter().map(|&count| u64::from(count)).sum();
        if learned_from != self.standardiser.count() || self.standardiser.columns() != self.places.len() {
            return Err(bad("its counts of pictures or samples are wrong"));
        }
        let (rows, samples) = (self.rows.len(), self.rows.len().saturating_mul(self.places.len()));
        if rows as u64 > learned_from || rows > MOST_PICTURES || samples > MOST_SAMPLES {
            return Err(bad("it keeps too many pictures"));
        }
        let fits = |row: &Vec<u8>| row.len() == self.places.len();
        let known = |class: &u16| usize::from(*class) < self.labels.len();
        if self.class.len() != rows || !self.rows.iter().all(fits) || !self.class.iter().all(known) {
            return Err(bad("the pictures that it keeps do not match its training pictures"));
        }
        match &self.rule {
            Rule::Machines { kernel, committee } => self.check_machines(kernel, committee),
            Rule::Neighbours { k } => {
                self.check_complete()?;
                if *k == 0 || *k > rows {
                    return Err(bad("it needs more neighbours than there are"));
                }
                Ok(())
            }
            Rule::Forest { trees, .. } => {
                self.check_complete()?;
                if *trees == 0 || *trees > MOST_VOTERS {
                    return Err(bad("it has too many trees, or none"));
                }
                let growth = samples.saturating_mul(*trees as usize);
                if growth > MOST_GROWTH {
                    let message = format!("{trees} trees on {rows} pictures of {} samples", self.places.len());
                    return Err(Error::new(Code::TooLarge, message + " take too long to grow; use fewer of any"));
                }
                Ok(())
            }
        }
    }

    fn check_labels(&self) -> Result<()> {
        let mut sorted: Vec<&String> = self.labels.iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() != self.labels.len() || !(2..=MOST_CLASSES).contains(&self.labels.len()) {
            return Err(bad("its labels are too few, too many, or not distinct"));
        }
        if self.pictures.len() != self.labels.len() || self.pictures.contains(&0) {
            return Err(bad("it has a label without pictures"));
        }
        self.labels.iter().try_for_each(|label| check_label(label)).map_err(|error| bad(error.message()))
    }

    /// Checks that there are as many rows of each class as training pictures.
    fn check_complete(&self) -> Result<()> {
        let mut count = vec![0u32; self.labels.len()];
        self.class.iter().for_each(|&class| count[usize::from(class)] += 1);
        if count == self.pictures { Ok(()) } else { Err(bad("training pictures are missing")) }
    }

    fn check_machines(&self, kernel: &Kernel, committee: &Committee) -> Result<()> {
        let sensible = |number: f64| number.is_finite() && number.abs() <= LARGEST;
        let kernel_fits = match *kernel {
            Kernel::Linear => true,
            Kernel::Gaussian { gamma } => sensible(gamma) && gamma > 0.0,
            Kernel::Polynomial { degree, gamma, shift } => {
                sensible(gamma) && gamma > 0.0 && sensible(shift) && (1..=HIGHEST_DEGREE).contains(&degree)
            }
        };
        if !kernel_fits {
            return Err(bad("its kernel is invalid"));
        }
        let wanted = committee.strategy.pairs(self.labels.len());
        let paired = committee.strategy == Strategy::Pairs;
        if committee.classes != self.labels.len()
            || (paired && self.labels.len() > MOST_PAIRED)
            || !committee.members.iter().map(|member| (member.class, member.against)).eq(wanted)
        {
            return Err(bad("its machines do not match its labels"));
        }
        let good = committee.members.iter().all(|member| {
            let curve = member.sigmoid.is_none_or(|curve| sensible(curve.slope) && sensible(curve.offset));
            let weights = member.machine.weights.len() == self.rows.len()
                && member.machine.weights.iter().all(|&weight| sensible(weight));
            curve && weights && sensible(member.machine.bias)
        });
        if good { Ok(()) } else { Err(bad("a machine's numbers are invalid")) }
    }
}

/// Checks that a label can be used in a table and in a model's file.
pub(super) fn check_label(label: &str) -> Result<()> {
    if (1..=LONGEST_LABEL).contains(&label.len()) && !label.chars().any(char::is_control) {
        return Ok(());
    }
    let message = format!("a label has 1 to {LONGEST_LABEL} bytes and no control characters");
    Err(Error::new(Code::BadArgument, message))
}

/// The number of a label. A new label gets a new number.
pub(super) fn class_of(labels: &mut Vec<String>, label: &str) -> Result<usize> {
    if let Some(class) = labels.iter().position(|known| known == label) {
        return Ok(class);
    }
    if labels.len() == MOST_CLASSES {
        return Err(Error::new(Code::TooLarge, format!("there are more than {MOST_CLASSES} labels")));
    }
    labels.push(label.to_owned());
    Ok(labels.len() - 1)
}

fn bad(why: &str) -> Error {
    Error::new(Code::BadHeader, format!("this is not a valid model: {why}"))
}
