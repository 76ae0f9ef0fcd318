//! The project's own commands. `cargo xtask --help` lists them; each is one file here.
//!
//! Nothing needs to be installed beforehand except Rust: [`setup`] finds or installs the rest.

mod bench;
mod browser_build;
mod command;
mod demo;
mod deny;
mod npm;
mod page;
mod places;
mod programs;
mod setup;
mod step;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use page::{Site, Warnings};
use step::step;

/// Builds, demonstrates, tests and benchmarks Safelight.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find or install what the other commands need (they also do this themselves)
    Setup,
    /// Build the page and the vault with its WebAssembly into target/page and target/vault, and check their sizes
    Page,
    /// Build the npm package into target/npm, from the same files
    Npm,
    /// Filter a photo on a server that cannot see it, then serve the page
    Demo(demo::Options),
    /// Check and test everything
    Test(test::Options),
    /// Benchmark Safelight and other libraries, and print one table
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Setup => step("setup", || setup::for_page().and_then(|_| setup::for_tests(true).map(drop))),
        Command::Page => page().map(drop),
        Command::Npm => npm(),
        Command::Demo(options) => demo::demo(&options),
        Command::Test(options) => test::test(&options),
        Command::Bench(options) => bench::bench(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn page() -> Result<Site> {
    let tools = step("setup", setup::for_page)?;
    step("page", || page::build(&tools, Warnings::Allow))
}

fn npm() -> Result<()> {
    let site = page()?;
    step("npm package", || npm::build(&site)).map(drop)
}
