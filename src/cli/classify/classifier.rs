//! Classifies pictures that are not encrypted, with a model or a network.

use crate::cli::album::Picture;
use crate::cli::files::Source;
use crate::cli::ui::{Ui, Unit};
use crate::error::{Code, Result};
use crate::learn::{Model, Verdict};
use crate::network::{Answer, Network};
use crate::wire::{Kind, Prologue};

/// A model or a network.
pub(super) enum Classifier {
    Model(Box<Model>),
    Network(Box<Network>),
}

impl Classifier {
    /// Reads the file of a model or a network. Growing the trees of a forest takes a while.
    pub(super) fn read(source: &Source, ui: &Ui) -> Result<Self> {
        let bytes = source.read(crate::learn::wire::LONGEST, Code::TooLarge)?;
        if Prologue::parse(&bytes)?.kind == Kind::Network {
            return Ok(Self::Network(Box::new(crate::network::wire::read(&bytes)?)));
        }
        let bar = ui.bar("loading", Unit::Rows);
        let model = crate::learn::wire::read(&bytes, &bar)?;
        bar.clear();
        Ok(Self::Model(Box::new(model)))
    }

    /// The label of each class.
    pub(super) fn labels(&self) -> &[String] {
        match self {
            Self::Model(model) => &model.parts().labels,
            Self::Network(network) => network.spec().labels(),
        }
    }

    /// Its verdict on a picture.
    pub(super) fn classify(&self, picture: &Picture) -> Result<Verdict> {
        match self {
            Self::Model(model) => model.classify(picture.shape, picture.photo.samples()),
            Self::Network(network) => Ok(verdict(network.decide(&network.spec().input().of(&picture.photo)?))),
        }
    }
}

/// A network's answer as a verdict.
pub(super) fn verdict(answer: Answer) -> Verdict {
    let Answer { class, scores, probabilities } = answer;
    Verdict { class, scores: Some(scores), probabilities: Some(probabilities) }
}
