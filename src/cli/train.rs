//! `safelight train`: train a model on folders of pictures.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::album;
use super::files::{Care, Sink};
use super::ui::{Ui, Unit};
use crate::error::{Code, Error, Result};
use crate::learn::committee::Strategy;
use crate::learn::network::{NetworkTrainer, Settings};
use crate::learn::{Learner, Trainer, Wishes};
use crate::schemes::ckks::parameters::{self, Parameters};

/// Train a classifier on example pictures, plain or scrambled
///
/// The folder contains one folder of pictures per label, all pictures of the same size. Scrambled pictures
/// (`safelight etc encrypt`) need no key here, but must all have been scrambled with one key and --fixed-key. A model holds
/// samples of its training pictures: protect it as you protect them. A network holds none; it takes pictures of any size, and
/// can classify pictures that stay encrypted.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight train faces --out faces.model
  safelight train faces --learner svm-rbf --cost 10 --out faces.model
  safelight train faces --learner knn --neighbours 3 --sample 20 --out faces.model
  safelight train things --learner network --hidden 64 --out things.model")]
pub(super) struct Flags {
    /// Folder with one folder per label
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The model to write, or -
    #[arg(long, value_name = "OUT")]
    out: OsString,
    /// Learning method
    #[arg(long, default_value = "svm-linear", value_parser = learner_parser())]
    learner: How,
    /// svm: one machine per label, or one per pair of labels [default: rest]
    #[arg(long, value_parser = strategy_parser())]
    strategy: Option<Strategy>,
    /// svm: cost of a picture on the wrong side of the margin [default: 1]
    #[arg(long, value_name = "C")]
    cost: Option<f64>,
    /// svm-rbf, svm-poly: scale of the kernel [default: 1 / number of samples used]
    #[arg(long, value_name = "G")]
    gamma: Option<f64>,
    /// knn: number of neighbours [default: 5]
    #[arg(long, value_name = "K")]
    neighbours: Option<u32>,
    /// forest: number of trees, grown again whenever the model is loaded [default: 100]
    #[arg(long, value_name = "N")]
    trees: Option<u32>,
    /// Use one in N samples of each picture, chosen at random [default: the smallest N that leaves at most 4096]
    #[arg(long, value_name = "N")]
    sample: Option<u32>,
    /// network: hidden units, or 0 for a single layer [default: 128]
    #[arg(long, value_name = "N")]
    hidden: Option<usize>,
    /// network: filters; each yields eight features of a picture [default: 128]
    #[arg(long, value_name = "N")]
    filters: Option<usize>,
    /// network: number of passes over all pictures [default: 20]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// network: parameter set of its keys; larger sets are slower and more precise [default: small]
    #[arg(long, value_name = "SET", value_parser = set_parser())]
    set: Option<&'static Parameters>,
    /// Seed for sample choice, tree growth and network initialisation
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// The learning method.
#[derive(Clone, Copy)]
enum How {
    Model(Learner),
    Network,
}

/// The learning method for encrypted pictures.
const NETWORK: &str = "network";

pub(super) fn run(flags: &Flags, ui: &Ui) -> Result<()> {
    if matches!(flags.learner, How::Network) {
        return network(flags, ui);
    }
    if flags.hidden.or(flags.filters).or(flags.epochs).is_some() || flags.set.is_some() {
        let message = "--hidden, --filters, --epochs and --set apply only to --learner network";
        return Err(Error::new(Code::BadArgument, message));
    }
    let mut trainer = Trainer::new(flags.wishes().recipe()?);
    let sink = Sink::create(&flags.out, Care::Binary)?;
    album::for_each(&flags.folder, ui, |label, _, picture| trainer.add(label, picture.shape, picture.photo.samples()))?;
    let bar = ui.bar("training", Unit::Rows);
    let model = trainer.finish(&bar)?;
    bar.clear();
    let bytes = crate::learn::wire::write(&model)?;
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

fn network(flags: &Flags, ui: &Ui) -> Result<()> {
    if flags.wishes() != (Wishes { seed: Some(flags.seed), ..Wishes::default() }) {
        let message = "--strategy, --cost, --gamma, --neighbours, --trees and --sample do not apply to networks";
        return Err(Error::new(Code::BadArgument, message));
    }
    let usual = Settings::default();
    let mut trainer = NetworkTrainer::new(Settings {
        hidden: flags.hidden.unwrap_or(usual.hidden),
        filters: flags.filters.unwrap_or(usual.filters),
        epochs: flags.epochs.unwrap_or(usual.epochs),
        seed: flags.seed,
        parameters: flags.set.unwrap_or(usual.parameters),
    })?;
    let sink = Sink::create(&flags.out, Care::Binary)?;
    album::for_each(&flags.folder, ui, |label, _, picture| trainer.add(label, &picture.photo))?;
    let pictures = trainer.count();
    let bar = ui.bar("training", Unit::Rows);
    let network = trainer.finish(&bar)?;
    bar.clear();
    let bytes = crate::network::wire::write(&network)?;
    sink.write_whole(&bytes)?;
    let labels = network.spec().labels().len();
    ui.summary(&format!("learned {labels} labels from {pictures} pictures: {} bytes", bytes.len()));
    Ok(())
}

impl Flags {
    const fn wishes(&self) -> Wishes {
        Wishes {
            learner: match self.learner {
                How::Model(learner) => Some(learner),
                How::Network => None,
            },
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

fn learner_parser() -> impl TypedValueParser<Value = How> {
    let names = PossibleValuesParser::new(Learner::ALL.map(Learner::as_str).into_iter().chain([NETWORK]));
    names.map(|name| Learner::from_name(&name).map_or(How::Network, How::Model))
}

fn set_parser() -> impl TypedValueParser<Value = &'static Parameters> {
    // The others are for networks of convolutions.
    let sets = parameters::ALL.iter().filter(|set| set.weight_bits == 0).map(|set| set.name);
    PossibleValuesParser::new(sets).try_map(|name| Parameters::named(&name))
}

fn strategy_parser() -> impl TypedValueParser<Value = Strategy> {
    let names = PossibleValuesParser::new(Strategy::ALL.map(Strategy::as_str));
    names.map(|name| Strategy::from_name(&name).unwrap_or(Strategy::Rest))
}
