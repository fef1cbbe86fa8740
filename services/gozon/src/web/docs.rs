//! The API's documentation: `/api/openapi.json`, and `/api/docs` to browse it with assets of our own.

use axum::Router;
use tower_http::compression::CompressionLayer;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::headers::{DOCS_POLICY, secured};

/// Where the document is.
const DOCUMENT: &str = "/api/openapi.json";

/// Both routes.
pub(super) fn router(document: OpenApi) -> Router {
    // The validator badge would be fetched from somebody else's host.
    let config = Config::new([DOCUMENT]).validator_url("none");
    let docs = SwaggerUi::new("/api/docs")
        .url(DOCUMENT, document)
        .config(config);
    secured(Router::from(docs), DOCS_POLICY).layer(CompressionLayer::new())
}
