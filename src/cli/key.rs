//! `safelight keygen`, `pubkey`, `protect` and `unprotect`: make a key, write its public half, protect its file with a
//! passphrase.

use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::files::{Care, Sink, Source};
use super::passphrase::PassphraseFlags;
use super::ui::{Ui, Unit};
use crate::error::{Code, Error, Result};
use crate::math::random;
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::Ring;
use crate::schemes::ckks::secret::SecretKey as VectorKey;
use crate::schemes::etc::MasterKey;
use crate::schemes::paillier::wire::key as key_file;
use crate::schemes::paillier::{KeySearch, SecretKey};
use crate::watch::Watch as _;
use crate::wire::{Kind, Prologue, age};

/// Generate a secret key
#[derive(Args)]
pub(super) struct KeygenFlags {
    #[command(subcommand)]
    scheme: Scheme,
}

#[derive(Subcommand)]
enum Scheme {
    Paillier(PaillierFlags),
    Etc(EtcFlags),
    Ckks(CkksFlags),
}

/// Generate a key for exact linear filters (Paillier)
///
/// The file is readable only by its owner. An existing file is never overwritten. Anyone with this file can decrypt your
/// photos. If you lose it, no one can.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight keygen paillier --out my.key
  safelight keygen paillier --passphrase --out my.key.age
  safelight keygen paillier --bits 2048 --out quick.key")]
struct PaillierFlags {
    /// Key length in bits: 2048 gives 112-bit security, 3072 gives 128, 4096 about 150
    #[arg(long, default_value = "3072", value_parser = PossibleValuesParser::new(["2048", "3072", "4096"]))]
    bits: String,
    #[command(flatten)]
    file: NewFileFlags,
}

/// Generate a key for scrambled pictures (obfuscation, not encryption)
///
/// The file is readable only by its owner. An existing file is never overwritten.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight keygen etc --out my.key")]
struct EtcFlags {
    #[command(flatten)]
    file: NewFileFlags,
}

/// Generate a key for encrypted vectors (CKKS), which networks classify
///
/// The file is readable only by its owner. An existing file is never overwritten.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight keygen ckks --out my.vectors.key
  safelight keygen ckks --set leveled-14 --out my.vectors.key")]
struct CkksFlags {
    /// Parameter set (see `safelight ckks sets`)
    #[arg(long, default_value = "small")]
    set: String,
    #[command(flatten)]
    file: NewFileFlags,
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
    match flags.scheme {
        Scheme::Paillier(PaillierFlags { bits, file }) => {
            let bits =
                bits.parse().map_err(|_| Error::new(Code::BadArgument, "the length of the key must be a number"))?;
            file.write(|| {
                ui.catch_interrupts();
                let key = search(bits, ui)?;
                let text = format!("secret key {} of {bits} bits", key.public().id());
                Ok((key_file::write_secret(&key), text))
            })
        }
        Scheme::Etc(EtcFlags { file }) => file.write(|| {
            let key = MasterKey::random()?;
            let text = format!("key {} for scrambled pictures", key.id());
            Ok((crate::schemes::etc::wire::write_key(&key), text))
        }),
        Scheme::Ckks(CkksFlags { set, file }) => {
            let ring = Ring::new(Parameters::named(&set)?)?;
            file.write(|| {
                let (key, _) = VectorKey::generate(&ring, &mut random::system())?;
                let text = format!("secret key {} for vectors", key.id());
                Ok((crate::schemes::ckks::wire::write_secret(&ring, &key), text))
            })
        }
    }
    .map(|made| ui.summary(&format!("made {made}; keep the file to yourself")))
}

impl NewFileFlags {
    /// Makes a key and writes its file, protected by a passphrase if requested. Whatever can be refused is refused before the
    /// key is made. Returns the key's description.
    fn write(&self, make: impl FnOnce() -> Result<(Zeroizing<Vec<u8>>, String)>) -> Result<String> {
        let sink = Sink::create(&self.out, Care::Secret)?;
        let chosen = if self.passphrase { Some(self.source.choose()?) } else { None };
        let (bytes, text) = make()?;
        match chosen {
            Some(passphrase) => sink.write_whole(&age::protect(&bytes, &passphrase)?)?,
            None => sink.write_whole(&bytes)?,
        }
        Ok(text)
    }
}

fn search(bits: u16, ui: &Ui) -> Result<SecretKey> {
    let bar = ui.bar("searching", Unit::Unknown);
    let mut search = KeySearch::new(bits)?;
    let mut rng = random::system();
    loop {
        bar.check()?;
        bar.tick();
        if let Some(key) = search.step(&mut rng)? {
            bar.clear();
            return Ok(key);
        }
    }
}

pub(super) fn pubkey(flags: &PubkeyFlags) -> Result<()> {
    let bytes = flags.passphrase.read_key(&Source::from(flags.key.as_os_str()))?;
    let public = if Prologue::parse(&bytes)?.kind == Kind::PaillierPublicKey {
        key_file::read_public(&bytes)?
    } else {
        key_file::read_secret(&bytes)?.public().clone()
    };
    Sink::create(&flags.out, Care::Binary)?.write_whole(&key_file::write_public(&public))
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
    match Prologue::parse(bytes)?.kind {
        Kind::EtcKey => crate::schemes::etc::wire::read_key(bytes).map(drop),
        Kind::CkksSecretKey => crate::schemes::ckks::wire::check_secret(bytes),
        _ => key_file::read_secret(bytes).map(drop),
    }
}
