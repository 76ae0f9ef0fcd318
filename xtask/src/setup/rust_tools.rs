//! rustfmt and clippy, which every rustup installation except the minimal one contains.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::command::{answer, cargo, command, run_within};

/// Installs missing ones with rustup.
pub fn find_or_install() -> Result<()> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if answer(cargo().args([subcommand, "--version"])).is_none() {
            run_within(command("rustup").args(["component", "add", component]), Duration::from_mins(2))
                .with_context(|| format!("cannot add the missing Rust component {component}"))?;
        }
    }
    println!("    rustfmt and clippy: found");
    Ok(())
}
