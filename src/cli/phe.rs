//! `safelight phe`: exchange keys and encrypted numbers with python-paillier.

use std::ffi::OsString;

use clap::{Args, Subcommand};
use num_bigint::BigInt;
use zeroize::Zeroizing;

use super::files::{self, Care, Sink, Source};
use super::passphrase::PassphraseFlags;
use crate::error::{Code, Error, Result};
use crate::math::random;
use crate::schemes::paillier::phe;
use crate::schemes::paillier::wire::key as key_file;

/// The longest JSON file that is read, in bytes.
const MAX_JSON: u64 = 256 << 20;

/// Exchange keys and encrypted numbers with python-paillier (phe)
#[derive(Args)]
pub(super) struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    ExportKey(ExportKeyFlags),
    ImportKey(ImportKeyFlags),
    Encrypt(EncryptFlags),
    Decrypt(DecryptFlags),
}

/// Export a public key in python-paillier's format
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight phe export-key my.key --out my.json")]
struct ExportKeyFlags {
    /// The secret or public key file, or -
    #[arg(value_name = "KEY_OR_PUB")]
    key: OsString,
    /// The JSON file to write, or -
    #[arg(long, value_name = "FILE.json")]
    out: OsString,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

/// Import a public or secret key from python-paillier
///
/// Reads the output of `pheutil genpkey` and `pheutil extract`, and `{"n": ...}` as in python-paillier's documentation. A
/// secret key file is readable only by its owner and never replaces another.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight phe import-key her.json --out her.pub
  safelight encrypt --key her.pub photo.png --out for-her.slt")]
struct ImportKeyFlags {
    /// The JSON file, or -
    #[arg(value_name = "FILE.json")]
    json: OsString,
    /// The key file to write, or -
    #[arg(long, value_name = "KEY_OR_PUB")]
    out: OsString,
}

/// Encrypt integers, one per ciphertext, with exponent 0
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight phe encrypt --key my.key --out numbers.json -- 1 -2 300")]
struct EncryptFlags {
    /// The secret or public key file, or -
    #[arg(long, value_name = "KEY_OR_PUB")]
    key: OsString,
    /// The JSON file to write, or -
    #[arg(long, value_name = "FILE.json")]
    out: OsString,
    #[command(flatten)]
    passphrase: PassphraseFlags,
    /// The integers
    #[arg(required = true, allow_negative_numbers = true, value_name = "INTEGER")]
    numbers: Vec<BigInt>,
}

/// Decrypt numbers and print one per line
///
/// Values are exact: python-paillier's fractions are printed with all their digits, so 0.1 becomes the binary number that
/// Python stores for it. Reads lists as in python-paillier's documentation, and single numbers from `pheutil encrypt`, which
/// must have been encrypted under this key.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight phe decrypt --key my.key numbers.json")]
struct DecryptFlags {
    /// The secret key file, or -
    #[arg(long, value_name = "KEY")]
    key: OsString,
    /// The JSON file, or -
    #[arg(value_name = "FILE.json")]
    json: OsString,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

pub(super) fn run(flags: Flags) -> Result<()> {
    match flags.command {
        Command::ExportKey(flags) => {
            let key = key_file::read_encryption_key(&flags.passphrase.read_key(&Source::from(flags.key))?)?;
            write_json(&flags.out, phe::write_public_key(key.public()))
        }
        Command::ImportKey(flags) => {
            let key = phe::read_key(&Zeroizing::new(read_json(&Source::from(flags.json))?))?;
            match key {
                phe::Key::Public(key) => {
                    Sink::create(&flags.out, Care::Binary)?.write_whole(&key_file::write_public(&key))
                }
                phe::Key::Secret(key) => {
                    Sink::create(&flags.out, Care::Secret)?.write_whole(&key_file::write_secret(&key))
                }
            }
        }
        Command::Encrypt(flags) => {
            let key = key_file::read_encryption_key(&flags.passphrase.read_key(&Source::from(flags.key))?)?;
            let mut rng = random::system();
            flags.numbers.iter().try_for_each(|number| phe::check_plaintext(key.public(), number))?;
            let encrypted =
                flags.numbers.iter().map(|number| key.encrypt(number, &mut rng)).collect::<Result<Vec<_>>>()?;
            write_json(&flags.out, phe::write_numbers(key.public(), &encrypted))
        }
        Command::Decrypt(flags) => decrypt(flags),
    }
}

fn decrypt(flags: DecryptFlags) -> Result<()> {
    let (key, json) = (Source::from(flags.key), Source::from(flags.json));
    Source::check_one_stdin(&[&key, &json])?;
    let key = key_file::read_secret(&flags.passphrase.read_key(&key)?)?;
    let (public, numbers) = phe::read_numbers(&read_json(&json)?, Some(key.public()))?;
    if public != *key.public() {
        return Err(Error::new(
            Code::ForeignKey,
            format!("the numbers are encrypted under key {}, this key is {}", public.id(), key.public().id()),
        ));
    }
    let mut text = String::new();
    for number in &numbers {
        let plaintext = key.decrypt(&number.ciphertext)?;
        phe::check_plaintext(&public, &plaintext)?;
        text.push_str(&number.value(&plaintext));
        text.push('\n');
    }
    files::print(&text)
}

fn read_json(source: &Source) -> Result<String> {
    let bytes = source.read(MAX_JSON, Code::TooLarge)?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| Error::new(Code::BadArgument, format!("{source} is not text; give a JSON file")))
}

fn write_json(out: &OsString, mut text: String) -> Result<()> {
    text.push('\n');
    Sink::create(out, Care::Text)?.write_whole(text.as_bytes())
}
