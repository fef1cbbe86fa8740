//! Lanes: the outbox divided into 64 parts by key, each published by one relay at a time.

use uuid::Uuid;

/// How many lanes there are. Stored in every row, so it never changes.
pub const LANES: u16 = 64;

/// One lane, `0..LANES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct Lane(i16);

impl Lane {
    /// The lane of a key: FNV-1a over its 16 bytes (Fowler, Noll and Vo; 64-bit offset basis and prime), folded to 32
    /// bits and taken modulo [`LANES`]. Fixed for ever: rows of one key must share a lane across versions.
    #[must_use]
    pub fn of(key: Uuid) -> Self {
        let hash = key
            .as_bytes()
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        let folded = (hash >> 32) ^ (hash & 0xffff_ffff);
        Self(i16::try_from(folded % u64::from(LANES)).expect("a number below 64 fits"))
    }

    /// The lane as stored.
    #[must_use]
    pub const fn number(self) -> i16 {
        self.0
    }
}

impl From<i16> for Lane {
    fn from(number: i16) -> Self {
        Self(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lane_of_a_key_never_changes() {
        for (key, lane) in [
            ("00000000-0000-0000-0000-000000000000", 28),
            ("01935a3c-7f1e-7abc-8def-0123456789ab", 10),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", 29),
            ("80000000-0000-0000-0000-000000000000", 39),
            ("00000000-0000-0000-0000-000000000001", 11),
            ("0199b3f2-0000-7000-8000-000000000001", 45),
            ("0199b3f2-0000-7000-8000-000000000002", 4),
        ] {
            assert_eq!(Lane::of(key.parse().unwrap()).number(), lane, "{key}");
        }
    }

    #[test]
    fn keys_spread_over_all_lanes() {
        let mut counts = [0_u32; LANES as usize];
        for _ in 0..64_000 {
            counts[usize::try_from(Lane::of(Uuid::now_v7()).number()).unwrap()] += 1;
        }
        assert!(
            counts.iter().all(|count| (700..1_300).contains(count)),
            "{counts:?}"
        );
    }
}
