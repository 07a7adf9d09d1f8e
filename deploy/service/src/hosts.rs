//! Checks the `Host` header against DNS rebinding.
//!
//! Guarantees: a request from a page of another site, whose host name resolves to this service, is refused, because the browser sends that
//! name. Accepted are loopback names, the address that the client connected to, and the configured names. Ports are ignored, because a
//! proxy or a port forwarding may be in between. The services respond 421.

use std::net::{IpAddr, Ipv6Addr};

use hyper::{Request, header, http::uri::Authority};
use serde::Deserialize;

use crate::client::Peer;

/// The configured host names, in lower case, without ports.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct AllowedHosts(Vec<String>);

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostError {
    /// The request has no `Host` header, several of them, or one that is no host name.
    Missing,
    /// The `Host` header or the target names a host that is not allowed.
    Unknown,
}

impl TryFrom<Vec<String>> for AllowedHosts {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        match names.iter().find(|name| !is_name(name)) {
            Some(wrong) => Err(format!("{wrong:?} is no host name; write names or addresses without port and path")),
            None => Ok(Self(names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect())),
        }
    }
}

impl AllowedHosts {
    /// Requires exactly one `Host` header with an allowed name; checks the authority of the request target too, if it has one. The address
    /// that the client connected to is that of the [`Peer`] in the extensions.
    pub fn check<B>(&self, request: &Request<B>) -> Result<(), HostError> {
        let mut named = request.headers().get_all(header::HOST).iter();
        let host = match (named.next(), named.next()) {
            (Some(host), None) => host.to_str().ok().filter(|host| !host.contains('@')).and_then(|host| host.parse().ok()),
            _ => None,
        };
        let host: Authority = host.ok_or(HostError::Missing)?;
        let local = request.extensions().get().map(|peer: &Peer| peer.local);
        let mut named = std::iter::once(&host).chain(request.uri().authority());
        if named.all(|authority| self.allows(authority.host(), local)) { Ok(()) } else { Err(HostError::Unknown) }
    }

    fn allows(&self, host: &str, local: Option<IpAddr>) -> bool {
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
        let is_ours = |address: IpAddr| {
            let address = address.to_canonical();
            address.is_loopback() || local.is_some_and(|local| address == local.to_canonical())
        };
        name == "localhost" || self.0.iter().any(|known| *known == name || known == bare) || bare.parse().is_ok_and(is_ours)
    }
}

/// Whether `text` is a host name or an address, without port and path.
fn is_name(text: &str) -> bool {
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let is_address = bracketed.map_or_else(|| text.parse::<IpAddr>().is_ok(), |text| text.parse::<Ipv6Addr>().is_ok());
    is_address
        || !text.contains(['*', '@'])
            && text.parse::<Authority>().is_ok_and(|authority| authority.host() == text && authority.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(uri: &str, hosts: &[&str]) -> bool {
        let [remote, local] = ["198.51.100.1", "192.0.2.1"].map(|address| address.parse().unwrap());
        let mut request = Request::builder().uri(uri).extension(Peer { remote, local });
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let known = ["Ingest.Example.org", "2001:db8::7", "192.0.2.7"].map(str::to_owned).to_vec();
        AllowedHosts::try_from(known).unwrap().check(&request.body(()).unwrap()).is_ok()
    }

    #[test]
    fn loopback_the_address_connected_to_and_configured_names_are_allowed_with_any_port() {
        for host in [
            "localhost",
            "LOCALHOST:8480",
            "127.0.0.1:1",
            "127.0.0.2",
            "[::1]:8480",
            "[::ffff:127.0.0.1]",
            "192.0.2.1:8480",
            "192.0.2.7:80",
            "ingest.example.org",
            "INGEST.example.org.:443",
            "[2001:db8::7]:80",
        ] {
            assert!(is_allowed("/live", &[host]), "{host}");
        }
    }

    #[test]
    fn every_other_host_is_refused_and_so_is_none_or_more_than_one() {
        for host in [
            "evil.example",
            "ingest.example.org.evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.0.2.2",
            "[::2]",
            "evil@localhost",
            "localhost@evil.example",
            "127.0.0.1@evil.example",
            "a b",
            "",
        ] {
            assert!(!is_allowed("/live", &[host]), "{host}");
        }
        assert!(!is_allowed("/live", &[]) && !is_allowed("/live", &["localhost", "localhost"]));
        assert!(!is_allowed("http://evil.example/live", &["localhost"]) && is_allowed("http://localhost/live", &["localhost"]));
    }

    #[test]
    fn a_configured_name_has_neither_port_nor_path() {
        assert!(["ingest.example.org", "192.0.2.1", "2001:db8::7", "[2001:db8::7]"].iter().all(|name| is_name(name)));
        assert!(!["", "a:80", "http://a", "a/b", "a b", "*", "a@b"].iter().any(|name| is_name(name)));
    }
}
