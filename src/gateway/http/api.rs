//! The description of the door in OpenAPI, made from the same handlers that serve it.

use crate::client::json::Problem;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use utoipa::openapi::schema::{KnownFormat, SchemaFormat, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{self, Components, Content, ObjectBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi, PartialSchema, ToSchema};

/// What every call may answer instead.
pub(super) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
        let content = Content::new(Some(Ref::from_schema_name(Problem::name())));
        let answer = ResponseBuilder::new()
            .description("Refused or failed: see `code`")
            .content("application/problem+json", content)
            .build();
        BTreeMap::from([("default".to_owned(), RefOr::T(answer))])
    }
}

/// The bytes of a message as they are.
pub(super) struct Octets;

impl PartialSchema for Octets {
    fn schema() -> RefOr<openapi::Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
        RefOr::T(ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into())
    }
}

impl ToSchema for Octets {}

/// What the description begins with.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "MeshMQ",
        description = "The door of a MeshMQ node for programs. A session is a connection: what was \
                       received under locks returns to its queue when the connection closes."
    ),
    modifiers(&Bearer),
    security(("bearer" = [])),
    tags(
        (name = "messages", description = "Sending, receiving, settling, looking"),
        (name = "queues", description = "Queues of this node"),
        (name = "outgoing", description = "What waits for other nodes, and what died"),
        (name = "mesh", description = "Members, joining, leaving"),
        (name = "node", description = "The node itself"),
    )
)]
pub(super) struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = api.components.get_or_insert_with(Components::new);
        components.add_security_scheme("bearer", scheme);
        components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    }
}

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    let document = super::paths().into_openapi();
    let mut document = serde_json::to_value(document).expect("it has string keys only");
    refine(&mut document);
    Bytes::from(document.to_string())
});

/// Says what the types cannot: that a message has one body, that parameters are not null, and that a
/// request without a body is one with `{}` where nothing is required.
fn refine(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    let text = json!({"type": "string"});
    schemas["NewMessage"]["not"] = json!({
        "required": ["body", "body_base64"], "properties": {"body": text, "body_base64": text},
    });
    let schemas = schemas.clone();
    let is_free = |schema: &Value| {
        let name = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        name.is_some_and(|name| schemas[name].get("required").is_none())
    };
    let items = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in items.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()) {
        // A parameter is left out or there; it is never null.
        for parameter in
            operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten()
        {
            if let Some(types) = parameter["schema"]["type"].as_array_mut() {
                types.retain(|name| name != "null");
            }
        }
        if let Some(body) = operation.get_mut("requestBody")
            && is_free(&body["content"]["application/json"]["schema"])
        {
            body["required"] = false.into();
        }
    }
}

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", tag = "node", operation_id = "api_document", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object), Problems)
)]
pub(super) async fn document() -> Response {
    let media_type = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, media_type)], DOCUMENT.clone()).into_response()
}
