//! The description of the HTTP interface, served at `/v1/openapi.json`.
//!
//! Guarantees: the schemas of events are made from the contract, as clients send them (see [`events`]); every status of every address
//! is listed, since refusals are made from the closed list of reasons. Tests validate real answers against it.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::Json;
use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::{answer, rejection::Language, rejection::Reason, routes};

mod events;

/// What the code says by itself: addresses, methods, answers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Qamtu ingest",
        description = "Takes events about a campaign's meetings, durably. Raw identifiers of attendees become pseudonyms in memory and are never stored.",
    ),
    paths(routes::events::submit, routes::roll::submit, routes::health::live, routes::health::ready, description),
    components(schemas(answer::Accepted, answer::Fates, answer::Tally, answer::LineRange, answer::ProblemBody))
)]
struct Api;

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// The whole description.
fn document() -> Value {
    // INVARIANT: a description of plain values is always JSON.
    let mut document = serde_json::to_value(Api::openapi()).expect("plain values");
    let codes: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    let schemas = &mut document["components"]["schemas"];
    schemas["Failure"]["properties"]["code"] = json!({"type": "string", "enum": codes, "description": "The code of a problem."});
    if let Some(schemas) = schemas.as_object_mut() {
        schemas.extend(events::components());
    }
    let one = events::reference("Event");
    let all = json!({"type": "array", "items": one});
    let requests = &mut document["paths"]["/v1/events"]["post"]["requestBody"]["content"];
    requests["application/cloudevents+json"]["schema"] = one.clone();
    requests["application/cloudevents-batch+json"]["schema"] = all.clone();
    requests["application/json"]["schema"] = json!({"oneOf": [one, all]});
    document["paths"]["/v1/events"]["post"]["parameters"][0]["schema"] = json!({"type": "string", "enum": ["all-or-nothing", "keep-good"]});
    let answers = ["Accepted", "Fates", "Tally"].map(events::reference);
    document["paths"]["/v1/events"]["post"]["responses"]["200"]["content"]["application/json"]["schema"] = json!({"anyOf": answers});
    refusals(&mut document);
    document
}

/// Adds every status that an address may refuse a request with.
fn refusals(document: &mut Value) {
    let mut reasons: BTreeMap<u16, Vec<Reason>> = BTreeMap::new();
    for reason in Reason::ALL.iter().filter(|reason| !matches!(reason, Reason::NotFound | Reason::MethodNotAllowed)) {
        reasons.entry(reason.status().as_u16()).or_default().push(*reason);
    }
    for (address, methods) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            for (status, reasons) in &reasons {
                // Without a body there is nothing to refuse but the connection itself.
                let possible = method == "post" || *status == 421 || *status == 500 || *status == 503 && address == "/ready";
                if possible {
                    let list: Vec<String> =
                        reasons.iter().map(|reason| format!("`{}`: {}", reason.code(), reason.title(Language::En))).collect();
                    operation["responses"][status.to_string()] = json!({
                        "description": list.join("; "),
                        "content": {"application/problem+json": {"schema": events::reference("Problem")}},
                    });
                }
            }
        }
    }
}

/// This description.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    operation_id = "describe",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value, content_type = "application/json"))
)]
pub async fn description() -> Json<&'static Value> {
    Json(&DOCUMENT)
}
