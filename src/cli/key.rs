//! `safelight keygen`, `pubkey`, `protect` and `unprotect`: make a key, write its public half, protect its file with a
//! passphrase.

use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, FromArgMatches, Subcommand};

use super::files::{Care, Sink, Source};
use super::passphrase::PassphraseFlags;
use super::ui::{Ui, Unit};
use crate::error::{Code, Error, Result};
use crate::schemes::{ALL, NewKey, Scheme};
use crate::wire::{Prologue, age};

/// Generate a secret key
#[derive(Args)]
pub(super) struct KeygenFlags {
    #[command(subcommand)]
    key: NewKeyFlags,
}

/// A subcommand for each scheme, with its option for the size of the key.
struct NewKeyFlags {
    scheme: &'static Scheme,
    size: String,
    file: NewFileFlags,
}

impl FromArgMatches for NewKeyFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (name, matches) = matches.subcommand().ok_or_else(no_scheme)?;
        let scheme = ALL.iter().copied().find(|scheme| scheme.name() == name).ok_or_else(no_scheme)?;
        let size = scheme.size.as_ref().and_then(|size| matches.get_one::<String>(size.option)).cloned();
        Ok(Self { scheme, size: size.unwrap_or_default(), file: NewFileFlags::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for NewKeyFlags {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        ALL.iter().fold(command, |command, scheme| command.subcommand(for_scheme(scheme)))
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        ALL.iter().any(|scheme| scheme.name() == name)
    }
}

fn for_scheme(scheme: &'static Scheme) -> clap::Command {
    let about = format!("Generate {}", scheme.purpose);
    let care = "The file is readable only by its owner. An existing file is never overwritten.";
    let long = format!("{about}\n\n{care} {}", scheme.advice);
    let mut command = clap::Command::new(scheme.name());
    if let Some(size) = &scheme.size {
        let option = Arg::new(size.option)
            .long(size.option)
            .value_name(size.value_name)
            .help(size.help)
            .default_value(size.default);
        command = command.arg(match size.values {
            [] => option,
            values => option.value_parser(PossibleValuesParser::new(values)),
        });
    }
    // `augment_args` also sets the description of the flags' struct, which is replaced here.
    NewFileFlags::augment_args(command)
        .about(about)
        .long_about(long.trim_end().to_owned())
        .after_help(format!("Examples:\n  {}", scheme.examples.join("\n  ")))
}

fn no_scheme() -> clap::Error {
    clap::Error::new(ErrorKind::MissingSubcommand)
}

/// Where a new key goes.
#[derive(Args)]
struct NewFileFlags {
    /// File to write; it must not exist
    #[arg(long, value_name = "KEY")]
    out: OsString,
    /// Protect the file with a passphrase, in the age format
    #[arg(long)]
    passphrase: bool,
    #[command(flatten)]
    source: PassphraseFlags,
}

/// Write the public half of a key, which lets others encrypt photos for you
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight pubkey my.key --out my.pub")]
pub(super) struct PubkeyFlags {
    /// The secret key file, or -
    key: OsString,
    /// The file to write, or -
    #[arg(long, value_name = "PUB")]
    out: OsString,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

/// Protect a secret key file with a passphrase
///
/// The new file is in the age format. With the passphrase, every command, the page and the age program can read it. The old
/// file stays; delete it once you have tried the new one.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight protect my.key --out my.key.age")]
pub(super) struct ProtectFlags {
    /// The secret key file, or -
    key: OsString,
    /// File to write; it must not exist
    #[arg(long, value_name = "KEY")]
    out: OsString,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

/// Remove the passphrase from a secret key file
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight unprotect my.key.age --out my.key")]
pub(super) struct UnprotectFlags {
    /// The protected secret key file, or -
    key: OsString,
    /// File to write; it must not exist
    #[arg(long, value_name = "KEY")]
    out: OsString,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

pub(super) fn keygen(flags: KeygenFlags, ui: &Ui) -> Result<()> {
    let NewKeyFlags { scheme, size, file } = flags.key;
    let made = file.write(|| {
        ui.catch_interrupts();
        let bar = ui.bar("searching", Unit::Unknown);
        let key = (scheme.keys.generate)(&size, &bar)?;
        bar.clear();
        Ok(key)
    })?;
    ui.summary(&format!("made {made}; keep the file to yourself"));
    Ok(())
}

impl NewFileFlags {
    /// Makes a key and writes its file, protected by a passphrase if requested. All checks come before the key is made.
    /// Returns the key's description.
    fn write(&self, make: impl FnOnce() -> Result<NewKey>) -> Result<String> {
        let sink = Sink::create(&self.out, Care::Secret)?;
        let chosen = if self.passphrase { Some(self.source.choose()?) } else { None };
        let NewKey { file: bytes, text } = make()?;
        match chosen {
            Some(passphrase) => sink.write_whole(&age::protect(&bytes, &passphrase)?)?,
            None => sink.write_whole(&bytes)?,
        }
        Ok(text)
    }
}

pub(super) fn pubkey(flags: &PubkeyFlags) -> Result<()> {
    let bytes = flags.passphrase.read_key(&Source::from(flags.key.as_os_str()))?;
    let scheme = scheme_of(&bytes)?;
    let public_half = scheme.keys.public_half.ok_or_else(|| {
        let message = format!("a secret key of {} does not yield its public half", scheme.name());
        Error::new(Code::WrongKind, message)
    })?;
    Sink::create(&flags.out, Care::Binary)?.write_whole(&public_half(&bytes)?)
}

pub(super) fn protect(flags: &ProtectFlags) -> Result<()> {
    let bytes = Source::from(flags.key.as_os_str()).read_key()?;
    if age::is_age(&bytes) {
        return Err(Error::new(Code::BadArgument, "this key file is already protected; remove its passphrase first"));
    }
    check_secret(&bytes)?;
    let sink = Sink::create(&flags.out, Care::Secret)?;
    sink.write_whole(&age::protect(&bytes, &flags.passphrase.choose()?)?)
}

pub(super) fn unprotect(flags: &UnprotectFlags) -> Result<()> {
    let key = Source::from(flags.key.as_os_str());
    let bytes = key.read_key()?;
    if !age::is_age(&bytes) {
        check_secret(&bytes)?;
        return Err(Error::new(Code::BadArgument, "this key file has no passphrase; use it as it is"));
    }
    let bytes = flags.passphrase.open(&bytes, &key)?;
    check_secret(&bytes)?;
    Sink::create(&flags.out, Care::Secret)?.write_whole(&bytes)
}

/// Fails unless this is the file of a secret key, of any scheme.
fn check_secret(bytes: &[u8]) -> Result<()> {
    (scheme_of(bytes)?.keys.check)(bytes)
}

/// The scheme of a key file.
fn scheme_of(bytes: &[u8]) -> Result<&'static Scheme> {
    let kind = Prologue::parse(bytes)?.kind;
    Scheme::find(kind.scheme()).ok_or_else(|| {
        Error::new(Code::WrongKind, format!("this file is {}, but a secret key is needed here", kind.text()))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, dispatch};

    /// Runs a command of the program.
    fn safelight(line: &[&str]) -> Result<()> {
        let Cli { command, .. } = Cli::try_parse_from([&["safelight"], line].concat()).expect("a valid command line");
        dispatch(command, &Ui::new(true))
    }

    #[test]
    fn a_new_scheme_is_known_by_its_entries_in_the_lists() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
        let (key, public) = (place("toy.key"), place("toy.pub"));
        safelight(&["keygen", "toy", "--out", &key]).expect("a key");
        let bytes = fs::read(&key).expect("the key");
        assert_eq!(Prologue::parse(&bytes).expect("one of our files").kind.as_str(), "toy_key");
        check_secret(&bytes).expect("a secret key of a known scheme");
        safelight(&["info", "--json", &key]).expect("it is described");
        let refused = safelight(&["pubkey", &key, "--out", &public]).expect_err("it has no public half");
        assert_eq!(refused.message(), "a secret key of toy does not yield its public half");
    }
}
