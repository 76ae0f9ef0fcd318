//! Runs the program in a temporary folder.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use safelight::photo::{Limits, Photo, encode_png};
use tempfile::TempDir;

/// A folder with a secret key `my.key` and its public key `my.pub`.
pub(crate) struct Folder(TempDir);

/// The outcome of a run.
pub(crate) struct Run(Output);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary folder"));
        let (secret, public) = keys();
        std::fs::write(folder.path("my.key"), secret).expect("write");
        std::fs::write(folder.path("my.pub"), public).expect("write");
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("write");
    }

    /// Writes a PNG file.
    pub(crate) fn write_png(&self, name: &str, photo: &Photo) {
        let png = encode_png(photo.width(), photo.height(), photo.channels(), photo.samples(), photo.alpha());
        self.write(name, &png.expect("PNG"));
    }

    /// Reads a picture file.
    pub(crate) fn read_photo(&self, name: &str) -> Photo {
        Photo::decode(&self.read(name), &Limits::default()).expect("a picture")
    }

    /// The names of the files, including hidden ones, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.0.path().read_dir().expect("folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_safelight"));
        command.current_dir(self.0.path()).args(arguments).stdin(Stdio::null());
        // A proxy of this machine must not affect servers on it.
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        // Nor must its certificates.
        command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
        command.env("SAFELIGHT_HOME", self.path(".home"));
        command
    }

    /// Runs the program; arguments are separated by spaces.
    pub(crate) fn run(&self, arguments: &str) -> Run {
        self.run_with(arguments.split_whitespace())
    }

    pub(crate) fn run_with<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        Run(self.command(arguments).output().expect("the program runs"))
    }

    /// Runs the program with these bytes on standard input.
    pub(crate) fn run_on(&self, arguments: &str, input: &[u8]) -> Run {
        let mut command = self.command(arguments.split_whitespace());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let mut stdin = child.stdin.take().expect("stdin");
        std::thread::scope(|scope| {
            // The program may end before it has read everything.
            scope.spawn(move || _ = stdin.write_all(input));
            Run(child.wait_with_output().expect("the program ends"))
        })
    }

    pub(crate) fn spawn(&self, arguments: &str) -> Child {
        let mut command = self.command(arguments.split_whitespace());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs")
    }
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self(output)
    }

    /// Returns the standard output of a run that must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Vec<u8> {
        assert_eq!(self.0.status.code(), Some(0), "{}", self.errors());
        self.0.stdout
    }

    /// Returns the message of a run that must have failed with this error and an empty standard output.
    #[track_caller]
    pub(crate) fn error(self, code: &str) -> String {
        let errors = self.errors();
        assert_eq!(self.0.status.code(), Some(1), "{errors}");
        let last = errors.lines().last().unwrap_or_default();
        let message = last.strip_prefix(&format!("error[{code}]: "));
        assert!(self.0.stdout.is_empty(), "bytes on standard output");
        message.unwrap_or_else(|| panic!("not error[{code}]: {errors}")).to_owned()
    }

    /// Checks that a run ended with a usage error that mentions `what`.
    #[track_caller]
    pub(crate) fn usage(self, what: &str) {
        assert_eq!(self.0.status.code(), Some(2), "{}", self.errors());
        assert!(self.errors().contains(what), "{}", self.errors());
    }

    pub(crate) fn errors(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

/// A secret and a public key file, made once by the program itself.
fn keys() -> &'static (Vec<u8>, Vec<u8>) {
    static KEYS: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    KEYS.get_or_init(|| {
        let folder = Folder(tempfile::tempdir().expect("a temporary folder"));
        folder.run("keygen paillier --bits 2048 --out my.key").ok();
        folder.run("pubkey my.key --out my.pub").ok();
        assert_eq!(mode(&folder.path("my.key")), 0o600);
        (folder.read("my.key"), folder.read("my.pub"))
    })
}

/// A file's permissions.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().expect("metadata").permissions().mode() & 0o777
}

/// A picture with every kind of neighbourhood: noise, ramps, black and white.
pub(crate) fn picture(width: u32, height: u32, channels: u8, seed: u32) -> Photo {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let samples = (0..width * height * u32::from(channels)).map(|i| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match state >> 29 {
            0 => 0,
            1 => 255,
            2 | 3 => u8::try_from(i % 256).expect("a byte"),
            _ => u8::try_from(state >> 8 & 255).expect("a byte"),
        }
    });
    Photo::from_samples(width, height, channels, samples.collect()).expect("a picture")
}
