//! Who may be asked: a page of another site cannot reach the service under its own name.

use anyhow::{Result, ensure};

use super::{
    harness::{ONE, Place, answer},
    sample::{campaign_at, headcount},
};

#[tokio::test]
async fn only_requests_that_name_this_service_are_answered() -> Result<()> {
    let place = Place::new()?;
    let ingest = campaign_at(&place, &[("QAMTU__HTTP__HOSTS", "[\"ingest.example.org\"]")]).await?;
    let before = place.ends().await?;
    let http = reqwest::Client::new();
    for host in ["evil.example", "evil.example:8480", "127.0.0.1.evil.example", "192.0.2.1"] {
        let event = headcount("m-open", 5).to_string();
        let said = answer(ingest.request("/v1/events", ONE).header("host", host).body(event)).await?;
        ensure!(said.problem() == (421, "unknown-host", "-"), "{host}: {said:?}");
        for url in [&ingest.url, &ingest.health] {
            for route in ["/live", "/ready", "/metrics", "/nowhere"] {
                for hosts in [&[host][..], &["localhost", host], &[host, "localhost"]] {
                    let request = hosts.iter().fold(http.get(format!("{url}{route}")), |request, host| request.header("host", *host));
                    let said = answer(request).await?;
                    ensure!(said.problem() == (421, "unknown-host", "-"), "{hosts:?}{route}: {said:?}");
                }
            }
        }
    }
    ensure!(place.ends().await? == before);
    for host in ["localhost", "localhost:1", "127.0.0.1:9999", "[::1]", "ingest.example.org:443", "Ingest.Example.Org"] {
        let event = headcount("m-open", 5).to_string();
        let said = answer(ingest.request("/v1/events", ONE).header("host", host).body(event)).await?;
        ensure!(said.status == 202, "{host}: {said:?}");
    }
    ingest.stop().await
}
