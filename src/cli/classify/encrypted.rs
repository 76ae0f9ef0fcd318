//! Classifies encrypted pictures, here or on a server.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::ClassifyFlags;
use super::classifier::verdict;
use crate::cli::album::Picture;
use crate::cli::files::{Care, Sink, Source};
use crate::cli::passphrase::PassphraseFlags;
use crate::cli::remote::{Input, Server};
use crate::cli::ui::{Ui, Unit};
use crate::error::{Code, Error, Result};
use crate::learn::Verdict;
use crate::math::random;
use crate::network::{Circuit, Network, NetworkSpec};
use crate::remote;
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::keys::EvaluationKeys;
use crate::schemes::ckks::ring::Ring;
use crate::schemes::ckks::secret::SecretKey;
use crate::schemes::ckks::wire::{owner, read_secret, write_ciphertext, write_secret, write_seeded, write_set};

/// Where the network is evaluated.
enum Place<'a> {
    /// This program.
    Here { circuit: Box<Circuit>, keys: Box<EvaluationKeys> },
    /// A server that has the network. `keys` is the path of the evaluation keys on it.
    There { server: &'a Server, network: String, keys: String },
}

/// The labels, and a network's verdicts on the pictures, which stay encrypted. Scores and probabilities are included only on
/// request, and rounded.
pub(super) fn classify(flags: &ClassifyFlags, pictures: &[Source], ui: &Ui) -> Result<(Vec<String>, Vec<Verdict>)> {
    ui.catch_interrupts();
    let bar = ui.bar("classifying", Unit::Rows);
    let server = flags.server.as_ref().map(|address| Server::new(address, &flags.way)).transpose()?;
    let (spec, network) = network(flags, server.as_ref(), ui)?;
    let ring = Ring::new(spec.parameters())?;
    let encoder = Arc::new(Encoder::new(&ring));
    let secret = vector_key(flags.key.as_deref().unwrap_or_default(), &flags.passphrase, &ring, ui)?;
    let mut rng = random::system();
    let keys = spec.evaluation_keys(&ring, &secret, &mut rng)?;
    let place = match (network, &server) {
        (Some(network), _) => {
            let circuit = Box::new(Circuit::new(Arc::clone(&ring), Arc::clone(&encoder), &network)?);
            Place::Here { circuit, keys: Box::new(keys) }
        }
        (None, Some(server)) => {
            let set = write_set(&ring, &keys)?;
            let send = remote::send_keys(set.len() as u64);
            let keys = server.run(send, Input::Bytes(set), &mut std::io::sink(), ui)?;
            Place::There { server, network: flags.model.to_string_lossy().into_owned(), keys }
        }
        (None, None) => return Err(Error::new(Code::Internal, "there is no network")),
    };
    let one = |source: &Source| {
        let picture = Picture::read(source)?;
        let features = spec.input().of(&picture.photo)?;
        let encrypted = spec.encrypt(&ring, &encoder, &secret, &features, &mut random::system())?;
        let scores = match &place {
            Place::Here { circuit, keys } => {
                let scores = circuit.run(EvaluationKeys::clone(keys), &encrypted.ciphertext, &bar)?;
                write_ciphertext(&ring, &scores)?
            }
            Place::There { server, network, keys } => {
                let question = write_seeded(&ring, &encrypted)?;
                let ask = remote::ask(network, keys, question.len() as u64);
                let mut answer = Vec::new();
                server.run(ask, Input::Bytes(question), &mut answer, ui)?;
                answer
            }
        };
        let scores = crate::network::wire::read_answer(&spec, &ring, &scores)?;
        let answer = verdict(spec.open(&ring, &encoder, &secret, &scores)?.for_display());
        Ok(if flags.scores { answer } else { Verdict { scores: None, probabilities: None, ..answer } })
    };
    let verdicts: Result<Vec<Verdict>> = pictures.iter().map(one).collect();
    bar.clear();
    if let Place::There { server, keys, .. } = &place {
        // Whatever the outcome, the server does not have to keep the keys. If the server is gone, so are the keys.
        let _ = server.run(remote::forget(keys), Input::Nothing, &mut std::io::sink(), ui);
    }
    Ok((spec.labels().to_vec(), verdicts?))
}

/// The network's public part, and the whole network if it is here.
fn network(flags: &ClassifyFlags, server: Option<&Server>, ui: &Ui) -> Result<(NetworkSpec, Option<Network>)> {
    if let Some(server) = server {
        let mut file = Vec::new();
        server.run(remote::network(&flags.model.to_string_lossy()), Input::Nothing, &mut file, ui)?;
        return Ok((crate::network::wire::read_spec(&file)?, None));
    }
    let file = Source::from(flags.model.as_os_str()).read(crate::network::wire::LONGEST, Code::TooLarge)?;
    let network = crate::network::wire::read(&file)?;
    Ok((network.spec().clone(), Some(network)))
}

/// The secret key in the file, or a new one in a new file.
pub(in crate::cli) fn vector_key(
    name: &OsStr,
    passphrase: &PassphraseFlags,
    ring: &Ring,
    ui: &Ui,
) -> Result<SecretKey> {
    if Path::new(name).exists() || name == "-" {
        return read_vector_key(name, passphrase, ring);
    }
    let sink = Sink::create(name, Care::Secret)?;
    let (secret, _) = SecretKey::generate(ring, &mut random::system())?;
    sink.write_whole(&write_secret(ring, &secret))?;
    ui.note(&format!("made a new secret key, {}; keep the file to yourself", secret.id()));
    Ok(secret)
}

/// The secret key in the file.
pub(in crate::cli) fn read_vector_key(name: &OsStr, passphrase: &PassphraseFlags, ring: &Ring) -> Result<SecretKey> {
    let bytes = passphrase.read_key(&Source::from(name))?;
    let (set, _) = owner(&bytes)?;
    if set.id != ring.parameters().id {
        let message = format!(
            "the key is for the parameter set {}, but the network needs {}; to make a new key, name a file that does \
             not exist",
            set.name,
            ring.parameters().name
        );
        return Err(Error::new(Code::WrongParameters, message));
    }
    read_secret(ring, &bytes)
}
