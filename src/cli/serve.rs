//! `safelight serve`: the server, with a flag for every setting of [`server::Config`].

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::remote::Masked;
use crate::error::Result;
use crate::schemes::paillier::stream;
use crate::server;

/// Serve filters, classifiers and the page
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight serve
  safelight serve --listen 127.0.0.1:8080 --page target/page --vault target/vault
  safelight serve --vault vault --vault-url https://vault.example/ --embedder https://photos.example
  safelight serve --allow-origin https://photos.example --max-body 256MiB --time-limit 5m
  safelight serve --host filters.example --trust-proxy 10.0.0.0/8    # behind a reverse proxy

Prints `safelight: listening on http://ADDRESS` to standard output when it is ready, and logs to
standard error at the level of the variable SAFELIGHT_LOG (error, warn, info, debug). Ctrl-C or
SIGTERM finishes running work within the time --drain; a second signal stops at once. SIGHUP reloads
the models in the folder --models.

Requests for host names other than those of --host, and from web pages of origins other than those
of --allow-origin, are refused. Traffic is not encrypted: put a TLS proxy in front of the server
where others can reach it.")]
pub(super) struct Flags {
    /// Address and port to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080", value_parser = Masked(parse_address))]
    listen: SocketAddr,
    /// Folder with the page's files
    #[arg(long, value_name = "FOLDER")]
    page: Option<PathBuf>,
    /// Folder with the vault's files
    #[arg(long, value_name = "FOLDER")]
    vault: Option<PathBuf>,
    /// URL of the vault for browsers, on a host of its own [default: http://localhost:PORT/]
    #[arg(long, value_name = "URL", requires = "vault")]
    vault_url: Option<String>,
    /// Origin whose pages may embed the vault, or * for all; repeatable [default: this server's page]
    #[arg(long = "embedder", value_name = "ORIGIN", requires = "vault")]
    embedders: Vec<String>,
    /// Origin whose pages may use this server, or * for all; repeatable
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    allow_origins: Vec<String>,
    /// Host name by which clients reach this server, or * for all; repeatable [default: the listening address]
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Network of a reverse proxy to trust, such as 10.0.0.0/8; repeatable
    #[arg(long = "trust-proxy", value_name = "NETWORK")]
    trusted_proxies: Vec<String>,
    /// Header field in which trusted proxies name their clients
    #[arg(long, value_name = "FIELD", value_enum, default_value_t = Field::XForwardedFor, requires = "trusted_proxies")]
    proxy_header: Field,
    /// Origin of another server that the page may send encrypted photos to; repeatable
    #[arg(long, value_name = "ORIGIN")]
    connect_src: Vec<String>,
    /// Folder with public models: files named ID.model
    #[arg(long, value_name = "FOLDER")]
    models: Option<PathBuf>,
    /// Folder for clients' evaluation keys, for this server only [default: a temporary one]
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
    /// Folder for working files [default: the system's temporary folder]
    #[arg(long, value_name = "FOLDER")]
    spool: Option<PathBuf>,
    /// Longest shutdown time: finish running work, let results be fetched, then cut off the rest
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_time)]
    drain: Duration,
    /// Largest encrypted image
    #[arg(long, value_name = "BYTES", default_value = "1GiB", value_parser = parse_bytes)]
    max_body: u64,
    /// Largest photo, in pixels
    #[arg(long, value_name = "N", default_value_t = stream::Limits::default().max_pixels)]
    max_pixels: u64,
    /// Most ciphertexts in an image
    #[arg(long, value_name = "N", default_value_t = stream::Limits::default().max_ciphertexts)]
    max_ciphertexts: u64,
    /// Longest time to work on one request, not counting its upload
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = parse_time)]
    time_limit: Duration,
    /// Longest time without sufficient progress in an upload or an answer
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_time)]
    stall: Duration,
    /// Uploads received at the same time
    #[arg(long, value_name = "N", default_value_t = server::Limits::default().uploads)]
    uploads: usize,
    /// Requests running at the same time
    #[arg(long, value_name = "N", default_value_t = server::Limits::default().running)]
    running: usize,
    /// Requests waiting for their turn
    #[arg(long, value_name = "N", default_value_t = server::Limits::default().waiting)]
    waiting: usize,
    /// Jobs kept at the same time, finished ones included
    #[arg(long, value_name = "N", default_value_t = server::Limits::default().jobs)]
    jobs: usize,
    /// Bytes of uploads and results on disk
    #[arg(long, value_name = "BYTES", default_value = "16GiB", value_parser = parse_bytes)]
    stored_bytes: u64,
    /// How long a finished job's result can be fetched
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_time)]
    keep_results: Duration,
    /// Clients' models kept at the same time
    #[arg(long, value_name = "N", default_value_t = server::Limits::default().models)]
    models_kept: usize,
    /// Bytes of memory for all clients' models
    #[arg(long, value_name = "BYTES", default_value = "1GiB", value_parser = parse_bytes)]
    model_bytes: u64,
    /// How long a client's model is kept
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_time)]
    keep_models: Duration,
    /// Sets of evaluation keys kept at the same time, uploads included
    #[arg(long, value_name = "N", default_value_t = server::Limits::default().keys)]
    keys_kept: usize,
    /// Bytes of disk for all evaluation keys
    #[arg(long, value_name = "BYTES", default_value = "64GiB", value_parser = parse_bytes)]
    key_bytes: u64,
    /// How long a set of evaluation keys is kept
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_time)]
    keep_keys: Duration,
    /// How long an interrupted upload of keys is kept
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_time)]
    keep_uploads: Duration,
    /// How long an upload of keys is kept before its first byte
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = parse_time)]
    keep_empty: Duration,
    /// Connections open at the same time
    #[arg(long, value_name = "N", default_value_t = server::Limits::default().connections)]
    connections: usize,
    #[command(flatten)]
    client: ClientFlags,
}

/// The limits for one client.
#[derive(Args)]
#[expect(clippy::struct_field_names, reason = "the fields are the names of flags")]
#[command(next_help_heading = "Limits per client (an IPv4 address or an IPv6 /64 network)")]
struct ClientFlags {
    /// Uploads received at the same time
    #[arg(long, value_name = "N", default_value_t = server::ClientLimits::default().uploads)]
    client_uploads: usize,
    /// Requests running or waiting for their turn
    #[arg(long, value_name = "N", default_value_t = server::ClientLimits::default().waiting)]
    client_waiting: usize,
    /// Jobs kept at the same time
    #[arg(long, value_name = "N", default_value_t = server::ClientLimits::default().jobs)]
    client_jobs: usize,
    /// Bytes of uploads and results on disk
    #[arg(long, value_name = "BYTES", default_value = "8GiB", value_parser = parse_bytes)]
    client_stored_bytes: u64,
    /// Models kept at the same time
    #[arg(long, value_name = "N", default_value_t = server::ClientLimits::default().models)]
    client_models: usize,
    /// Bytes of memory for models
    #[arg(long, value_name = "BYTES", default_value = "512MiB", value_parser = parse_bytes)]
    client_model_bytes: u64,
    /// Sets of evaluation keys kept at the same time, uploads included
    #[arg(long, value_name = "N", default_value_t = server::ClientLimits::default().keys)]
    client_keys: usize,
    /// Bytes of disk for evaluation keys
    #[arg(long, value_name = "BYTES", default_value = "32GiB", value_parser = parse_bytes)]
    client_key_bytes: u64,
    /// Open connections; those of trusted proxies are not counted
    #[arg(long, value_name = "N", default_value_t = server::ClientLimits::default().connections)]
    client_connections: usize,
}

/// A header field in which a proxy names its client.
#[derive(Clone, Copy, ValueEnum)]
enum Field {
    XForwardedFor,
    Forwarded,
}

impl From<ClientFlags> for server::ClientLimits {
    fn from(flags: ClientFlags) -> Self {
        Self {
            uploads: flags.client_uploads,
            waiting: flags.client_waiting,
            jobs: flags.client_jobs,
            stored_bytes: flags.client_stored_bytes,
            models: flags.client_models,
            model_bytes: flags.client_model_bytes,
            keys: flags.client_keys,
            key_bytes: flags.client_key_bytes,
            connections: flags.client_connections,
        }
    }
}

impl From<Flags> for server::Config {
    fn from(flags: Flags) -> Self {
        Self {
            listen: flags.listen,
            page: flags.page,
            vault: flags.vault,
            vault_url: flags.vault_url,
            embedders: flags.embedders,
            allow_origins: flags.allow_origins,
            hosts: flags.hosts,
            trusted_proxies: flags.trusted_proxies,
            proxy_header: match flags.proxy_header {
                Field::XForwardedFor => server::ProxyHeader::XForwardedFor,
                Field::Forwarded => server::ProxyHeader::Forwarded,
            },
            connect_src: flags.connect_src,
            models: flags.models,
            keys: flags.keys,
            spool: flags.spool,
            drain: flags.drain,
            limits: server::Limits {
                image: stream::Limits {
                    max_bytes: flags.max_body,
                    max_pixels: flags.max_pixels,
                    max_ciphertexts: flags.max_ciphertexts,
                    ..stream::Limits::default()
                },
                time: flags.time_limit,
                stall: flags.stall,
                uploads: flags.uploads,
                running: flags.running,
                waiting: flags.waiting,
                jobs: flags.jobs,
                stored_bytes: flags.stored_bytes,
                keep_results: flags.keep_results,
                models: flags.models_kept,
                model_bytes: flags.model_bytes,
                keep_models: flags.keep_models,
                keys: flags.keys_kept,
                key_bytes: flags.key_bytes,
                keep_keys: flags.keep_keys,
                keep_uploads: flags.keep_uploads,
                keep_empty: flags.keep_empty,
                connections: flags.connections,
                client: flags.client.into(),
            },
        }
    }
}

pub(super) fn run(flags: Flags) -> Result<()> {
    server::run(flags.into())
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|error: std::net::AddrParseError| error.to_string())
}

/// A time such as `90`, `90s`, `15m` or `2h`.
fn parse_time(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600)];
    number_with_unit(text, &units).map(Duration::from_secs).ok_or_else(|| "write it as 90s, 15m or 2h".into())
}

/// A number of bytes such as `1000`, `64KiB`, `256MiB` or `1GiB`.
fn parse_bytes(text: &str) -> Result<u64, String> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    number_with_unit(text, &units).ok_or_else(|| "write it as 1000, 64KiB, 256MiB or 1GiB".into())
}

fn number_with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, factor) =
        units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor))).unwrap_or((text, 1));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use clap::{FromArgMatches as _, Parser as _};

    use super::*;

    #[test]
    fn the_flags_have_the_servers_own_defaults() {
        let cli = crate::cli::Cli::try_parse_from(["safelight", "serve"]).expect("flags");
        let crate::cli::Command::Serve(flags) = cli.command else { panic!("another command") };
        assert_eq!(format!("{:?}", server::Config::from(*flags)), format!("{:?}", server::Config::default()));
    }

    #[test]
    fn every_flag_arrives() {
        let matches = <Flags as Args>::augment_args(clap::Command::new("serve"))
            .try_get_matches_from([
                "serve",
                "--listen",
                "[::1]:0",
                "--page",
                "p",
                "--vault",
                "v",
                "--vault-url",
                "u",
                "--embedder",
                "e",
                "--allow-origin",
                "a",
                "--allow-origin",
                "b",
                "--connect-src",
                "c",
                "--spool",
                "s",
                "--drain",
                "1",
                "--max-body",
                "2KiB",
                "--max-pixels",
                "3",
                "--max-ciphertexts",
                "4",
                "--time-limit",
                "5m",
                "--stall",
                "6s",
                "--running",
                "7",
                "--waiting",
                "8",
                "--jobs",
                "9",
                "--stored-bytes",
                "10",
                "--keep-results",
                "11h",
                "--connections",
                "12",
                "--host",
                "filters.example",
                "--trust-proxy",
                "10.0.0.0/8",
                "--proxy-header",
                "forwarded",
                "--uploads",
                "13",
                "--keep-empty",
                "14s",
                "--client-uploads",
                "15",
                "--client-key-bytes",
                "16KiB",
            ])
            .expect("flags");
        let config = server::Config::from(Flags::from_arg_matches(&matches).expect("flags"));
        assert_eq!((config.vault, config.vault_url), (Some("v".into()), Some("u".into())));
        assert_eq!(config.embedders, ["e"]);
        assert_eq!(config.allow_origins, ["a", "b"]);
        assert_eq!(config.drain, Duration::from_secs(1));
        let limits = config.limits;
        assert_eq!((limits.image.max_bytes, limits.image.max_pixels, limits.image.max_ciphertexts), (2048, 3, 4));
        assert_eq!((limits.time, limits.stall), (Duration::from_mins(5), Duration::from_secs(6)));
        assert_eq!((limits.running, limits.waiting, limits.jobs), (7, 8, 9));
        assert_eq!(config.hosts, ["filters.example"]);
        assert_eq!(config.trusted_proxies, ["10.0.0.0/8"]);
        assert_eq!(config.proxy_header, server::ProxyHeader::Forwarded);
        assert_eq!((limits.uploads, limits.keep_empty), (13, Duration::from_secs(14)));
        assert_eq!((limits.client.uploads, limits.client.key_bytes), (15, 16 << 10));
        assert_eq!((limits.stored_bytes, limits.keep_results.as_secs(), limits.connections), (10, 39_600, 12));
    }

    #[test]
    fn units_are_understood_and_nonsense_is_not() {
        assert_eq!(parse_time("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_bytes("3GiB"), Ok(3 << 30));
        for text in ["", "m", "-1s", "+1s", "1.5h", "1d", "99999999999999999999"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
        assert!(parse_bytes("18446744073709551615GiB").is_err());
    }
}
