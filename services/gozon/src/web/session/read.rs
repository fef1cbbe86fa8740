//! `GET /api/v1/session`: who one is.

use chassis::{Problem, extract::Json, identity::Session};

use super::SessionBody;

/// Ask who one is signed in as
#[utoipa::path(
    get,
    path = "/api/v1/session",
    tag = "session",
    security(("session" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "Signed in", body = SessionBody),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read_session(session: Session) -> Json<SessionBody> {
    Json(SessionBody::new(
        &session.principal,
        session.expires_at,
        None,
    ))
}
