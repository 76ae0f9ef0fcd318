//! The `safelight` program, with one module per command.
//!
//! Every command takes the same three steps: check the flags; open the inputs and create the output under a temporary name; do
//! the work and rename the output. If a step fails, the command leaves no output behind, writes `error[code]: message` to
//! standard error and exits with code 1. Wrong usage exits with code 2.
//!
//! Commands that need secret keys or photos require the feature `client`; `serve` requires the feature `server`.

mod album;
#[cfg(feature = "client")]
mod attack;
#[cfg(feature = "client")]
mod ckks;
mod classify;
#[cfg(feature = "client")]
mod colours;
mod completions;
#[cfg(feature = "client")]
mod decrypt;
#[cfg(feature = "client")]
mod encrypt;
#[cfg(feature = "client")]
mod etc;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "keys, photos and text have more needs"))]
mod files;
mod filter;
mod info;
mod interrupt;
#[cfg(feature = "client")]
mod key;
#[cfg(feature = "client")]
mod network;
#[cfg(feature = "client")]
mod passphrase;
#[cfg(feature = "client")]
mod phe;
mod picture;
#[cfg(feature = "client")]
mod plot;
mod remote;
#[cfg(feature = "client")]
mod reproduce;
#[cfg(feature = "server")]
mod serve;
mod train;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "keys and photos have more to say"))]
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Result;
use ui::Ui;

/// Let a server work on a photo that it cannot see.
///
/// The photo is encrypted on this machine, filtered on the server, and decrypted on this machine. The server sees the photo's
/// size and the filter's name, but nothing of the picture itself.
#[derive(Parser)]
#[command(name = "safelight", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// Hide progress bars, notes and summaries
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  safelight keygen paillier --out my.key
  safelight encrypt --key my.key photo.png --out photo.slt
  safelight filter mean --radius 1 photo.slt --out blurred.slt --server https://photos.example
  safelight decrypt --key my.key blurred.slt --out blurred.png

Use - for standard input or output. Exit codes: 0 success, 1 failure, 2 wrong usage.
Outputs are complete or absent: they get their name only when everything has been written.
A replaced file keeps its permissions. Inputs are never overwritten.";

#[derive(Subcommand)]
enum Command {
    #[cfg(feature = "client")]
    Keygen(key::KeygenFlags),
    #[cfg(feature = "client")]
    Pubkey(key::PubkeyFlags),
    #[cfg(feature = "client")]
    Protect(key::ProtectFlags),
    #[cfg(feature = "client")]
    Unprotect(key::UnprotectFlags),
    #[cfg(feature = "client")]
    Encrypt(encrypt::Flags),
    Filter(Box<filter::Flags>),
    #[cfg(feature = "client")]
    Decrypt(decrypt::Flags),
    Info(info::Flags),
    #[cfg(feature = "server")]
    Serve(Box<serve::Flags>),
    #[cfg(feature = "client")]
    Phe(phe::Flags),
    #[cfg(feature = "client")]
    Etc(etc::Flags),
    Train(train::Flags),
    Evaluate(classify::EvaluateFlags),
    Classify(classify::ClassifyFlags),
    #[cfg(feature = "client")]
    Network(network::Flags),
    #[cfg(feature = "client")]
    Reproduce(reproduce::Flags),
    #[cfg(feature = "client")]
    Attack(attack::Flags),
    #[cfg(feature = "client")]
    Ckks(ckks::Flags),
    Completions(completions::Flags),
}

/// Runs the program with the process's arguments and returns its exit code.
#[must_use]
pub fn run() -> ExitCode {
    // Ends the process with code 2 on wrong usage, and with 0 after --help and --version.
    let Cli { quiet, command } = Cli::parse();
    let ui = Ui::new(quiet);
    match dispatch(command, &ui) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Ui::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command, ui: &Ui) -> Result<()> {
    match command {
        #[cfg(feature = "client")]
        Command::Keygen(flags) => key::keygen(flags, ui),
        #[cfg(feature = "client")]
        Command::Pubkey(flags) => key::pubkey(&flags),
        #[cfg(feature = "client")]
        Command::Protect(flags) => key::protect(&flags),
        #[cfg(feature = "client")]
        Command::Unprotect(flags) => key::unprotect(&flags),
        #[cfg(feature = "client")]
        Command::Encrypt(flags) => encrypt::run(flags, ui),
        Command::Filter(flags) => filter::run(*flags, ui),
        #[cfg(feature = "client")]
        Command::Decrypt(flags) => decrypt::run(flags, ui),
        Command::Info(flags) => info::run(&flags, ui),
        #[cfg(feature = "server")]
        Command::Serve(flags) => serve::run(*flags),
        #[cfg(feature = "client")]
        Command::Phe(flags) => phe::run(flags),
        #[cfg(feature = "client")]
        Command::Etc(flags) => etc::run(flags, ui),
        Command::Train(flags) => train::run(&flags, ui),
        Command::Evaluate(flags) => classify::evaluate(&flags, ui),
        Command::Classify(flags) => classify::classify(&flags, ui),
        #[cfg(feature = "client")]
        Command::Network(flags) => network::run(&flags, ui),
        #[cfg(feature = "client")]
        Command::Reproduce(flags) => reproduce::run(&flags, ui),
        #[cfg(feature = "client")]
        Command::Attack(flags) => attack::run(&flags, ui),
        #[cfg(feature = "client")]
        Command::Ckks(flags) => ckks::run(&flags, ui),
        Command::Completions(flags) => completions::run(&flags),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_flags_of_all_commands_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_help_with_examples() {
        fn walk(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} has no description");
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example") || command.has_subcommands(), "{path} has no examples");
            command.get_subcommands().for_each(|sub| walk(sub, &path));
        }
        walk(&Cli::command(), "");
    }
}
