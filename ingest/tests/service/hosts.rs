//! Host check: a page of another site cannot reach the service under its own host name (DNS rebinding).

use anyhow::{Result, ensure};

use super::{
    harness::{ONE, TestEnv, execute},
    sample::{campaign_at, headcount},
};

#[tokio::test]
async fn only_requests_that_name_this_service_are_answered() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[("QAMTU__HTTP__HOSTS", "[\"ingest.example.org\"]")]).await?;
    let before = env.end_offsets().await?;
    let http = reqwest::Client::new();
    for host in ["evil.example", "evil.example:8480", "127.0.0.1.evil.example", "192.0.2.1"] {
        let event = headcount("m-open", 5).to_string();
        let response = execute(ingest.request("/v1/events", ONE).header("host", host).body(event)).await?;
        ensure!(response.problem() == (421, "unknown-host", "-"), "{host}: {response:?}");
        for url in [&ingest.url, &ingest.health] {
            for route in ["/live", "/ready", "/metrics", "/nowhere"] {
                for hosts in [&[host][..], &["localhost", host], &[host, "localhost"]] {
                    let request = hosts.iter().fold(http.get(format!("{url}{route}")), |request, host| request.header("host", *host));
                    let response = execute(request).await?;
                    ensure!(response.problem() == (421, "unknown-host", "-"), "{hosts:?}{route}: {response:?}");
                }
            }
        }
    }
    ensure!(env.end_offsets().await? == before);
    for host in ["localhost", "localhost:1", "127.0.0.1:9999", "[::1]", "ingest.example.org:443", "Ingest.Example.Org"] {
        let event = headcount("m-open", 5).to_string();
        let response = execute(ingest.request("/v1/events", ONE).header("host", host).body(event)).await?;
        ensure!(response.status == 202, "{host}: {response:?}");
    }
    ingest.stop().await
}
