use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const DAY: u64 = 24 * 3600 * 1000;

/// Recounts everything from the lists themselves.
fn validate(wheel: &TimerWheel) {
    let mut seen = 0;
    for list in 0..HEADS as u32 {
        let mut previous = head_id(list);
        let mut id = wheel.heads[list as usize].next;
        let is_empty = id == previous;
        while id < NODE_LIMIT {
            let node = wheel.slab.get(id).expect("a linked node is live");
            assert_eq!(node.prev, previous);
            let place = wheel.list_for(node.deadline_ms);
            assert!(
                place == DUE || list == CASCADE || list == place,
                "{node:?} in list {list}, expected {place}"
            );
            seen += 1;
            previous = id;
            id = node.next;
        }
        assert_eq!(id, head_id(list));
        assert_eq!(wheel.heads[list as usize].prev, previous);
        if let Some(occupied) = wheel.occupied.get(list as usize / BUCKETS) {
            assert_eq!(occupied >> (list as usize % BUCKETS) & 1 == 1, !is_empty);
        }
    }
    assert_eq!(seen, wheel.len());
}

fn drain(wheel: &mut TimerWheel, now_ms: u64, limit: usize) -> Vec<Due> {
    let mut due = Vec::new();
    loop {
        let before = due.len();
        let more = wheel.advance(now_ms, limit, &mut due);
        assert!(due.len() - before <= limit);
        if !more {
            return due;
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Schedule(i64),
    Reschedule(prop::sample::Index, i64),
    Cancel(prop::sample::Index),
    /// Advance by this much, with this limit, until nothing is left.
    Drain(i64, usize),
    /// Advance by this much, once.
    Step(i64, usize),
}

/// Distances in time of all magnitudes, into the past as well.
fn distance() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => (0i64..64, 0u32..45).prop_map(|(n, shift)| n << shift),
        2 => 0i64..200,
        1 => -100_000i64..0,
        1 => Just(i64::MAX),
    ]
}

fn step() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => 0i64..100,
        4 => (0i64..64, 0u32..30).prop_map(|(n, shift)| n << shift),
        1 => (0i64..64, 0u32..45).prop_map(|(n, shift)| n << shift),
        1 => -100_000i64..0,
    ]
}

fn op() -> impl Strategy<Value = Op> {
    use prop::sample::Index;
    prop_oneof![
        8 => distance().prop_map(Op::Schedule),
        2 => (any::<Index>(), distance()).prop_map(|(index, by)| Op::Reschedule(index, by)),
        2 => any::<Index>().prop_map(Op::Cancel),
        2 => (step(), 1usize..20).prop_map(|(by, limit)| Op::Drain(by, limit)),
        2 => (step(), 0usize..4).prop_map(|(by, limit)| Op::Step(by, limit)),
    ]
}

/// id -> (hash, deadline)
type Model = BTreeMap<u32, (u64, u64)>;

fn take_reported(model: &mut Model, due: &[Due], now_ms: u64) {
    for Due {
        id,
        hash,
        deadline_ms,
    } in due
    {
        assert!(*deadline_ms <= now_ms, "early: {deadline_ms} at {now_ms}");
        assert_eq!(model.remove(id), Some((*hash, *deadline_ms)));
    }
}

fn nth(model: &Model, index: prop::sample::Index) -> u32 {
    if model.is_empty() {
        7
    } else {
        *model.keys().nth(index.index(model.len())).expect("in range")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn behaves_as_the_naive_model(
        start in prop_oneof![Just(0u64), Just(1_700_000_000_000), Just((1u64 << 40) - 500), any::<u32>().prop_map(u64::from)],
        ops in prop::collection::vec(op(), 1..120),
    ) {
        let mut wheel = TimerWheel::new(start);
        let mut model = Model::new();
        let mut now = start;
        for (hash, op) in (0u64..).zip(ops) {
            match op {
                Op::Schedule(by) => {
                    let deadline = now.saturating_add_signed(by);
                    let id = wheel.schedule(hash, deadline);
                    prop_assert!(model.insert(id, (hash, deadline)).is_none(), "id in use");
                }
                Op::Reschedule(index, by) => {
                    let id = nth(&model, index);
                    let deadline = now.saturating_add_signed(by);
                    wheel.reschedule(id, deadline);
                    if let Some(entry) = model.get_mut(&id) {
                        entry.1 = deadline;
                    }
                }
                Op::Cancel(index) => {
                    let id = nth(&model, index);
                    wheel.cancel(id);
                    wheel.cancel(id);
                    model.remove(&id);
                }
                Op::Drain(by, limit) => {
                    let target = now.saturating_add_signed(by);
                    now = now.max(target);
                    let due = drain(&mut wheel, target, limit);
                    take_reported(&mut model, &due, now);
                    for (_, deadline) in model.values() {
                        prop_assert!(*deadline > now.saturating_sub(RESOLUTION_MS), "late: {deadline} at {now}");
                    }
                }
                Op::Step(by, limit) => {
                    let target = now.saturating_add_signed(by);
                    now = now.max(target);
                    let mut due = Vec::new();
                    wheel.advance(target, limit, &mut due);
                    prop_assert!(due.len() <= limit);
                    take_reported(&mut model, &due, now);
                }
            }
            validate(&wheel);
            prop_assert_eq!(wheel.len(), model.len());
            let next = model.values().map(|(_, deadline)| *deadline).min();
            match (wheel.next_wake(), next) {
                (None, None) => {}
                (Some(wake), Some(deadline)) => {
                    prop_assert!(wake <= deadline.div_ceil(RESOLUTION_MS).saturating_mul(RESOLUTION_MS).max(now));
                    prop_assert!(wake >= now);
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
        // Waking only when told to finds every entry, in few rounds (one each 35 years at worst).
        const FAR: u64 = 1 << 52;
        let mut rounds = 0;
        while model.values().any(|(_, deadline)| *deadline < FAR) {
            let wake = wheel.next_wake().expect("entries are left");
            now = now.max(wake);
            let due = drain(&mut wheel, wake, 8);
            take_reported(&mut model, &due, now);
            rounds += 1;
            prop_assert!(rounds < 20_000, "next_wake must make progress");
        }
    }
}

#[test]
fn reports_at_the_end_of_the_tick_and_never_before() {
    let mut wheel = TimerWheel::new(1000);
    let _ = wheel.schedule(1, 1017);
    let mut due = Vec::new();
    for now in 1000..1024 {
        assert!(!wheel.advance(now, 10, &mut due));
        assert!(due.is_empty(), "at {now}");
    }
    assert_eq!(wheel.next_wake(), Some(1024));
    assert!(!wheel.advance(1024, 10, &mut due));
    assert_eq!(
        due,
        [Due {
            id: 0,
            hash: 1,
            deadline_ms: 1017
        }]
    );
    assert_eq!(wheel.next_wake(), None);
}

#[test]
fn a_past_deadline_is_due_at_once_even_when_time_stands_still_or_goes_back() {
    let mut wheel = TimerWheel::new(5000);
    let _ = wheel.schedule(1, 0);
    let _ = wheel.schedule(2, 5000);
    assert_eq!(wheel.next_wake(), Some(5000));
    assert_eq!(drain(&mut wheel, 10, 100).len(), 2);
    assert!(wheel.is_empty());
}

#[test]
fn limits_bound_a_call_and_nothing_is_lost() {
    let mut wheel = TimerWheel::new(0);
    for hash in 0..10_000 {
        let _ = wheel.schedule(hash, 400 * DAY + hash % 50);
    }
    let mut due = Vec::new();
    let mut calls = 0;
    while wheel.advance(400 * DAY + 100, 10, &mut due) {
        calls += 1;
        assert!(due.len() <= 10 * calls);
    }
    assert!(calls < 1100, "{calls}");
    let mut hashes: Vec<u64> = due.iter().map(|due| due.hash).collect();
    hashes.sort_unstable();
    assert!(hashes.into_iter().eq(0..10_000));
    assert!(wheel.bytes() < 20_000, "{}", wheel.bytes());
}

#[test]
fn a_limit_of_zero_only_tells_whether_work_is_left() {
    let mut wheel = TimerWheel::new(0);
    let id = wheel.schedule(1, 10_000);
    let mut due = Vec::new();
    assert!(!wheel.advance(1, 0, &mut due));
    assert!(wheel.advance(20_000, 0, &mut due));
    assert!(due.is_empty());
    wheel.reschedule(id, 30_000);
    assert!(!wheel.advance(20_000, 0, &mut due));
    assert_eq!(wheel.len(), 1);
}

#[test]
fn a_jump_to_the_end_of_time_is_one_call() {
    let mut wheel = TimerWheel::new(0);
    for power in 0..64 {
        let _ = wheel.schedule(power, 1 << power);
    }
    let never = wheel.schedule(99, u64::MAX);
    let due = drain(&mut wheel, u64::MAX - RESOLUTION_MS, usize::MAX);
    assert_eq!(due.len(), 64);
    assert_eq!(wheel.len(), 1);
    wheel.cancel(never);
    wheel.cancel(UNTRACKED);
    wheel.reschedule(never, 0);
    wheel.reschedule(UNTRACKED, 0);
    assert!(wheel.is_empty());
}
