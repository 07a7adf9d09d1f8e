//! The OpenAPI document of the interface for programs, served at `/v1/openapi.json`.
//!
//! Guarantees (tested): every dimension and measure is listed, as the slice query knows it.

use std::sync::LazyLock;

use axum::Json;
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::{problem, slices};
use crate::{
    dimension::Dimension,
    slice::Measure,
    slice_output::{SliceDocument, SliceRowDocument},
};

/// Paths and response schemas, collected by utoipa.
#[derive(OpenApi)]
#[openapi(
    info(title = "Qamtu analytics", description = "How many of the registered voters the meetings of a campaign reached."),
    paths(slices::slices, description),
    components(schemas(SliceDocument, SliceRowDocument, problem::Problem))
)]
struct Api;

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// Statuses of refusals, and when they occur.
const REFUSALS: [(u16, &str); 4] = [
    (400, "The query cannot be answered; `detail` says where the fault is."),
    (403, "The role of the reader does not include slices."),
    (404, "The service serves another campaign."),
    (503, "The facts are not read yet, or other requests took too long."),
];

fn document() -> Value {
    // INVARIANT: a description of plain values is always JSON.
    let mut document = serde_json::to_value(Api::openapi()).expect("plain values");
    let dimensions: Vec<&str> = Dimension::all().map(Dimension::name).collect();
    let of_people: Vec<&str> = Dimension::all().filter(|dimension| dimension.is_for_readers()).map(Dimension::name).collect();
    let shown = Measure::all().filter(|measure| measure.is_for_readers());
    let measures: String = shown.map(|measure| format!("\n- `{}`: {}", measure.name(), measure.meaning())).collect();
    let operation = &mut document["paths"]["/v1/campaigns/{campaign}/slices"]["get"];
    for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
        let more = match parameter["name"].as_str() {
            Some("by") => format!(" Dimensions: {}. Figures of people: {}.", dimensions.join(", "), of_people.join(", ")),
            Some("measures") => format!(" Measures:{measures}"),
            _ => continue,
        };
        let description = format!("{}{more}", parameter["description"].as_str().unwrap_or_default());
        parameter["description"] = json!(description);
    }
    for (status, description) in REFUSALS {
        operation["responses"][status.to_string()] = json!({
            "description": description,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        });
    }
    document
}

/// This OpenAPI document.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    operation_id = "describe",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value, content_type = "application/json"))
)]
pub(super) async fn description() -> Json<&'static Value> {
    Json(&DOCUMENT)
}
