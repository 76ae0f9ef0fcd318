//! Shows the whole process on this machine: a photo is encrypted, filtered by a server, and decrypted.

mod pictures;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;

use crate::command::{command, run};
use crate::page::{self, Site, Warnings};
use crate::programs::{self, Programs};
use crate::step::{seconds, step};
use crate::{places, setup};
use pictures::Picture;
use server::Server;

/// Options of `cargo xtask demo`.
#[derive(Args)]
pub struct Options {
    /// Stop after the sample photo instead of serving the page
    #[arg(long)]
    once: bool,
    /// Address for the server to listen on [default: 127.0.0.1:8080; with --once, any free port]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

/// `cargo xtask demo`: builds what it needs, processes the sample photo, serves the page until Ctrl-C.
pub fn demo(options: &Options) -> Result<()> {
    let tools = step("setup", setup::for_page)?;
    let site = step("page", || page::build(&tools, Warnings::Allow))?;
    let programs = step("programs", programs::build)?;
    let listen = options.listen.as_deref().unwrap_or(if options.once { "127.0.0.1:0" } else { "127.0.0.1:8080" });
    let stop = if options.once { None } else { Some(server::ctrl_c()?) };
    let mut server = step("demo", || show(&programs, &site, listen))?;
    if let Some(stop) = stop {
        println!("\nThe page is at {} (Ctrl-C stops the server)", server.address);
        server.wait_for(&stop)?;
    }
    server.stop()
}

/// Starts the server and processes the sample photo with it. The server keeps running.
pub fn show(programs: &Programs, site: &Site, listen: &str) -> Result<Server> {
    let folder = places::demo();
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let log = folder.join("server.log");
    let server = Server::start(&programs.server, site, listen, &log)?;
    println!("    its log goes to {}", places::shown(&log));
    server.page_answers()?;
    send_sample(&programs.client, &server, &folder)?;
    Ok(server)
}

/// Processes the sample photo: keygen, encrypt, filter on the server, decrypt.
fn send_sample(client: &Path, server: &Server, folder: &Path) -> Result<()> {
    let file = |name: &str| folder.join(name);
    let [key, before, after] = ["key", "before.png", "after.png"].map(file);
    let [upload, download] = ["upload.slt", "download.slt"].map(file);
    let photo = pictures::sample()?;
    pictures::write(&photo, &before)?;

    let mut times = Vec::new();
    let mut run_timed = |what: &'static str, command: &mut Command| -> Result<()> {
        let start = Instant::now();
        run(command)?;
        times.push((what, start.elapsed()));
        Ok(())
    };
    let safelight = || command(client);
    run_timed("make a key", safelight().args(["keygen", "paillier", "--out"]).arg(&key))?;
    run_timed("encrypt", safelight().args(["encrypt", "--key"]).arg(&key).arg(&before).arg("--out").arg(&upload))?;
    run_timed(
        "send, filter on the server, receive",
        safelight()
            .args(["filter", "mean", "--radius", "1"])
            .arg(&upload)
            .arg("--out")
            .arg(&download)
            .args(["--server", &server.address]),
    )?;
    run_timed("decrypt", safelight().args(["decrypt", "--key"]).arg(&key).arg(&download).arg("--out").arg(&after))?;

    let encrypted = file("encrypted.png");
    pictures::write_as_noise(&fs::read(&upload)?, &encrypted)?;
    ensure!(pictures::read(&after)? == pictures::mean_3x3(&photo), "after.png is not the 3x3 mean of before.png");

    print_travelled(&photo, fs::metadata(&upload)?.len(), fs::metadata(&download)?.len());
    print_times(&times);
    print_pictures(&[("before", before), ("encrypted", encrypted), ("after", after)]);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn print_travelled(photo: &Picture, up: u64, down: u64) {
    let samples = photo.samples.len();
    println!("\nTransferred for {} x {} pixels in 3 colours, {samples} samples", photo.width, photo.height);
    for (name, bytes) in [("up", up), ("down", down)] {
        println!("  {name:4}  {bytes:>10} bytes  {:.2} bytes per pixel sample", bytes as f64 / samples as f64);
    }
}

fn print_times(times: &[(&str, Duration)]) {
    println!("\nTimes");
    for (what, time) in times {
        println!("  {what:36} {:>9}", seconds(*time));
    }
}

fn print_pictures(pictures: &[(&str, PathBuf)]) {
    println!("\nThe pictures");
    for (name, file) in pictures {
        println!("  {name:10} {}", places::shown(file));
    }
    println!("  after equals the 3x3 mean of before to the last bit");
    println!("  encrypted shows the bytes that the server received as grey dots");
}
