//! Keys of the tables. All numbers are big-endian, so that bytes sort as they do.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::head::{Head, Seq};

/// Milliseconds of waiting that are worth one level of priority.
pub const AGE_MS: i64 = 100;

/// Levels up to which each is worth as much. Beyond, levels are worth less and less: what is
/// least important comes after twenty minutes all the same.
const FULL_LEVELS: i64 = 10_000;

/// Where a type's jobs stand in the table of what is ready.
pub type Lane = [u8; 8];

/// The lane of a type.
pub fn lane(kind: &str) -> Lane {
    xxh3_64(kind.as_bytes()).to_be_bytes()
}

/// Where a group stands in a lane: 0 for what has none.
pub fn turn(group: &str) -> u64 {
    match group {
        "" => 0,
        group => xxh3_64(group.as_bytes()).max(1),
    }
}

/// A key made of numbers.
pub fn key<const N: usize>(numbers: [u64; N]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// The number at a place of a key.
pub fn number_at(key: &[u8], place: usize) -> Option<u64> {
    let bytes = key.get(place * 8..place * 8 + 8)?;
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

/// The key of a name that somebody gave.
pub fn name(id: &str) -> [u8; 16] {
    xxh3_128(id.as_bytes()).to_be_bytes()
}

/// What waiting is worth, in microseconds: less sorts first.
pub fn rank(priority: i64, ready_ms: u64) -> u64 {
    let full = priority.clamp(-FULL_LEVELS, FULL_LEVELS) * AGE_MS * 1_000;
    let beyond = (priority.unsigned_abs() as f64 / FULL_LEVELS as f64)
        .max(1.0)
        .ln();
    let bonus = full + priority.signum() * (beyond * 1e7) as i64;
    let rank = (ready_ms as i64).saturating_mul(1_000).saturating_sub(bonus);
    (rank as u64) ^ (1 << 63)
}

/// The place of a job among what is ready. Equal ranks are served by priority, then in the
/// order of their numbers.
pub fn ready(head: &Head, seq: Seq) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(40);
    bytes.extend(lane(&head.kind));
    let priority = !((head.priority as u64) ^ (1 << 63));
    bytes.extend(key([
        turn(&head.group),
        rank(head.priority, head.ready_ms),
        priority,
        seq,
    ]));
    bytes
}

/// Places in the key of what is ready.
pub mod place {
    /// The group.
    pub const TURN: usize = 1;
    /// The rank.
    pub const RANK: usize = 2;
    /// The job.
    pub const SEQ: usize = 4;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_prefer_priority_until_waiting_makes_up_for_it() {
        assert!(rank(1, 1_000) < rank(0, 1_000));
        assert!(rank(0, 1_000) < rank(1, 1_101));
        assert!(rank(1, 1_099) < rank(0, 1_000));
        let extremes = [i64::MIN, -(1 << 53), -20_000, -10_000, 0, 10_000, 20_000, 1 << 53];
        for pair in extremes.windows(2) {
            assert!(rank(pair[1], 1 << 40) < rank(pair[0], 1 << 40), "{pair:?}");
        }
        // Nobody waits for ever.
        assert!(rank(-(1 << 53), 0) < rank(1 << 53, 45 * 60_000));
    }

    #[test]
    fn keys_hold_their_numbers() {
        let bytes = key([1, u64::MAX, 3]);
        assert_eq!((number_at(&bytes, 2), number_at(&bytes, 3)), (Some(3), None));
    }
}
