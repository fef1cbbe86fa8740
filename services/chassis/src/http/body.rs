//! The request's body, read whole before the handler runs: its limit and deadline hold for every route alike.

use axum::{
    body::{Body, Bytes},
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::{BODY_BYTES_MAX, BODY_DEADLINE};
use crate::Problem;

/// How much of a body that is too large is still read, so that the client gets our answer and not a reset connection.
const DISCARDED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Reads the body and passes it on, or answers 413, 408 or 400.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let read = timeout(BODY_DEADLINE, read(body)).await;
    match read.unwrap_or_else(|_| Err(body_too_slow())) {
        Ok(bytes) => {
            next.run(Request::from_parts(parts, Body::from(bytes)))
                .await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn read(mut body: Body) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| body_incomplete())?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        length += data.len();
        if length <= BODY_BYTES_MAX {
            bytes.extend_from_slice(data);
        } else if length > DISCARDED_BYTES_MAX {
            break;
        }
    }
    if length > BODY_BYTES_MAX {
        return Err(body_too_large());
    }
    Ok(bytes.into())
}

/// 413.
pub(crate) fn body_too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "The body is too large",
    )
    .detail("A body is at most 16 KiB.")
}

/// 400 for a body that ended early.
pub(crate) const fn body_incomplete() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "body_incomplete",
        "The body could not be read to its end",
    )
}

/// 408 for a body that trickles.
fn body_too_slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "body_too_slow",
        "The body took too long to arrive",
    )
}
