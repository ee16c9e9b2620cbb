//! The limit, and who goes.

use super::*;

fn limited(bytes: u64) -> Options {
    Options {
        disk_limit: Some(bytes),
        ..Options::default()
    }
}

#[test]
fn the_limit_holds_after_every_write() {
    let directory = directory();
    let cache = open(directory.path(), &limited(200_000)).unwrap();
    for number in 0..2000u32 {
        assert!(set(
            &cache,
            &number.to_be_bytes(),
            &vec![1; (number as usize * 37) % 5000]
        ));
        assert!(cache.stats().unwrap().bytes <= 200_000);
    }
    assert!(counted(&cache, Counter::Evictions) > 1000);
    assert!(cache.stats().unwrap().bytes > 150_000, "no more goes than has to");
    cache.validate().unwrap();
    close(cache);
}

#[test]
fn what_is_read_often_stays() {
    let directory = directory();
    let cache = open(directory.path(), &limited(300_000)).unwrap();
    for number in 0..20u32 {
        set(&cache, format!("hot:{number}").as_bytes(), &[1; 1000]);
    }
    for number in 0..2000u32 {
        set(&cache, format!("cold:{number}").as_bytes(), &[2; 1000]);
        if number % 10 == 0 {
            for hot in 0..20 {
                cache.peek(format!("hot:{hot}").as_bytes(), |_| ()).unwrap();
                get(&cache, format!("hot:{hot}").as_bytes());
            }
        }
        if number == 1000 {
            // Counts that were stored count as those that were not.
            told(|done| cache.store_counts(done)).unwrap();
        }
    }
    let kept = (0..20).filter(|hot| get(&cache, format!("hot:{hot}").as_bytes()).is_some());
    assert!(kept.count() >= 18);
    close(cache);
}

#[test]
fn a_value_larger_than_the_cache_is_refused_and_changes_nothing() {
    let directory = directory();
    let cache = open(directory.path(), &limited(200_000)).unwrap();
    set(&cache, b"key", b"value");
    assert!(!set(&cache, b"key", &vec![1; 300_000]));
    assert_eq!(get(&cache, b"key").unwrap(), b"value");
    assert_eq!(counted(&cache, Counter::Refusals), 1);
    close(cache);
}

#[test]
fn files_count_toward_the_limit() {
    let directory = directory();
    let options = Options {
        disk_limit: Some(1_000_000),
        stream_threshold: Some(10_000),
        ..Options::default()
    };
    let cache = open(directory.path(), &options).unwrap();
    for number in 0..20u8 {
        assert!(set(&cache, &[number], &vec![number; 200_000]));
        assert!(cache.stats().unwrap().bytes <= 1_000_000);
    }
    let stats = cache.stats().unwrap();
    assert_eq!((stats.files, files_in(directory.path())), (4, 4));
    let mut writer = ValueWriter::new(cache.clone(), b"too large");
    let went = (0..20)
        .take_while(|_| writer.write(&[0; 100_000]).unwrap())
        .count();
    assert!((9..12).contains(&went));
    drop(writer);
    assert_eq!(files_in(directory.path()), 4);
    cache.validate().unwrap();
    close(cache);
}

#[test]
fn all_who_listen_are_told_in_order() {
    struct Nobody;
    impl crate::engine::completion::Waker for Nobody {
        fn wake(&self) {}
    }
    let directory = directory();
    let cache = open(directory.path(), &limited(100_000)).unwrap();
    let queue = Arc::new(crate::engine::completion::CompletionQueue::new(Box::new(Nobody)));
    let subscription = cache.subscriptions.add(queue.clone(), 5);
    set(&cache, b"unheard", b"value");
    cache.subscriptions.choose(&subscription, 63);
    set(&cache, b"key", b"value");
    delete(&cache, b"key");
    set_for(&cache, b"brief", b"value", Lifetime::Ms(1));
    eventually(|| counted(&cache, Counter::Expirations) == 1);
    told(|done| cache.clear(done)).unwrap();
    let heard: Vec<_> = subscription
        .take()
        .iter()
        .map(|event| {
            let key = event.subject.as_ref().map(|entry| entry.key.to_vec());
            (event.kind as u8, key.unwrap_or_default())
        })
        .collect();
    let expected = [
        (1, b"key".to_vec()),
        (2, b"key".to_vec()),
        (1, b"brief".to_vec()),
        (4, b"brief".to_vec()),
        (16, vec![]),
    ];
    assert_eq!(heard, expected);
    assert_eq!(queue.drain().len(), 1, "one announcement for all");
    cache.subscriptions.remove(&subscription);
    set(&cache, b"key", b"value");
    assert!(subscription.take().is_empty());
    close(cache);
}
