//! `safelight network`: classify an encrypted picture step by step, with a file after each.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::album::Picture;
use super::classify;
use super::files::{self, Care, Sink, Source};
use super::passphrase::PassphraseFlags;
use super::ui::{Ui, Unit};
use crate::error::{Code, Result};
use crate::math::random;
use crate::network::wire::{read, read_answer, read_spec, write_spec};
use crate::network::{Circuit, Network, NetworkSpec};
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::key_file::{KeySet, LoadedKeys};
use crate::schemes::ckks::ring::Ring;
use crate::schemes::ckks::wire::{read_ciphertext, write_ciphertext, write_seeded, write_set};
use crate::wire::{Kind, Prologue};

/// The longest ciphertext that is read, in bytes.
const LONGEST: u64 = 1 << 26;
/// How many bytes of keys stay in memory.
const KEPT: usize = 1 << 30;

/// Classify an encrypted picture step by step, with a file after each
///
/// The picture's owner takes the network's public part, makes keys and encrypts the picture. The network's owner evaluates the
/// network on them. The picture's owner decrypts the answer. `safelight classify --key` does all of this at once.
#[derive(Args)]
pub(super) struct Flags {
    #[command(subcommand)]
    step: Step,
}

#[derive(Subcommand)]
enum Step {
    Front(FrontFlags),
    Keys(KeysFlags),
    Encrypt(EncryptFlags),
    Evaluate(EvaluateFlags),
    Decrypt(DecryptFlags),
}

/// Write the public part of a network, which reveals nothing about its weights
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight network front cifar10.model --out cifar10.front")]
struct FrontFlags {
    /// The network, or -
    network: OsString,
    /// The file to write, or -
    #[arg(long, value_name = "OUT")]
    out: OsString,
}

/// Make the evaluation keys for a network, and a secret key if the file does not exist
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight network keys --front cifar10.front --key my.vectors.key --out my.keys")]
struct KeysFlags {
    #[command(flatten)]
    owner: OwnerFlags,
    /// The evaluation keys to write, or -
    #[arg(long, value_name = "OUT")]
    out: OsString,
}

/// Encrypt a picture for a network
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight network encrypt --front cifar10.front --key my.vectors.key photo.jpg --out photo.slt")]
struct EncryptFlags {
    #[command(flatten)]
    owner: OwnerFlags,
    /// The picture, or -
    picture: OsString,
    /// The encrypted picture to write, or -
    #[arg(long, value_name = "OUT.slt")]
    out: OsString,
}

/// Evaluate a network on an encrypted picture; needs no secret key
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight network evaluate cifar10.model --keys my.keys photo.slt --out answer.slt")]
struct EvaluateFlags {
    /// The network
    network: OsString,
    /// The evaluation keys of the picture's owner
    #[arg(long, value_name = "KEYS")]
    keys: PathBuf,
    /// The encrypted picture, or -
    picture: OsString,
    /// The encrypted answer to write, or -
    #[arg(long, value_name = "OUT.slt")]
    out: OsString,
}

/// Decrypt an answer and print its label
///
/// An answer that no honest server would send is refused. Keep the output to yourself: a dishonest server can craft its answer
/// so that every number you publish, and even a label, reveals part of your secret key.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight network decrypt --front cifar10.front --key my.vectors.key answer.slt
  safelight network decrypt --front cifar10.front --key my.vectors.key answer.slt --scores")]
struct DecryptFlags {
    #[command(flatten)]
    owner: OwnerFlags,
    /// Also print the score and probability of each label, most likely first; never publish them
    #[arg(long)]
    scores: bool,
    /// The encrypted answer, or -
    answer: OsString,
}

/// The files of a picture's owner.
#[derive(Args)]
struct OwnerFlags {
    /// The network's public part, or the network
    #[arg(long, value_name = "FRONT")]
    front: OsString,
    /// The CKKS secret key
    #[arg(long, value_name = "KEY")]
    key: OsString,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

pub(super) fn run(flags: &Flags, ui: &Ui) -> Result<()> {
    match &flags.step {
        Step::Front(flags) => front(flags),
        Step::Keys(flags) => keys(flags, ui),
        Step::Encrypt(flags) => encrypt(flags, ui),
        Step::Evaluate(flags) => evaluate(flags, ui),
        Step::Decrypt(flags) => decrypt(flags),
    }
}

fn front(flags: &FrontFlags) -> Result<()> {
    let network = read_network(&flags.network)?;
    Sink::create(&flags.out, Care::Binary)?.write_whole(&write_spec(network.spec())?)
}

fn keys(flags: &KeysFlags, ui: &Ui) -> Result<()> {
    let spec = flags.owner.spec()?;
    let ring = Ring::new(spec.parameters())?;
    let sink = Sink::create(&flags.out, Care::Binary)?;
    let secret = classify::vector_key(&flags.owner.key, &flags.owner.passphrase, &ring, ui)?;
    let keys = spec.evaluation_keys(&ring, &secret, &mut random::system())?;
    sink.write_whole(&write_set(&ring, &keys)?)
}

fn encrypt(flags: &EncryptFlags, ui: &Ui) -> Result<()> {
    let spec = flags.owner.spec()?;
    let (ring, sink) = (Ring::new(spec.parameters())?, Sink::create(&flags.out, Care::Binary)?);
    let picture = Picture::read(&Source::from(flags.picture.as_os_str()))?;
    let secret = classify::vector_key(&flags.owner.key, &flags.owner.passphrase, &ring, ui)?;
    let features = spec.input().of(&picture.photo)?;
    let picture = spec.encrypt(&ring, &Encoder::new(&ring), &secret, &features, &mut random::system())?;
    sink.write_whole(&write_seeded(&ring, &picture)?)
}

fn evaluate(flags: &EvaluateFlags, ui: &Ui) -> Result<()> {
    ui.catch_interrupts();
    let sink = Sink::create(&flags.out, Care::Binary)?;
    let network = read_network(&flags.network)?;
    let ring = Ring::new(network.spec().parameters())?;
    let picture = Source::from(flags.picture.as_os_str()).read(LONGEST, Code::TooLarge)?;
    let picture = read_ciphertext(&ring, &picture)?;
    files::reads(&flags.keys)?;
    let set = Arc::new(KeySet::open(&flags.keys)?);
    let keys = network.spec().take_keys(&LoadedKeys::new(set, Arc::clone(&ring), KEPT)?)?;
    let bar = ui.bar("classifying", Unit::Rows);
    let circuit = Circuit::new(Arc::clone(&ring), Arc::new(Encoder::new(&ring)), &network)?;
    let answer = circuit.run(keys, &picture, &bar)?;
    bar.clear();
    sink.write_whole(&write_ciphertext(&ring, &answer)?)
}

fn decrypt(flags: &DecryptFlags) -> Result<()> {
    let spec = flags.owner.spec()?;
    let ring = Ring::new(spec.parameters())?;
    let answer = Source::from(flags.answer.as_os_str()).read(LONGEST, Code::TooLarge)?;
    let answer = read_answer(&spec, &ring, &answer)?;
    let secret = classify::read_vector_key(&flags.owner.key, &flags.owner.passphrase, &ring)?;
    let answer = spec.open(&ring, &Encoder::new(&ring), &secret, &answer)?.for_display();
    let mut text = format!("{}\n", spec.labels()[answer.class]);
    if flags.scores {
        let mut lines: Vec<_> = spec.labels().iter().zip(answer.scores.iter().zip(&answer.probabilities)).collect();
        lines.sort_by(|(_, (a, _)), (_, (b, _))| b.total_cmp(a));
        let line =
            |(label, (score, share)): (&String, (&f64, &f64))| format!("{label}\t{score:.2}\t{:.0} %\n", 100.0 * share);
        text.extend(lines.into_iter().map(line));
    }
    files::print(&text)
}

impl OwnerFlags {
    fn spec(&self) -> Result<NetworkSpec> {
        let bytes = Source::from(self.front.as_os_str()).read(crate::network::wire::LONGEST, Code::TooLarge)?;
        match Prologue::parse(&bytes)?.kind {
            Kind::Network => Ok(read(&bytes)?.spec().clone()),
            _ => read_spec(&bytes),
        }
    }
}

fn read_network(name: &OsStr) -> Result<Network> {
    read(&Source::from(name).read(crate::network::wire::LONGEST, Code::TooLarge)?)
}
