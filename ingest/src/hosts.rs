//! Checks the `Host` header against DNS rebinding.
//!
//! Guarantees: a request from a page of another site, whose host name resolves to this service, gets 421, because the browser sends that
//! name. Accepted are loopback names, the address that the client connected to, and the configured names. Ports are ignored, because a
//! proxy or a port forwarding may be in between.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{HeaderMap, Uri, header, uri::Authority};

use crate::rejection::{Detail, ProblemCode, Rejection};

/// The configured host names, in lower case.
#[derive(Debug, Clone)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Host names or addresses, without ports.
    pub fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect())
    }

    /// Requires exactly one `Host` header with an accepted name; checks the authority of the request target too, if it has one.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap, local: IpAddr) -> Result<(), Rejection> {
        let mut named = headers.get_all(header::HOST).iter();
        let host = match (named.next(), named.next()) {
            (Some(host), None) => host.to_str().ok().filter(|host| !host.contains('@')).and_then(|host| host.parse().ok()),
            _ => None,
        };
        let host: Authority = host.ok_or_else(|| Rejection::new(ProblemCode::UnknownHost, Detail::HostMissing))?;
        match std::iter::once(&host).chain(uri.authority()).find(|authority| !self.accepts(authority.host(), local)) {
            None => Ok(()),
            Some(_) => Err(Rejection::new(ProblemCode::UnknownHost, Detail::HostUnknown)),
        }
    }

    fn accepts(&self, host: &str, local: IpAddr) -> bool {
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
        let is_ours = |address: IpAddr| {
            let address = address.to_canonical();
            address.is_loopback() || address == local.to_canonical()
        };
        name == "localhost" || self.0.iter().any(|known| *known == name || known == bare) || bare.parse().is_ok_and(is_ours)
    }
}

/// Whether `text` is a host name or an address, without port and path.
pub fn is_name(text: &str) -> bool {
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let is_address = bracketed.map_or_else(|| text.parse::<IpAddr>().is_ok(), |text| text.parse::<Ipv6Addr>().is_ok());
    is_address
        || !text.contains(['*', '@'])
            && text.parse::<Authority>().is_ok_and(|authority| authority.host() == text && authority.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(uri: &str, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        let known = Hosts::new(&["Ingest.Example.org".to_owned(), "2001:db8::7".to_owned()]);
        known.check(&uri.parse().unwrap(), &headers, "192.0.2.1".parse().unwrap()).is_ok()
    }

    #[test]
    fn loopback_the_address_connected_to_and_configured_names_are_accepted_with_any_port() {
        for host in [
            "localhost",
            "LOCALHOST:8480",
            "127.0.0.1:1",
            "127.0.0.2",
            "[::1]:8480",
            "[::ffff:127.0.0.1]",
            "192.0.2.1:8480",
            "ingest.example.org",
            "INGEST.example.org.:443",
            "[2001:db8::7]:80",
        ] {
            assert!(accepted("/live", &[host]), "{host}");
        }
    }

    #[test]
    fn every_other_host_is_refused_and_so_is_none_or_more_than_one() {
        for host in
            ["evil.example", "ingest.example.org.evil.example", "localhost.evil.example", "192.0.2.2", "[::2]", "evil@localhost", "a b", ""]
        {
            assert!(!accepted("/live", &[host]), "{host}");
        }
        assert!(!accepted("/live", &[]) && !accepted("/live", &["localhost", "localhost"]));
        assert!(!accepted("http://evil.example/live", &["localhost"]) && accepted("http://localhost/live", &["localhost"]));
    }

    #[test]
    fn a_configured_name_has_neither_port_nor_path() {
        assert!(["ingest.example.org", "192.0.2.1", "2001:db8::7", "[2001:db8::7]"].iter().all(|name| is_name(name)));
        assert!(!["", "a:80", "http://a", "a/b", "a b", "*", "a@b"].iter().any(|name| is_name(name)));
    }
}
