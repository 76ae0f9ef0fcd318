//! `cargo xtask bench`: benchmarks Safelight and other libraries in one run and prints one table. `benches/README.md` explains
//! its rows.

mod machine;
mod results;
mod table;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::command::{cargo, command, run};
use crate::page::{self, Warnings};
use crate::step::step;
use crate::{places, programs, setup};
use results::Results;

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub struct Options {
    /// Measure each operation only briefly, for a first look
    #[arg(long)]
    quick: bool,
    /// Measure only these parts
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<Part>,
    /// Also time a photo of 12 megapixels in the browser, which takes minutes
    #[arg(long)]
    large: bool,
}

/// A part that can be measured by itself.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    /// Safelight's kernels, num-bigint and crypto-bigint
    Product,
    /// Safelight's encryption and decryption
    Paillier,
    /// Safelight's server with one photo
    Job,
    /// GMP, and Paillier with it
    Gmp,
    /// python-paillier with gmpy2
    Phe,
    /// npm's paillier-bigint in Node
    PaillierBigint,
    /// Safelight's WebAssembly, paillier-bigint and the whole page in Chromium
    Browser,
}

/// Runs the parts one after the other, with nothing in parallel, then prints all results.
pub fn bench(options: &Options) -> Result<()> {
    let folder = places::bench();
    if folder.exists() {
        fs::remove_dir_all(&folder)?; // a table never mixes two runs
    }
    fs::create_dir_all(&folder)?;
    let mut results = Results::default();
    for part in Part::value_variants() {
        if options.only.is_empty() || options.only.contains(part) {
            let name = part.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
            step(&name, || measure(*part, options, &folder, &mut results))?;
        }
    }
    results.read_criterion(&folder.join("criterion"))?;
    let report = format!("{}\n\n{}", machine::describe(&results, options.quick), table::make(&results));
    fs::write(folder.join("table.md"), &report)?;
    fs::write(folder.join("results.json"), serde_json::to_string_pretty(&results)?)?;
    println!("\n{report}\nAlso in {}", places::shown(&folder));
    Ok(())
}

fn measure(part: Part, options: &Options, folder: &Path, results: &mut Results) -> Result<()> {
    match part {
        Part::Product => by_criterion("Cargo.toml", "product", options.quick, folder),
        Part::Paillier => by_criterion("Cargo.toml", "paillier", options.quick, folder),
        Part::Job => by_criterion("Cargo.toml", "job", options.quick, folder),
        Part::Gmp => {
            setup::for_gmp()?;
            by_criterion("benches/peers/gmp/Cargo.toml", "gmp", options.quick, folder)
        }
        Part::Phe => {
            let mut python = command(setup::python_for_benches()?);
            python.arg("benches/peers/python/bench.py").arg(seconds(options)).args(["2048", "3072", "4096"]);
            results.listen(&mut python)
        }
        Part::PaillierBigint => {
            let mut node = setup::node_for_benches()?.command();
            node.arg("benches/peers/node/bench.mjs").arg(seconds(options)).args(["2048", "3072"]);
            results.listen(&mut node)
        }
        Part::Browser => results.listen(&mut browser(options)?),
    }
}

/// Runs one of our benchmarks. Criterion leaves its results in a folder, where [`Results::read_criterion`] finds them.
fn by_criterion(manifest: &str, name: &str, quick: bool, folder: &Path) -> Result<()> {
    let mut cargo = cargo();
    cargo.args(["bench", "--manifest-path", manifest, "--bench", name, "--", "--noplot"]);
    if quick {
        cargo.args(["--sample-size", "10", "--warm-up-time", "0.2", "--measurement-time", "0.5"]);
    } else {
        cargo.args(["--warm-up-time", "1", "--measurement-time", "2"]);
    }
    run(cargo.env("CRITERION_HOME", folder.join("criterion")))
}

/// The command for the page, its server and a browser, driven by a script.
fn browser(options: &Options) -> Result<Command> {
    let site = page::build(&setup::for_page()?, Warnings::Allow)?;
    let programs = programs::build()?;
    let (node, browsers) = setup::browser_for_benches()?;
    let mut node = node.command();
    node.arg("benches/browser/bench.mjs").arg(seconds(options)).args(["2048", "3072"]);
    node.args(options.large.then_some("--large"));
    node.env("SAFELIGHT_SERVER", &programs.server).env("SAFELIGHT_CLI", &programs.client);
    node.env("SAFELIGHT_PAGE", &site.page).env("SAFELIGHT_VAULT", &site.vault);
    node.env("SAFELIGHT_CHROMIUM", &browsers.chromium);
    Ok(node)
}

/// The seconds to measure each operation, where criterion does not decide.
fn seconds(options: &Options) -> &'static str {
    if options.quick { "0.5" } else { "2" }
}
