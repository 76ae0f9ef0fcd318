//! Connection errors in plain words. The libraries' own messages are meant for programmers, and may quote addresses.

use std::error::Error as StdError;
use std::io::ErrorKind;

use rustls::{CertificateError, InvalidMessage};

/// Why a request failed.
pub(super) fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => io_reason(error),
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => "it did not answer in time".into(),
        ureq::Error::Timeout(_) => "it took too long".into(),
        ureq::Error::HostNotFound => NO_HOST.into(),
        ureq::Error::ConnectProxyFailed(reason) => proxy_reason(reason),
        ureq::Error::Protocol(_) => "what it sent is not HTTP".into(),
        ureq::Error::Rustls(error) => tls_reason(error),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => {
            "its address is not usable".into()
        }
        ureq::Error::ConnectionFailed => "no connection came about".into(),
        error => error.to_string(),
    }
}

const NO_HOST: &str = "there is no host of this name";

/// Why reading or writing failed.
pub(super) fn io_reason(error: &std::io::Error) -> String {
    // An error of a lower layer is wrapped inside.
    if let Some(inner) = error.get_ref() {
        if let Some(error) = inner.downcast_ref::<ureq::Error>() {
            return reason(error);
        }
        if let Some(error) = inner.downcast_ref::<rustls::Error>() {
            return tls_reason(error);
        }
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => "nothing answers at that port".into(),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => "it hung up".into(),
        ErrorKind::UnexpectedEof => "it hung up before the end".into(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "it did not answer in time".into(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "no network leads there".into(),
        _ if error.to_string().starts_with("failed to lookup") => NO_HOST.into(),
        _ => error.to_string(),
    }
}

/// The answer of a proxy that did not connect.
fn proxy_reason(reason: &str) -> String {
    let Some(status) = reason.strip_prefix("proxy server responded ").and_then(|rest| rest.split('/').next()) else {
        return reason.to_owned();
    };
    match status {
        "407" => {
            "it asks for a user and a password (status 407); write them as in http://user:password@proxy:8080".into()
        }
        status => format!("it answered with status {status}"),
    }
}

/// Why there is no secure connection, with a remedy if one is known.
pub(super) fn tls_reason(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what answers there does not speak TLS; if the server is meant to have none, write http://".into()
        }
        rustls::Error::InvalidCertificate(error) => certificate_reason(error),
        rustls::Error::AlertReceived(_) => "the server refused the connection".into(),
        error => error.to_string(),
    }
}

fn certificate_reason(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired".into(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; is this machine's clock right?".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name".into()
        }
        CertificateError::Revoked => "its certificate was revoked".into(),
        CertificateError::Other(other) if is_authority(&other.0) => {
            "its certificate is an authority's own (CA:TRUE), which no server may use; make one for the server, either signed by \
             that authority or self-signed with basicConstraints=CA:FALSE and subjectAltName, and name the signer with --ca-file"
                .into()
        }
        _ => "its certificate is not one that can be trusted".into(),
    }
}

/// Whether the certificate is that of an authority, which only the name of the certificate checker's error shows.
fn is_authority(error: &std::sync::Arc<dyn StdError + Send + Sync>) -> bool {
    error.to_string().contains("CaUsedAsEndEntity") || format!("{error:?}").contains("CaUsedAsEndEntity")
}
