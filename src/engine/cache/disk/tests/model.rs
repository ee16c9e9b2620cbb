//! Random operations against a map, with a recount at the end.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Set(u8, usize, bool),
    Delete(u8),
    Touch(u8, bool),
    Increment(u8),
    Pattern(u8),
    Clear,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..12u8, prop_oneof![0..300usize, 1900..2200usize, 4000..5000usize, 20_000..40_000usize], any::<bool>())
            .prop_map(|(key, length, timed)| Step::Set(key, length, timed)),
        3 => (0..12u8).prop_map(Step::Delete),
        2 => (0..12u8, any::<bool>()).prop_map(|(key, timed)| Step::Touch(key, timed)),
        2 => (0..12u8).prop_map(Step::Increment),
        1 => (0..12u8).prop_map(Step::Pattern),
        1 => Just(Step::Clear),
        1 => Just(Step::Reopen),
    ]
}

fn key(number: u8) -> Vec<u8> {
    format!("key-{number}").into_bytes()
}

fn lifetime(timed: bool) -> Lifetime {
    if timed {
        Lifetime::Ms(3_600_000)
    } else {
        Lifetime::Unlimited
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_cache_with_room_behaves_like_a_map(steps in proptest::collection::vec(step(), 1..60)) {
        let directory = directory();
        let options = Options { stream_threshold: Some(10_000), ..Options::default() };
        let mut cache = open(directory.path(), &options).unwrap();
        let mut model: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        for (round, step) in steps.into_iter().enumerate() {
            match step {
                Step::Set(number, length, timed) => {
                    let value = vec![round as u8; length];
                    prop_assert!(set_for(&cache, &key(number), &value, lifetime(timed)));
                    model.insert(key(number), value);
                }
                Step::Delete(number) => {
                    prop_assert_eq!(delete(&cache, &key(number)), model.remove(&key(number)).is_some());
                }
                Step::Touch(number, timed) => {
                    let touched = told(|done| cache.touch(&key(number), lifetime(timed), done)).unwrap();
                    prop_assert_eq!(touched, model.contains_key(&key(number)));
                }
                Step::Increment(number) => {
                    let key = [b"number-", &key(number)[..]].concat();
                    let sum = told(|done| cache.increment(&key, 1.0, Lifetime::Default, done)).unwrap();
                    let before = model.get(&key).map_or(0.0, |bytes| f64::from_le_bytes(bytes[..].try_into().unwrap()));
                    prop_assert_eq!(sum, before + 1.0);
                    model.insert(key, sum.to_le_bytes().to_vec());
                }
                Step::Pattern(number) => {
                    let pattern = format!("*key-{number}");
                    let deleted = told(|done| cache.delete_pattern(Glob::new(pattern.as_bytes()).unwrap(), done)).unwrap();
                    let before = model.len();
                    model.retain(|key, _| !key.ends_with(&pattern.as_bytes()[1..]));
                    prop_assert_eq!(deleted as usize, before - model.len());
                }
                Step::Clear => {
                    told(|done| cache.clear(done)).unwrap();
                    model.clear();
                }
                Step::Reopen => {
                    close(cache);
                    cache = open(directory.path(), &options).unwrap();
                }
            }
            cache.validate().unwrap();
            prop_assert_eq!(cache.len().unwrap() as usize, model.len());
        }
        for (key, value) in &model {
            prop_assert_eq!(&get(&cache, key).unwrap(), value);
        }
        let large = model.values().filter(|value| value.len() > 10_000).count();
        eventually(|| files_in(directory.path()) == large);
        close(cache);
    }
}
