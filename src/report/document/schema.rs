//! The schema of the document.

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::Document;
use crate::formats::FORMATS;

/// The JSON Schema (draft 2020-12) of the report, from the types and their doc comments.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Document<'static>>();
    transform_subschemas(&mut without_null, &mut schema);
    schema.to_value()
}

/// The ids of the formats: those of the table, and the name of each.
pub(super) fn formats(_: &mut SchemaGenerator) -> Schema {
    let each = FORMATS.iter();
    let choices: Vec<Value> = each
        .map(|format| json!({ "type": "string", "const": format.id.id(), "description": format.name }))
        .collect();
    schemars::json_schema!({ "oneOf": choices })
}

/// A field without a value is left out, so that no field may be null.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|t| t != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(mut choices)) = schema.remove("anyOf") {
        choices.retain(|c| c != &json!({ "type": "null" }));
        match <[Value; 1]>::try_from(choices) {
            Ok([Value::Object(only)]) => only.into_iter().for_each(|(key, value)| {
                schema.insert(key, value);
            }),
            Ok([other]) => drop(schema.insert("anyOf".into(), json!([other]))),
            Err(several) => drop(schema.insert("anyOf".into(), Value::Array(several))),
        }
    }
    transform_subschemas(&mut without_null, schema);
}
