//! How a model is to be made.

use serde::Deserialize;

use super::committee::Strategy;
use super::kernel::Family;
use super::svm::Training;
use crate::error::{Code, Error, Result};

/// Ways to learn, for people and programs to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Learner {
    /// Support-vector machines with a linear kernel.
    #[serde(rename = "svm-linear")]
    SvmLinear,
    /// Support-vector machines with a Gaussian kernel.
    #[serde(rename = "svm-rbf")]
    SvmRbf,
    /// Support-vector machines with a polynomial kernel of degree 3.
    #[serde(rename = "svm-poly")]
    SvmPoly,
    /// The k nearest neighbours.
    #[serde(rename = "knn")]
    Neighbours,
    /// A random forest.
    #[serde(rename = "forest")]
    Forest,
}

impl Learner {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::SvmLinear, Self::SvmRbf, Self::SvmPoly, Self::Neighbours, Self::Forest];

    /// The name for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SvmLinear => "svm-linear",
            Self::SvmRbf => "svm-rbf",
            Self::SvmPoly => "svm-poly",
            Self::Neighbours => "knn",
            Self::Forest => "forest",
        }
    }

    /// The learner of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|learner| learner.as_str() == name)
    }

    const fn family(self) -> Option<Family> {
        match self {
            Self::SvmLinear => Some(Family::Linear),
            Self::SvmRbf => Some(Family::Gaussian),
            Self::SvmPoly => Some(Family::Polynomial),
            Self::Neighbours | Self::Forest => None,
        }
    }
}

/// What somebody says about a model to be made. Everything has a default; what does not go with the learner is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wishes {
    /// How to learn [default: `svm-linear`].
    pub learner: Option<Learner>,
    /// Machines: one for each class or one for each pair of classes [default: `rest`].
    pub strategy: Option<Strategy>,
    /// Machines: what a picture on the wrong side costs [default: 1].
    pub cost: Option<f64>,
    /// Gaussian and polynomial kernels: their scale [default: one divided by the number of samples used].
    pub gamma: Option<f64>,
    /// Nearest neighbours: how many [default: 5, or as many pictures as there are].
    pub neighbours: Option<u32>,
    /// Forest: how many trees [default: 100].
    pub trees: Option<u32>,
    /// Use one of so many samples [default: the fewest that leave at most 4096].
    pub sample: Option<u32>,
    /// Decides which samples are used, and how trees grow [default: 0].
    pub seed: Option<u64>,
}

/// The checked form of [`Wishes`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// How to learn.
    pub method: Method,
    /// One of so many samples is used; if none is said, so many that at most [`USUAL_PLACES`] are.
    pub sample: Option<u32>,
    /// Decides which samples are used, and how trees grow.
    pub seed: u64,
}

/// How to learn, with all numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Support-vector machines.
    Machines {
        /// The kernel.
        family: Family,
        /// Its scale.
        gamma: Option<f64>,
        /// Which machines there are.
        strategy: Strategy,
        /// How each is trained.
        training: Training,
    },
    /// The nearest neighbours.
    Neighbours {
        /// How many.
        k: Option<u32>,
    },
    /// A random forest.
    Forest {
        /// How many trees.
        trees: u32,
    },
}

/// How many samples of a picture are used unless said otherwise.
pub const USUAL_PLACES: usize = 4096;
/// The most trees of a forest, and the most neighbours.
pub const MOST_VOTERS: u32 = 1000;
/// The largest cost and the largest gamma. Beyond it numbers lose their meaning.
const MOST: f64 = 1e9;

impl Wishes {
    /// Checks them.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for what does not go with the learner, or is out of range.
    pub fn recipe(&self) -> Result<Recipe> {
        let learner = self.learner.unwrap_or(Learner::SvmLinear);
        let fits = [
            ("strategy", self.strategy.is_some(), learner.family().is_some()),
            ("cost", self.cost.is_some(), learner.family().is_some()),
            ("gamma", self.gamma.is_some(), matches!(learner, Learner::SvmRbf | Learner::SvmPoly)),
            ("neighbours", self.neighbours.is_some(), learner == Learner::Neighbours),
            ("trees", self.trees.is_some(), learner == Learner::Forest),
        ];
        if let Some((name, ..)) = fits.iter().find(|(_, given, fits)| *given && !fits) {
            return Err(bad(format!("{name} does not go with the learner {}; leave it out", learner.as_str())));
        }
        let number = |name: &str, value: Option<f64>| match value {
            Some(value) if !(value > 0.0 && value <= MOST) => {
                Err(bad(format!("{name} is a number above 0 and not above {MOST:e}")))
            }
            other => Ok(other),
        };
        let count = |name: &str, value: Option<u32>, most: u32| match value {
            Some(value) if value == 0 || value > most => Err(bad(format!("{name} is a number from 1 to {most}"))),
            other => Ok(other),
        };
        let (cost, gamma) = (number("cost", self.cost)?, number("gamma", self.gamma)?);
        let k = count("neighbours", self.neighbours, MOST_VOTERS)?;
        let trees = count("trees", self.trees, MOST_VOTERS)?.unwrap_or(100);
        let sample = count("sample", self.sample, u32::MAX)?;
        let method = match (learner, learner.family()) {
            (_, Some(family)) => {
                let preset = Training::default();
                let training = Training { cost: cost.unwrap_or(preset.cost), ..preset };
                Method::Machines { family, gamma, strategy: self.strategy.unwrap_or(Strategy::Rest), training }
            }
            (Learner::Forest, None) => Method::Forest { trees },
            (_, None) => Method::Neighbours { k },
        };
        Ok(Recipe { method, sample, seed: self.seed.unwrap_or(0) })
    }
}

fn bad(message: String) -> Error {
    Error::new(Code::BadArgument, message)
}
