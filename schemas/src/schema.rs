//! Generates the JSON Schema of an event, one per type and version, as in `contracts/`.
//!
//! Guarantees: a schema is generated from the Rust types alone, describes the whole stored event in CloudEvents structured mode, and
//! allows no other fields. [`decode()`](crate::decode()) checks what it cannot express (national ids in a text, order of dates).

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use crate::{
    envelope::Envelope,
    event::{Data, EventType, Kind, attendance::HeadcountReportedV1},
};

impl EventType {
    /// All types in all versions, in the order of [`Kind::ALL`].
    pub fn all() -> impl Iterator<Item = EventType> {
        Kind::ALL.iter().flat_map(|kind| (1..=kind.latest()).map(|version| EventType { kind: *kind, version }))
    }

    /// The JSON Schema (2020-12) of an event of this type and version.
    pub fn schema(self) -> Schema {
        let mut generator = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(bound)).into_generator();
        let data = match (self.kind, self.version) {
            (Kind::HeadcountReported, 1) => generator.subschema_for::<HeadcountReportedV1>(),
            (kind, _) => Data::subschema(kind, &mut generator),
        };
        let mut event = Envelope::json_schema(&mut generator);
        let object = event.ensure_object();
        object.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("$id".into(), json!(format!("urn:qamtu:contract:{}:v{}", self.kind.name(), self.version)));
        object.insert("title".into(), json!(self.to_string()));
        object.insert("description".into(), json!("An event as stored: CloudEvents 1.0, structured mode."));
        let properties = object.entry("properties").or_insert_with(|| json!({}));
        properties["specversion"] = json!({"const": "1.0", "description": "CloudEvents version."});
        properties["type"] = json!({"const": self.to_string(), "description": "Name and version of the payload."});
        properties["data"] = data.to_value();
        if let Some(Value::Array(required)) = object.get_mut("required") {
            required.extend([json!("specversion"), json!("data")]);
        }
        object.insert("$defs".into(), Value::Object(definitions(&mut generator)));
        event
    }
}

/// Replaces Rust's integer formats, which validators do not know, by a maximum.
fn bound(schema: &mut Schema) {
    let maximum = match schema.get("format").and_then(Value::as_str) {
        Some("uint8") => u32::from(u8::MAX),
        Some("uint16") => u32::from(u16::MAX),
        Some("uint32") => u32::MAX,
        _ => return,
    };
    schema.remove("format");
    schema.ensure_object().entry("maximum").or_insert(json!(maximum));
}

fn definitions(generator: &mut SchemaGenerator) -> Map<String, Value> {
    // Replaced by the constant above.
    let mut definitions = generator.take_definitions(true);
    definitions.remove("EventType");
    definitions
}
