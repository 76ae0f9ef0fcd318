//! `safelight ckks`: the parameter sets, and whether this machine computes with them as it should.

use std::fmt::Write as _;

use clap::{Args, Subcommand};

use super::files;
use super::ui::Ui;
use crate::ckks::parameters::{ALL, Parameters, Secret};
use crate::ckks::security::bits;
use crate::ckks::selftest::{Row, run as measure};
use crate::error::{Code, Error, Result};

/// Arithmetic on encrypted vectors (CKKS): parameter sets, and a test of this machine
#[derive(Args)]
pub(super) struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Sets(SetsFlags),
    Selftest(SelftestFlags),
}

/// List the parameter sets
///
/// There are no others. Each has at least 128 bits of security: its modulus is below the bound of the standard tables beside
/// it, and `security` is what the best attacks cost, in bits, computed again from their models.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight ckks sets")]
struct SetsFlags {}

/// Compare every operation with exact arithmetic
///
/// Random numbers within the unit circle are encrypted and computed with under a key made for it. Printed are the largest
/// and the mean error in bits after the binary point, and what is promised. Fails if a promise is not kept.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight ckks selftest
  safelight ckks selftest --set bootstrap-16 --bootstrap")]
struct SelftestFlags {
    /// The parameter set
    #[arg(long, default_value = "small")]
    set: String,
    /// How many numbers go through each operation, at least
    #[arg(long, default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    numbers: u32,
    /// Bootstrap, too: takes a minute and some gigabytes of memory
    #[arg(long)]
    bootstrap: bool,
    /// The seed of numbers and keys; the same seed gives the same errors
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(flags: &Flags, ui: &Ui) -> Result<()> {
    match &flags.command {
        Command::Sets(SetsFlags {}) => files::print(&sets()),
        Command::Selftest(flags) => selftest(flags, ui),
    }
}

fn sets() -> String {
    let mut text = format!(
        "{:<14} {:>6} {:>7} {:>6} {:>8} {:>9}  secret\n",
        "set", "slots", "levels", "bits", "at most", "security"
    );
    for set in ALL {
        let Parameters { name, levels, most_bits, .. } = *set;
        let secret = match set.secret {
            Secret::Ternary => "ternary".to_owned(),
            Secret::Sparse(weight) => format!("{weight} coefficients"),
        };
        let modulus = set.modulus_bits();
        let (slots, security) = (set.slots(), bits(set));
        let line =
            writeln!(text, "{name:<14} {slots:>6} {levels:>7} {modulus:>6} {most_bits:>8} {security:>9.1}  {secret}");
        debug_assert!(line.is_ok());
    }
    text
}

fn selftest(flags: &SelftestFlags, ui: &Ui) -> Result<()> {
    let set = Parameters::named(&flags.set)?;
    if flags.bootstrap && set.raised == 0 {
        let sets: Vec<_> = ALL.iter().filter(|set| set.raised > 0).map(|set| set.name).collect();
        let message = format!("the set {:?} has no levels for bootstrapping; take {}", set.name, sets.join(" or "));
        return Err(Error::new(Code::BadArgument, message));
    }
    let bar = ui.bar("Testing", super::ui::Unit::Unknown);
    let rows = measure(set, flags.numbers as usize, flags.bootstrap, flags.seed)?;
    bar.clear();
    files::print(&table(&rows))?;
    let failed: Vec<_> = rows.iter().filter(|row| !row.passes()).map(|row| row.operation).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::new(Code::BadArithmetic, format!("less precise than promised: {}", failed.join("; "))))
}

/// Errors as bits after the binary point.
fn table(rows: &[Row]) -> String {
    let mut text =
        format!("{:<34} {:>8} {:>7} {:>7} {:>9}\n", "bits of precision", "numbers", "worst", "mean", "promised");
    for Row { operation, numbers, worst, mean, bound } in rows {
        let [worst, mean, bound] = [worst, mean, bound].map(|error| -error.log2());
        let line = writeln!(text, "{operation:<34} {numbers:>8} {worst:>7.1} {mean:>7.1} {bound:>9.1}");
        debug_assert!(line.is_ok());
    }
    text
}
