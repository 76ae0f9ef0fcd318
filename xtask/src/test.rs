//! `cargo xtask test`: everything that must hold before a change is kept. Stops at the first failure.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::command::{cargo, run};
use crate::npm;
use crate::page::{self, Site, Warnings};
use crate::programs::{self, Programs};
use crate::setup::wasm_target::{TARGET, Toolchain};
use crate::setup::{self, PageTools, TestTools};
use crate::step::Steps;
use crate::{demo, deny, places};

/// Cargo's profile for tests and the programs that they start.
const PROFILE: &str = "tested";
/// The examples of the library.
const EXAMPLES: [&str; 3] = ["filter_photo", "ask_network", "own_driver"];

/// Options of `cargo xtask test`.
#[derive(Args)]
pub struct Options {
    /// Skip the tests in real browsers, which take longest
    #[arg(long)]
    skip_browser: bool,
}

/// Runs all steps, then shows how long each took.
pub fn test(options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    let result = all(&mut steps, options);
    steps.print_table();
    if result.is_ok() {
        println!("\nxtask: all tests passed");
    }
    result
}

fn all(steps: &mut Steps, options: &Options) -> Result<()> {
    let tools = steps.run("setup for the page", setup::for_page)?;
    let tests = steps.run("setup for the tests", || setup::for_tests(!options.skip_browser))?;
    lint(steps, &tools)?;
    deny::check(steps, &tests.cargo_deny)?;

    let site = steps.run("page", || page::build(&tools, Warnings::Deny))?;
    let package = steps.run("npm package", || npm::build(&site))?;
    // The tests in browsers run the programs that these steps build, so nothing is compiled twice.
    let cargo_test = |features: &[&str]| {
        let mut cargo = cargo();
        cargo
            .args(["test", "--no-fail-fast", "--profile", PROFILE])
            .args(features)
            .env("SAFELIGHT_PYTHON", &tests.python);
        run(&mut cargo)
    };
    let client = steps.run("cargo test", || cargo_test(&[]).and_then(|()| programs::keep("safelight", PROFILE)))?;
    let server = steps.run("cargo test, server and cli", || {
        cargo_test(&programs::SERVER).and_then(|()| programs::keep("safelight-server", PROFILE))
    })?;
    let programs = Programs { client, server };
    steps.run("cargo test, xtask", || run(cargo().args(["test", "--package", "xtask", "--profile", "tools"])))?;

    steps.run("examples", || {
        for example in EXAMPLES {
            run(cargo().args(["run", "--profile", PROFILE, "--example", example]))?;
        }
        Ok(())
    })?;
    steps.run("demo --once", || demo::show(&programs, &site, "127.0.0.1:0")?.stop())?;
    if options.skip_browser {
        steps.skip("browser tests", "--skip-browser");
        steps.skip("npm package, tests", "--skip-browser");
        return Ok(());
    }
    steps.run("browser tests", || run(&mut node_tests("tests/browser", &tests, &programs, &site)?))?;
    steps.run("npm package, tests", || {
        run(node_tests("tests/npm", &tests, &programs, &site)?.env("SAFELIGHT_PACKAGE", &package))
    })
}

/// Checks format, lints and documentation, for every way to build the package.
fn lint(steps: &mut Steps, tools: &PageTools) -> Result<()> {
    steps.run("format", || {
        run(cargo().args(["fmt", "--all", "--check"]))?;
        for manifest in ["fuzz/Cargo.toml", "benches/peers/gmp/Cargo.toml"] {
            run(cargo().args(["fmt", "--manifest-path", manifest, "--check"]))?;
        }
        Ok(())
    })?;
    let clippy = |arguments: &[&str]| run(cargo().arg("clippy").args(arguments).args(["--", "-D", "warnings"]));
    steps.run("clippy", || clippy(&["--all-targets"]))?;
    steps.run("clippy, server and cli", || clippy(&[&["--all-targets"], programs::SERVER.as_slice()].concat()))?;
    steps.run("clippy, server alone", || clippy(&["--lib", "--no-default-features", "--features", "server"]))?;
    steps.run("clippy, xtask", || clippy(&["--package", "xtask", "--profile", "tools", "--all-targets"]))?;
    // `tests/fuzz_smoke.rs` runs the bodies of the fuzz targets. Here they are only checked, so nothing is linked and libFuzzer
    // does not have to be compiled: a path to a ready one says so.
    steps.run("clippy, fuzz targets", || {
        let mut clippy = cargo();
        clippy.args(["clippy", "--manifest-path", "fuzz/Cargo.toml", "--", "-D", "warnings"]);
        run(clippy.env("CUSTOM_LIBFUZZER_PATH", "/not/linked/libFuzzer.a"))
    })?;
    match tools.toolchain {
        Toolchain::Usual => steps.run("clippy, browser", || {
            clippy(&[
                "--lib",
                "--no-default-features",
                "--features",
                "client,web-ckks,web-codec,web-etc,web-remote",
                "--target",
                TARGET,
            ])
        })?,
        Toolchain::Debian { .. } => steps.skip("clippy, browser", "this Rust has no clippy; the page denies warnings"),
    }
    steps.run("documentation", || run(cargo().args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings")))
}

/// The command for the JavaScript tests of a folder. The tests start programs and browsers themselves.
fn node_tests(folder: &str, tests: &TestTools, programs: &Programs, site: &Site) -> Result<Command> {
    let (node, browsers) = tests.browser_tests.as_ref().context("the setup was without browsers")?;
    let mut node: Command = node.command();
    node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]).args(test_files(folder)?);
    node.env("SAFELIGHT_SERVER", &programs.server).env("SAFELIGHT_CLI", &programs.client);
    node.env("SAFELIGHT_PAGE", &site.page).env("SAFELIGHT_VAULT", &site.vault);
    node.env("SAFELIGHT_PYTHON", &tests.python);
    node.env("SAFELIGHT_CHROMIUM", &browsers.chromium).env("SAFELIGHT_FIREFOX", &browsers.firefox);
    Ok(node)
}

/// The test files by name: what `node --test` does with a folder differs between its versions.
fn test_files(folder: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(places::root().join(folder)).with_context(|| format!("cannot read {folder}"))?;
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<_> = entries.iter().map(fs::DirEntry::path).filter(|file| is_test(file)).collect();
    files.sort();
    ensure!(!files.is_empty(), "there are no tests in {folder}");
    Ok(files)
}

fn is_test(file: &Path) -> bool {
    file.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(".test.mjs"))
}
