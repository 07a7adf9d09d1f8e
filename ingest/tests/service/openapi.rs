//! The OpenAPI document is correct: it accepts what clients send, and real responses conform to it.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use jsonschema::Validator;
use qamtu_schemas::testing;
use serde_json::{Value, json};

use super::{
    harness::{BATCH, Ingest, LINES, ONE, Response, TestEnv, execute, lines},
    sample::{IIN, attendance, campaign_at, event, headcount, planned, with},
};

/// The OpenAPI document of a running service.
struct Description(Value);

impl Description {
    async fn of(ingest: &Ingest) -> Result<Self> {
        Ok(Self(ingest.get("/v1/openapi.json").await?.body))
    }

    fn validator(&self, schema: &Value) -> Result<Validator> {
        let mut schema = schema.clone();
        schema["components"] = self.0["components"].clone();
        Ok(jsonschema::validator_for(&schema)?)
    }

    fn event(&self) -> Result<Validator> {
        self.validator(&json!({"$ref": "#/components/schemas/Event"}))
    }

    /// Checks status, media type and body of a response against the document.
    fn allows(&self, route: &str, method: &str, response: &Response) -> Result<()> {
        let listed = &self.0["paths"][route][method]["responses"][response.status.to_string()];
        ensure!(listed.is_object(), "{method} {route}: {} is not listed: {response:?}", response.status);
        let kind = response.headers["content-type"].to_str()?.split(';').next().unwrap_or_default();
        let schema = &listed["content"][kind]["schema"];
        ensure!(schema.is_object(), "{method} {route}: {kind} is not listed for {}", response.status);
        let validator = self.validator(schema)?;
        let errors: Vec<String> =
            validator.iter_errors(&response.body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        ensure!(errors.is_empty(), "{method} {route}: {errors:?}: {response:?}");
        Ok(())
    }
}

#[tokio::test]
async fn real_answers_are_as_the_description_says() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let description = Description::of(&ingest).await?;
    for route in ["/live", "/ready", "/v1/openapi.json"] {
        description.allows(route, "get", &ingest.get(route).await?)?;
    }
    let (good, wrong, later) = (headcount("m-open", 5), planned("m-9", "NOBODY"), headcount("m-later", 5));
    let conflict = with(good.clone(), "source", "others");
    let large = with(good.clone(), "source", "x".repeat(1 << 20));
    let requests: Vec<(u16, &str, &str, String)> = vec![
        (202, "/v1/events", ONE, good.to_string()),
        (200, "/v1/events", ONE, good.to_string()),
        (202, "/v1/events", "application/json", json!([later]).to_string()),
        (200, "/v1/events?on_error=keep-good", BATCH, json!([good, wrong, 1]).to_string()),
        (200, "/v1/events", LINES, lines(std::slice::from_ref(&good))),
        (207, "/v1/events", LINES, lines(&[good.clone(), wrong.clone(), headcount("m-none", 1)])),
        (400, "/v1/events", ONE, "{".to_owned()),
        (400, "/v1/events?on_error=never", ONE, good.to_string()),
        (409, "/v1/events", ONE, conflict.to_string()),
        (413, "/v1/events", ONE, large.to_string()),
        (415, "/v1/events", "text/plain", good.to_string()),
        (422, "/v1/events", ONE, wrong.to_string()),
        (422, "/v1/events", BATCH, json!([wrong]).to_string()),
        (200, "/v1/roll", LINES, String::new()),
        (207, "/v1/roll", LINES, lines(&[good])),
        (415, "/v1/roll", ONE, "{}".to_owned()),
    ];
    for (status, address, kind, body) in requests {
        let response = ingest.post_to(address, kind, body).await?;
        ensure!(response.status == status, "{address} {kind}: {response:?}");
        description.allows(address.split('?').next().unwrap_or_default(), "post", &response)?;
    }
    let encoded = ingest.request("/v1/events", ONE).header("content-encoding", "br").body("{}");
    description.allows("/v1/events", "post", &execute(encoded).await?)?;
    ingest.stop().await
}

#[tokio::test]
async fn the_description_describes_what_clients_send() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = env.start(&[]).await?;
    let description = Description::of(&ingest).await?;
    let schema = description.event()?;
    let mut types = BTreeSet::new();
    let names = ["smallest", "fullest", "odd"];
    for example in testing::examples()?.iter().filter(|example| names.contains(&example.name.as_str())) {
        let mut sent: Value = serde_json::from_slice(&example.bytes)?;
        let name = sent["type"].as_str().context("a type")?.to_owned();
        sent.as_object_mut().context("an event")?.retain(|name, _| name != "bodyhash" && name != "receivedtime");
        ensure!(schema.is_valid(&sent), "{name}: {:?}", schema.iter_errors(&sent).map(|error| error.to_string()).collect::<Vec<_>>());
        ensure!(!schema.is_valid(&with(sent.clone(), "bodyhash", "a".repeat(32))), "{name} with a body hash");
        ensure!(schema.is_valid(&with(sent.clone(), "subject", "x")), "{name} with a subject");
        ensure!(!schema.is_valid(&with(sent.clone(), "recordedTime", "x")), "{name} with a misspelt attribute");
        let mut more = sent.clone();
        more["data"]["unknown"] = json!(1);
        ensure!(!schema.is_valid(&more), "{name} with a field more");
        types.insert(name);
    }
    ensure!(types.len() > 20, "only {types:?}");
    let ready = json!({"id": "abcdefghijklmnopabcdefghijklmnop", "strength": "strong"});
    for person in [json!({"iin": IIN}), json!({"phone": "+77011234567"}), ready] {
        ensure!(schema.is_valid(&attendance("m", person.clone())), "{person}");
        let roll =
            json!({"precinct": "p", "version": 1, "strength": "strong", "voters": [[person.get("id").unwrap_or(&person), 1985, "f"]]});
        ensure!(schema.is_valid(&event("precinct.enrolled.v1", roll)), "{person} on a roll");
    }
    for person in
        [json!({}), json!({"name": "A"}), json!({"iin": 850_615_101_233_u64}), json!({"iin": IIN, "phone": "+77011234567"}), json!(IIN)]
    {
        ensure!(!schema.is_valid(&attendance("m", person.clone())), "{person}");
    }
    ingest.stop().await
}

#[tokio::test]
async fn operations_have_their_own_ids_and_every_reference_leads_somewhere() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = env.start(&[]).await?;
    let Description(document) = Description::of(&ingest).await?;
    let operations = document["paths"].as_object().into_iter().flatten().flat_map(|(_, methods)| methods.as_object().into_iter().flatten());
    let ids: Vec<_> = operations.map(|(_, operation)| operation["operationId"].as_str().unwrap_or_default().to_owned()).collect();
    let unique: BTreeSet<_> = ids.iter().collect();
    ensure!(ids.len() == 5 && unique.len() == 5 && !unique.contains(&String::new()), "{ids:?}");
    let mut values = vec![&document];
    let mut references = 0;
    while let Some(value) = values.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
                    references += 1;
                    ensure!(document.pointer(target.trim_start_matches('#')).is_some(), "{target} leads nowhere");
                }
                values.extend(fields.values());
            }
            Value::Array(items) => values.extend(items),
            _ => {}
        }
    }
    ensure!(references > 100, "{references}");
    ingest.stop().await
}
