//! Options for training a model.

use std::fmt;

use serde::Deserialize;

use super::committee::Strategy;
use super::kernel::Family;
use super::svm::Training;
use crate::error::{Code, Error, Result};

/// The learning methods to choose from.
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
    /// All learners.
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

    /// The learner with this name.
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

/// Options for a model. Everything has a default; options that do not apply to the learner are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wishes {
    /// The learner [default: `svm-linear`].
    pub learner: Option<Learner>,
    /// Machines: one per class or one per pair of classes [default: `rest`].
    pub strategy: Option<Strategy>,
    /// Machines: cost of a picture on the wrong side of the margin [default: 1].
    pub cost: Option<f64>,
    /// Gaussian and polynomial kernels: scale [default: one divided by the number of samples used].
    pub gamma: Option<f64>,
    /// Nearest neighbours: their number [default: 5, or the number of pictures if lower].
    pub neighbours: Option<u32>,
    /// Forest: number of trees [default: 100].
    pub trees: Option<u32>,
    /// Use one in this many samples [default: the smallest number that leaves at most 4096].
    pub sample: Option<u32>,
    /// Seed for the choice of samples and the growth of trees [default: 0].
    pub seed: Option<u64>,
}

/// The checked form of [`Wishes`]. `Display` writes its canonical text, as in `svm-rbf strategy=pairs cost=2 seed=0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// The learning method.
    pub method: Method,
    /// Use one in this many samples; by default, the smallest number that leaves at most [`USUAL_PLACES`].
    pub sample: Option<u32>,
    /// Seed for the choice of samples and the growth of trees.
    pub seed: u64,
}

/// A learning method with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Support-vector machines.
    Machines {
        /// The kernel.
        family: Family,
        /// The scale of the kernel.
        gamma: Option<f64>,
        /// The kind of machines.
        strategy: Strategy,
        /// Options for training each machine.
        training: Training,
    },
    /// The nearest neighbours.
    Neighbours {
        /// The number of neighbours.
        k: Option<u32>,
    },
    /// A random forest.
    Forest {
        /// The number of trees.
        trees: u32,
    },
}

/// The default number of samples used of a picture.
pub const USUAL_PLACES: usize = 4096;
/// The maximum number of trees of a forest, and of neighbours.
pub const MOST_VOTERS: u32 = 1000;
/// The largest cost and the largest gamma. Beyond it, results become meaningless.
const MOST: f64 = 1e9;

impl Wishes {
    /// Checks the options.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for options that do not apply to the learner, or are out of range.
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
            return Err(bad(format!("{name} does not apply to the learner {}; leave it out", learner.as_str())));
        }
        let number = |name: &str, value: Option<f64>| match value {
            Some(value) if !(value > 0.0 && value <= MOST) => {
                Err(bad(format!("{name} must be a number above 0 and at most {MOST:e}")))
            }
            other => Ok(other),
        };
        let count = |name: &str, value: Option<u32>, most: u32| match value {
            Some(value) if value == 0 || value > most => Err(bad(format!("{name} must be a number from 1 to {most}"))),
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

impl Recipe {
    /// The learner of this method.
    #[must_use]
    pub const fn learner(&self) -> Learner {
        match self.method {
            Method::Machines { family: Family::Linear, .. } => Learner::SvmLinear,
            Method::Machines { family: Family::Gaussian, .. } => Learner::SvmRbf,
            Method::Machines { family: Family::Polynomial, .. } => Learner::SvmPoly,
            Method::Neighbours { .. } => Learner::Neighbours,
            Method::Forest { .. } => Learner::Forest,
        }
    }

    /// Reads a recipe from its canonical text: the learner, then options with the names of [`Wishes`].
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the text is not of this form, and as [`Wishes::recipe`].
    pub fn from_text(text: &str) -> Result<Self> {
        let invalid = |word: &str| bad(format!("'{word}' has an invalid value"));
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let learner = Learner::from_name(name).ok_or_else(|| bad(format!("there is no learner '{name}'")))?;
        let mut wishes = Wishes { learner: Some(learner), ..Wishes::default() };
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or_default();
            match name {
                "strategy" => wishes.strategy = Some(Strategy::from_name(value).ok_or_else(|| invalid(word))?),
                "cost" => wishes.cost = Some(value.parse().map_err(|_| invalid(word))?),
                "gamma" => wishes.gamma = Some(value.parse().map_err(|_| invalid(word))?),
                "neighbours" => wishes.neighbours = Some(value.parse().map_err(|_| invalid(word))?),
                "trees" => wishes.trees = Some(value.parse().map_err(|_| invalid(word))?),
                "sample" => wishes.sample = Some(value.parse().map_err(|_| invalid(word))?),
                "seed" => wishes.seed = Some(value.parse().map_err(|_| invalid(word))?),
                _ => return Err(bad(format!("'{word}' is not an option; write it as in 'knn neighbours=3'"))),
            }
        }
        wishes.recipe()
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.learner().as_str())?;
        match self.method {
            Method::Machines { gamma, strategy, training, .. } => {
                write!(f, " strategy={} cost={}", strategy.as_str(), training.cost)?;
                gamma.map_or(Ok(()), |gamma| write!(f, " gamma={gamma}"))?;
            }
            Method::Neighbours { k } => k.map_or(Ok(()), |k| write!(f, " neighbours={k}"))?,
            Method::Forest { trees } => write!(f, " trees={trees}")?,
        }
        self.sample.map_or(Ok(()), |sample| write!(f, " sample={sample}"))?;
        write!(f, " seed={}", self.seed)
    }
}

fn bad(message: String) -> Error {
    Error::new(Code::BadArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_survives_as_text() {
        let forest = Wishes { learner: Some(Learner::Forest), trees: Some(7), ..Wishes::default() };
        let machines = Wishes {
            learner: Some(Learner::SvmPoly),
            strategy: Some(Strategy::Pairs),
            cost: Some(0.1 + 0.2),
            gamma: Some(1e-9 / 3.0),
            sample: Some(2),
            seed: Some(u64::MAX),
            ..Wishes::default()
        };
        let neighbours = Wishes { learner: Some(Learner::Neighbours), ..Wishes::default() };
        let few = Wishes { neighbours: Some(3), ..neighbours };
        for wishes in [Wishes::default(), forest, machines, neighbours, few] {
            let recipe = wishes.recipe().expect("a recipe");
            assert_eq!(Recipe::from_text(&recipe.to_string()).expect("a recipe"), recipe, "{recipe}");
        }
        for wrong in ["", "oracle", "knn cost=1", "knn neighbours", "forest trees=x", "svm-rbf strategy=x", "knn a=1"] {
            assert_eq!(Recipe::from_text(wrong).map_err(|error| error.kind()), Err(Code::BadArgument), "{wrong}");
        }
    }
}
