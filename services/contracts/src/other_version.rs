//! Messages as a neighbouring version of the contracts writes them: without what is optional here, and with a field that
//! is unknown here. A test rolls between the two; a release cannot be built with it.

use serde::{Serialize, Serializer, ser::Error};

#[cfg(not(debug_assertions))]
compile_error!("the feature other-version is for tests: a release writes its own messages");

/// Fields that the other version has not heard of.
const LACKS: [&str; 3] = ["placed_at", "received_at", "requested_at"];

/// A field that only the other version has.
const CARRIES: (&str, &str) = ("gift_wrap", "blue");

/// Writes a message as the other version would.
pub(crate) fn write<D: Serialize, S: Serializer>(
    message: &D,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut json = serde_json::to_value(message).map_err(S::Error::custom)?;
    if let Some(fields) = json.as_object_mut() {
        fields.retain(|name, _| !LACKS.contains(&name.as_str()));
        fields.insert(CARRIES.0.to_owned(), CARRIES.1.into());
    }
    json.serialize(serializer)
}
