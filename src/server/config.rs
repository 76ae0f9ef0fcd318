//! The server's configuration, and the check that turns it into settings that need no further checks.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use axum::http::{HeaderValue, Uri};
use ipnet::IpNet;

use crate::address::{port_is_good, without_user};
use crate::error::{Code, Error, Result};

mod limits;
mod proxies;

pub use limits::{ClientLimits, Limits};
pub(super) use proxies::Proxies;
pub use proxies::ProxyHeader;

/// The longest time in a setting. Adding it to the current time must not overflow.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// Where the server listens, what it serves, and its limits.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address and port to listen on (`--listen`). Port 0 picks a free port. Default `127.0.0.1:8080`: reachable from this
    /// machine only.
    pub listen: SocketAddr,
    /// Folder with the page's files, including `index.html` (`--page`). Default none: only the interface is served.
    pub page: Option<PathBuf>,
    /// Folder with the vault's files, including `index.html` (`--vault`). Default none.
    pub vault: Option<PathBuf>,
    /// Address at which browsers reach the vault (`--vault-url`), such as `https://vault.example/`. Requests for its host get
    /// the vault's files and nothing else; requests for other hosts never get them. Default `http://localhost:PORT/`, with the
    /// listening port.
    pub vault_url: Option<String>,
    /// Origins whose pages may embed the vault (`--embedder`, may be repeated). A single `*` allows every origin. Default: the
    /// listening address.
    pub embedders: Vec<String>,
    /// Origins whose pages may call this server from a browser (`--allow-origin`, may be repeated), such as
    /// `https://photos.example`. A single `*` allows every origin. Default none: only the server's own page can.
    pub allow_origins: Vec<String>,
    /// Host names by which clients reach this server (`--host`, may be repeated), such as `photos.example`, without a port. A
    /// single `*` allows every name. `localhost`, the listening address and the hosts of [`Config::allow_origins`] are always
    /// allowed. Requests for other names get `foreign_host`; otherwise, a web page could reach this server by making its own
    /// name resolve to this machine (DNS rebinding).
    pub hosts: Vec<String>,
    /// Networks of reverse proxies (`--trust-proxy`, may be repeated), such as `10.0.0.0/8`. For requests from there, the
    /// header field [`Config::proxy_header`] names the client whose limits apply. Default none: no header field is trusted.
    pub trusted_proxies: Vec<String>,
    /// The header field in which trusted proxies name the client (`--proxy-header`). Default `x-forwarded-for`.
    pub proxy_header: ProxyHeader,
    /// Origins of other servers that the page may send encrypted photos to (`--connect-src`, may be repeated). They are added
    /// to the page's content security policy. Default none.
    pub connect_src: Vec<String>,
    /// Folder with public models (`--models`), in files whose names end in `.model`; the rest of the name is the model's id.
    /// Default none.
    pub models: Option<PathBuf>,
    /// Folder for clients' evaluation keys (`--keys`), used by this server only. Keys in it are used again after a restart.
    /// Default: a folder inside the folder for working files, deleted when the server ends. Its disk should have room for
    /// [`Limits::key_bytes`].
    pub keys: Option<PathBuf>,
    /// Folder for the server's working files, which have no name and vanish with the process (`--spool`). Default: the system's
    /// temporary folder. Its disk should have room for [`Limits::stored_bytes`].
    pub spool: Option<PathBuf>,
    /// Longest time to stop (`--drain`): until then, running and waiting work is finished and results can be fetched; the rest
    /// is cut off. Default 30 seconds. Keep it below the time after which the service manager kills the process (systemd: 90
    /// seconds, Kubernetes: 30).
    pub drain: Duration,
    /// The server's limits.
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
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            proxy_header: ProxyHeader::default(),
            connect_src: Vec::new(),
            models: None,
            keys: None,
            spool: None,
            drain: Duration::from_secs(30),
            limits: Limits::default(),
        }
    }
}

/// A checked [`Config`].
pub(super) struct Settings {
    pub(super) listen: SocketAddr,
    pub(super) page: Option<PathBuf>,
    pub(super) vault: Option<VaultSettings>,
    pub(super) allow_origins: AllowOrigins,
    /// In lower case; `*` means all.
    pub(super) hosts: Vec<String>,
    pub(super) proxies: Proxies,
    pub(super) connect_src: Vec<String>,
    pub(super) models: Option<PathBuf>,
    pub(super) keys: Option<PathBuf>,
    pub(super) spool: PathBuf,
    pub(super) drain: Duration,
    pub(super) limits: Limits,
}

/// The vault's configuration; the rest comes from the listening address.
pub(super) struct VaultSettings {
    pub(super) folder: PathBuf,
    pub(super) url: Option<Uri>,
    /// Origins; a single `*` means all.
    pub(super) embedders: Vec<String>,
}

/// The origins whose pages may use this server.
#[derive(Clone)]
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
            hosts,
            trusted_proxies,
            proxy_header,
            connect_src,
            models,
            keys,
            spool,
            drain,
            limits,
        } = self;
        limits.check()?;
        if drain > LONGEST {
            return Err(bad("a drain time longer than a year is not supported"));
        }
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
        let hosts = hosts.iter().map(|text| host(text)).collect::<Result<_>>()?;
        let trusted = trusted_proxies.iter().map(|text| network(text)).collect::<Result<_>>()?;
        let proxies = Proxies { trusted, header: proxy_header };
        Ok(Settings {
            listen,
            page,
            vault,
            allow_origins,
            hosts,
            proxies,
            connect_src,
            models,
            keys,
            spool,
            drain,
            limits,
        })
    }
}

/// The name of a host, without scheme and port, in lower case.
fn host(text: &str) -> Result<String> {
    let bare = text.parse::<axum::http::uri::Authority>().ok().filter(|authority| authority.host() == text);
    if text != "*" && (bare.is_none() || text.contains(['*', '@'])) {
        let shown = without_user(text);
        return Err(bad(format!("{shown:?} is not a host name; write it as photos.example, without a port")));
    }
    Ok(text.to_ascii_lowercase())
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet> {
    let one = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| one()).map_err(|_| bad(format!("{text:?} is not a network; write it as 10.0.0.0/8")))
}

fn check_vault(folder: Option<PathBuf>, url: Option<String>, embedders: Vec<String>) -> Result<Option<VaultSettings>> {
    let Some(folder) = folder else {
        if url.is_some() || !embedders.is_empty() {
            return Err(bad("a vault URL and embedders need a vault; give its folder"));
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

/// The vault's URL is an origin followed by a slash: the vault has the host for itself.
fn vault_url(text: &str) -> Result<Uri> {
    origin(text.strip_suffix('/').unwrap_or(text)).ok().and_then(|_| text.parse().ok()).ok_or_else(|| {
        bad(format!("{:?} is not a valid vault URL; write it as https://vault.example/", without_user(text)))
    })
}

/// Checks that the text is an origin exactly as browsers write it, because it is compared letter by letter.
pub(super) fn origin(text: &str) -> Result<HeaderValue> {
    let shown = without_user(text);
    let advice = || bad(format!("{shown:?} is not an origin; write it as https://name or https://name:port"));
    let uri: Uri = text.parse().map_err(|_| advice())?;
    let scheme = uri.scheme_str().ok_or_else(advice)?;
    let authority = uri.authority().ok_or_else(advice)?;
    let default_port = if scheme == "https" { 443 } else { 80 };
    let exact = matches!(scheme, "http" | "https")
        && text == format!("{scheme}://{authority}")
        && !authority.as_str().contains(['@', '*', ';', ',', '\''])
        && text == text.to_ascii_lowercase()
        && port_is_good(authority.as_str())
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
            "https://photos.example:0",
            "https://photos.example:99999",
            "https://photos.example:",
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
        assert_eq!(with(|c| c.drain = Duration::MAX), Some("bad_argument"));
        assert_eq!(with(|c| c.limits.client.uploads = 0), Some("bad_argument"));
        for wrong in ["https://photos.example", "photos.example:443", "*.example", "a b", ""] {
            let config = Config { hosts: vec![wrong.into()], ..Config::default() };
            assert_eq!(config.check().err().map(|error| error.code()), Some("bad_argument"), "{wrong}");
        }
        assert_eq!(with(|c| c.hosts = vec!["*".into(), "Photos.example".into(), "[::1]".into()]), None);
        assert_eq!(with(|c| c.trusted_proxies = vec!["10.0.0.0/33".into()]), Some("bad_argument"));
        assert_eq!(with(|c| c.trusted_proxies = vec!["10.0.0.0/8".into(), "::1".into()]), None);
    }
}
