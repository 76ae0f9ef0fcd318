//! `safelight info`: describe a file, without any key. Of a secret key, only public facts are shown.

use std::fmt::Write as _;
use std::io::{Cursor, Read};

use clap::Args;
use serde::Serialize;

use super::LIMITS;
use super::files::{self, Source, read_header};
use super::ui::{Ui, Unit};
use crate::error::{Code, Error, Result};
use crate::learn::Shape;
use crate::schemes::paillier::KeyId;
use crate::schemes::paillier::stream;
use crate::schemes::paillier::wire::image::Frames;
use crate::schemes::paillier::wire::key as key_file;
use crate::wire::{self, Kind};

/// Describe a key, an encrypted image, a model or a network
///
/// Needs no key and no passphrase. A protected key file is reported as such; only the passphrase reveals what kind of key it
/// holds.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight info photo.slt
  safelight info --json --check photo.slt")]
pub(super) struct Flags {
    /// The file, or -
    file: std::ffi::OsString,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Read the whole file and verify every checksum and ciphertext
    #[arg(long)]
    check: bool,
}

/// The longest key file that is read, in bytes.
const LONGEST_KEY: u64 = 1 << 17;

/// The known facts about a file.
#[derive(Serialize)]
struct Facts {
    kind: &'static str,
    version: u16,
    scheme: &'static str,
    #[serde(flatten)]
    key: Option<Key>,
    #[serde(flatten)]
    image: Option<Image>,
    #[serde(flatten)]
    model: Option<ModelFacts>,
    #[serde(flatten)]
    vector: Option<VectorFacts>,
    #[serde(flatten)]
    network: Option<NetworkFacts>,
    #[serde(flatten)]
    protection: Option<Protection>,
    /// The file's length, if it is known.
    bytes: Option<u64>,
    checked: bool,
}

#[derive(Serialize)]
struct Key {
    key_id: String,
    bits: u16,
}

/// Facts about a key file protected by a passphrase.
#[derive(Serialize)]
struct Protection {
    /// Whether the file is text.
    armored: bool,
    /// How costly guessing the passphrase is: the binary logarithm of scrypt's `N`.
    work_factor: Option<u8>,
}

/// Facts about encrypted vectors and their keys.
#[derive(Serialize)]
struct VectorFacts {
    parameters: &'static str,
    /// Plaintexts have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
}

#[derive(Serialize)]
struct ModelFacts {
    learner: &'static str,
    width: u32,
    height: u32,
    channels: u8,
    samples_used: usize,
    pictures_kept: usize,
    labels: Vec<LabelFacts>,
}

/// Facts about a network, or its public part.
#[derive(Serialize)]
struct NetworkFacts {
    parameters: &'static str,
    width: u32,
    height: u32,
    channels: u8,
    features: usize,
    hidden: usize,
    keys: usize,
    labels: Vec<String>,
}

#[derive(Serialize)]
struct LabelFacts {
    label: String,
    pictures: u32,
}

#[derive(Serialize)]
struct Image {
    width: u32,
    height: u32,
    channels: u8,
    tiles: (u16, u16),
    halo: (u16, u16),
    slot_bits: u8,
    border: &'static str,
    range: (i64, i64),
    divisor: i64,
    filters: Vec<String>,
    ciphertexts: u64,
    /// The length of a complete file with this header.
    complete_bytes: u64,
}

pub(super) fn run(flags: &Flags, ui: &Ui) -> Result<()> {
    let source = Source::from(flags.file.as_os_str());
    let mut input = source.open()?;
    let mut start = Vec::new();
    (&mut *input).take(wire::AGE_START as u64).read_to_end(&mut start)?;
    let is_protected = wire::is_age(&start);
    let mut input: Box<dyn Read + Send> = Box::new(Cursor::new(start).chain(input));
    if is_protected {
        return protected(input)?.print(flags.json);
    }
    let (prologue, header) = read_header(&mut *input)?;
    let facts = match prologue.kind {
        Kind::PaillierImage => image(&source, input, &header, flags.check, ui)?,
        Kind::Model => model(input, header, ui)?,
        Kind::Network | Kind::NetworkFront => network(input, header, prologue.kind)?,
        kind if kind.scheme().as_str() == "ckks" => {
            let vector = Some(vector_facts(&zeroize::Zeroizing::new(header))?);
            Facts { vector, ..Facts::new(kind, source.length(), false) }
        }
        kind => key(kind, input, header, flags.check)?,
    };
    facts.print(flags.json)
}

/// What a protected key file shows without its passphrase.
fn protected(input: Box<dyn Read + Send>) -> Result<Facts> {
    let mut bytes = Vec::new();
    input.take(LONGEST_KEY + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_KEY {
        return Err(Error::new(Code::BadHeader, "this file is longer than any key; decrypt it with age"));
    }
    #[cfg(feature = "client")]
    let work_factor = Some(wire::age::cost(&bytes)?);
    #[cfg(not(feature = "client"))]
    let work_factor = None;
    let protection = Protection { armored: !bytes.starts_with(wire::AGE_MAGIC), work_factor };
    let facts = Facts::new(Kind::PaillierSecretKey, Some(bytes.len() as u64), false);
    Ok(Facts { kind: "protected_key", scheme: "age", protection: Some(protection), ..facts })
}

fn image(source: &Source, input: Box<dyn Read + Send>, header: &[u8], check: bool, ui: &Ui) -> Result<Facts> {
    let frames = Frames::read(header)?;
    if check {
        ui.catch_interrupts();
        let bar = ui.bar("checking", Unit::Rows);
        stream::check_image(&mut Cursor::new(header).chain(input), &LIMITS, &bar)?;
        bar.clear();
    }
    let bytes = if check { Some(frames.total_bytes()) } else { source.length() };
    let head = &frames.head;
    let layout = &head.layout;
    let filters = head.history.split("; ").filter(|filter| !filter.is_empty()).map(str::to_owned).collect();
    let image = Image {
        width: layout.width,
        height: layout.height,
        channels: layout.channels,
        tiles: layout.grid,
        halo: layout.halo,
        slot_bits: layout.slot_bits,
        border: layout.border.as_str(),
        range: (head.encoding.low, head.encoding.high),
        divisor: head.encoding.divisor,
        filters,
        ciphertexts: head.ciphertexts(),
        complete_bytes: frames.total_bytes(),
    };
    let key = Key { key_id: head.key.id().to_string(), bits: head.key.bits() };
    Ok(Facts { key: Some(key), image: Some(image), ..Facts::new(Kind::PaillierImage, bytes, check) })
}

fn model(input: Box<dyn Read + Send>, header: Vec<u8>, ui: &Ui) -> Result<Facts> {
    let mut bytes = header;
    input.take(crate::learn::wire::LONGEST).read_to_end(&mut bytes)?;
    let bar = ui.bar("checking", Unit::Rows);
    let model = crate::learn::wire::read(&bytes, &bar)?;
    bar.clear();
    let parts = model.parts();
    let labels = parts.labels.iter().zip(&parts.pictures);
    let facts = ModelFacts {
        learner: model.learner().as_str(),
        width: parts.shape.width,
        height: parts.shape.height,
        channels: parts.shape.channels,
        samples_used: parts.places.len(),
        pictures_kept: parts.rows.len(),
        labels: labels.map(|(label, &pictures)| LabelFacts { label: label.clone(), pictures }).collect(),
    };
    Ok(Facts { model: Some(facts), ..Facts::new(Kind::Model, Some(bytes.len() as u64), true) })
}

fn network(input: Box<dyn Read + Send>, header: Vec<u8>, kind: Kind) -> Result<Facts> {
    let mut bytes = header;
    input.take(crate::network::wire::LONGEST).read_to_end(&mut bytes)?;
    let front = match kind {
        Kind::NetworkFront => crate::network::wire::read_front(&bytes)?,
        _ => crate::network::wire::read(&bytes)?.front().clone(),
    };
    let Shape { width, height, channels } = front.patches().shape;
    let facts = NetworkFacts {
        parameters: front.parameters().name,
        width,
        height,
        channels,
        features: front.patches().features(),
        hidden: front.hidden(),
        keys: front.needs()?.len(),
        labels: front.labels().to_vec(),
    };
    Ok(Facts { network: Some(facts), ..Facts::new(kind, Some(bytes.len() as u64), true) })
}

fn key(kind: Kind, input: Box<dyn Read + Send>, header: Vec<u8>, check: bool) -> Result<Facts> {
    // The header may hold the primes.
    let mut bytes = zeroize::Zeroizing::new(header);
    let header_bytes = bytes.len();
    input.take(1).read_to_end(&mut bytes)?;
    if bytes.len() > header_bytes {
        return Err(Error::new(Code::TrailingData, "the file has extra data after the key; copy it again"));
    }
    let (key_id, bits) = match kind {
        Kind::PaillierPublicKey => {
            let key = key_file::read_public(&bytes)?;
            (key.id().to_string(), key.bits())
        }
        Kind::EtcKey => etc_facts(&bytes)?,
        _ => public_facts(&bytes, check)?,
    };
    let checked = check || kind != Kind::PaillierSecretKey;
    Ok(Facts { key: Some(Key { key_id, bits }), ..Facts::new(kind, Some(bytes.len() as u64), checked) })
}

/// The public facts at the start of a secret key's header.
fn public_facts(bytes: &[u8], check: bool) -> Result<(String, u16)> {
    if check {
        verify_secret(bytes)?;
    }
    let header = wire::open(bytes, Kind::PaillierSecretKey)?.header;
    let short = || Error::new(Code::BadHeader, "the key's header is too short");
    let (bits, rest) = header.split_first_chunk::<2>().ok_or_else(short)?;
    let id = rest.first_chunk::<16>().ok_or_else(short)?;
    Ok((KeyId(*id).to_string(), u16::from_le_bytes(*bits)))
}

fn vector_facts(bytes: &[u8]) -> Result<VectorFacts> {
    let (parameters, key) = crate::schemes::ckks::wire::owner(bytes)?;
    Ok(VectorFacts { parameters: parameters.name, key_id: key.map(|key| key.to_string()) })
}

#[cfg(feature = "client")]
fn etc_facts(bytes: &[u8]) -> Result<(String, u16)> {
    crate::schemes::etc::wire::read_key(bytes).map(|key| (key.id().to_string(), 256))
}

#[cfg(not(feature = "client"))]
fn etc_facts(_: &[u8]) -> Result<(String, u16)> {
    Err(Error::new(Code::BadArgument, "this build has no support for secret keys and cannot read one"))
}

#[cfg(feature = "client")]
fn verify_secret(bytes: &[u8]) -> Result<()> {
    key_file::read_secret(bytes).map(drop)
}

#[cfg(not(feature = "client"))]
fn verify_secret(_: &[u8]) -> Result<()> {
    Err(Error::new(Code::BadArgument, "this build has no support for secret keys and cannot check one"))
}

impl Facts {
    const fn new(kind: Kind, bytes: Option<u64>, checked: bool) -> Self {
        Self {
            kind: kind.as_str(),
            version: wire::VERSION,
            scheme: kind.scheme().as_str(),
            key: None,
            image: None,
            model: None,
            vector: None,
            network: None,
            protection: None,
            bytes,
            checked,
        }
    }

    fn print(&self, json: bool) -> Result<()> {
        if json { files::print_json(self) } else { files::print(&self.text()) }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name:<12} {value}");
        };
        line("kind", format!("{} (format version {})", self.kind.replace('_', " "), self.version));
        if let Some(Key { key_id, bits }) = &self.key {
            line("key", format!("{key_id}, {} of {bits} bits", self.scheme));
        }
        if let Some(image) = &self.image {
            let colours = if image.channels == 1 { "grey" } else { "RGB" };
            line("picture", format!("{} x {} pixels, {colours}", image.width, image.height));
            line("tiles", format!("{} x {}", image.tiles.0, image.tiles.1));
            line("halo", format!("{} x {} pixels, {} border", image.halo.0, image.halo.1, image.border));
            line("slots", format!("{} bits each", image.slot_bits));
            line("values", format!("{} to {}, divided by {}", image.range.0, image.range.1, image.divisor));
            line("filters", if image.filters.is_empty() { "none".into() } else { image.filters.join(", then ") });
            line("ciphertexts", image.ciphertexts.to_string());
        }
        if let Some(model) = &self.model {
            let shape = Shape { width: model.width, height: model.height, channels: model.channels };
            line("learner", model.learner.into());
            line("pictures", format!("{shape}, {} samples used, {} kept", model.samples_used, model.pictures_kept));
            for LabelFacts { label, pictures } in &model.labels {
                line("label", format!("{label}, from {pictures} pictures"));
            }
        }
        if let Some(network) = &self.network {
            let shape = Shape { width: network.width, height: network.height, channels: network.channels };
            line("pictures", format!("{shape}, {} features each", network.features));
            line("hidden", network.hidden.to_string());
            line("labels", network.labels.join(", "));
            line("keys", format!("{} for the parameter set {}", network.keys, network.parameters));
        }
        if let Some(VectorFacts { parameters, key_id }) = &self.vector {
            line("parameters", format!("{} {parameters}", self.scheme));
            if let Some(key_id) = key_id {
                line("key", key_id.clone());
            }
        }
        if let Some(Protection { armored, work_factor }) = &self.protection {
            let form = if *armored { "age, as text" } else { "age" };
            let work = work_factor.map_or_else(String::new, |factor| format!(", 2^{factor} steps of scrypt per guess"));
            line("protected", format!("by a passphrase ({form}{work})"));
        }
        line("size", self.size());
        line("checked", if self.checked { "whole file, intact" } else { "header only" }.into());
        text
    }

    fn size(&self) -> String {
        let complete = self.image.as_ref().map(|image| image.complete_bytes);
        match (self.bytes, complete) {
            (Some(bytes), Some(complete)) if bytes < complete => {
                format!("{bytes} bytes: cut short, {complete} bytes are missing", complete = complete - bytes)
            }
            (Some(bytes), Some(complete)) if bytes > complete => {
                format!("{bytes} bytes, {} too many", bytes - complete)
            }
            (Some(bytes), _) | (None, Some(bytes)) => format!("{bytes} bytes"),
            (None, None) => "unknown".into(),
        }
    }
}
