//! Under which names the service answers.
//!
//! Guarantees: a web page that has its own name lead to this machine (DNS rebinding) reads nothing, since its name stands in the request
//! and is not one of ours. Addresses are no names and cannot be led elsewhere, so a request by address is answered, as health checks send
//! it.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{header, uri::Authority},
    middleware::{self, Next},
    response::Response,
};

use super::{Refusal, headers};

/// The name of this machine for itself, answered always.
const LOCAL: &str = "localhost";

/// Host names that are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(BTreeSet<String>);

impl Hosts {
    /// These names, in any case, beside `localhost`.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a String>) -> Self {
        Self(names.into_iter().map(|name| plain(name)).chain([LOCAL.to_owned()]).collect())
    }

    /// Whether a host, with or without a port, is answered.
    pub fn answers(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = plain(authority.host());
        let address = name.trim_start_matches('[').trim_end_matches(']');
        // Whoever puts a name before the address (`user@`) is no browser that asks for a page of ours.
        !host.contains('@') && (address.parse::<IpAddr>().is_ok() || self.0.contains(&name))
    }
}

/// A name as it is compared.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// A router that answers under these names alone.
pub(super) fn guarded(router: Router, hosts: Arc<Hosts>) -> Router {
    router.layer(middleware::from_fn_with_state(hosts, named)).layer(middleware::map_response(headers::protected))
}

/// Refuses a request that names another host, or none.
async fn named(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(Authority::as_str));
    if host.is_some_and(|host| hosts.answers(host)) { next.run(request).await } else { Refusal::Host.answer(&request) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_configured_names_are_answered_and_no_others() {
        let hosts = Hosts::of(&["Coverage.Example.kz".to_owned()]);
        for host in
            ["127.0.0.1:8490", "[::1]:8490", "192.168.0.7", "localhost", "LOCALHOST:80", "coverage.example.kz", "coverage.example.kz.:443"]
        {
            assert!(hosts.answers(host), "{host}");
        }
        for host in
            ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "localhost@evil.example", "127.0.0.1@evil.example", ""]
        {
            assert!(!hosts.answers(host), "{host}");
        }
    }
}
