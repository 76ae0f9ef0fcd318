//! Checks licences, versions, sources and advisories of our dependencies, with `cargo deny` and `deny.toml`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::command::{command, forget_our_own_package, run, run_within};
use crate::step::Steps;

/// Checks the packages of the workspace, and advisories if their database is available.
pub fn check(steps: &mut Steps, cargo_deny: &Path) -> Result<()> {
    steps.run("cargo deny", || {
        run(deny(cargo_deny).args(["check", "--deny", "unmatched-skip", "licenses", "bans", "sources"]))
    })?;
    // If no new database can be fetched, an old one is good enough, and a missing one is not our error.
    let fetched = run_within(deny(cargo_deny).args(["fetch", "db"]), Duration::from_mins(1));
    match fetched {
        Ok(()) => steps
            .run("cargo deny, advisories", || run(deny(cargo_deny).args(["check", "--disable-fetch", "advisories"]))),
        Err(error) => {
            println!("    {error:#}");
            steps.skip("cargo deny, advisories", "cannot fetch the advisory database");
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
