//! A JSON body on the original's paths: whatever is wrong with it is a 422 with a `detail`.

use axum::extract::{FromRequest, Request};
use chassis::extract::Json;
use http::StatusCode;
use serde::de::DeserializeOwned;

use super::error::OriginalError;

/// Extractor: the body.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = OriginalError;

    async fn from_request(request: Request, state: &S) -> Result<Self, OriginalError> {
        match <Json<T> as FromRequest<S>>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(problem) => Err(match problem.status() {
                StatusCode::BAD_REQUEST
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
                | StatusCode::UNPROCESSABLE_ENTITY => OriginalError::Body,
                _ => OriginalError::Other(problem),
            }),
        }
    }
}
