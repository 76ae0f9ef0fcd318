//! Trains a model on labelled pictures.
//!
//! When a picture arrives, only its sampled places are kept. The same pictures in the same order give the same model, to the
//! last bit.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::committee::{Committee, Member, Strategy};
use super::features::Standardiser;
use super::kernel::Kernel;
use super::model::{
    MOST_PAIRED, MOST_PICTURES, MOST_PLACES, MOST_SAMPLES, Model, Parts, Rule, Voters, check_label, class_of, memory,
};
use super::recipe::{Method, Recipe, USUAL_PLACES};
use super::svm::Machine;
use crate::error::{Code, Error, Result};
use crate::math::random;
use crate::photo::Shape;
use crate::watch::Watch;

/// The default number of neighbours.
const USUAL_NEIGHBOURS: usize = 5;

/// Takes pictures one by one, then trains a model.
pub struct Trainer {
    recipe: Recipe,
    shape: Option<Shape>,
    places: Vec<u32>,
    labels: Vec<String>,
    rows: Vec<Vec<u8>>,
    class: Vec<u16>,
}

impl Trainer {
    /// Makes a trainer without pictures.
    #[must_use]
    pub fn new(recipe: Recipe) -> Self {
        let (places, labels, rows, class) = Default::default();
        Self { recipe, shape: None, places, labels, rows, class }
    }

    /// Takes a picture, with its samples row by row, and its label. The first picture decides the size of all pictures.
    ///
    /// # Errors
    /// [`Code::ImagesDiffer`] for another size, [`Code::BadArgument`] for invalid samples or labels, or a sampling that leaves
    /// nothing, [`Code::TooLarge`] beyond the limits of a model.
    pub fn add(&mut self, label: &str, shape: Shape, samples: &[u8]) -> Result<()> {
        shape.check(samples.len())?;
        check_label(label)?;
        match self.shape {
            None => self.choose_places(shape)?,
            Some(first) => first.check_same(shape)?,
        }
        if self.rows.len() >= MOST_PICTURES || (self.rows.len() + 1) * self.places.len() > MOST_SAMPLES {
            let message = format!("there are more than {} pictures of {} samples", self.rows.len(), self.places.len());
            return Err(Error::new(Code::TooLarge, message + "; use fewer of either"));
        }
        let class = class_of(&mut self.labels, label)?;
        self.rows.push(self.places.iter().map(|&place| samples[place as usize]).collect());
        // There are at most a thousand labels.
        self.class.push(u16::try_from(class).unwrap_or(u16::MAX));
        Ok(())
    }

    /// The approximate memory in bytes for training on the pictures so far, and for the resulting model.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let (rows, labels) = (self.rows.len(), self.labels.len());
        let (voters, table) = match self.recipe.method {
            Method::Neighbours { .. } => (Voters::Neighbours, 0),
            Method::Forest { trees } => (Voters::Trees(trees as usize), 0),
            // The kernels of all pairs of pictures.
            Method::Machines { strategy, .. } => (Voters::Machines(strategy.count(labels)), 8 * (rows * rows) as u64),
        };
        memory(rows, self.places.len(), voters).saturating_add(table)
    }

    fn choose_places(&mut self, shape: Shape) -> Result<()> {
        let all = shape.samples();
        let one_of = self.recipe.sample.map_or(all.div_ceil(USUAL_PLACES), |sample| sample as usize);
        let count = all / one_of;
        if count == 0 {
            let message = format!("a picture has {all} samples, so one in {one_of} is none; use more of them");
            return Err(Error::new(Code::BadArgument, message));
        }
        if count > MOST_PLACES {
            let message = format!("{count} samples of each picture are more than {MOST_PLACES}; use fewer");
            return Err(Error::new(Code::TooLarge, message));
        }
        let mut rng = ChaCha20Rng::seed_from_u64(self.recipe.seed);
        let all = u32::try_from(all).map_err(|_| Error::new(Code::TooLarge, "the picture has too many samples"))?;
        self.places = random::permutation(&mut rng, all)?;
        self.places.truncate(count);
        self.places.sort_unstable();
        self.shape = Some(shape);
        Ok(())
    }

    /// Trains the model. The watcher receives the number of finished machines or trees.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for fewer than two labels or if training does not converge, [`Code::TooLarge`] beyond the limits
    /// of a model, and errors of the watcher.
    pub fn finish(self, watch: &dyn Watch) -> Result<Model> {
        let Some(shape) = self.shape.filter(|_| self.labels.len() >= 2) else {
            return Err(Error::new(Code::BadArgument, "training needs pictures with at least two labels"));
        };
        let standardiser = Standardiser::fit(&self.rows)?;
        let mut pictures = vec![0; self.labels.len()];
        self.class.iter().for_each(|&class| pictures[usize::from(class)] += 1);
        let mut parts = Parts {
            shape,
            places: self.places,
            labels: self.labels,
            pictures,
            standardiser,
            rows: self.rows,
            class: self.class,
            rule: Rule::Neighbours { k: 1 },
        };
        parts.rule = match self.recipe.method {
            Method::Neighbours { k: None } => Rule::Neighbours { k: USUAL_NEIGHBOURS.min(parts.rows.len()) },
            Method::Neighbours { k: Some(k) } if k as usize > parts.rows.len() => {
                let message = format!("{k} neighbours are more than the {} pictures", parts.rows.len());
                return Err(Error::new(Code::BadArgument, message));
            }
            Method::Neighbours { k: Some(k) } => Rule::Neighbours { k: k as usize },
            Method::Forest { trees } => Rule::Forest { trees, seed: self.recipe.seed },
            Method::Machines { family, gamma, strategy, training } => {
                if strategy == Strategy::Pairs && parts.labels.len() > MOST_PAIRED {
                    let message =
                        format!("the strategy pairs supports at most {MOST_PAIRED} labels; use the strategy rest");
                    return Err(Error::new(Code::TooLarge, message));
                }
                let rows = parts.standardiser.apply(&parts.rows)?;
                let kernel = family.kernel(rows.columns(), gamma);
                let class: Vec<usize> = parts.class.iter().map(|&class| usize::from(class)).collect();
                let committee = Committee::train(&kernel.gram(&rows), &class, strategy, training, true, watch)?;
                return machines(parts, kernel, committee, watch);
            }
        };
        Model::from_parts(parts, watch)
    }
}

/// Makes a model of machines, which keeps only the rows that have a weight in a machine.
fn machines(mut parts: Parts, kernel: Kernel, committee: Committee, watch: &dyn Watch) -> Result<Model> {
    let used = |row: &usize| committee.members.iter().any(|member| member.machine.weights[*row] != 0.0);
    let support: Vec<usize> = (0..parts.rows.len()).filter(used).collect();
    parts.rows = support.iter().map(|&row| std::mem::take(&mut parts.rows[row])).collect();
    parts.class = support.iter().map(|&row| parts.class[row]).collect();
    let members = committee.members.into_iter().map(|member| {
        let weights = support.iter().map(|&row| member.machine.weights[row]).collect();
        Member { machine: Machine { weights, ..member.machine }, ..member }
    });
    parts.rule = Rule::Machines { kernel, committee: Committee { members: members.collect(), ..committee } };
    Model::from_parts(parts, watch)
}
