//! `/openapi.json` against the door: the same paths, the same methods, the same answers.

use crate::common::{Http, TestNode};
use crate::tcp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

async fn document(http: &mut Http) -> Value {
    http.get("/openapi.json").await.expect(200)
}

/// Paths and their methods, with something in place of every parameter.
fn calls(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let paths = document["paths"].as_object().expect("paths");
    let methods = |item: &Value| item.as_object().expect("methods").keys().cloned().collect();
    paths.iter().map(|(path, item)| (path.clone(), methods(item))).collect()
}

fn filled(path: &str) -> String {
    path.replace("{queue}", "q").replace("{id}", "1-2-3").replace("{token}", "0-0")
}

#[tokio::test]
async fn every_documented_call_is_there_and_no_other() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    let document = document(&mut http).await;
    assert_eq!(document["openapi"], "3.1.0");
    for (path, methods) in calls(&document) {
        if path.ends_with("/stream") || path.ends_with("/events") {
            continue;
        }
        for method in METHODS {
            let dangerous = ["/v1/shutdown", "/v1/leave"].contains(&path.as_str());
            if dangerous && methods.contains(method) {
                continue;
            }
            let answer = http.call(&method.to_uppercase(), &filled(&path), None).await;
            let is_there = answer.json["code"] != "no_such_path";
            assert_eq!(is_there, methods.contains(method), "{method} {path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn the_reference_page_has_the_same_calls() {
    let node = TestNode::start("pc-a").await;
    let document = document(&mut node.connect().await).await;
    let described: BTreeSet<String> = calls(&document)
        .into_iter()
        .flat_map(|(path, methods)| {
            methods.into_iter().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let page = include_str!("../../docs/reference/http.md");
    let table = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let listed: BTreeSet<String> = table
        .map(|(call, _)| call.split('?').next().unwrap_or_default().to_owned())
        .filter(|call| call.contains(" /"))
        .collect();
    assert_eq!(listed, described);
}

/// Every object of an answer that refuses unknown fields has only known ones, and all required.
fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().expect("a name");
        let found = &document["components"]["schemas"][name];
        assert!(found.is_object(), "{at}: there is no schema {name}");
        return check(document, found, value, at);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        check(document, part, value, at);
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().expect("a name");
        assert!(value.get(name).is_some(), "{at}: `{name}` is missing in {value}");
    }
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            check(document, part, value, &format!("{at}/{name}"));
        }
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        check(document, &schema["items"], value, &format!("{at}/{index}"));
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = types.contains(&is) || is == "integer" && types.contains(&"number");
    assert!(fits, "{at}: {value} is no {types:?}");
}

#[tokio::test]
async fn answers_are_as_described() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    let document = document(&mut http).await;
    let ask =
        async |http: &mut Http, method: &str, path: &str, body: Option<Value>, named: &str| {
            let answer = http.call(method, path, body).await;
            let operation = &document["paths"][named][method.to_lowercase()];
            let responses = &operation["responses"];
            let described =
                responses.get(answer.status.as_str()).unwrap_or_else(|| &responses["default"]);
            assert!(described.is_object(), "{method} {named}: {answer:?}");
            let content = &described["content"];
            if !answer.bytes.is_empty() {
                let schema = &content[&answer.media_type]["schema"];
                assert!(schema.is_object(), "{method} {named}: {} in {content}", answer.media_type);
                check(&document, schema, &answer.json, named);
            }
            answer.json
        };
    let queue = "/v1/queues/{queue}";
    ask(&mut http, "PUT", "/v1/queues/q", Some(json!({})), queue).await;
    ask(&mut http, "GET", "/v1/queues/q", None, queue).await;
    ask(&mut http, "GET", "/v1/queues/none", None, queue).await;
    ask(&mut http, "GET", "/v1/queues", None, "/v1/queues").await;
    let messages = "/v1/queues/{queue}/messages";
    let body = json!({"body": "x", "label": "l", "headers": {"k": "v"}, "reply_to": "a"});
    ask(&mut http, "POST", "/v1/queues/q/messages", Some(body.clone()), messages).await;
    let both = json!({"messages": [body, {}]});
    ask(&mut http, "POST", "/v1/queues/q/messages", Some(both), messages).await;
    ask(&mut http, "POST", "/v1/queues/q/messages", Some(json!({"bodi": 1})), messages).await;
    let page = ask(&mut http, "GET", "/v1/queues/q/messages?limit=1", None, messages).await;
    let next = page["next"].as_str().expect("there is more");
    let (rank, arrival) = next.split_once('-').expect("two numbers");
    // `after` is described as these many digits.
    assert!(rank.len() == 1 && (1..=19).contains(&arrival.len()), "{next}");
    let receive = "/v1/queues/{queue}/receive";
    let asked = Some(json!({"max": 3}));
    let got = ask(&mut http, "POST", "/v1/queues/q/receive", asked, receive).await;
    let tokens: Vec<_> = (0..3).map(|n| got["messages"][n]["lock"]["token"].clone()).collect();
    let asked = json!({"ack": [tokens[0]], "extend": [tokens[1]], "lease_s": 9, "nack": ["x-1"]});
    ask(&mut http, "POST", "/v1/locks/settle", Some(asked), "/v1/locks/settle").await;
    let asked = json!({"tokens": [tokens[1], tokens[2], tokens[2]]});
    ask(&mut http, "POST", "/v1/locks/ack", Some(asked), "/v1/locks/ack").await;
    for path in ["/v1/peers", "/v1/outgoing", "/v1/dead", "/v1/status", "/v1/tokens"] {
        ask(&mut http, "GET", path, None, path).await;
    }
    ask(&mut http, "GET", "/readyz?verbose", None, "/readyz").await;
    ask(&mut http, "GET", "/livez", None, "/livez").await;
    ask(&mut http, "POST", "/v1/invites", Some(json!({})), "/v1/invites").await;
    let labelled = Some(json!({"label": "x"}));
    ask(&mut http, "POST", "/v1/tokens", labelled, "/v1/tokens").await;
}

#[tokio::test]
async fn the_description_is_open_and_says_what_is_not() {
    let node = tcp::node().await;
    let mut http = node.connect_tcp().await.with("authorization", "Bearer wrong");
    http.get("/openapi.json").await.refused(401, "unauthorized");
    let stream = tokio::net::TcpStream::connect(node.tcp()).await.expect("the node listens");
    let mut http = Http::over(stream).await.with("host", "localhost");
    let document = document(&mut http).await;
    for (path, methods) in calls(&document) {
        for method in methods {
            let is_open = document["paths"][&path][&method]["security"] == json!([{}]);
            let stream = tokio::net::TcpStream::connect(node.tcp()).await.expect("it listens");
            let mut http = Http::over(stream).await.with("host", "localhost");
            let answer = http.call(&method.to_uppercase(), &filled(&path), None).await;
            assert_eq!(answer.status.as_u16() != 401, is_open, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn readiness_tells_what_it_was_judged_by() {
    let node = tcp::node().await;
    let mut http = node.connect().await;
    let verbose = http.get("/readyz?verbose").await.expect(200);
    assert_eq!(verbose["ready"], true);
    let checks = verbose["checks"].as_array().expect("a list");
    let names: Vec<_> =
        checks.iter().map(|check| check["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["running", "engine", "store", "disk", "links", "socket", "http"]);
    assert!(checks.iter().all(|check| check["ok"] == true), "{verbose}");
    assert_eq!(checks[6]["detail"].as_str(), node.ready().http.as_deref());
    http.get("/readyz?verbose=perhaps").await.refused(400, "bad_request");
    http.get("/readyz?verbose=false").await.expect(204);
}
