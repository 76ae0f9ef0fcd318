//! A Rust that can build for WebAssembly.
//!
//! Most machines get the standard library for wasm32 from rustup. If that is impossible, Debian's `rustc-web` provides the
//! source of the standard library, which cargo then builds together with our code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::apt;
use crate::command::{answer, cargo, command, find, forget_our_own_package, run_within};
use crate::places;

/// The target of the browser build.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's names of a recent Rust, its cargo and the source of the standard library.
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// The oldest Rust that compiles our code, as `rust-version` in Cargo.toml.
const OLDEST_MINOR: u32 = 95;

/// The tools that compile the browser build.
pub enum Toolchain {
    /// The usual cargo, which has the standard library for wasm32.
    Usual,
    /// Debian's cargo, which also builds the standard library, with the linker that it uses.
    Debian { linker: PathBuf },
}

impl Toolchain {
    /// A cargo for one variant of the browser build, and its target folder. Each variant has its own folder: with different
    /// flags for rustc, cargo would compile everything again whenever they alternate.
    pub fn cargo(&self, variant: &str) -> (Command, PathBuf) {
        let mut command = match self {
            Self::Usual => cargo(),
            Self::Debian { linker } => debian_cargo(linker),
        };
        let target = places::memory().join("wasm-build").join(variant);
        command.env("CARGO_TARGET_DIR", &target);
        (command, target)
    }

    /// The options of cargo's subcommand besides `--target`.
    pub fn build_flags(&self) -> &'static [&'static str] {
        match self {
            Self::Usual => &[],
            Self::Debian { .. } => &["-Zbuild-std=std,panic_abort"],
        }
    }
}

/// Finds such a Rust, or installs it: with rustup if that works, otherwise from Debian. The choice is remembered.
pub fn find_or_install() -> Result<Toolchain> {
    if usual_has_target() {
        println!("    Rust for {TARGET}: found");
        return Ok(Toolchain::Usual);
    }
    let memory = places::memory().join("wasm-toolchain");
    let debian_was_chosen = fs::read_to_string(&memory).is_ok_and(|text| text.trim() == "debian");
    if !debian_was_chosen && rustup_adds_target() {
        return Ok(Toolchain::Usual);
    }
    let toolchain = debian().with_context(|| {
        format!("the browser build needs Rust's standard library for {TARGET}; try `rustup target add {TARGET}`")
    })?;
    fs::create_dir_all(places::memory())?;
    fs::write(&memory, "debian\n")?;
    Ok(toolchain)
}

/// Whether the usual rustc has the standard library for wasm32.
fn usual_has_target() -> bool {
    let folder = answer(command("rustc").args(["--print", "target-libdir", "--target", TARGET]));
    let names = folder.and_then(|folder| fs::read_dir(folder).ok());
    names.is_some_and(|names| names.flatten().any(|name| name.file_name().to_string_lossy().starts_with("libstd-")))
}

fn rustup_adds_target() -> bool {
    if find(&["rustup"]).is_none() {
        return false;
    }
    // In some networks rustup waits forever, so the time is limited.
    match run_within(command("rustup").args(["target", "add", TARGET]), Duration::from_secs(25)) {
        Ok(()) => usual_has_target(),
        Err(error) => {
            println!("    {error:#}; using Debian's Rust instead");
            false
        }
    }
}

fn debian() -> Result<Toolchain> {
    if !debian_is_there() {
        apt::install("a Rust with the source of its standard library", &DEBIAN_PACKAGES)?;
    }
    let version = answer(debian_command(DEBIAN_RUSTC).arg("--version")).context("Debian's rustc does not run")?;
    anyhow::ensure!(minor_version(&version) >= Some(OLDEST_MINOR), "Debian's Rust is too old: {version}");
    if linker().is_none() {
        apt::install("a linker for WebAssembly", &["lld"])?;
    }
    let linker = linker().context("the package lld has no wasm-ld")?;
    println!("    Rust for {TARGET}: Debian's {version}, linker {}", linker.display());
    Ok(Toolchain::Debian { linker })
}

fn debian_is_there() -> bool {
    let sysroot = answer(debian_command(DEBIAN_RUSTC).args(["--print", "sysroot"]));
    let source = sysroot.map(|sysroot| Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.lock"));
    Path::new(DEBIAN_CARGO).exists() && source.is_some_and(|file| file.exists())
}

/// The linker that comes with the usual Rust, or that of LLVM.
fn linker() -> Option<PathBuf> {
    let host_libraries = answer(command("rustc").args(["--print", "target-libdir"]));
    let ours = host_libraries.map(|folder| Path::new(&folder).with_file_name("bin").join("rust-lld"));
    ours.filter(|file| file.exists()).or_else(|| find(&["rust-lld", "wasm-ld"]))
}

fn debian_cargo(linker: &Path) -> Command {
    let mut command = debian_command(DEBIAN_CARGO);
    command.env("RUSTC", DEBIAN_RUSTC);
    command.env("RUSTC_BOOTSTRAP", "1"); // -Zbuild-std is not stable yet
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    command
}

/// A program of Debian's Rust, without the variables of a rustup that started us.
fn debian_command(program: &str) -> Command {
    let mut command = command(program);
    forget_our_own_package(&mut command);
    for name in ["LD_LIBRARY_PATH", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    command
}

/// The number 96 of `rustc 1.96.0 (...)`.
fn minor_version(text: &str) -> Option<u32> {
    text.split_whitespace().nth(1)?.split('.').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_is_found() {
        assert_eq!(minor_version("rustc 1.96.0 (ac68faa20 2026-05-25)"), Some(96));
        assert_eq!(minor_version("something else"), None);
    }
}
