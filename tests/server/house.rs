//! Servers for the tests: in a thread of the test, or in a separate process.

use std::io::{BufRead, BufReader, Lines, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use safelight::server::{Config, serve};
use tokio::sync::oneshot;

/// A server in a thread of the test. Dropping it stops it.
pub(crate) struct Server {
    pub(crate) at: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<safelight::error::Result<()>>>,
}

impl Server {
    pub(crate) fn start(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { listen: "127.0.0.1:0".parse().expect("an address"), ..Config::default() };
        config.drain = Duration::from_millis(200);
        change(&mut config);
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            runtime.block_on(serve(config, move |at| ready.send(at).expect("the test waits"), async {
                let _ = stopped.await;
            }))
        });
        let at = address.recv_timeout(Duration::from_mins(1)).expect("the server starts");
        Self { at, stop: Some(stop), thread: Some(thread) }
    }

    /// Asks the server to stop, without waiting.
    pub(crate) fn tell_to_stop(&mut self) {
        self.stop.take().expect("told once").send(()).expect("the server listens");
    }

    /// Waits for the server's end.
    pub(crate) fn join(mut self) {
        self.thread.take().expect("not joined yet").join().expect("no panic").expect("a good end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && !std::thread::panicking()
        {
            thread.join().expect("no panic").expect("a good end");
        }
    }
}

/// The variable that turns the test program into a server.
const BE_A_SERVER: &str = "SAFELIGHT_TEST_SERVER";
const MODELS: &str = "SAFELIGHT_TEST_MODELS";

/// A server in a separate process: this test program, started again.
pub(crate) struct Process {
    pub(crate) at: SocketAddr,
    pub(crate) child: Child,
    /// Kept open, because the test harness writes to it at its end.
    _output: Lines<BufReader<ChildStdout>>,
    /// Reads the log continuously, because a full pipe would block the server.
    log: JoinHandle<String>,
}

impl Process {
    pub(crate) fn start() -> Self {
        Self::start_with(20, None)
    }

    /// Starts a server with this many seconds to drain, and a folder of models.
    pub(crate) fn start_with(drain: u64, models: Option<&std::path::Path>) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args(["--exact", "a_process", "--nocapture"])
            .env(BE_A_SERVER, drain.to_string())
            .env(MODELS, models.unwrap_or(std::path::Path::new("")))
            .env_remove("SAFELIGHT_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
        // The test harness may have written something before.
        let at = output
            .by_ref()
            .map(|line| line.expect("text"))
            .find_map(|line| Some(line.split_once("safelight: listening on http://")?.1.parse().expect("an address")))
            .expect("the server says where it listens");
        let mut errors = child.stderr.take().expect("piped");
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).expect("text");
            log
        });
        Self { at, child, _output: output, log }
    }

    /// Sends the signal of Ctrl-C, or the one that ends background programs if these tests run in the background.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map_or("0", str::trim);
        let ignored = u64::from_str_radix(mask, 16).is_ok_and(|mask| mask >> 1 & 1 == 1);
        self.signal(if ignored { "TERM" } else { "INT" });
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for the end. Returns whether the exit status is a success, and the log.
    pub(crate) fn end(mut self) -> (bool, String) {
        let good = self.child.wait().expect("it ends").success();
        (good, self.log.join().expect("no panic"))
    }
}

/// The entry point of the process of [`Process::start`]: serves if this process was started for it.
pub(crate) fn be_a_server() {
    if let Ok(drain) = std::env::var(BE_A_SERVER) {
        let mut config = Config { listen: "127.0.0.1:0".parse().expect("an address"), ..Config::default() };
        config.drain = Duration::from_secs(drain.parse().expect("a number"));
        config.models = std::env::var_os(MODELS).filter(|folder| !folder.is_empty()).map(Into::into);
        safelight::server::run(config).expect("a good end");
    }
}

/// Waits until the condition holds.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_mins(1), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
