//! Schemas of events as clients send them, derived from those of the contract, which describe stored events.
//!
//! Differences: a person is named by `iin` or `phone`, or by a ready pseudonym; the server stamps `receivedtime` and `bodyhash`;
//! attributes that CloudEvents allows and the contract does not have are accepted.

use qamtu_schemas::EventType;
use serde_json::{Map, Value, json};

/// A `$ref` to a component schema of the document.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The schemas of all events and their parts by name; `Event` is any event.
pub(super) fn components() -> Map<String, Value> {
    let mut components = Map::new();
    let (mut any, mut mapping) = (Vec::new(), Map::new());
    for kind in EventType::all() {
        let mut event = kind.schema().to_value();
        if let Some(Value::Object(parts)) = event.as_object_mut().and_then(|event| event.remove("$defs")) {
            components.extend(parts);
        }
        let name = kind.to_string().trim_start_matches("qamtu.").to_owned();
        any.push(reference(&name));
        mapping.insert(kind.to_string(), json!(format!("#/components/schemas/{name}")));
        components.insert(name, sent(event));
    }
    components.remove("BodyHash");
    components.insert("Person".to_owned(), person());
    components["RollEntry"]["prefixItems"][0] = roll_person();
    components.insert("Event".to_owned(), json!({"oneOf": any, "discriminator": {"propertyName": "type", "mapping": mapping}}));
    components.values_mut().for_each(refer);
    components
}

/// Converts the schema of a stored event to that of a sent event.
fn sent(mut event: Value) -> Value {
    if let Some(event) = event.as_object_mut() {
        event.remove("$schema");
        event.remove("$id");
    }
    event["description"] = json!("An event as sent: CloudEvents 1.0. Instead of data, data_base64 may hold the same JSON in Base64.");
    event["required"] = json!(["specversion", "id", "type", "source", "time", "campaign", "data"]);
    let properties = &mut event["properties"];
    for name in ["recordedtime", "import"] {
        properties[name] = json!({"anyOf": [properties[name], {"type": "null"}]});
    }
    properties["receivedtime"] = json!({
        "type": ["string", "null"], "format": "date-time", "description": "The simulated clock of a synthetic campaign; otherwise the server stamps it."
    });
    properties["bodyhash"] = json!({"type": "null", "description": "The server computes it."});
    properties["datacontenttype"] = json!({"type": ["string", "null"], "pattern": "^[^/]+/([^;]*\\+)?[jJ][sS][oO][nN] *(;.*)?$"});
    event["propertyNames"] = json!({"pattern": "^[a-z0-9]+$"});
    event["additionalProperties"] = json!({
        "type": ["string", "number", "boolean", "null"], "description": "Any other attribute of CloudEvents; accepted and dropped."
    });
    event
}

fn iin() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["iin"],
        "properties": {"iin": {"type": "string", "maxLength": 64, "examples": ["850615101233"], "description": "A national id: twelve digits, in quotes."}},
    })
}

fn phone() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["phone"],
        "properties": {"phone": {"type": "string", "maxLength": 64, "examples": ["+77011234567"], "description": "A phone number; never counts as exact reach."}},
    })
}

fn person() -> Value {
    let ready = json!({
        "type": "object", "additionalProperties": false, "required": ["id", "strength"],
        "properties": {"id": {"$ref": "#/$defs/Pseudonym"}, "strength": {"$ref": "#/$defs/Strength"}},
        "description": "A ready pseudonym, made with the campaign's key.",
    });
    json!({"oneOf": [iin(), phone(), ready], "description": "A person; iin and phone become a pseudonym before anything is stored."})
}

fn roll_person() -> Value {
    json!({"oneOf": [iin(), phone(), {"$ref": "#/$defs/Pseudonym"}]})
}

/// Rewrites references within a schema to references to component schemas.
fn refer(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(target) if name == "$ref" => *target = target.replace("#/$defs/", "#/components/schemas/"),
                    value => refer(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(refer),
        _ => {}
    }
}
