//! `safelight info`: describe a file, without any key. Of a secret key, only public facts are shown.

use std::fmt::Write as _;
use std::io::{Cursor, Read};

use clap::Args;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::files::{self, Source, read_header};
use super::ui::{Ui, Unit};
use crate::error::{Code, Error, Result};
use crate::schemes::Scheme;
use crate::wire::facts::{Facts, Opened};
use crate::wire::{self, Kind};
use crate::{learn, network};

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

pub(super) fn run(flags: &Flags, ui: &Ui) -> Result<()> {
    let source = Source::from(flags.file.as_os_str());
    let mut input = source.open()?;
    let mut start = Vec::new();
    (&mut *input).take(wire::AGE_START as u64).read_to_end(&mut start)?;
    let is_protected = wire::is_age(&start);
    let mut input: Box<dyn Read + Send> = Box::new(Cursor::new(start).chain(input));
    let (kind, version, facts) = if is_protected {
        ("protected_key", wire::VERSION, protected(input)?)
    } else {
        let (prologue, header) = read_header(&mut *input)?;
        ui.catch_interrupts();
        let bar = ui.bar("checking", Unit::Rows);
        let file =
            Opened { kind: prologue.kind, header: header.into(), rest: &mut *input, check: flags.check, watch: &bar };
        let facts = describe(file)?;
        bar.clear();
        (prologue.kind.as_str(), prologue.version, facts)
    };
    let scheme = Kind::named(kind).map_or("age", |kind| kind.scheme().as_str());
    let bytes = facts.bytes.or_else(|| source.length());
    if flags.json {
        print_json([("kind", kind.into()), ("version", version.into()), ("scheme", scheme.into())], facts, bytes)
    } else {
        files::print(&text(kind, version, &facts, bytes))
    }
}

/// Describes the file with the module that it belongs to.
fn describe(file: Opened<'_>) -> Result<Facts> {
    match file.kind {
        Kind::Model => learn::facts::describe(file),
        Kind::Network | Kind::NetworkFront => network::facts::describe(file),
        kind => {
            let scheme = Scheme::find(kind.scheme()).ok_or_else(|| {
                let message = format!("this build has no support for {} and cannot read it", kind.text());
                Error::new(Code::BadArgument, message)
            })?;
            (scheme.describe)(file)
        }
    }
}

/// The facts that a protected key file shows without its passphrase.
fn protected(input: Box<dyn Read + Send>) -> Result<Facts> {
    let mut bytes = Vec::new();
    input.take(LONGEST_KEY + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_KEY {
        return Err(Error::new(Code::BadHeader, "this file is longer than any key; decrypt it with age"));
    }
    #[cfg(feature = "client")]
    let work_factor = Some(wire::age::cost(&bytes)?);
    #[cfg(not(feature = "client"))]
    let work_factor: Option<u8> = None;
    let armored = !bytes.starts_with(wire::AGE_MAGIC);
    let form = if armored { "age, as text" } else { "age" };
    let work = work_factor.map_or_else(String::new, |factor| format!(", 2^{factor} steps of scrypt per guess"));
    let facts = Facts { checked: false, ..Facts::of_whole(bytes.len()) };
    Ok(facts
        .field("armored", armored)
        .field("work_factor", work_factor)
        .line("protected", format!("by a passphrase ({form}{work})")))
}

/// The facts as a JSON object, in their order.
struct Object(Vec<(&'static str, Value)>);

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn print_json(first: [(&'static str, Value); 3], facts: Facts, bytes: Option<u64>) -> Result<()> {
    let mut all = Vec::from(first);
    all.extend(facts.fields);
    all.extend([("bytes", bytes.into()), ("checked", facts.checked.into())]);
    files::print_json(&Object(all))
}

fn text(kind: &str, version: u16, facts: &Facts, bytes: Option<u64>) -> String {
    let mut text = String::new();
    let mut line = |title: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{title:<12} {value}");
    };
    line("kind", &format!("{} (format version {})", kind.replace('_', " "), version));
    for (title, value) in &facts.lines {
        line(title, value);
    }
    line("size", &size(bytes, facts.complete_bytes));
    line("checked", if facts.checked { "whole file, intact" } else { "header only" });
    text
}

fn size(bytes: Option<u64>, complete: Option<u64>) -> String {
    match (bytes, complete) {
        (Some(bytes), Some(complete)) if bytes < complete => {
            format!("{bytes} bytes: cut short, {} bytes are missing", complete - bytes)
        }
        (Some(bytes), Some(complete)) if bytes > complete => format!("{bytes} bytes, {} too many", bytes - complete),
        (Some(bytes), _) | (None, Some(bytes)) => format!("{bytes} bytes"),
        (None, None) => "unknown".into(),
    }
}
