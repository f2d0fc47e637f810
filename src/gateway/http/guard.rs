//! Who may ask over TCP: whoever shows an access token, and no web page of somebody else's.
//!
//! Anybody on the machine can connect, and so can a page in a browser there. A name that its owner
//! points at this machine (DNS rebinding) is not a name of this door, and an `Origin` other than the
//! door itself is a page from elsewhere; both are refused before the token is looked at.

use super::error::Refusal;
use super::{Caller, is_open_path};
use crate::client::json::code;
use crate::service::{Holder, Service};
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

/// What is checked of every request that comes over TCP.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) service: Service,
    /// Whether the connection is encrypted: then its client has checked the certificate's names.
    pub(super) tls: bool,
}

/// Lets a request through, with a note of who asks, or refuses it and closes the connection.
pub(super) async fn check(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Response {
    match guard.caller(&request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => {
            let mut answer = refusal.into_response();
            let headers = answer.headers_mut();
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            if answer.status() == StatusCode::UNAUTHORIZED {
                let scheme = HeaderValue::from_static("Bearer realm=\"meshmq\"");
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            }
            answer
        }
    }
}

impl Guard {
    fn caller(&self, request: &Request) -> Result<Caller, Refusal> {
        let host = host_of(request)?;
        if !self.tls && !is_of_this_machine(&host) {
            return Err(refused_host(host.host()));
        }
        if let Some(origin) = only(request.headers(), &header::ORIGIN)? {
            let scheme = if self.tls { "https" } else { "http" };
            if !origin.eq_ignore_ascii_case(&format!("{scheme}://{host}")) {
                let detail = format!("a page of `{origin}` may not use this node");
                return Err(Refusal::new(StatusCode::FORBIDDEN, code::BAD_ORIGIN, detail));
            }
        }
        let shown = bearer(request.headers())?;
        let holder = shown.and_then(|text| self.service.holder_of(text));
        match holder {
            Some(Holder::File) => Ok(Caller { token: None, is_local: false }),
            Some(Holder::Named(id)) => Ok(Caller { token: Some(id), is_local: false }),
            None if shown.is_none() && is_open_path(request.uri().path()) => {
                Ok(Caller { token: Some(String::new()), is_local: false })
            }
            None => Err(unauthorized(shown.is_some())),
        }
    }
}

/// The authority that the request is for: of its target if that names one, else of `Host`.
fn host_of(request: &Request) -> Result<Authority, Refusal> {
    let named = only(request.headers(), &header::HOST)?;
    if let Some(authority) = request.uri().authority() {
        return Ok(authority.clone());
    }
    let read = named.and_then(|text| text.parse::<Authority>().ok());
    read.filter(|host| !host.as_str().contains('@')).ok_or_else(|| {
        Refusal::new(StatusCode::BAD_REQUEST, code::BAD_HOST, "the request has no good `Host`")
    })
}

/// A name of this machine that nobody else can point elsewhere: `localhost`, or an address.
fn is_of_this_machine(authority: &Authority) -> bool {
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// The one value of a header; twice is an attempt to be read in two ways.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal::bad_request(format!("the request has `{name}` twice")));
    }
    let text = first.map(HeaderValue::to_str).transpose();
    text.map_err(|_| Refusal::bad_request(format!("`{name}` is no text")))
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let Some(value) = only(headers, &header::AUTHORIZATION)? else { return Ok(None) };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    Ok(Some(if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" }))
}

fn refused_host(host: &str) -> Refusal {
    let detail = format!("`{host}` is no name of this machine that the node answers to");
    Refusal::new(StatusCode::FORBIDDEN, code::BAD_HOST, detail)
        .hint("ask by its address or as `localhost`; by another name only over TLS")
}

fn unauthorized(has_token: bool) -> Refusal {
    let detail = if has_token {
        "the access token is not one of this node, or was revoked"
    } else {
        "this door wants an access token"
    };
    Refusal::new(StatusCode::UNAUTHORIZED, code::UNAUTHORIZED, detail).hint(
        "send `Authorization: Bearer TOKEN`; the token is in the file `token` of the node's \
         directory, and `meshmq token create` makes further ones",
    )
}

#[cfg(test)]
mod tests;
