//! Entity tags: an order's version, so that a client asks again without reading again, and changes what it has seen and
//! nothing else (RFC 9110, section 13).

use contracts::OrderId;
use http::{
    HeaderMap, HeaderValue,
    header::{IF_MATCH, IF_NONE_MATCH},
};
use sha2::{Digest, Sha256};

/// The entity tag of a version.
pub(super) fn of_version(version: i32) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).expect("digits in quotes are a header value")
}

/// The entity tag of a page of orders: nothing of an order changes without its version.
pub(super) fn of_page(
    versions: impl Iterator<Item = (OrderId, i32)>,
    next_cursor: Option<&str>,
) -> HeaderValue {
    let mut digest = Sha256::new();
    for (id, version) in versions {
        digest.update(id.as_uuid().as_bytes());
        digest.update(version.to_be_bytes());
    }
    digest.update(next_cursor.unwrap_or_default());
    let half: [u8; 16] = digest.finalize()[..16]
        .try_into()
        .expect("the digest has 32 bytes");
    HeaderValue::from_str(&format!("\"{:032x}\"", u128::from_be_bytes(half)))
        .expect("hexadecimal digits in quotes are a header value")
}

/// Whether the client already has what this tag stands for (weak comparison, as If-None-Match wants).
pub(super) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.trim_start_matches("W/").as_bytes() == tag.as_bytes())
}

/// The versions that a client expects an order to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected(Vec<String>);

impl Expected {
    /// Reads If-Match; none if it is not there.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(IF_MATCH);
        values.iter().next()?;
        let tags = values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|tag| tag.trim().to_owned());
        Some(Self(tags.collect()))
    }

    /// Whether this version is one of them (strong comparison, as If-Match wants: a weak tag is never the same).
    pub(super) fn includes(&self, version: i32) -> bool {
        let tag = of_version(version);
        let mut expected = self.0.iter();
        expected.any(|expected| expected == "*" || expected.as_bytes() == tag.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expected_version_is_recognised_only_as_itself() {
        for (header, expected) in [
            ("\"2\"", true),
            ("\"1\", \"2\"", true),
            ("*", true),
            ("W/\"2\"", false),
            ("\"1\"", false),
            ("\"22\"", false),
            ("2", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(header))]);
            let read = Expected::read(&headers).unwrap();
            assert_eq!(read.includes(2), expected, "{header}");
        }
        assert_eq!(Expected::read(&HeaderMap::new()), None);
    }

    #[test]
    fn a_known_version_is_recognised_in_every_form_of_the_header() {
        for (header, known) in [
            ("\"2\"", true),
            ("W/\"2\"", true),
            ("\"1\", \"2\"", true),
            ("*", true),
            ("\"1\"", false),
            ("2", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(header))]);
            assert_eq!(is_known(&headers, &of_version(2)), known, "{header}");
        }
        assert!(!is_known(&HeaderMap::new(), &of_version(2)));
    }
}
