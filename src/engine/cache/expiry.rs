//! When entries expire: a hierarchical timer wheel.
//!
//! After Varghese and Lauck, "Hashed and Hierarchical Timing Wheels" (SOSP 1987), scheme 6: time is
//! cut into ticks of [`RESOLUTION_MS`], and a number of ticks is read as digits of six bits. A level
//! is one digit: 64 buckets, each a doubly linked list. An entry sits at the level of the highest
//! digit in which its deadline differs from the present, in the bucket of its own digit; six levels
//! reach about 34.9 years, and what lies beyond waits in an overflow list.
//!
//! When time moves on, the buckets it has passed are due as a whole, and exactly one bucket, the
//! one it has moved into, is spread over the levels below. Both are spliced, not walked, onto two
//! pending lists that [`TimerWheel::advance`] then works off in bounded portions. So a jump of any
//! width costs at most one splice per bucket, however many entries they hold, and an entry moves at
//! most once per level in its life. Scheduling and cancelling are O(1).
//!
//! Guarantees: no entry is reported before its deadline; once `advance` has returned `false` for a
//! time, every deadline at least [`RESOLUTION_MS`] before that time has been reported.
//!
//! Not thread-safe by itself; the owner's lock covers it. It never reads a clock.

mod slab;
#[cfg(test)]
mod tests;

use slab::{NODE_LIMIT, Slab};

/// Milliseconds in a tick: an entry is reported less than this long after its deadline.
pub const RESOLUTION_MS: u64 = 16;

/// What [`TimerWheel::schedule`] returns when all of some 4.29 billion ids are taken: the entry is
/// not in the wheel. Every method ignores this id.
pub const UNTRACKED: u32 = u32::MAX;

const DIGIT_BITS: u32 = 6;
const BUCKETS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = 6;

// List heads: the buckets, level by level, then three lists more.
const OVERFLOW: u32 = (LEVELS * BUCKETS) as u32;
/// Entries whose time has come, not yet reported.
const DUE: u32 = OVERFLOW + 1;
/// Entries of a bucket that time has moved into, not yet spread over the levels below.
const CASCADE: u32 = OVERFLOW + 2;
const HEADS: usize = OVERFLOW as usize + 3;

/// Entries that one call moves between lists, per entry that it may report. Moving one is a few
/// times cheaper than what the caller then does with an expired one.
const MOVES_PER_DUE: usize = 4;

/// An entry whose deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The node id it had. Free from now on: a later `schedule` may return it again.
    pub id: u32,
    /// The hash it was scheduled with.
    pub hash: u64,
    /// Its deadline in milliseconds.
    pub deadline_ms: u64,
}

#[derive(Clone, Copy)]
struct Links {
    prev: u32,
    next: u32,
}

/// Deadlines of entries, ordered just enough to find those that have passed.
///
/// Times are milliseconds on any one clock that the owner chooses (monotonic, from 0 or not).
/// Takes 24 bytes an entry (see [`bytes`](Self::bytes)) and about 3 KiB when empty.
pub struct TimerWheel {
    now_ms: u64,
    slab: Slab,
    heads: Box<[Links]>,
    /// Per level, a bit for each bucket that holds entries.
    occupied: [u64; LEVELS],
}

impl TimerWheel {
    /// An empty wheel whose present is `now_ms`.
    #[must_use]
    pub fn new(now_ms: u64) -> Self {
        let heads = (0..HEADS as u32).map(|head| Links {
            prev: head_id(head),
            next: head_id(head),
        });
        Self {
            now_ms,
            slab: Slab::new(),
            heads: heads.collect(),
            occupied: [0; LEVELS],
        }
    }

    /// Adds an entry; its node id, for [`reschedule`](Self::reschedule) and
    /// [`cancel`](Self::cancel). O(1). A deadline that is not in the future is due at the next
    /// `advance`. `hash` is handed back as it is. [`UNTRACKED`] when no id is left.
    ///
    /// A deadline in the last 15 ms before `u64::MAX` is never due.
    #[must_use]
    pub fn schedule(&mut self, hash: u64, deadline_ms: u64) -> u32 {
        let Some(id) = self.slab.insert(hash, deadline_ms) else {
            return UNTRACKED;
        };
        self.push_back(self.list_for(deadline_ms), id);
        id
    }

    /// Gives an entry another deadline, also one that is due but not yet reported. O(1).
    /// An id that is not in the wheel is ignored.
    pub fn reschedule(&mut self, id: u32, deadline_ms: u64) {
        let Some(node) = self.slab.get_mut(id) else {
            return;
        };
        node.deadline_ms = deadline_ms;
        self.unlink(id);
        self.push_back(self.list_for(deadline_ms), id);
    }

    /// Takes an entry out; it will not be reported. O(1). An id that is not in the wheel is
    /// ignored; one that was reported or cancelled before may since belong to another entry, so
    /// forget ids with the entry.
    pub fn cancel(&mut self, id: u32) {
        if self.slab.get(id).is_some() {
            self.unlink(id);
            self.slab.remove(id);
        }
    }

    /// Moves time to `now_ms` and appends to `due` at most `limit` entries whose deadline is not
    /// after it, roughly by deadline; they leave the wheel and their ids become free.
    ///
    /// Returns `true` if work is left: call again, with the same time or a later one. Whatever the
    /// width of the jump, a call touches at most 384 buckets, moves at most 4 × `limit` entries
    /// between lists and reports at most `limit`, so it may return `true` having reported fewer. A
    /// time before the wheel's own is taken as the wheel's own.
    pub fn advance(&mut self, now_ms: u64, limit: usize, due: &mut Vec<Due>) -> bool {
        self.move_time(now_ms);
        // Spread first: it may find entries older than those that wait already.
        for _ in 0..limit.saturating_mul(MOVES_PER_DUE) {
            let Some(id) = self.front(CASCADE) else { break };
            self.unlink(id);
            if let Some(node) = self.slab.get(id) {
                self.push_back(self.list_for(node.deadline_ms), id);
            }
        }
        for _ in 0..limit {
            let Some(id) = self.front(DUE) else { break };
            self.unlink(id);
            if let Some(node) = self.slab.remove(id) {
                due.push(Due {
                    id,
                    hash: node.hash,
                    deadline_ms: node.deadline_ms,
                });
            }
        }
        self.is_pending()
    }

    /// Entries in the wheel, with those that are due and not yet reported.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether the wheel holds no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slab.len() == 0
    }

    /// When to call [`advance`](Self::advance) next, in milliseconds: before this time no entry
    /// will be reported (it is at most the next deadline rounded up to [`RESOLUTION_MS`]). At this
    /// time there may still be nothing but buckets to spread. The present if work is left already;
    /// `None` if the wheel is empty. O(levels).
    #[must_use]
    pub fn next_wake(&self) -> Option<u64> {
        if self.is_pending() {
            return Some(self.now_ms);
        }
        let now = self.now_ms / RESOLUTION_MS;
        // All of a level lies before all of the next one.
        for (level, occupied) in self.occupied.iter().enumerate() {
            if *occupied != 0 {
                let shift = DIGIT_BITS * level as u32;
                let block = now >> (shift + DIGIT_BITS) << DIGIT_BITS;
                let tick = (block | u64::from(occupied.trailing_zeros())) << shift;
                return Some(tick.saturating_mul(RESOLUTION_MS));
            }
        }
        let reach = DIGIT_BITS * LEVELS as u32;
        let next_block = ((now >> reach) + 1) << reach;
        self.front(OVERFLOW)
            .map(|_| next_block.saturating_mul(RESOLUTION_MS))
    }

    /// Bytes that the wheel holds, its own struct included. Nodes live in chunks of 256 (6 KiB); a
    /// chunk is given back when its last entry leaves, except one kept in reserve, so the wheel
    /// shrinks with its content unless the survivors are spread thinly over all chunks.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.heads) + self.slab.bytes()
    }

    /// Splices the buckets that lie between the present and `now_ms` onto the pending lists.
    fn move_time(&mut self, now_ms: u64) {
        if now_ms <= self.now_ms {
            return;
        }
        let (old, new) = (self.now_ms / RESOLUTION_MS, now_ms / RESOLUTION_MS);
        self.now_ms = now_ms;
        if old == new {
            return;
        }
        let highest = highest_digit(old ^ new);
        // Levels below the highest digit that changed are relative to a block that has ended.
        for level in 0..highest.min(LEVELS) {
            self.splice_buckets(level, u64::MAX);
        }
        if highest >= LEVELS {
            self.splice(OVERFLOW, CASCADE);
            return;
        }
        // Entries of this level lie after the old digit; those before the new one are due.
        let digit = (new >> (DIGIT_BITS * highest as u32)) as usize % BUCKETS;
        self.splice_buckets(highest, (1 << digit) - 1);
        let target = if highest == 0 { DUE } else { CASCADE };
        self.splice(bucket(highest, digit), target);
    }

    /// Makes the buckets of a level whose bit is in `mask` due.
    fn splice_buckets(&mut self, level: usize, mask: u64) {
        let mut passed = self.occupied.get(level).map_or(0, |occupied| occupied & mask);
        while passed != 0 {
            self.splice(bucket(level, passed.trailing_zeros() as usize), DUE);
            passed &= passed - 1;
        }
    }

    /// The list that an entry with this deadline belongs to, as of now.
    fn list_for(&self, deadline_ms: u64) -> u32 {
        if deadline_ms <= self.now_ms {
            return DUE;
        }
        // Rounded up: when its tick begins, the deadline has passed.
        let tick = deadline_ms.div_ceil(RESOLUTION_MS);
        let now = self.now_ms / RESOLUTION_MS;
        let level = highest_digit(tick ^ now);
        if level >= LEVELS {
            return OVERFLOW;
        }
        bucket(level, (tick >> (DIGIT_BITS * level as u32)) as usize % BUCKETS)
    }

    fn is_pending(&self) -> bool {
        self.front(DUE).is_some() || self.front(CASCADE).is_some()
    }

    // Circular lists. The head of list `n` is linked like a node and has the id `head_id(n)`.

    fn links_mut(&mut self, id: u32) -> Option<(&mut u32, &mut u32)> {
        if id >= NODE_LIMIT {
            let links = self.heads.get_mut((id - NODE_LIMIT) as usize)?;
            Some((&mut links.prev, &mut links.next))
        } else {
            self.slab.get_mut(id).map(|node| (&mut node.prev, &mut node.next))
        }
    }

    fn connect(&mut self, left: u32, right: u32) {
        if let Some((_, next)) = self.links_mut(left) {
            *next = right;
        }
        if let Some((prev, _)) = self.links_mut(right) {
            *prev = left;
        }
    }

    fn front(&self, list: u32) -> Option<u32> {
        self.heads
            .get(list as usize)
            .map(|head| head.next)
            .filter(|id| *id < NODE_LIMIT)
    }

    fn push_back(&mut self, list: u32, id: u32) {
        let head = head_id(list);
        let Some(last) = self.heads.get(list as usize).map(|links| links.prev) else {
            return;
        };
        self.connect(last, id);
        self.connect(id, head);
        self.mark(list, true);
    }

    fn unlink(&mut self, id: u32) {
        let Some((prev, next)) = self.slab.get(id).map(|node| (node.prev, node.next)) else {
            return;
        };
        self.connect(prev, next);
        // Only a head is its own list's both neighbours: the list is empty now.
        if prev == next && prev >= NODE_LIMIT {
            self.mark(prev - NODE_LIMIT, false);
        }
    }

    /// Appends all of list `from` to list `to`. O(1).
    fn splice(&mut self, from: u32, to: u32) {
        let Some(first) = self.front(from) else {
            return;
        };
        let (Some(source), Some(target)) = (
            self.heads.get(from as usize).copied(),
            self.heads.get(to as usize).copied(),
        ) else {
            return;
        };
        self.connect(target.prev, first);
        self.connect(source.prev, head_id(to));
        self.connect(head_id(from), head_id(from));
        self.mark(from, false);
    }

    /// Keeps the bit of a bucket; lists that are no buckets have none.
    fn mark(&mut self, list: u32, holds_entries: bool) {
        if let Some(occupied) = self.occupied.get_mut(list as usize / BUCKETS) {
            let bit = 1 << (list as usize % BUCKETS);
            if holds_entries {
                *occupied |= bit
            } else {
                *occupied &= !bit
            }
        }
    }
}

const fn head_id(list: u32) -> u32 {
    NODE_LIMIT + list
}

const fn bucket(level: usize, digit: usize) -> u32 {
    (level * BUCKETS + digit) as u32
}

/// The position of the highest digit that is not zero; 0 if none is.
const fn highest_digit(ticks: u64) -> usize {
    (63 - (ticks | 1).leading_zeros()) as usize / DIGIT_BITS as usize
}
