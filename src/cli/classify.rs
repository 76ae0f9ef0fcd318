//! `safelight classify` and `safelight evaluate`: classify pictures, and measure a model's accuracy.

mod classifier;
#[cfg(feature = "client")]
mod encrypted;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use self::classifier::Classifier;
#[cfg(feature = "client")]
pub(super) use self::encrypted::{read_vector_key, vector_key};
use super::album::{self, Picture};
use super::files::{self, Source};
#[cfg(feature = "client")]
use super::passphrase::PassphraseFlags;
#[cfg(feature = "client")]
use super::remote::{Address, Masked, WayFlags};
use super::ui::Ui;
use crate::error::{Code, Error, Result};
use crate::learn::Verdict;
use crate::learn::rates::equal_error_rate;

/// Classify pictures
///
/// Prints one line per picture: its file, label and probability. Scrambled pictures must have been scrambled like those that
/// the model was trained on. With --key, a network classifies pictures that stay encrypted, here or on a server; the server
/// learns neither the picture nor the label.
///
/// With --key, it prints labels, and scores only with --scores. Keep all of this to yourself: a dishonest server can craft its
/// answer so that every number you publish, and even a label, reveals part of your secret key.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight classify --model faces.model who.png
  safelight classify --model faces.model --json *.jpg
  safelight classify --model cifar10.model --key my.vectors.key photo.jpg
  safelight classify --model cifar10 --server https://photos.example --key my.vectors.key photo.jpg")]
pub(super) struct ClassifyFlags {
    /// Model or network, or -; with --server, its name there
    #[arg(long, value_name = "MODEL")]
    model: OsString,
    /// Encrypt the pictures under this CKKS key; a new key is generated if the file does not exist
    #[cfg(feature = "client")]
    #[arg(long, value_name = "KEY")]
    key: Option<OsString>,
    /// Classify on this server: `http://host:port` or `https://host`
    #[cfg(feature = "client")]
    #[arg(long, value_name = "URL", requires = "key", value_parser = Masked(Address::parse))]
    server: Option<Address>,
    #[cfg(feature = "client")]
    #[command(flatten)]
    way: WayFlags,
    /// With --key, also print scores and probabilities; never publish them
    #[cfg(feature = "client")]
    #[arg(long, requires = "key")]
    scores: bool,
    #[cfg(feature = "client")]
    #[command(flatten)]
    passphrase: PassphraseFlags,
    /// The pictures, or -
    #[arg(required = true)]
    pictures: Vec<OsString>,
    /// Print JSON, one line per picture
    #[arg(long)]
    json: bool,
}

/// Measure a model's accuracy on pictures that it has not seen
///
/// The folder contains one folder of pictures per label. Prints how many pictures were recognised, the equal error rate of all
/// scores (each picture against each label), and for each label what its pictures were taken for.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight evaluate --model faces.model test-faces
  safelight evaluate --model faces.model --json test-faces")]
pub(super) struct EvaluateFlags {
    /// The model, or -
    #[arg(long, value_name = "MODEL")]
    model: OsString,
    /// Folder with one folder per label
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The result for one picture.
#[derive(Serialize)]
struct Row<'a> {
    file: String,
    label: &'a str,
    class: usize,
    scores: Option<Vec<f64>>,
    probabilities: Option<Vec<f64>>,
}

pub(super) fn classify(flags: &ClassifyFlags, ui: &Ui) -> Result<()> {
    let model = Source::from(flags.model.as_os_str());
    let pictures: Vec<Source> = flags.pictures.iter().map(|name| Source::from(name.as_os_str())).collect();
    Source::check_one_stdin(&pictures.iter().chain([&model]).collect::<Vec<_>>())?;
    #[cfg(feature = "client")]
    if flags.key.is_some() {
        let (labels, verdicts) = encrypted::classify(flags, &pictures, ui)?;
        return files::print(&lines(flags, &labels, &pictures, verdicts)?);
    }
    let model = Classifier::read(&model, ui)?;
    let mut verdicts = Vec::new();
    let mut own_keys = 0;
    for source in &pictures {
        let picture = Picture::read(source)?;
        own_keys += usize::from(picture.own_key);
        let verdict = model
            .classify(&picture)
            .map_err(|error| Error::new(error.kind(), format!("{source}: {}", error.message())))?;
        verdicts.push(verdict);
    }
    album::note_own_keys(own_keys, ui);
    files::print(&lines(flags, model.labels(), &pictures, verdicts)?)
}

/// One line per picture.
fn lines(flags: &ClassifyFlags, labels: &[String], pictures: &[Source], verdicts: Vec<Verdict>) -> Result<String> {
    let mut text = String::new();
    for (source, Verdict { class, scores, probabilities }) in pictures.iter().zip(verdicts) {
        let line = Row { file: source.to_string(), label: &labels[class], class, scores, probabilities };
        if flags.json {
            text += &serde_json::to_string(&line).map_err(|_| files::no_json())?;
            text.push('\n');
        } else {
            let sure = line.probabilities.map_or_else(String::new, |all| format!("{:.1} %", 100.0 * all[line.class]));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}\t{}\t{sure}", line.file, line.label);
        }
    }
    Ok(text)
}

/// The accuracy of a model.
#[derive(Serialize)]
struct Report {
    pictures: usize,
    right: usize,
    accuracy: f64,
    equal_error_rate: f64,
    labels: Vec<LabelReport>,
}

/// Its accuracy for one label.
#[derive(Serialize)]
struct LabelReport {
    label: String,
    pictures: usize,
    right: usize,
    /// The labels that its pictures were given, most frequent first.
    taken_for: Vec<(String, usize)>,
}

pub(super) fn evaluate(flags: &EvaluateFlags, ui: &Ui) -> Result<()> {
    let model = Classifier::read(&Source::from(flags.model.as_os_str()), ui)?;
    let labels = model.labels();
    let mut said: Vec<(usize, Verdict)> = Vec::new();
    album::for_each(&flags.folder, ui, |label, _, picture| {
        let class = labels.iter().position(|known| known == label).ok_or_else(|| {
            let message = format!("the model does not know the label {label:?}; it knows {}", labels.join(", "));
            Error::new(Code::BadArgument, message)
        })?;
        said.push((class, model.classify(&picture)?));
        Ok(())
    })?;
    let report = report(labels, &said);
    if flags.json { files::print_json(&report) } else { files::print(&report.text()) }
}

#[expect(clippy::cast_precision_loss, reason = "pictures are counted in thousands")]
fn report(labels: &[String], said: &[(usize, Verdict)]) -> Report {
    let (mut genuine, mut impostors) = (Vec::new(), Vec::new());
    let mut taken = vec![vec![0; labels.len()]; labels.len()];
    for (class, verdict) in said {
        taken[*class][verdict.class] += 1;
        for (other, &score) in verdict.scores.iter().flatten().enumerate() {
            if other == *class { genuine.push(score) } else { impostors.push(score) }
        }
    }
    let of_label = |(class, counts): (usize, &Vec<usize>)| {
        let mut others: Vec<(String, usize)> =
            (0..labels.len()).filter(|&other| counts[other] > 0).map(|i| (labels[i].clone(), counts[i])).collect();
        others.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let pictures = counts.iter().sum();
        LabelReport { label: labels[class].clone(), pictures, right: counts[class], taken_for: others }
    };
    let right = (0..labels.len()).map(|class| taken[class][class]).sum();
    Report {
        pictures: said.len(),
        right,
        accuracy: right as f64 / said.len().max(1) as f64,
        equal_error_rate: equal_error_rate(&genuine, &impostors),
        labels: taken.iter().enumerate().map(of_label).filter(|label| label.pictures > 0).collect(),
    }
}

impl Report {
    fn text(&self) -> String {
        let mut text = format!(
            "recognised        {} of {} ({:.2} %)\nequal error rate  {:.4}\n\n",
            self.right,
            self.pictures,
            100.0 * self.accuracy,
            self.equal_error_rate
        );
        let width = self.labels.iter().map(|label| label.label.chars().count()).max().unwrap_or(0).max(5);
        let _ = writeln!(text, "{:<width$}  right      taken for", "label");
        for LabelReport { label, pictures, right, taken_for } in &self.labels {
            let wrong: Vec<String> =
                taken_for.iter().filter(|(other, _)| other != label).map(|(other, n)| format!("{other} {n}")).collect();
            let share = format!("{right}/{pictures}");
            let _ = writeln!(text, "{}", format!("{label:<width$}  {share:<9}  {}", wrong.join(", ")).trim_end());
        }
        text
    }
}
