//! Licences, versions, sources and known faults of the packages that we are built from, by `cargo deny` and `deny.toml`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::command::{command, forget_our_own_package, run, run_within};
use crate::step::Steps;

/// Checks the packages of the workspace; advisories where a database of them can be had.
pub fn check(steps: &mut Steps, cargo_deny: &Path) -> Result<()> {
    steps.run("cargo deny", || {
        run(deny(cargo_deny).args(["check", "--deny", "unmatched-skip", "licenses", "bans", "sources"]))
    })?;
    // A database that was had once is good enough where there is none to be had now, and none is no fault of ours.
    let fetched = run_within(deny(cargo_deny).args(["fetch", "db"]), Duration::from_mins(1));
    match fetched {
        Ok(()) => steps
            .run("cargo deny, advisories", || run(deny(cargo_deny).args(["check", "--disable-fetch", "advisories"]))),
        Err(error) => {
            println!("    {error:#}");
            steps.skip("cargo deny, advisories", "the database of advisories cannot be fetched here");
            Ok(())
        }
    }
}

fn deny(program: &Path) -> Command {
    let mut command = command(program);
    command.arg("--workspace");
    forget_our_own_package(&mut command);
    command
}
