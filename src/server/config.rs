//! What the server is told at its start, and the check that turns it into settings nothing has to doubt again.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use axum::http::{HeaderValue, Uri};

use crate::error::{Code, Error, Result};
use crate::pipeline;

/// How the server listens, what it serves, and how much it takes on.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address and port to listen on (`--listen`). Port 0 takes any free port. Default `127.0.0.1:8080`: reachable from
    /// this machine only.
    pub listen: SocketAddr,
    /// Folder with the page's files, `index.html` among them (`--page`). Default none: the interface alone is served.
    pub page: Option<PathBuf>,
    /// Folder with the vault's files, `index.html` among them (`--vault`). Default none.
    pub vault: Option<PathBuf>,
    /// Address at which browsers reach the vault (`--vault-url`), such as `https://vault.example/`. Requests for its host
    /// get the vault's files and nothing else; all others never get them. Default `http://localhost:PORT/`, with the port
    /// that is listened on.
    pub vault_url: Option<String>,
    /// Origins whose pages may embed the vault (`--embedder`, may be repeated). A single `*` allows every origin. Default:
    /// the address that is listened on.
    pub embedders: Vec<String>,
    /// Origins whose pages may call this server from a browser (`--allow-origin`, may be repeated), such as
    /// `https://photos.example`. A single `*` allows every origin. Default none: only the server's own page may.
    pub allow_origins: Vec<String>,
    /// Origins of further servers that the page may send encrypted photos to (`--connect-src`, may be repeated). They
    /// are added to the page's content security policy. Default none.
    pub connect_src: Vec<String>,
    /// Folder with models for everybody (`--models`), files whose names end in `.model`; the rest of the name is the
    /// model's id. Default none.
    pub models: Option<PathBuf>,
    /// Folder for clients' evaluation keys (`--keys`), which has to be this server's alone. What is there after a restart is
    /// used again. Default: one under the folder for working files that is deleted when the server ends. It should lie on a
    /// disk with room for [`Limits::key_bytes`].
    pub keys: Option<PathBuf>,
    /// Folder for the server's working files, which have no name and vanish with the process (`--spool`). Default: the
    /// system's folder for temporary files. It should lie on a disk with room for [`Limits::stored_bytes`].
    pub spool: Option<PathBuf>,
    /// How long a stopping server waits for finished jobs to be fetched (`--drain`). Default 30 seconds.
    pub drain: Duration,
    /// How much the server takes on.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            page: None,
            vault: None,
            vault_url: None,
            embedders: Vec::new(),
            allow_origins: Vec::new(),
            connect_src: Vec::new(),
            models: None,
            keys: None,
            spool: None,
            drain: Duration::from_secs(30),
            limits: Limits::default(),
        }
    }
}

/// How much the server takes on. Whatever is beyond a limit is refused with a stable code, never cut short.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest encrypted image in bytes (`--max-body`; a filter of two images takes twice as much), in pixels
    /// (`--max-pixels`) and in ciphertexts. Code `too_large`.
    pub image: pipeline::Limits,
    /// Longest time for the work on one request (`--time-limit`). In the direct form the upload is part of the work, in
    /// the job form it has [`Limits::LONGEST_TRANSFER`]. Default 15 minutes. Code `time_limit`.
    pub time: Duration,
    /// Longest time in which an upload may bring less than [`Limits::SLOWEST_UPLOAD`] bytes a second (`--stall`), and
    /// in which a client may take nothing of an answer. Default 30 seconds. Code `stalled`.
    pub stall: Duration,
    /// Requests worked on at the same time (`--running`). Each one uses all cores, so a second one only fills the gaps.
    /// Default 2.
    pub running: usize,
    /// Requests that wait for their turn (`--waiting`). Default 16. Code `too_busy`.
    pub waiting: usize,
    /// Jobs kept at the same time, finished ones included (`--jobs`). Default 256. Code `too_busy`.
    pub jobs: usize,
    /// Bytes of uploads and results that jobs may hold on disk at the same time (`--stored-bytes`). Default 16 GiB.
    /// Code `too_busy`.
    pub stored_bytes: u64,
    /// How long a finished job's result can be fetched (`--keep-results`). Default 10 minutes.
    pub keep_results: Duration,
    /// Models of clients kept at the same time (`--models-kept`). Default 64. Code `too_busy`.
    pub models: usize,
    /// Bytes of memory that the models of clients may take together (`--model-bytes`). Default 1 GiB. Code `too_busy`.
    pub model_bytes: u64,
    /// How long a client's model is kept (`--keep-models`). Default one day.
    pub keep_models: Duration,
    /// Sets of evaluation keys kept at the same time, uploads included (`--keys-kept`). Default 16. Code `too_busy`.
    pub keys: usize,
    /// Bytes of disk that evaluation keys may take together (`--key-bytes`). Default 64 GiB. Code `too_large` for one set,
    /// `too_busy` for all.
    pub key_bytes: u64,
    /// How long a set of evaluation keys is kept (`--keep-keys`). Default one day.
    pub keep_keys: Duration,
    /// How long an upload of keys that broke off may rest before it is thrown away (`--keep-uploads`). Default one hour.
    pub keep_uploads: Duration,
    /// Connections open at the same time (`--connections`); more wait to be accepted. Default 512.
    pub connections: usize,
}

impl Limits {
    /// An upload slower than this many bytes a second counts as stalled.
    pub const SLOWEST_UPLOAD: u64 = 1024;

    /// Longest time for the upload of a job and for taking an answer, however steadily the bytes drip.
    pub const LONGEST_TRANSFER: Duration = Duration::from_hours(1);

    /// Most requests that may be in the house, running and waiting together: each upload holds a thread.
    const MOST_REQUESTS: usize = 256;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            image: pipeline::Limits::default(),
            time: Duration::from_mins(15),
            stall: Duration::from_secs(30),
            running: 2,
            waiting: 16,
            jobs: 256,
            stored_bytes: 16 << 30,
            keep_results: Duration::from_mins(10),
            models: 64,
            model_bytes: 1 << 30,
            keep_models: Duration::from_hours(24),
            keys: 16,
            key_bytes: 64 << 30,
            keep_keys: Duration::from_hours(24),
            keep_uploads: Duration::from_hours(1),
            connections: 512,
        }
    }
}

/// A checked [`Config`].
pub(super) struct Settings {
    pub(super) listen: SocketAddr,
    pub(super) page: Option<PathBuf>,
    pub(super) vault: Option<VaultSettings>,
    pub(super) allow_origins: AllowOrigins,
    pub(super) connect_src: Vec<String>,
    pub(super) models: Option<PathBuf>,
    pub(super) keys: Option<PathBuf>,
    pub(super) spool: PathBuf,
    pub(super) drain: Duration,
    pub(super) limits: Limits,
}

/// What was said of the vault; the rest comes from the address that is listened on.
pub(super) struct VaultSettings {
    pub(super) folder: PathBuf,
    pub(super) url: Option<Uri>,
    /// Origins; `*` alone for all.
    pub(super) embedders: Vec<String>,
}

/// Whose pages may read this server's answers.
pub(super) enum AllowOrigins {
    Any,
    These(Vec<HeaderValue>),
}

impl Config {
    pub(super) fn check(self) -> Result<Settings> {
        let Self {
            listen,
            page,
            vault,
            vault_url,
            embedders,
            allow_origins,
            connect_src,
            models,
            keys,
            spool,
            drain,
            limits,
        } = self;
        check_limits(&limits)?;
        for (name, folder) in [("page", &page), ("vault", &vault)] {
            if let Some(folder) = folder
                && !folder.join("index.html").is_file()
            {
                return Err(bad(format!(
                    "there is no index.html in the {name} folder {}; build the page first or name another folder",
                    folder.display()
                )));
            }
        }
        let vault = check_vault(vault, vault_url, embedders)?;
        let spool = spool.unwrap_or_else(std::env::temp_dir);
        if !spool.is_dir() {
            return Err(bad(format!("the folder for working files {} does not exist; create it", spool.display())));
        }
        if let Some(keys) = &keys
            && !keys.is_dir()
        {
            return Err(bad(format!("the folder for keys {} does not exist; create it", keys.display())));
        }
        let allow_origins = if allow_origins.iter().any(|origin| origin == "*") {
            AllowOrigins::Any
        } else {
            AllowOrigins::These(allow_origins.iter().map(|text| origin(text)).collect::<Result<_>>()?)
        };
        for text in &connect_src {
            origin(text)?;
        }
        Ok(Settings { listen, page, vault, allow_origins, connect_src, models, keys, spool, drain, limits })
    }
}

fn check_vault(folder: Option<PathBuf>, url: Option<String>, embedders: Vec<String>) -> Result<Option<VaultSettings>> {
    let Some(folder) = folder else {
        if url.is_some() || !embedders.is_empty() {
            return Err(bad("a vault's address and embedders need a vault: name its folder"));
        }
        return Ok(None);
    };
    let url = url.map(|text| vault_url(&text)).transpose()?;
    if embedders != ["*"] {
        for text in &embedders {
            origin(text)?;
        }
    }
    Ok(Some(VaultSettings { folder, url, embedders }))
}

/// The address of the vault is an origin with a slash: it has the host for itself.
fn vault_url(text: &str) -> Result<Uri> {
    origin(text.strip_suffix('/').unwrap_or(text))
        .ok()
        .and_then(|_| text.parse().ok())
        .ok_or_else(|| bad(format!("{text:?} is not where a vault can be; write it as https://vault.example/")))
}

fn check_limits(limits: &Limits) -> Result<()> {
    if limits.running == 0 || limits.running.saturating_add(limits.waiting) > Limits::MOST_REQUESTS {
        return Err(bad(format!(
            "at least one request must run, and running and waiting together can be {} at most",
            Limits::MOST_REQUESTS
        )));
    }
    if limits.connections == 0 || limits.connections > 1 << 20 {
        return Err(bad("the number of connections must lie between 1 and 1048576"));
    }
    if limits.time.is_zero() || limits.stall.is_zero() {
        return Err(bad("the time limit and the stall time must be longer than zero"));
    }
    // Later additions to the present moment must not overflow.
    let longest = Duration::from_hours(366 * 24);
    let times =
        [limits.time, limits.stall, limits.keep_results, limits.keep_models, limits.keep_keys, limits.keep_uploads];
    if times.iter().any(|time| *time > longest) {
        return Err(bad("times longer than a year are not supported"));
    }
    Ok(())
}

/// Checks that the text is an origin exactly as browsers write it, because it is compared letter by letter.
fn origin(text: &str) -> Result<HeaderValue> {
    let advice = || bad(format!("{text:?} is not an origin; write it as https://name or https://name:port"));
    let uri: Uri = text.parse().map_err(|_| advice())?;
    let scheme = uri.scheme_str().ok_or_else(advice)?;
    let authority = uri.authority().ok_or_else(advice)?;
    let default_port = if scheme == "https" { 443 } else { 80 };
    let exact = matches!(scheme, "http" | "https")
        && text == format!("{scheme}://{authority}")
        && !authority.as_str().contains(['@', '*', ';', ',', '\''])
        && text == text.to_ascii_lowercase()
        && authority.port_u16() != Some(default_port);
    if !exact {
        return Err(advice());
    }
    HeaderValue::from_str(text).map_err(|_| advice())
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(Code::BadArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_taken_only_as_browsers_write_them() {
        for good in ["https://photos.example", "http://127.0.0.1:8080", "http://[::1]:3000", "http://localhost"] {
            assert!(origin(good).is_ok(), "{good}");
        }
        for wrong in [
            "photos.example",
            "https://photos.example/",
            "https://Photos.example",
            "https://photos.example:443",
            "https://user@photos.example",
            "https://*.example",
            "https://a.example; script-src *",
            "https://a.example;script-src",
            "ftp://photos.example",
            "null",
            "",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_vault_has_a_host_for_itself() {
        for good in ["https://vault.example/", "https://vault.example", "http://localhost:8080/", "http://[::1]:8080/"]
        {
            assert!(vault_url(good).is_ok(), "{good}");
        }
        for wrong in ["vault.example", "https://photos.example/vault/", "https://vault.example/?x", "/vault", ""] {
            assert!(vault_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_default_is_accepted_and_nonsense_is_not() {
        assert!(Config::default().check().is_ok());
        let with = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().err().map(|error| error.code())
        };
        assert_eq!(with(|c| c.limits.running = 0), Some("bad_argument"));
        assert_eq!(with(|c| c.limits.waiting = usize::MAX), Some("bad_argument"));
        assert_eq!(with(|c| c.limits.connections = 0), Some("bad_argument"));
        assert_eq!(with(|c| c.limits.time = Duration::ZERO), Some("bad_argument"));
        assert_eq!(with(|c| c.limits.keep_results = Duration::MAX), Some("bad_argument"));
        assert_eq!(with(|c| c.page = Some("no/such/folder".into())), Some("bad_argument"));
        assert_eq!(with(|c| c.limits.keep_models = Duration::MAX), Some("bad_argument"));
        assert_eq!(with(|c| c.limits.keep_keys = Duration::MAX), Some("bad_argument"));
        assert_eq!(with(|c| c.keys = Some("no/such/folder".into())), Some("bad_argument"));
        assert_eq!(with(|c| c.spool = Some("no/such/folder".into())), Some("bad_argument"));
        assert_eq!(with(|c| c.connect_src = vec!["*".into()]), Some("bad_argument"));
        assert_eq!(with(|c| c.vault = Some("no/such/folder".into())), Some("bad_argument"));
        assert_eq!(with(|c| c.vault_url = Some("https://vault.example/".into())), Some("bad_argument"));
        assert_eq!(with(|c| c.embedders = vec!["https://photos.example".into()]), Some("bad_argument"));
        assert_eq!(with(|c| c.allow_origins = vec!["*".into()]), None);
    }
}
