//! The page: the files of `frontend/dist`, part of the executable, and the index for every address of the page's own.

use std::borrow::Cow;

use axum::{
    Router,
    body::Body,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode, Uri,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{Html, IntoResponse, Response},
};
use chassis::Problem;
use rust_embed::{EmbeddedFile, RustEmbed};
use tower_http::compression::CompressionLayer;

use super::headers::{PAGE_POLICY, secured};

#[derive(RustEmbed)]
#[folder = "../../frontend/dist"]
struct Files;

const INDEX: &str = "index.html";

/// Files whose name changes with their contents.
const HASHED: &str = "assets/";

/// Prefixes under which there is no page, only APIs: an unknown address there is a mistake of a program.
const APIS: [&str; 3] = ["/api", "/ops/v1", "/ws"];

const NOT_BUILT: &str =
    "<!doctype html><title>Gozon</title><p>The page is not built: run make run.";

/// Everything that no other route takes.
pub(super) fn router() -> Router {
    secured(Router::new().fallback(page), PAGE_POLICY).layer(CompressionLayer::new())
}

async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if is_api(path) || !(method == Method::GET || method == Method::HEAD) {
        return Problem::not_found().into_response();
    }
    let name = path.trim_start_matches('/');
    if let Some(file) = Files::get(name) {
        return answer(name, &file, &headers);
    }
    if !is_navigation(&headers) && !name.is_empty() {
        return Problem::not_found().into_response();
    }
    match Files::get(INDEX) {
        Some(file) => answer(INDEX, &file, &headers),
        None => (StatusCode::SERVICE_UNAVAILABLE, Html(NOT_BUILT)).into_response(),
    }
}

fn is_api(path: &str) -> bool {
    APIS.iter().any(|api| {
        path.strip_prefix(api)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Whether a person goes to this address, rather than a document asking for one of its files.
fn is_navigation(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

fn answer(name: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let etag = etag(file);
    let cached = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|given| given.as_bytes() == etag.as_bytes());
    let mut response = if cached {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        contents(file)
    };
    let caching = if name.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let answered = response.headers_mut();
    answered.insert(ETAG, etag);
    answered.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

fn contents(file: &EmbeddedFile) -> Response {
    let body = match &file.data {
        Cow::Borrowed(bytes) => Body::from(*bytes),
        Cow::Owned(bytes) => Body::from(bytes.clone()),
    };
    let mut response = Response::new(body);
    if let Ok(media_type) = HeaderValue::from_str(file.metadata.mimetype()) {
        response.headers_mut().insert(CONTENT_TYPE, media_type);
    }
    response
}

/// Weak, for the answer may be compressed on its way.
fn etag(file: &EmbeddedFile) -> HeaderValue {
    let hash = file.metadata.sha256_hash();
    let half = hash.first_chunk().expect("the hash is 32 bytes long");
    let etag = format!("W/\"{:032x}\"", u128::from_be_bytes(*half));
    HeaderValue::from_str(&etag).expect("hexadecimal digits are a header value")
}

#[cfg(test)]
mod tests;
