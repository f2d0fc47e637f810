//! Parts of the JSON's schema that its types cannot say by themselves.

use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

/// Names and values of headers.
pub(super) fn headers() -> Schema {
    let name = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(256))
        .pattern(Some(r"^[^\u0000-\u001f\u007f-\u009f]+$"));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property_names(Some(Schema::Object(name.build())))
        .additional_properties(Some(Schema::Object(
            ObjectBuilder::new().schema_type(Type::String).build(),
        )))
        .max_properties(Some(64))
        .build()
        .into()
}

const DELIVERIES: [&str; 3] = ["express", "recoverable", "transactional"];

/// How much a message survives.
pub(super) fn delivery() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(DELIVERIES)).build().into()
}

/// The same, or null for the usual.
pub(super) fn delivery_or_null() -> Schema {
    let values = DELIVERIES.map(Some).into_iter().chain([None]);
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
        .enum_values(Some(values.collect::<Vec<_>>()))
        .build()
        .into()
}
