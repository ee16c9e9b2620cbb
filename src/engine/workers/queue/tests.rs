use super::*;
use proptest::prelude::*;

fn drained(queue: &mut ReadyQueue<i64>, now_ms: u64) -> Vec<i64> {
    std::iter::from_fn(|| queue.pop(now_ms)).collect()
}

#[test]
fn larger_first_and_equal_ones_in_order() {
    let mut queue = ReadyQueue::default();
    for (item, priority) in [(0, 0), (1, -10), (2, 10), (3, 0), (4, 10), (5, 1 << 60)] {
        queue.push(item, priority, None, 5);
    }
    assert_eq!(queue.len(), 6);
    assert_eq!(drained(&mut queue, 5), [5, 2, 4, 0, 3, 1]);
    assert!(queue.is_empty());
}

#[test]
fn what_waits_long_enough_goes_before_what_is_more_important() {
    let mut queue = ReadyQueue::default();
    queue.push(1, -10, None, 0);
    queue.push(2, 10, None, 1_999);
    queue.push(3, 10, None, 2_001);
    assert_eq!(drained(&mut queue, 2_001), [2, 1, 3]);
}

#[test]
fn the_least_important_is_served_though_ageing_would_take_ages() {
    let mut queue = ReadyQueue::default();
    queue.push(-1, i64::MIN, None, 0);
    let mut now = 0;
    let mut next = 0;
    while queue.len() < 8 {
        queue.push(next, 1 << 50, None, now);
        next += 1;
    }
    loop {
        now += 10;
        let popped = queue.pop(now).unwrap();
        if popped == -1 {
            break;
        }
        queue.push(next, 1 << 50, None, now);
        next += 1;
        assert!(now <= STARVED_MS + 100, "starved");
    }
    assert!(now >= STARVED_MS);
}

#[test]
fn groups_take_turns_whatever_their_priorities() {
    let mut queue = ReadyQueue::default();
    let group = |name: &str| Some(Arc::from(name));
    for item in 0..4 {
        queue.push(item, 100, group("a"), 0);
    }
    queue.push(10, 0, group("b"), 0);
    queue.push(11, 5, group("b"), 0);
    queue.push(20, 0, None, 0);
    assert_eq!(drained(&mut queue, 0), [0, 11, 20, 1, 10, 2, 3]);
    assert!(queue.lanes.is_empty() && queue.turns.is_empty());
}

#[test]
fn a_removed_entry_is_gone_once() {
    let mut queue = ReadyQueue::default();
    let first = queue.push(1, 0, None, 0);
    let second = queue.push(2, 0, Some(Arc::from("g")), 3);
    assert_eq!(queue.oldest_ms(), Some(0));
    assert_eq!(queue.remove(&first), Some(1));
    assert_eq!(queue.remove(&first), None);
    assert_eq!(queue.oldest_ms(), Some(3));
    assert_eq!(queue.pop(3), Some(2));
    assert_eq!(queue.remove(&second), None);
    assert_eq!((queue.len(), queue.oldest_ms()), (0, None));
}

#[derive(Debug, Clone)]
enum Step {
    Push { priority: i64, group: u8 },
    Pop,
    Remove(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (-20i64..20, 0u8..3).prop_map(|(priority, group)| Step::Push { priority, group }),
        3 => Just(Step::Pop),
        1 => (0usize..50).prop_map(Step::Remove),
        1 => (1u64..3_000).prop_map(Step::Wait),
    ]
}

struct Plain {
    id: usize,
    rank: i64,
    group: u8,
    ticket: Ticket,
}

proptest! {
    // Priorities are near each other, so nothing starves: the order is that of the ranks.
    #[test]
    fn agrees_with_a_plain_list(steps in prop::collection::vec(step(), 0..200)) {
        let mut queue = ReadyQueue::default();
        let mut plain: Vec<Plain> = Vec::new();
        let mut turns: VecDeque<u8> = VecDeque::new();
        let mut now = 0;
        for (id, step) in steps.into_iter().enumerate() {
            match step {
                Step::Wait(ms) => now += ms,
                Step::Push { priority, group } => {
                    let name = (group > 0).then(|| Arc::from(group.to_string()));
                    let ticket = queue.push(id, priority, name, now);
                    if !turns.contains(&group) {
                        turns.push_back(group);
                    }
                    plain.push(Plain { id, rank: priority * AGE_MS - now as i64, group, ticket });
                }
                Step::Pop if plain.is_empty() => prop_assert_eq!(queue.pop(now), None),
                Step::Pop => {
                    let group = turns.pop_front().unwrap();
                    let best = plain
                        .iter()
                        .enumerate()
                        .filter(|(_, entry)| entry.group == group)
                        .max_by_key(|(_, entry)| (entry.rank, Reverse(entry.id)))
                        .map(|(index, _)| index)
                        .unwrap();
                    let popped = queue.pop(now);
                    let starved = popped != Some(plain[best].id);
                    if !starved {
                        prop_assert_eq!(popped, Some(plain.remove(best).id));
                    } else {
                        let index = plain.iter().position(|entry| Some(entry.id) == popped).unwrap();
                        prop_assert_eq!(plain.remove(index).group, group);
                    }
                    if plain.iter().any(|entry| entry.group == group) {
                        turns.push_back(group);
                    }
                }
                Step::Remove(index) if index < plain.len() => {
                    let entry = plain.remove(index);
                    prop_assert_eq!(queue.remove(&entry.ticket), Some(entry.id));
                    if !plain.iter().any(|other| other.group == entry.group) {
                        turns.retain(|group| *group != entry.group);
                    }
                }
                Step::Remove(_) => {}
            }
            prop_assert_eq!(queue.len(), plain.len());
        }
    }
}
