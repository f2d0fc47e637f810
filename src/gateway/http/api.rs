//! The description of the door in OpenAPI, made from the same handlers that serve it.

use crate::client::json::Problem;
use crate::service::limits::LABEL_MAX;
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

/// A queue, or `queue@node`.
const ADDRESS: &str = "[A-Za-z0-9._-]{1,124}(@[a-z0-9~-]{1,128})?";

/// The id of a message: three numbers of 64 bits in base 32.
fn message_id() -> String {
    let digit = "[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]";
    let number = format!("([0-9A-Fa-f]{digit}{{12}}|{digit}{{1,12}})");
    format!("^{number}-{number}-{number}$")
}

/// At most so many characters in percent-encoding: printable ASCII stands for itself or is encoded,
/// every other character is encoded byte by byte.
fn encoded_text(max: usize) -> String {
    let (hex, next) = ("[0-9A-Fa-f]", "%[89ABab][0-9A-Fa-f]");
    let of_two = format!("%([Cc][2-9A-Fa-f]|[Dd]{hex}){next}");
    let of_three =
        format!("%([Ee]0%[ABab]{hex}|[Ee][1-9A-CEFa-cef]{next}|[Ee][Dd]%[89]{hex}){next}");
    let of_four = format!("%([Ff]0%[9ABab]{hex}|[Ff][1-3]{next}|[Ff]4%8{hex}){next}{next}");
    format!("^([ -$&-~]|%[0-7]{hex}|{of_two}|{of_three}|{of_four}){{0,{max}}}$")
}

/// The pattern of a parameter that several calls have, or that a formula makes.
fn pattern(path: &str, operation: &str, parameter: &str) -> Option<String> {
    match parameter {
        "queue" if operation == "messages_send" => Some(format!("^{ADDRESS}(,{ADDRESS})*$")),
        "queue" => Some(format!("^{ADDRESS}$")),
        "id" if !path.starts_with("/v1/tokens") => Some(message_id()),
        "Meshmq-Label" => Some(encoded_text(LABEL_MAX)),
        _ => None,
    }
}

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
    let operations =
        document["paths"].as_object_mut().into_iter().flatten().flat_map(|(path, item)| {
            item.as_object_mut()
                .into_iter()
                .flat_map(|item| item.values_mut())
                .map(move |one| (path, one))
        });
    for (path, operation) in operations {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        // A parameter is left out or there; it is never null.
        for parameter in
            operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten()
        {
            if let Some(types) = parameter["schema"]["type"].as_array_mut() {
                types.retain(|name| name != "null");
            }
            let name = parameter["name"].as_str().unwrap_or_default();
            if let Some(pattern) = pattern(path, &id, name) {
                parameter["schema"]["pattern"] = pattern.into();
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
