//! A JSON body on the original's paths: whatever is wrong with it is a 422 with `detail`.

use axum::extract::{FromRequest, Request};
use chassis::extract::Json;
use http::StatusCode;
use serde::de::DeserializeOwned;

use super::error::Error;

/// Extractor: the body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        match <Json<T> as FromRequest<S>>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(problem) => Err(match problem.status() {
                StatusCode::BAD_REQUEST
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
                | StatusCode::UNPROCESSABLE_ENTITY => {
                    Error::Invalid("The body is not the JSON object this request wants.".to_owned())
                }
                _ => Error::Failed(problem),
            }),
        }
    }
}
