//! Reverse proxies in front of the server.

use std::net::IpAddr;

use ipnet::IpNet;

/// A header field in which a proxy names the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The trusted proxies.
#[derive(Clone)]
pub(in crate::server) struct Proxies {
    pub(in crate::server) trusted: Vec<IpNet>,
    pub(in crate::server) header: ProxyHeader,
}

impl Proxies {
    /// Whether this address is a proxy's.
    pub(in crate::server) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address.to_canonical()))
    }
}
