//! The operators' key: one secret for this installation, which machines send as it is and people sign in with.

use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The fewest characters of a key: 128 bits in hexadecimal.
const KEY_CHARS_MIN: usize = 32;

/// The operators' key; without one there are no operators here. Cheap to clone.
#[derive(Clone, Default)]
pub struct OperatorKey {
    /// Only the digest is kept: equally long for every token, so that comparing says nothing about the key's length.
    digest: Option<Arc<[u8; 32]>>,
}

/// A key that could be guessed. The key itself is a secret and stays unsaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operators' key has fewer than {KEY_CHARS_MIN} characters")]
pub struct OperatorKeyTooShort;

impl OperatorKey {
    /// The key of this text.
    pub fn new(key: &SecretString) -> Result<Self, OperatorKeyTooShort> {
        if key.expose_secret().chars().count() < KEY_CHARS_MIN {
            return Err(OperatorKeyTooShort);
        }
        Ok(Self {
            digest: Some(Arc::new(digest(key.expose_secret()))),
        })
    }

    /// No key: nobody is an operator.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether there are operators here at all.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.digest.is_some()
    }

    /// Whether a token is the key. How long that takes says nothing about the key.
    #[must_use]
    pub fn is(&self, token: &str) -> bool {
        self.digest
            .as_ref()
            .is_some_and(|key| bool::from(key.ct_eq(&digest(token))))
    }
}

/// No secret ever reaches a log.
impl fmt::Debug for OperatorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperatorKey(set: {})", self.is_set())
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_itself_is_the_key() {
        let text = "0123456789abcdef0123456789abcdef";
        let key = OperatorKey::new(&SecretString::from(text)).unwrap();
        assert!(key.is(text));
        for other in ["", "0", &text[1..], &format!("{text}0")] {
            assert!(!key.is(other), "{other}");
            assert!(!OperatorKey::none().is(other), "{other}");
        }
        assert!(!OperatorKey::none().is(text));
        assert_eq!(format!("{key:?}"), "OperatorKey(set: true)");
    }

    #[test]
    fn a_key_that_could_be_guessed_is_refused() {
        let short = SecretString::from("a".repeat(KEY_CHARS_MIN - 1));
        assert_eq!(OperatorKey::new(&short).unwrap_err(), OperatorKeyTooShort);
    }
}
