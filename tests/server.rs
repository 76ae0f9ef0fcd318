//! The server over real sockets. Also built with `--no-default-features --features server`, so nothing here needs a key:
//! `images` makes the images, and the answers are compared with the library's own.
#![cfg(feature = "server")]

#[path = "server/client.rs"]
mod client;
#[path = "server/house.rs"]
mod house;
#[path = "server/images.rs"]
mod images;

#[path = "server/end.rs"]
mod end;
#[path = "server/filters.rs"]
mod filters;
#[path = "server/guard.rs"]
mod guard;
#[path = "server/jobs.rs"]
mod jobs;
#[path = "server/jobs_of_models.rs"]
mod jobs_of_models;
#[path = "server/keys.rs"]
mod keys;
#[path = "server/keys_damaged.rs"]
mod keys_damaged;
#[path = "server/limits.rs"]
mod limits;
#[path = "server/load.rs"]
mod load;
#[path = "server/models.rs"]
mod models;
#[path = "server/networks.rs"]
mod networks;
#[path = "server/pages.rs"]
mod pages;
#[path = "server/requests.rs"]
mod requests;
#[path = "server/whole.rs"]
mod whole;

/// Not a test: the entry point of the process that [`house::Process`] starts.
#[test]
fn a_process() {
    house::be_a_server();
}
