//! The way to a server: proxies, and the certificate authorities that are trusted.
//!
//! Proxies are chosen as curl chooses them: by a flag, or by the variables `http_proxy` or `https_proxy` (for the server's
//! scheme), then `all_proxy`, in lower or upper case, unless `no_proxy` names the server. A chosen proxy is never bypassed: if
//! it fails, the request fails and the error names the proxy.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, RustlsConnector, SocksConnector, TcpConnector,
};
use ureq::{Agent, Proxy};

use super::plain;
use crate::cli::files::Source;
use crate::error::{Code, Error, Result};

/// The longest file of certificates that is read, in bytes.
const MAX_PEM: u64 = 16 << 20;
/// The flag that chooses a proxy, as messages name it.
const FLAG: &str = "--proxy";
/// The port of a proxy whose address has none, as in curl.
const PROXY_PORT: u16 = 1080;

/// How a server is reached.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct WayFlags {
    /// Reach the server through this proxy, such as `socks5h://127.0.0.1:9050` [default: from `http_proxy`, `https_proxy` or
    /// `ALL_PROXY`]
    ///
    /// The schemes are http, https, socks4, socks4a, socks5 and socks5h. With socks4a and socks5h, the proxy resolves the
    /// server's name; with socks4 and socks5, this machine does. HTTP proxies must support tunnels (CONNECT). The variables are
    /// ignored for the servers listed in `NO_PROXY`. An empty string means no proxy.
    #[arg(long, value_name = "URL", requires = "server")]
    proxy: Option<String>,
    /// Trust only the certificate authorities in this PEM file [default: `SSL_CERT_FILE` and `SSL_CERT_DIR`, or public
    /// authorities]
    #[arg(long, value_name = "FILE", requires = "server", value_parser = OsStringValueParser::new().map(Source::from))]
    ca_file: Option<Source>,
}

/// A proxy in use.
#[derive(Clone, Debug)]
pub(super) struct Via {
    /// Scheme, host and port: never a password.
    address: String,
    /// The flag or the variable that chose it.
    from: String,
    proxy: Proxy,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (from {})", self.address, self.from)
    }
}

/// A proxy's failure.
#[derive(Debug)]
pub(super) struct ProxyFailure {
    /// Whether the proxy could be reached.
    pub(super) reached: bool,
    reason: String,
}

impl fmt::Display for ProxyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for ProxyFailure {}

impl WayFlags {
    /// The agent that connects to a server, and the proxy that it uses.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for a proxy that cannot be used or a file without certificates.
    pub(super) fn agent(&self, server: &Uri) -> Result<(Agent, Option<Via>)> {
        let via = self.via(server)?;
        let secure = |text: &str| text.starts_with("https");
        let https =
            secure(server.scheme_str().unwrap_or_default()) || via.as_ref().is_some_and(|via| secure(&via.address));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(Duration::from_secs(15)))
            .user_agent(concat!("safelight/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            // Without this, the library would choose from the environment again, by other rules.
            .proxy(via.as_ref().map(|via| via.proxy.clone()))
            .tls_config(TlsConfig::builder().root_certs(self.roots(https)?).build())
            .build();
        let through = Through(().chain(SocksConnector::default()).chain(ConnectProxyConnector::default()));
        let connector = through.chain(TcpConnector::default()).chain(RustlsConnector::default());
        Ok((Agent::with_parts(config, connector, DefaultResolver::default()), via))
    }

    fn via(&self, server: &Uri) -> Result<Option<Via>> {
        let (from, text) = match &self.proxy {
            Some(text) => (FLAG.to_owned(), text.clone()),
            None => match chosen_by_environment(server, |name| std::env::var_os(name))? {
                Some(choice) => choice,
                None => return Ok(None),
            },
        };
        if text.is_empty() { Ok(None) } else { read_proxy(&from, &text).map(Some) }
    }

    /// The certificate authorities. The environment is consulted only if TLS is used.
    fn roots(&self, https: bool) -> Result<RootCerts> {
        if let Some(source) = &self.ca_file {
            let certificates = certificates(source)?;
            return if certificates.is_empty() { Err(no_certificates(source)) } else { Ok(certificates.into()) };
        }
        let variable = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
        let (file, folders) = (variable("SSL_CERT_FILE"), variable("SSL_CERT_DIR"));
        if !https || (file.is_none() && folders.is_none()) {
            return Ok(RootCerts::WebPki);
        }
        let mut all = Vec::new();
        if let Some(file) = file {
            all.extend(certificates(&Source::File(file.into()))?);
        }
        for folder in folders.iter().flat_map(std::env::split_paths) {
            for file in files_in(&folder)? {
                // Such folders hold other files, too.
                all.extend(certificates(&Source::File(file)).unwrap_or_default());
            }
        }
        if all.is_empty() {
            let message = "SSL_CERT_FILE and SSL_CERT_DIR name no certificates in PEM format; correct or unset them";
            return Err(Error::new(Code::BadArgument, message));
        }
        Ok(all.into())
    }
}

/// The first variable that names a proxy for this server, and its value.
fn chosen_by_environment(server: &Uri, get: impl Fn(&str) -> Option<OsString>) -> Result<Option<(String, String)>> {
    let text = |name: &str| match get(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) if text.trim().is_empty() => Ok(None),
        Some(Ok(text)) => Ok(Some((name.to_owned(), text.trim().to_owned()))),
        Some(Err(_)) => {
            Err(Error::new(Code::BadArgument, format!("the variable {name} is not text; correct or unset it")))
        }
    };
    let scheme = server.scheme_str().unwrap_or("http");
    let names =
        [format!("{scheme}_proxy"), format!("{scheme}_proxy").to_uppercase(), "all_proxy".into(), "ALL_PROXY".into()];
    let Some(choice) = names.iter().find_map(|name| text(name).transpose()).transpose()? else { return Ok(None) };
    let exceptions = text("no_proxy")?.or(text("NO_PROXY")?);
    let host = server.host().unwrap_or_default();
    if exceptions.is_some_and(|(_, list)| is_excepted(&list, host)) { Ok(None) } else { Ok(Some(choice)) }
}

/// Whether a list of names, addresses and networks contains a host. A name also matches its subdomains.
fn is_excepted(list: &str, host: &str) -> bool {
    if list.trim() == "*" {
        return true;
    }
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    let mut entries = list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
    if let Ok(address) = host.parse::<IpAddr>() {
        return entries.any(|entry| holds(entry, address));
    }
    entries.any(|entry| {
        let entry = entry.trim_start_matches('.').trim_end_matches('.').to_ascii_lowercase();
        !entry.is_empty() && host.strip_suffix(&entry).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

/// Whether an entry, an address or a network such as `10.0.0.0/8`, contains this address.
fn holds(entry: &str, address: IpAddr) -> bool {
    let (network, length) = entry.split_once('/').map_or((entry, None), |(network, length)| (network, Some(length)));
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let Ok(network) = network.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() else { return false };
    let ((network, all), (address, same)) = (bits(network), bits(address));
    let Ok(length) = length.map_or(Ok(all), str::parse::<u32>) else { return false };
    all == same && length <= all && (length == 0 || (network ^ address) >> (128 - length) == 0)
}

/// Reads a proxy's address. `from` is the flag or the variable that it comes from.
fn read_proxy(from: &str, text: &str) -> Result<Via> {
    // The address may contain a password, so messages name only its source.
    let bad = |what: &str| Error::new(Code::BadArgument, format!("the proxy that {from} names {what}"));
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        // As in curl.
        "socks" => "socks4".to_owned(),
        known @ ("http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") => known.to_owned(),
        other => {
            let other: String = other.chars().take(20).collect();
            return Err(bad(&format!("has the scheme {other:?}; use http, https, socks4, socks4a, socks5 or socks5h")));
        }
    };
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
    if user.is_some() && scheme.starts_with("socks4") {
        return Err(bad("has a user name, which SOCKS4 does not check; use socks5 or socks5h"));
    }
    let port = if scheme == "https" { 443 } else { PROXY_PORT };
    let has_port = place.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'));
    let place = if has_port { place.to_owned() } else { format!("{place}:{port}") };
    let unreadable = || bad("is not valid; write it as in socks5h://127.0.0.1:9050");
    let uri: Uri = format!("http://{place}").parse().map_err(|_| unreadable())?;
    if uri.host().is_none_or(str::is_empty) || !crate::address::port_is_good(&place) {
        return Err(unreadable());
    }
    let user = user.map_or_else(String::new, |user| format!("{user}@"));
    let proxy = Proxy::new(&format!("{scheme}://{user}{place}")).map_err(|_| unreadable())?;
    Ok(Via { address: format!("{scheme}://{place}"), from: from.to_owned(), proxy })
}

/// Wraps the proxy connectors, to report failures of proxies separately from those of servers.
#[derive(Debug)]
struct Through<C>(C);

impl<C: Connector<()>> Connector<()> for Through<C> {
    type Out = C::Out;

    fn connect(&self, details: &ConnectionDetails, chained: Option<()>) -> Result<Option<Self::Out>, ureq::Error> {
        if details.config.proxy().is_none() {
            return self.0.connect(details, chained);
        }
        let failure = |reached, reason| ureq::Error::Other(Box::new(ProxyFailure { reached, reason }));
        match self.0.connect(details, chained) {
            Ok(Some(transport)) => Ok(Some(transport)),
            // The next connector would connect to the server directly.
            Ok(None) => Err(failure(false, "it was skipped".to_owned())),
            Err(error) => Err(failure(was_reached(&error), plain::reason(&error))),
        }
    }
}

/// Whether a proxy answered at all before it failed.
fn was_reached(error: &ureq::Error) -> bool {
    use std::io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut, WouldBlock,
    };
    match error {
        ureq::Error::Io(error) if error.to_string().starts_with("failed to lookup") => false,
        ureq::Error::Io(error) => !matches!(
            error.kind(),
            ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable | TimedOut | WouldBlock
        ),
        ureq::Error::HostNotFound | ureq::Error::Timeout(_) => false,
        _ => true,
    }
}

fn certificates(source: &Source) -> Result<Vec<Certificate<'static>>> {
    let bytes = source.read(MAX_PEM, Code::BadArgument)?;
    let mut usable = rustls::RootCertStore::empty();
    let mut all = Vec::new();
    for item in parse_pem(&bytes) {
        match item {
            Ok(PemItem::Certificate(certificate)) => {
                let der = rustls::pki_types::CertificateDer::from(certificate.der());
                if usable.add(der.into_owned()).is_ok() {
                    all.push(certificate);
                }
            }
            Ok(_) => {}
            Err(_) => return Err(no_certificates(source)),
        }
    }
    Ok(all)
}

fn no_certificates(source: &Source) -> Error {
    let message = format!("{source} has no certificate authority in PEM format (-----BEGIN CERTIFICATE-----)");
    Error::new(Code::BadArgument, message)
}

fn files_in(folder: &std::path::Path) -> Result<Vec<PathBuf>> {
    let entries = folder.read_dir().map_err(|error| {
        Error::new(Code::Io, format!("cannot read {}, which SSL_CERT_DIR names: {error}", folder.display()))
    })?;
    Ok(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect())
}

#[cfg(test)]
mod tests;
