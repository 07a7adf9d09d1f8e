//! The OpenAPI document of the HTTP interface, served at `/v1/openapi.json`.
//!
//! Guarantees: event schemas are derived from the contract, as clients send events (see [`events`]). Every status of every path is listed,
//! derived from the closed list of problem codes. Tests validate real responses against the document.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::Json;
use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::{
    outcomes,
    rejection::{Language, ProblemCode},
    response, routes,
};

mod events;

/// Paths, methods and response schemas, collected by utoipa.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Qamtu ingest",
        description = "Takes events about a campaign's meetings, durably. Raw identifiers of attendees become pseudonyms in memory and are never stored.",
    ),
    paths(routes::events::submit, routes::roll::submit, routes::health::live, routes::health::ready, description),
    components(schemas(response::Accepted, response::BatchOutcomes, response::StreamSummary, outcomes::LineRange, response::ProblemBody))
)]
struct Api;

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// The complete document: utoipa's output, event schemas and refusals.
fn document() -> Value {
    // INVARIANT: a description of plain values is always JSON.
    let mut document = serde_json::to_value(Api::openapi()).expect("plain values");
    let codes: Vec<&str> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
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
    let responses = ["Accepted", "BatchOutcomes", "StreamSummary"].map(events::reference);
    document["paths"]["/v1/events"]["post"]["responses"]["200"]["content"]["application/json"]["schema"] = json!({"anyOf": responses});
    refusals(&mut document);
    document
}

/// Adds the problem responses of every operation.
fn refusals(document: &mut Value) {
    let mut codes_by_status: BTreeMap<u16, Vec<ProblemCode>> = BTreeMap::new();
    for code in ProblemCode::ALL.iter().filter(|code| !matches!(code, ProblemCode::NotFound | ProblemCode::MethodNotAllowed)) {
        codes_by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    for (address, methods) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            for (status, codes_by_status) in &codes_by_status {
                // GET operations refuse only the host, or fail.
                let possible = method == "post" || *status == 421 || *status == 500 || *status == 503 && address == "/ready";
                if possible {
                    let list: Vec<String> =
                        codes_by_status.iter().map(|code| format!("`{}`: {}", code.as_str(), code.title(Language::En))).collect();
                    operation["responses"][status.to_string()] = json!({
                        "description": list.join("; "),
                        "content": {"application/problem+json": {"schema": events::reference("Problem")}},
                    });
                }
            }
        }
    }
}

/// This OpenAPI document.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    operation_id = "describe",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value, content_type = "application/json"))
)]
pub async fn description() -> Json<&'static Value> {
    Json(&DOCUMENT)
}
