//! The demo's server as a child process: starts it, checks its page, stops it cleanly.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{command, run, wait_within};
use crate::page::Site;
use crate::places;

/// The text that the server prints before its address when it is ready.
const READY: &str = "safelight: listening on ";

/// A running server. It ends when this value is dropped, if not earlier.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:8080`
    pub address: String,
}

impl Server {
    /// Starts the server, with its log in the file `log`, and waits until it listens.
    pub fn start(program: &Path, site: &Site, listen: &str, log: &Path) -> Result<Self> {
        let mut command = command(program);
        command.args(["serve", "--listen", listen, "--page"]).arg(&site.page).arg("--vault").arg(&site.vault);
        command.arg("--models").arg(places::models());
        command.env("NO_COLOR", "1").stdout(Stdio::piped()).stderr(File::create(log)?);
        let mut child = command.spawn().context("cannot start the server")?;
        let output = child.stdout.take().context("cannot read the server's output")?;
        let mut server = Self { child, address: String::new() };

        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                println!("    {line}");
                let _ = sender.send(line); // the receiver is gone after the first address
            }
        });
        loop {
            match lines.recv_timeout(Duration::from_secs(30)) {
                Ok(line) if line.starts_with(READY) => {
                    line[READY.len()..].trim().clone_into(&mut server.address);
                    return Ok(server);
                }
                Ok(_) => {}
                Err(_) => bail!(
                    "the server did not start on {listen} (is the port taken? try --listen 127.0.0.1:0): {}",
                    fs::read_to_string(log).unwrap_or_default().trim_end()
                ),
            }
        }
    }

    /// Checks that the page's address answers, before it is printed.
    pub fn page_answers(&self) -> Result<()> {
        let host = self.address.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(host).with_context(|| format!("cannot connect to {host}"))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).context("cannot read the server's answer")?;
        let status = answer.lines().next().unwrap_or("nothing");
        ensure!(status.contains(" 200 "), "the server does not serve the page; it answers {status}");
        Ok(())
    }

    /// Waits for Ctrl-C. Returns an error if the server ends by itself before.
    pub fn wait_for(&mut self, stop: &Receiver<()>) -> Result<()> {
        while stop.recv_timeout(Duration::from_millis(200)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended unexpectedly with {status}");
            }
        }
        Ok(())
    }

    /// Asks the server to end, as a service manager does, and lets it finish its current work.
    pub fn stop(mut self) -> Result<()> {
        if cfg!(unix) && self.child.try_wait()?.is_none() {
            run(command("kill").args(["-TERM", &self.child.id().to_string()]))?;
            let status = wait_within(&mut self.child, Duration::from_mins(1))?;
            let status = status.context("the server did not stop within a minute and was killed")?;
            ensure!(status.success(), "the server stopped with {status}");
            println!("    the server has stopped");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Returns a receiver that gets a message at Ctrl-C or at a polite request to end.
pub fn ctrl_c() -> Result<Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = sender.send(()); // the receiver is gone: we are already ending
    })?;
    Ok(receiver)
}
