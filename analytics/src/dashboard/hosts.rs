//! Under which names the service answers.
//!
//! Guarantees: a web page that has its own name lead to this machine (DNS rebinding) reads nothing, since its name stands in the request
//! and is not one of ours. Accepted are the loopback names, the address the client connected to, and the configured names; ports are not
//! compared. The rule is that of ingest and of the projector.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Uri, header, uri::Authority},
    middleware::{self, Next},
    response::Response,
};

use super::{ErrorPage, headers};

/// The address that a client connected to; noted with each of its requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocalAddress(pub IpAddr);

/// The configured names, in lower case.
#[derive(Debug, Clone)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// These names or addresses, without ports.
    pub fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect())
    }

    /// Whether a request names one host, this one, and its target no other; `local` is the address that the client connected to.
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
        let is_ours = |address: IpAddr| {
            let address = address.to_canonical();
            address.is_loopback() || address == local.to_canonical()
        };
        name == "localhost" || self.0.iter().any(|known| *known == name || known == bare) || bare.parse().is_ok_and(is_ours)
    }
}

/// A router that answers under these names alone.
pub(super) fn with_host_check(router: Router, hosts: Arc<AllowedHosts>) -> Router {
    router.layer(middleware::from_fn_with_state(hosts, check_host)).layer(middleware::map_response(headers::add_security_headers))
}

/// Refuses a request that does not name this host alone.
async fn check_host(State(hosts): State<Arc<AllowedHosts>>, request: Request, next: Next) -> Response {
    let local = request.extensions().get().copied();
    let is_ours = local.is_some_and(|LocalAddress(local)| hosts.allows(request.uri(), request.headers(), local));
    if is_ours { next.run(request).await } else { ErrorPage::Host.response(&request) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(uri: &str, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        let known = AllowedHosts::new(&["Coverage.Example.kz".to_owned(), "192.0.2.7".to_owned()]);
        known.allows(&uri.parse().unwrap(), &headers, "192.168.0.7".parse().unwrap())
    }

    #[test]
    fn loopback_the_address_connected_to_and_configured_names_are_answered_and_no_others() {
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
            assert!(answered("/ru", &[host]), "{host}");
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
            assert!(!answered("/ru", &[host]), "{host}");
        }
        assert!(!answered("/ru", &[]) && !answered("/ru", &["localhost", "localhost"]));
        assert!(!answered("http://evil.example/ru", &["localhost"]) && answered("http://localhost/ru", &["localhost"]));
    }
}
