//! `safelight train`: pictures in folders become a model.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::album;
use super::files::{Care, Sink};
use super::ui::{Ui, Unit};
use crate::error::Result;
use crate::learn::committee::Strategy;
use crate::learn::{Learner, Trainer, Wishes};
use crate::wire;

/// Learn to recognise pictures, plain or scrambled, from examples
///
/// The folder has a folder for each label with its pictures in it, all of one size. Scrambled pictures (`safelight etc
/// encrypt`) need no key here, but must have been scrambled with one fixed key. A model holds samples of the pictures that it
/// was made from: keep it as you keep them.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight train faces --out faces.model
  safelight train faces --learner svm-rbf --cost 10 --out faces.model
  safelight train faces --learner knn --neighbours 3 --sample 20 --out faces.model")]
pub(super) struct Flags {
    /// The folder with a folder for each label
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The model to write, or -
    #[arg(long, value_name = "OUT")]
    out: OsString,
    /// How to learn
    #[arg(long, default_value = "svm-linear", value_parser = learner_parser())]
    learner: Learner,
    /// Machines: one for each label, or one for each pair of labels [default: rest]
    #[arg(long, value_parser = strategy_parser())]
    strategy: Option<Strategy>,
    /// Machines: what a picture on the wrong side costs [default: 1]
    #[arg(long, value_name = "C")]
    cost: Option<f64>,
    /// svm-rbf and svm-poly: the kernel's scale [default: one divided by the number of samples used]
    #[arg(long, value_name = "G")]
    gamma: Option<f64>,
    /// knn: how many neighbours decide [default: 5]
    #[arg(long, value_name = "K")]
    neighbours: Option<u32>,
    /// forest: how many trees, which grow again whenever the model is opened [default: 100]
    #[arg(long, value_name = "N")]
    trees: Option<u32>,
    /// Use one of N samples of each picture, chosen at random [default: the fewest that leave at most 4096]
    #[arg(long, value_name = "N")]
    sample: Option<u32>,
    /// Decides which samples are used, and how trees grow
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

pub(super) fn run(flags: &Flags, ui: &Ui) -> Result<()> {
    let mut trainer = Trainer::new(flags.wishes().recipe()?);
    let sink = Sink::create(&flags.out, Care::Binary)?;
    album::for_each(&flags.folder, ui, |label, _, picture| trainer.add(label, picture.shape, picture.photo.samples()))?;
    let bar = ui.bar("training", Unit::Rows);
    let model = trainer.finish(&bar)?;
    bar.clear();
    let bytes = wire::model::write(&model)?;
    sink.write_whole(&bytes)?;
    let parts = model.parts();
    ui.summary(&format!(
        "learned {} labels from {} pictures: {} bytes",
        parts.labels.len(),
        parts.standardiser.count(),
        bytes.len()
    ));
    Ok(())
}

impl Flags {
    const fn wishes(&self) -> Wishes {
        Wishes {
            learner: Some(self.learner),
            strategy: self.strategy,
            cost: self.cost,
            gamma: self.gamma,
            neighbours: self.neighbours,
            trees: self.trees,
            sample: self.sample,
            seed: Some(self.seed),
        }
    }
}

fn learner_parser() -> impl TypedValueParser<Value = Learner> {
    let names = PossibleValuesParser::new(Learner::ALL.map(Learner::as_str));
    names.map(|name| Learner::from_name(&name).unwrap_or(Learner::SvmLinear))
}

fn strategy_parser() -> impl TypedValueParser<Value = Strategy> {
    let names = PossibleValuesParser::new(Strategy::ALL.map(Strategy::as_str));
    names.map(|name| Strategy::from_name(&name).unwrap_or(Strategy::Rest))
}
