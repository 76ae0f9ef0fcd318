//! `safelight ckks`: list the parameter sets, and test and benchmark this machine.

use std::fmt::Write as _;

use clap::{Args, Subcommand};

use super::files;
use super::ui::Ui;
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::parameters::{ALL, Parameters, SPARSE_WEIGHT, Secret};
use crate::schemes::ckks::security::{encapsulated, own};
use crate::schemes::ckks::selftest::{Row, run as measure};
use crate::schemes::ckks::stopwatch::{Timed, times};

/// List parameter sets for encrypted vectors (CKKS), and test this machine
#[derive(Args)]
pub(super) struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Sets(SetsFlags),
    Selftest(SelftestFlags),
    Bench(BenchFlags),
}

/// List the parameter sets
///
/// There are no others. Each has at least 128 bits of security: its modulus is below the bound of the standard tables, printed
/// beside it. `security` is the cost of the best attacks on a secret key in bits, recomputed from their models. Bootstrapping
/// also uses a sparse secret for a moment, with a small modulus; `sparse` is the cost of attacks on it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight ckks sets")]
struct SetsFlags {}

/// Compare every operation with exact arithmetic
///
/// Encrypts random numbers within the unit circle under a new key and computes with them. Prints the largest and the mean error
/// in bits after the binary point, and the promised precision. Fails if an operation is less precise than promised.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight ckks selftest
  safelight ckks selftest --set bootstrap-16 --bootstrap")]
struct SelftestFlags {
    /// Parameter set
    #[arg(long, default_value = "small")]
    set: String,
    /// Least number of values to put through each operation
    #[arg(long, default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    numbers: u32,
    /// Also test bootstrapping, which takes a minute and a few gigabytes of memory
    #[arg(long)]
    bootstrap: bool,
    /// Seed of numbers and keys; the same seed gives the same errors
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Measure how long every operation takes on this machine
///
/// Measures at the highest level of fresh ciphertexts, under a new key, on all cores. The fastest of several runs counts.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight ckks bench
  safelight ckks bench --set leveled-15 --threads 1")]
struct BenchFlags {
    /// Parameter set
    #[arg(long, default_value = "small")]
    set: String,
    /// Number of cores [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Runs per operation
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
}

pub(super) fn run(flags: &Flags, ui: &Ui) -> Result<()> {
    match &flags.command {
        Command::Sets(SetsFlags {}) => files::print(&sets()),
        Command::Selftest(flags) => selftest(flags, ui),
        Command::Bench(flags) => bench(flags, ui),
    }
}

fn sets() -> String {
    let mut text = format!(
        "{:<14} {:>6} {:>7} {:>6} {:>8} {:>9} {:>7}  secret\n",
        "set", "slots", "levels", "bits", "at most", "security", "sparse"
    );
    for set in ALL {
        let Parameters { name, levels, most_bits, .. } = *set;
        let mut secret = match set.secret {
            Secret::Ternary => "ternary".to_owned(),
            Secret::Sparse(weight) => format!("{weight} coefficients"),
        };
        let sparse = encapsulated(set).map_or_else(String::new, |bits| format!("{bits:.1}"));
        if !sparse.is_empty() {
            secret = format!("{secret}; for a moment {SPARSE_WEIGHT} coefficients");
        }
        let (slots, modulus, security) = (set.slots(), set.modulus_bits(), own(set));
        let line = writeln!(
            text,
            "{name:<14} {slots:>6} {levels:>7} {modulus:>6} {most_bits:>8} {security:>9.1} {sparse:>7}  {secret}"
        );
        debug_assert!(line.is_ok());
    }
    text
}

fn selftest(flags: &SelftestFlags, ui: &Ui) -> Result<()> {
    let set = Parameters::named(&flags.set)?;
    if flags.bootstrap && set.raised == 0 {
        let sets: Vec<_> = ALL.iter().filter(|set| set.raised > 0).map(|set| set.name).collect();
        let message = format!("the set {:?} has no levels for bootstrapping; use {}", set.name, sets.join(" or "));
        return Err(Error::new(Code::BadArgument, message));
    }
    let bar = ui.bar("testing", super::ui::Unit::Unknown);
    let rows = measure(set, flags.numbers as usize, flags.bootstrap, flags.seed)?;
    bar.clear();
    files::print(&table(&rows))?;
    let failed: Vec<_> = rows.iter().filter(|row| !row.passes()).map(|row| row.operation).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::new(Code::BadArithmetic, format!("less precise than promised: {}", failed.join("; "))))
}

fn bench(flags: &BenchFlags, ui: &Ui) -> Result<()> {
    let set = Parameters::named(&flags.set)?;
    let bar = ui.bar("measuring", super::ui::Unit::Unknown);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(flags.threads.unwrap_or(0).into()).build();
    let pool =
        pool.map_err(|error| Error::new(Code::BadArgument, format!("cannot use this number of cores: {error}")))?;
    let rows = pool.install(|| times(set, flags.runs))?;
    bar.clear();
    let mut text = format!("{:<34} {:>10}\n", format!("{}, {} cores", set.name, pool.current_num_threads()), "ms");
    for Timed { operation, time } in rows {
        let line = writeln!(text, "{operation:<34} {:>10.3}", 1000.0 * time.as_secs_f64());
        debug_assert!(line.is_ok());
    }
    files::print(&text)
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
