//! The client address, by which connections and other limits are shared.
//!
//! Guarantees: `X-Forwarded-For` is used only from a configured reverse proxy, and only the part that proxies wrote; otherwise it is
//! ignored, so that no client can choose its address. An IPv6 /64 network is one client, since its owner has all of its addresses.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hyper::HeaderMap;

/// The two addresses of a connection, stored in the extensions of its requests.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Address of the other end.
    pub remote: IpAddr,
    /// Address of this end.
    pub local: IpAddr,
}

/// A client for fair sharing: an IPv4 address or an IPv6 /64 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            v4 => v4,
        })
    }
}

impl ClientAddress {
    /// The client of a request: the last address of `X-Forwarded-For` that is no trusted proxy, if a trusted proxy sent it.
    pub fn of(remote: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let is_trusted = |address: IpAddr| trusted.iter().any(|proxy| proxy.to_canonical() == address.to_canonical());
        if !is_trusted(remote) {
            return remote.into();
        }
        let values: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
        let hops = values.iter().flat_map(|value| value.split(',')).rev().map_while(|hop| address(hop.trim()));
        let (mut last, mut client) = (remote, None);
        for hop in hops {
            last = hop;
            if !is_trusted(hop) {
                client = Some(hop);
                break;
            }
        }
        client.unwrap_or(last).into()
    }
}

/// Parses an address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn of(remote: &str, forwarded: &[&str]) -> ClientAddress {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        ClientAddress::of(ip(remote), &headers, &[ip("10.0.0.1"), ip("10.0.0.2")])
    }

    #[test]
    fn only_a_trusted_proxy_sets_the_client_address() {
        let client = |text: &str| ClientAddress::from(ip(text));
        assert_eq!(of("192.0.2.7", &["198.51.100.1"]), client("192.0.2.7"));
        assert_eq!(of("10.0.0.1", &["198.51.100.1"]), client("198.51.100.1"));
        assert_eq!(of("::ffff:10.0.0.1", &["198.51.100.1:4711"]), client("198.51.100.1"));
        // Proxies append to the right of what the client wrote.
        assert_eq!(of("10.0.0.1", &["203.0.113.9, 198.51.100.1, 10.0.0.2"]), client("198.51.100.1"));
        assert_eq!(of("10.0.0.1", &["203.0.113.9", "198.51.100.1"]), client("198.51.100.1"));
        assert_eq!(of("10.0.0.1", &["198.51.100.1, unknown"]), client("10.0.0.1"));
        assert_eq!(of("10.0.0.1", &[]), client("10.0.0.1"));
    }

    #[test]
    fn an_ipv6_network_is_one_client_and_a_mapped_address_its_ipv4_one() {
        assert_eq!(ClientAddress::from(ip("2001:db8:1:2::1")), ClientAddress::from(ip("2001:db8:1:2:ffff::9")));
        assert_ne!(ClientAddress::from(ip("2001:db8:1:2::1")), ClientAddress::from(ip("2001:db8:1:3::1")));
        assert_eq!(ClientAddress::from(ip("::ffff:192.0.2.7")), ClientAddress::from(ip("192.0.2.7")));
    }
}
