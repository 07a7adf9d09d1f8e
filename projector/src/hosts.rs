//! `Host` check against DNS rebinding.
//!
//! A page of another site whose name was made to resolve to this process gets 421, because its browser sends that name. Accepted are
//! loopback names, the address the client connected to, and the configured names; ports are not compared. Ingest uses the same rule.

use std::net::IpAddr;

use hyper::{HeaderMap, Uri, header, http::uri::Authority};

/// Configured names, in lower case, without ports.
#[derive(Debug, Clone)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// Accepts these names or addresses, besides loopback.
    pub fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect())
    }

    /// Whether the request has exactly one `Host`, an accepted one, and its target names no other host. `local`: address connected to.
    pub fn allows(&self, uri: &Uri, headers: &HeaderMap, local: IpAddr) -> bool {
        let mut named = headers.get_all(header::HOST).iter();
        let host = match (named.next(), named.next()) {
            (Some(host), None) => host.to_str().ok().filter(|host| !host.contains('@')).and_then(|host| host.parse().ok()),
            _ => None,
        };
        host.is_some_and(|host: Authority| {
            std::iter::once(&host).chain(uri.authority()).all(|authority| self.accepts(authority.host(), local))
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(uri: &str, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        let known = AllowedHosts::new(&["Projector.Example.org".to_owned(), "2001:db8::7".to_owned()]);
        known.allows(&uri.parse().unwrap(), &headers, "192.0.2.1".parse().unwrap())
    }

    #[test]
    fn only_loopback_local_and_configured_hosts_are_allowed() {
        for host in ["localhost:8485", "127.0.0.1", "[::1]:8485", "192.0.2.1:8485", "PROJECTOR.example.org.:443", "[2001:db8::7]:80"] {
            assert!(is_allowed("/metrics", &[host]), "{host}");
        }
        for host in ["evil.example", "projector.example.org.evil.example", "192.0.2.2", "[::2]", "evil@localhost", "a b", ""] {
            assert!(!is_allowed("/metrics", &[host]), "{host}");
        }
        assert!(!is_allowed("/metrics", &[]) && !is_allowed("/metrics", &["localhost", "localhost"]));
        assert!(!is_allowed("http://evil.example/metrics", &["localhost"]) && is_allowed("http://localhost/metrics", &["localhost"]));
    }
}
