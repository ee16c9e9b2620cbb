//! Values in and out: small and large, with and without an end, over reopenings.

use super::*;

#[test]
fn what_is_set_is_got_until_it_is_deleted() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    assert_eq!(get(&cache, b"key"), None);
    assert!(set(&cache, b"key", b"value"));
    assert_eq!(get(&cache, b"key").unwrap(), b"value");
    assert!(set(&cache, b"key", b"other"));
    assert_eq!(get(&cache, b"key").unwrap(), b"other");
    assert!(delete(&cache, b"key"));
    assert!(!delete(&cache, b"key"));
    assert_eq!(get(&cache, b"key"), None);
    cache.validate().unwrap();
    close(cache);
}

#[test]
fn keys_of_any_length_and_content_are_told_apart() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    let long = vec![b'k'; 70_000];
    let longer = [&long[..], b"\0"].concat();
    for (key, value) in [
        (&long[..], b"1"),
        (&longer, b"2"),
        (b"", b"3"),
        (b"\0", b"4"),
        (b"\0\0", b"5"),
    ] {
        assert!(set(&cache, key, value));
    }
    assert_eq!(get(&cache, &long).unwrap(), b"1");
    assert_eq!(get(&cache, &longer).unwrap(), b"2");
    assert_eq!(get(&cache, b"").unwrap(), b"3");
    assert_eq!(get(&cache, b"\0").unwrap(), b"4");
    assert_eq!(get(&cache, b"\0\0").unwrap(), b"5");
    close(cache);
}

#[test]
fn a_key_with_the_hash_of_another_is_not_taken_for_it() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    // An entry of another key, planted under the hash of this one.
    let head = record::Head {
        kind: Kind::BUFFER,
        created_ms: 0,
        expires_ms: record::NEVER,
        indexed_ms: record::NEVER,
    };
    let planted = record::encode(&head, b"other", b"", Place::Inline(b"value"));
    let hash = record::hash_of(b"key");
    let body = move |change: &mut change::Change<'_, '_>| change.put(&hash, &planted);
    told(|done| cache.change(false, None, body, done)).unwrap();
    assert_eq!(get(&cache, b"key"), None);
    assert!(!delete(&cache, b"key"));
    assert!(set(&cache, b"key", b"mine"));
    assert_eq!(get(&cache, b"key").unwrap(), b"mine");
    cache.validate().unwrap();
    close(cache);
}

#[test]
fn an_entry_leaves_when_its_time_is_over() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    set_for(&cache, b"short", b"value", Lifetime::Ms(30));
    set_for(&cache, b"long", b"value", Lifetime::Ms(60_000));
    set_for(&cache, b"ever", b"value", Lifetime::Unlimited);
    assert_eq!(cache.remaining_ms(b"ever").unwrap(), Some(None));
    assert!(cache.remaining_ms(b"long").unwrap().unwrap().unwrap() <= 60_000);
    eventually(|| get(&cache, b"short").is_none());
    assert_eq!(cache.len().unwrap(), 2);
    eventually(|| counted(&cache, Counter::Expirations) == 1);
    assert_eq!(cache.remaining_ms(b"short").unwrap(), None);
    cache.validate().unwrap();
    close(cache);
}

#[test]
fn the_index_follows_lifetimes_that_change() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    // Shorter, longer and none, in every order.
    let lives = [Lifetime::Ms(20), Lifetime::Ms(60_000), Lifetime::Unlimited];
    for (number, first) in lives.iter().enumerate() {
        for (other, second) in lives.iter().enumerate() {
            let key = [number as u8, other as u8];
            set_for(&cache, &key, b"value", *first);
            if number % 2 == 0 {
                set_for(&cache, &key, b"value", *second);
            } else {
                told(|done| cache.touch(&key, *second, done)).unwrap();
            }
            cache.validate().unwrap();
        }
    }
    // More than three when one of those with a first life of 20 ms has seen its end.
    eventually(|| cache.len().unwrap() == 6 && counted(&cache, Counter::Expirations) >= 3);
    for number in 0..3 {
        assert_eq!(get(&cache, &[number, 0]), None);
        assert!(get(&cache, &[number, 1]).is_some());
        assert!(get(&cache, &[number, 2]).is_some());
    }
    cache.validate().unwrap();
    close(cache);
}

#[test]
fn large_values_are_kept_in_files_and_go_with_their_entries() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    let large = vec![7; 300_000];
    assert!(set(&cache, b"key", &large));
    assert_eq!(files_in(directory.path()), 1);
    assert_eq!(get(&cache, b"key").unwrap(), large);
    assert!(set(&cache, b"key", &vec![8; 200_000]));
    assert_eq!(files_in(directory.path()), 1);
    assert_eq!(get(&cache, b"key").unwrap(), vec![8; 200_000]);
    assert!(set(&cache, b"key", b"small"));
    assert_eq!(files_in(directory.path()), 0);
    assert!(set(&cache, b"key", &large) && delete(&cache, b"key"));
    assert_eq!(files_in(directory.path()), 0);
    assert!(set(&cache, b"key", &large));
    told(|done| cache.clear(done)).unwrap();
    eventually(|| files_in(directory.path()) == 0);
    cache.validate().unwrap();
    assert_eq!(cache.stats().unwrap().bytes, 0);
    close(cache);
}

#[test]
fn a_large_value_never_overtakes_what_was_done_after_it() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    let large = vec![7; 300_000];
    for round in 0..20 {
        let (sender, receiver) = mpsc::channel();
        let stored = move |result: Result<bool>| sender.send(result.unwrap()).unwrap();
        cache.set(b"key", Kind::BUFFER, &large, Lifetime::Default, stored);
        let expected = match round % 4 {
            0 => {
                set(&cache, b"key", b"small");
                Some(b"small".to_vec())
            }
            1 => {
                told(|done| cache.delete(b"key", done)).unwrap();
                None
            }
            2 => {
                told(|done| cache.clear(done)).unwrap();
                None
            }
            _ => {
                let other = vec![8; 200_000];
                set(&cache, b"key", &other);
                Some(other)
            }
        };
        assert!(receiver.recv().unwrap());
        assert_eq!(get(&cache, b"key"), expected, "round {round}");
        cache.validate().unwrap();
    }
    eventually(|| files_in(directory.path()) == 1);
    close(cache);
}

#[test]
fn values_are_written_and_read_piece_by_piece() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    for length in [0usize, 10, 100_000, 100_001, 1_000_000] {
        let value: Vec<u8> = (0..length).map(|index| (index * 7) as u8).collect();
        let mut writer = ValueWriter::new(cache.clone(), b"key");
        for chunk in value.chunks(9_999) {
            assert!(writer.write(chunk).unwrap());
        }
        assert!(told(|done| writer.finish(Kind::BUFFER, Lifetime::Default, done)).unwrap());
        let read = match cache.value(b"key", Wanted::Fresh).unwrap().unwrap() {
            Value::Whole(Found { payload, .. }) => payload,
            Value::File(_, mut reader) => {
                let mut read = Vec::new();
                while reader.left() > 0 {
                    reader.read(2, &mut read).unwrap();
                }
                read
            }
        };
        assert_eq!(read, value);
        assert_eq!(files_in(directory.path()), usize::from(length > 100_000));
    }
    close(cache);
}

#[test]
fn a_stream_that_breaks_leaves_what_was_there() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    set(&cache, b"key", b"before");
    let mut writer = ValueWriter::new(cache.clone(), b"key");
    writer.write(&[1; 500_000]).unwrap();
    drop(writer);
    assert_eq!(get(&cache, b"key").unwrap(), b"before");
    assert_eq!(files_in(directory.path()), 0);
    close(cache);
}

#[test]
fn a_reader_goes_on_when_its_value_is_replaced() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    set(&cache, b"key", &vec![1; 300_000]);
    let Some(Value::File(_, mut reader)) = cache.value(b"key", Wanted::Fresh).unwrap() else {
        panic!("the value is large");
    };
    set(&cache, b"key", &vec![2; 300_000]);
    if cfg!(unix) {
        assert_eq!(reader.read_all().unwrap(), vec![1; 300_000]);
    }
    close(cache);
}

#[test]
fn numbers_are_added_to_atomically() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    told(|done| cache.increment(b"count", 0.5, Lifetime::Default, done)).unwrap();
                }
            });
        }
    });
    assert_eq!(
        told(|done| cache.increment(b"count", 0.0, Lifetime::Default, done)).unwrap(),
        200.0
    );
    set(&cache, b"text", b"value");
    let refused = told(|done| cache.increment(b"text", 1.0, Lifetime::Default, done));
    assert_eq!(refused, Err(Error::NotANumber));
    let endless = told(|done| cache.increment(b"count", f64::INFINITY, Lifetime::Default, done));
    assert_eq!(endless, Err(Error::NotFinite));
    // Only who creates a number sets its time.
    told(|done| cache.increment(b"timed", 1.0, Lifetime::Ms(60_000), done)).unwrap();
    told(|done| cache.increment(b"timed", 1.0, Lifetime::Unlimited, done)).unwrap();
    assert!(cache.remaining_ms(b"timed").unwrap().unwrap().is_some());
    close(cache);
}

#[test]
fn keys_are_found_and_deleted_by_pattern() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    for number in 0..3000u32 {
        let key = format!("{}:{number}", if number % 3 == 0 { "user" } else { "post" });
        let hash = record::hash_of(key.as_bytes());
        let _ = hash;
        cache.set(key.as_bytes(), Kind::BUFFER, b"value", Lifetime::Default, |_| ());
    }
    set(&cache, b"last", b"value");
    let mut found = 0;
    cache
        .for_each_key(Some(&Glob::new(b"user:*").unwrap()), &mut |_, key| {
            assert!(key.starts_with(b"user:"));
            found += 1;
        })
        .unwrap();
    assert_eq!(found, 1000);
    let deleted = told(|done| cache.delete_pattern(Glob::new(b"post:*").unwrap(), done)).unwrap();
    assert_eq!((deleted, cache.len().unwrap()), (2000, 1001));
    cache.validate().unwrap();
    close(cache);
}

#[test]
fn a_reopened_cache_has_its_entries_and_its_counts() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    for number in 0..100u8 {
        set(&cache, &[number], &[number; 50]);
    }
    for number in 0..150u8 {
        get(&cache, &[number]);
    }
    delete(&cache, &[0]);
    close(cache);
    let cache = open(directory.path(), &small()).unwrap();
    assert_eq!(cache.len().unwrap(), 99);
    assert!(!cache.rebuilt());
    let stats = cache.stats().unwrap();
    let totals = [Counter::Hits, Counter::Misses, Counter::Sets, Counter::Deletes]
        .map(|counter| stats.totals[counter as usize]);
    assert_eq!(totals, [100, 50, 100, 1]);
    assert_eq!(get(&cache, &[42]).unwrap(), [42; 50]);
    cache.validate().unwrap();
    close(cache);
}

#[test]
fn one_directory_is_one_cache_until_its_last_handle_is_closed() {
    let directory = directory();
    let first = open(directory.path(), &small()).unwrap();
    let second = open(directory.path(), &Options::default()).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    let other = Options {
        disk_limit: Some(9 << 20),
        ..Options::default()
    };
    assert!(matches!(
        open(directory.path(), &other),
        Err(Error::OptionConflict {
            option: "diskLimit",
            ..
        })
    ));
    set(&first, b"key", b"value");
    close(first);
    assert_eq!(get(&second, b"key").unwrap(), b"value");
    close(second.clone());
    assert!(matches!(second.load(b"key"), Err(Error::Closed { .. })));
    assert!(matches!(
        told(|done| second.set(b"key", Kind::BUFFER, b"", Lifetime::Default, done)),
        Err(Error::Closed { .. })
    ));
    // Not waited for: the next one waits for the end of the last.
    for _ in 0..20 {
        let cache = open(directory.path(), &small()).unwrap();
        assert_eq!(get(&cache, b"key").unwrap(), b"value");
        cache.close(|| ());
    }
}

#[test]
fn the_dictionary_is_everybodys_and_outlives_a_clear() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    assert_eq!(
        (
            cache.dictionary_version().unwrap(),
            cache.load_dictionary().unwrap()
        ),
        (0, None)
    );
    assert!(cache.save_dictionary(b"one", 0).unwrap());
    assert!(!cache.save_dictionary(b"two", 0).unwrap());
    told(|done| cache.clear(done)).unwrap();
    close(cache);
    let cache = open(directory.path(), &small()).unwrap();
    assert_eq!(cache.dictionary_version().unwrap(), 1);
    assert_eq!(cache.load_dictionary().unwrap().unwrap(), b"one");
    close(cache);
}
