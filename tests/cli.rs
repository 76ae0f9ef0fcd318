//! The program as its users see it: real runs in temporary folders, and the texts and exit codes recorded in
//! `tests/cli/*.trycmd`.

#![cfg(unix)]

#[path = "cli/colours.rs"]
mod colours;
#[path = "cli/etc.rs"]
mod etc;
#[path = "cli/files.rs"]
mod files;
#[path = "cli/filters.rs"]
mod filters;
#[path = "cli/models.rs"]
mod models;
#[path = "cli/networks.rs"]
mod networks;
#[path = "cli/outputs.rs"]
mod outputs;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/proxies.rs"]
mod proxies;
#[path = "cli/reference.rs"]
mod reference;
#[path = "cli/remote.rs"]
mod remote;
#[path = "cli/secrets.rs"]
mod secrets;
#[path = "cli/streams.rs"]
mod streams;
#[path = "cli/verify.rs"]
mod verify;

/// Help texts, error texts and exit codes. After an intended change: `TRYCMD=overwrite cargo test --test cli texts`.
#[test]
fn texts() {
    trycmd::TestCases::new().env("COLUMNS", "100").case("tests/cli/*.trycmd");
}
