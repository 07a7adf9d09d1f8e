//! Host check against DNS rebinding.
//!
//! Guarantees: a web page whose host name resolves to this machine reads nothing, since the `Host` header has its name. Allowed are
//! loopback names, the address the client connected to, and configured names; ports are ignored. Ingest and projector have the same rule.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Uri, header, uri::Authority},
    middleware::{self, Next},
    response::Response,
};

use super::{ErrorPage, headers};

/// The local address of a connection, an extension of each of its requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocalAddress(pub IpAddr);

/// The configured host names, in lower case.
#[derive(Debug, Clone)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// Host names or addresses without ports.
    pub fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect())
    }

    /// Whether a request has one `Host` header, which is allowed, and no other authority in its target; `local` is the address that the
    /// client connected to.
    pub fn allows(&self, uri: &Uri, headers: &HeaderMap, local: IpAddr) -> bool {
        let mut named = headers.get_all(header::HOST).iter();
        let host = match (named.next(), named.next()) {
            (Some(host), None) => host.to_str().ok().filter(|host| !host.contains('@')).and_then(|host| host.parse().ok()),
            _ => None,
        };
        host.is_some_and(|host: Authority| {
            std::iter::once(&host).chain(uri.authority()).all(|authority| self.is_allowed(authority.host(), local))
        })
    }

    fn is_allowed(&self, host: &str, local: IpAddr) -> bool {
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
        let is_local = |address: IpAddr| {
            let address = address.to_canonical();
            address.is_loopback() || address == local.to_canonical()
        };
        name == "localhost" || self.0.iter().any(|known| *known == name || known == bare) || bare.parse().is_ok_and(is_local)
    }
}

/// Adds the host check to a router.
pub(super) fn with_host_check(router: Router, hosts: Arc<AllowedHosts>) -> Router {
    router.layer(middleware::from_fn_with_state(hosts, check_host)).layer(middleware::map_response(headers::add_security_headers))
}

/// Responds 421 to a request for another host.
async fn check_host(State(hosts): State<Arc<AllowedHosts>>, request: Request, next: Next) -> Response {
    let local = request.extensions().get().copied();
    let is_allowed = local.is_some_and(|LocalAddress(local)| hosts.allows(request.uri(), request.headers(), local));
    if is_allowed { next.run(request).await } else { ErrorPage::Host.response(&request) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(uri: &str, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        let known = AllowedHosts::new(&["Coverage.Example.kz".to_owned(), "192.0.2.7".to_owned()]);
        known.allows(&uri.parse().unwrap(), &headers, "192.168.0.7".parse().unwrap())
    }

    #[test]
    fn only_loopback_the_local_address_and_configured_names_are_allowed() {
        for host in [
            "127.0.0.1:8490",
            "[::1]:8490",
            "192.168.0.7",
            "192.0.2.7:80",
            "localhost",
            "LOCALHOST:80",
            "coverage.example.kz",
            "coverage.example.kz.:443",
        ] {
            assert!(is_allowed("/ru", &[host]), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "localhost@evil.example",
            "127.0.0.1@evil.example",
            "192.168.0.8",
            "[::2]",
            "a b",
            "",
        ] {
            assert!(!is_allowed("/ru", &[host]), "{host}");
        }
        assert!(!is_allowed("/ru", &[]) && !is_allowed("/ru", &["localhost", "localhost"]));
        assert!(!is_allowed("http://evil.example/ru", &["localhost"]) && is_allowed("http://localhost/ru", &["localhost"]));
    }
}
