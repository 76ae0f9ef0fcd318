//! The client of a request: the network address to which limits apply.
//!
//! Behind a proxy, every connection has the proxy's address. If the operator trusts the proxy, the header field that it
//! adds names the client. From other addresses, that field is ignored, because a client could write anything there.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::server::client::Client;
use crate::server::config::{Proxies, ProxyHeader};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    /// The client that [`identify`] found.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(of(&parts.extensions))
    }
}

/// The client of a request. Requests without a connection, in tests, share one client.
pub(super) fn of(extensions: &axum::http::Extensions) -> Client {
    extensions.get().copied().unwrap_or(Client::UNKNOWN)
}

/// The address at the other end of a request's connection.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self(address.ip().to_canonical())
    }
}

/// The address of the client of a request from `peer`: the last one on its path that is not a trusted proxy's.
fn origin(proxies: &Proxies, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut client = peer;
    let hops = match proxies.header {
        ProxyHeader::XForwardedFor => x_forwarded_for(headers),
        ProxyHeader::Forwarded => forwarded(headers),
    };
    for hop in hops.into_iter().rev() {
        if !proxies.trusts(client) {
            break;
        }
        // A hop that is not an address does not come from a proxy that knows its client's address.
        let Some(hop) = hop else { break };
        client = hop;
    }
    client
}

/// Stores the client of a request, for [`Client`] as a parameter of handlers.
pub(super) async fn identify(State(proxies): State<Proxies>, mut request: Request, next: Next) -> Response {
    if let Some(Peer(peer)) = request.extensions().get().copied() {
        let client = Client::new(origin(&proxies, peer, request.headers()));
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}

/// All values of a header field as one list, whose elements are separated by commas. Text in quotation marks stays whole.
fn elements(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let (mut elements, mut quoted) = (Vec::new(), false);
    for value in headers.get_all(name) {
        let mut element = String::new();
        for letter in String::from_utf8_lossy(value.as_bytes()).chars() {
            match letter {
                '"' => quoted = !quoted,
                ',' if !quoted => elements.push(std::mem::take(&mut element)),
                letter => element.push(letter),
            }
        }
        elements.push(element);
        quoted = false;
    }
    elements
}

fn x_forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    elements(headers, &X_FORWARDED_FOR).iter().map(|element| address(element)).collect()
}

/// RFC 7239, section 4.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let hop = |element: &String| {
        element.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then(|| address(value)).flatten()
        })
    };
    elements(headers, &header::FORWARDED).iter().map(hop).collect()
}

/// An address with or without a port and, for IPv6, brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(header: ProxyHeader, peer: &str, fields: &[(&'static str, &'static str)]) -> Client {
        let trusted = ["10.0.0.0/8", "fd00::/8", "127.0.0.1/32"].map(|text| text.parse().expect("a network")).to_vec();
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Client::new(origin(&Proxies { trusted, header }, peer.parse().expect("an address"), &headers))
    }

    fn ip(text: &str) -> Client {
        Client::new(text.parse().expect("an address"))
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let by_x = |peer, value| client(ProxyHeader::XForwardedFor, peer, &[("x-forwarded-for", value)]);
        assert_eq!(by_x("192.0.2.1", "198.51.100.7"), ip("192.0.2.1"));
        assert_eq!(by_x("10.1.2.3", "198.51.100.7"), ip("198.51.100.7"));
        // Entries from the client itself come before those that the proxies added.
        assert_eq!(by_x("10.1.2.3", "127.0.0.1, 203.0.113.9, 198.51.100.7, 10.9.9.9"), ip("198.51.100.7"));
        assert_eq!(by_x("10.1.2.3", "203.0.113.9, unknown"), ip("10.1.2.3"));
        assert_eq!(by_x("10.1.2.3", "198.51.100.7:4711"), ip("198.51.100.7"));
        assert_eq!(by_x("10.1.2.3", ""), ip("10.1.2.3"));
        let twice = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(client(ProxyHeader::XForwardedFor, "::ffff:10.1.2.3", &twice), ip("198.51.100.7"));
        // A field that the proxy does not write comes from the client.
        let other = [("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(client(ProxyHeader::XForwardedFor, "10.1.2.3", &other), ip("198.51.100.7"));
        assert_eq!(client(ProxyHeader::Forwarded, "10.1.2.3", &other), ip("203.0.113.9"));
    }

    #[test]
    fn the_standard_field_is_read_as_well() {
        let by = |value| client(ProxyHeader::Forwarded, "10.1.2.3", &[("forwarded", value)]);
        assert_eq!(by("for=192.0.2.60;proto=http;by=203.0.113.43"), ip("192.0.2.60"));
        assert_eq!(by("For=\"[2001:db8:1:2:3::17]:4711\""), ip("2001:db8:1:2::"));
        assert_eq!(by("for=\"192.0.2.1, 192.0.2.2\", proto=https;for=198.51.100.7"), ip("198.51.100.7"));
        assert_eq!(by("for=_hidden"), ip("10.1.2.3"));
    }
}
