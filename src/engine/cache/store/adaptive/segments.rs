//! Three lists in one slab: a window for newcomers, and a main part of a probation and a
//! protected segment. Who is evicted is decided here, from the lists and the sketch alone.
//!
//! The share of the window is a parameter, and may change at any time; the lists follow it a
//! few entries at a time. The same code runs the cache itself and its shadows.

use super::sketch::Sketch;

/// No node.
pub const NONE: u32 = u32::MAX;

/// Share of the main part that is protected.
const PROTECTED_SHARE: f64 = 0.8;

/// Entries that move from one list to another per access, so that no access is slow.
const MOVES_PER_ACCESS: usize = 4;

/// A candidate that loses the contest gets in nevertheless once in so many times, if it is
/// used more than [`WARM`] times: else keys could be colliding with it on purpose.
const LUCK: u64 = 128;
const WARM: u32 = 5;

/// Victims that one heavy candidate is compared with at most.
const MAX_VICTIMS: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Free,
    Window,
    Probation,
    Protected,
}

/// An entry as the policy sees it: 24 bytes.
#[derive(Debug, Clone, Copy)]
struct Node {
    hash: u64,
    weight: u32,
    previous: u32,
    next: u32,
    place: Place,
}

#[derive(Debug, Clone, Copy)]
struct List {
    /// Used last.
    head: u32,
    /// Used longest ago.
    tail: u32,
    len: usize,
    weight: u64,
}

const EMPTY: List = List {
    head: NONE,
    tail: NONE,
    len: 0,
    weight: 0,
};

/// How newcomers are treated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Share of all weight that the window holds, at least one entry. 1 is plain LRU.
    pub window_share: f64,
    /// By how much a candidate's frequency must exceed its victim's.
    pub margin: u32,
}

/// See the module.
#[derive(Debug)]
pub struct Segments {
    nodes: Vec<Node>,
    free: u32,
    window: List,
    probation: List,
    protected: List,
    /// How newcomers are treated from now on.
    pub style: Style,
    random: u64,
}

impl Segments {
    /// Empty lists.
    pub fn new(style: Style) -> Self {
        Self {
            nodes: Vec::new(),
            free: NONE,
            window: EMPTY,
            probation: EMPTY,
            protected: EMPTY,
            style,
            random: 0x2545_f491_4f6c_dd1d,
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.window.len + self.probation.len + self.protected.len
    }

    /// Their weight.
    pub fn weight(&self) -> u64 {
        self.window.weight + self.main_weight()
    }

    fn main_weight(&self) -> u64 {
        self.probation.weight + self.protected.weight
    }

    /// True when this node stands for the entry of this hash.
    pub fn holds(&self, id: u32, hash: u64) -> bool {
        self.nodes
            .get(id as usize)
            .is_some_and(|node| node.place != Place::Free && node.hash == hash)
    }

    /// The hash and the weight of an entry.
    pub fn describe(&self, id: u32) -> (u64, u32) {
        let node = self.nodes[id as usize];
        (node.hash, node.weight)
    }

    /// Adds a newcomer to the window.
    pub fn insert(&mut self, hash: u64, weight: u32) -> u32 {
        let node = Node {
            hash,
            weight,
            previous: NONE,
            next: NONE,
            place: Place::Free,
        };
        let id = match self.free {
            NONE => {
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
            id => {
                self.free = self.nodes[id as usize].next;
                self.nodes[id as usize] = node;
                id
            }
        };
        self.push(id, Place::Window);
        id
    }

    /// Removes an entry, and the memory of a slab that has become empty.
    pub fn remove(&mut self, id: u32) {
        self.unlink(id);
        self.nodes[id as usize].next = self.free;
        self.free = id;
        if self.len() == 0 {
            self.nodes = Vec::new();
            self.free = NONE;
        }
    }

    /// An entry was used.
    pub fn touch(&mut self, id: u32) {
        let place = match self.nodes[id as usize].place {
            Place::Probation => Place::Protected,
            place => place,
        };
        self.unlink(id);
        self.push(id, place);
        self.settle();
    }

    /// Moves entries towards the shares that the lists should have, a few at a time.
    fn settle(&mut self) {
        for _ in 0..MOVES_PER_ACCESS {
            if !self.window_is_shrinking() {
                break;
            }
            self.shift(self.window.tail, Place::Probation);
        }
        for _ in 0..MOVES_PER_ACCESS {
            if self.protected.len <= 1
                || self.protected.weight as f64 <= PROTECTED_SHARE * self.main_weight() as f64
            {
                break;
            }
            self.shift(self.protected.tail, Place::Probation);
        }
    }

    /// True when the window overflows by more than its newcomer, as it does when its share
    /// has become smaller. What is too much goes to the main part without a contest, or a
    /// window that was everything would stay so: there would be no main part to contest.
    fn window_is_shrinking(&self) -> bool {
        if self.window.len <= 2 {
            return false;
        }
        let newcomer = u64::from(self.nodes[self.window.head as usize].weight);
        (self.window.weight - newcomer) as f64 > self.style.window_share * self.weight() as f64
    }

    fn window_overflows(&self) -> bool {
        self.window.len > 1 && self.window.weight as f64 > self.style.window_share * self.weight() as f64
    }

    /// Moves what the window has too much of to probation, without a contest: there is room.
    pub fn spill(&mut self) {
        for _ in 0..MOVES_PER_ACCESS {
            if !self.window_overflows() {
                break;
            }
            self.shift(self.window.tail, Place::Probation);
        }
        self.settle();
    }

    /// The entry to give up next; `None` when there is none. Winners of a contest have
    /// moved, the loser is still there.
    pub fn choose_victim(&mut self, sketch: &Sketch) -> Option<u32> {
        self.settle();
        let victim = self.main_victim();
        if !self.window_overflows() {
            // The window is still growing into its share, at the expense of the others.
            return victim.or(some(self.window.tail));
        }
        let candidate = self.window.tail;
        let Some(victim) = victim else {
            return some(candidate);
        };
        if !self.admits(candidate, sketch) {
            return Some(candidate);
        }
        self.shift(candidate, Place::Probation);
        Some(victim)
    }

    /// The coldest entry, without a contest.
    pub fn coldest(&self) -> Option<u32> {
        self.main_victim().or(some(self.window.tail))
    }

    fn main_victim(&self) -> Option<u32> {
        some(self.probation.tail).or(some(self.protected.tail))
    }

    /// A candidate has to be used more than every victim that it needs the room of.
    fn admits(&mut self, candidate: u32, sketch: &Sketch) -> bool {
        let (hash, weight) = self.describe(candidate);
        let frequency = sketch.estimate(hash);
        let mut victim = self.main_victim();
        let mut room = 0;
        for _ in 0..MAX_VICTIMS {
            let Some(id) = victim else { break };
            let node = self.nodes[id as usize];
            if frequency <= sketch.estimate(node.hash) + self.style.margin {
                return frequency > WARM && self.is_lucky();
            }
            room += u64::from(node.weight);
            if room >= u64::from(weight) {
                break;
            }
            victim = some(node.previous);
        }
        true
    }

    fn is_lucky(&mut self) -> bool {
        // xorshift64: enough to be hard to time.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random.is_multiple_of(LUCK)
    }

    fn shift(&mut self, id: u32, place: Place) {
        self.unlink(id);
        self.push(id, place);
    }

    fn list(&mut self, place: Place) -> &mut List {
        match place {
            Place::Probation => &mut self.probation,
            Place::Protected => &mut self.protected,
            Place::Window | Place::Free => &mut self.window,
        }
    }

    fn push(&mut self, id: u32, place: Place) {
        let weight = u64::from(self.nodes[id as usize].weight);
        let list = self.list(place);
        let head = list.head;
        list.head = id;
        list.len += 1;
        list.weight += weight;
        if head == NONE {
            list.tail = id;
        } else {
            self.nodes[head as usize].previous = id;
        }
        let node = &mut self.nodes[id as usize];
        (node.previous, node.next, node.place) = (NONE, head, place);
    }

    fn unlink(&mut self, id: u32) {
        let node = self.nodes[id as usize];
        match node.previous {
            NONE => self.list(node.place).head = node.next,
            previous => self.nodes[previous as usize].next = node.next,
        }
        match node.next {
            NONE => self.list(node.place).tail = node.previous,
            next => self.nodes[next as usize].previous = node.previous,
        }
        let list = self.list(node.place);
        list.len -= 1;
        list.weight -= u64::from(node.weight);
        self.nodes[id as usize].place = Place::Free;
    }

    /// Walks all lists and compares them with their counters.
    pub fn validate(&self) -> Result<(), String> {
        let lists = [
            (Place::Window, self.window),
            (Place::Probation, self.probation),
            (Place::Protected, self.protected),
        ];
        for (place, list) in lists {
            let (mut len, mut weight, mut previous, mut id) = (0, 0, NONE, list.head);
            while id != NONE {
                let node = self.nodes[id as usize];
                if node.place != place || node.previous != previous || len > self.nodes.len() {
                    return Err(format!("{place:?} is not a list any more"));
                }
                len += 1;
                weight += u64::from(node.weight);
                (previous, id) = (id, node.next);
            }
            if (len, weight, previous) != (list.len, list.weight, list.tail) {
                return Err(format!("{place:?} has {len} entries of {weight}, not {list:?}"));
            }
        }
        Ok(())
    }
}

fn some(id: u32) -> Option<u32> {
    (id != NONE).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Style = Style {
        window_share: 0.01,
        margin: 1,
    };
    const LRU: Style = Style {
        window_share: 1.0,
        margin: 0,
    };

    /// Adds entries of weight 1 and evicts down to 100 of them.
    fn stream(segments: &mut Segments, sketch: &Sketch, hashes: std::ops::Range<u64>) {
        for hash in hashes {
            segments.insert(hash, 1);
            if segments.len() <= 100 {
                segments.spill();
            }
            while segments.len() > 100 {
                let victim = segments.choose_victim(sketch).unwrap();
                segments.remove(victim);
            }
        }
        assert_eq!(segments.validate(), Ok(()));
    }

    #[test]
    fn the_window_follows_its_share_both_ways() {
        let sketch = Sketch::new();
        let mut segments = Segments::new(SMALL);
        stream(&mut segments, &sketch, 0..1_000);
        assert!(segments.window.len <= 2);
        segments.style = LRU;
        stream(&mut segments, &sketch, 1_000..2_000);
        assert_eq!(segments.window.len, 100);
        segments.style = SMALL;
        stream(&mut segments, &sketch, 2_000..2_100);
        assert!(
            segments.window.len <= 2,
            "{} are left in the window",
            segments.window.len
        );
    }

    #[test]
    fn plain_lru_evicts_in_order_of_use() {
        let sketch = Sketch::new();
        let mut segments = Segments::new(LRU);
        let ids: Vec<u32> = (0..5).map(|hash| segments.insert(hash, 1)).collect();
        segments.touch(ids[0]);
        let mut order = Vec::new();
        while let Some(victim) = segments.choose_victim(&sketch) {
            order.push(segments.describe(victim).0);
            segments.remove(victim);
        }
        assert_eq!(order, [1, 2, 3, 4, 0]);
    }

    #[test]
    fn a_candidate_needs_to_be_used_more_than_its_victim() {
        let mut sketch = Sketch::new();
        (0..3).for_each(|_| sketch.increment(1));
        let mut segments = Segments::new(SMALL);
        let victim = segments.insert(1, 1);
        segments.shift(victim, Place::Probation);
        let candidate = segments.insert(2, 1);
        segments.insert(3, 1);
        assert_eq!(segments.choose_victim(&sketch), Some(candidate));
        (0..5).for_each(|_| sketch.increment(2));
        assert_eq!(segments.choose_victim(&sketch), Some(victim));
        assert_eq!(segments.nodes[candidate as usize].place, Place::Probation);
    }
}
