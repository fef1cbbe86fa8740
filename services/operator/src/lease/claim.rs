//! Whether a lease may be taken, decided without a clock that anybody else could disagree with.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use tokio::time::Instant;

/// A lease as it was seen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sight {
    holder: Option<String>,
    version: Option<String>,
    /// Since when it has been seen like this.
    since: Instant,
}

impl Sight {
    pub(super) fn of(lease: &Lease, before: Option<Self>, now: Instant) -> Self {
        let holder = lease.spec.as_ref().and_then(|spec| {
            let holder = spec.holder_identity.clone();
            holder.filter(|holder| !holder.is_empty())
        });
        let version = lease.metadata.resource_version.clone();
        match before {
            Some(before) if before.version == version => before,
            _ => Self {
                holder,
                version,
                since: now,
            },
        }
    }
}

/// What to do with a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is this process's: renew it.
    Renew,
    /// Nobody holds it, or its holder is gone: take it.
    Take,
    /// Another holds it.
    Wait,
}

pub(super) fn claim(sight: &Sight, identity: &str, lasts: Duration, now: Instant) -> Claim {
    match sight.holder.as_deref() {
        None => Claim::Take,
        Some(holder) if holder == identity => Claim::Renew,
        Some(_) if now - sight.since >= lasts => Claim::Take,
        Some(_) => Claim::Wait,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::coordination::v1::LeaseSpec;

    use super::*;

    const LASTS: Duration = Duration::from_secs(10);

    fn lease(holder: &str, version: &str) -> Lease {
        let mut lease = Lease::default();
        lease.metadata.resource_version = Some(version.into());
        lease.spec = Some(LeaseSpec {
            holder_identity: Some(holder.into()),
            ..LeaseSpec::default()
        });
        lease
    }

    #[test]
    fn a_lease_is_taken_once_it_has_been_seen_unchanged_for_as_long_as_it_lasts() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let sight = Sight::of(&lease("other", "1"), None, at(0));
        assert_eq!(claim(&sight, "me", LASTS, at(9)), Claim::Wait);
        assert_eq!(claim(&sight, "me", LASTS, at(10)), Claim::Take);
        let renewed = Sight::of(&lease("other", "2"), Some(sight.clone()), at(9));
        assert_eq!(claim(&renewed, "me", LASTS, at(18)), Claim::Wait);
        let unchanged = Sight::of(&lease("other", "1"), Some(sight), at(9));
        assert_eq!(claim(&unchanged, "me", LASTS, at(10)), Claim::Take);
    }

    #[test]
    fn a_lease_that_was_given_back_is_free_at_once_and_an_own_one_is_renewed() {
        let now = Instant::now();
        let of = |holder| Sight::of(&lease(holder, "1"), None, now);
        assert_eq!(claim(&of(""), "me", LASTS, now), Claim::Take);
        assert_eq!(claim(&of("me"), "me", LASTS, now), Claim::Renew);
    }
}
