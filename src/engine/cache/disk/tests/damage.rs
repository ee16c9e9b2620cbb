//! Values that were changed on the disk.

use super::*;

/// Flips a bit in the stored entry of a key.
fn flip(cache: &Arc<DiskCache>, key: &[u8], from_end: usize) {
    let hash = record::hash_of(key);
    let entries = cache.store().unwrap().databases.entries;
    let environment = cache.store().unwrap().environment.clone();
    environment
        .write(move |txn| {
            let mut bytes = entries.get(txn, &hash)?.unwrap().to_vec();
            let at = bytes.len() - 1 - from_end;
            bytes[at] ^= 4;
            entries.put(txn, &hash, &bytes)
        })
        .unwrap();
}

#[test]
fn a_value_whose_checksum_is_wrong_is_a_miss_and_leaves() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    for (number, from_end) in [0, 50, 99, 101, 110, 120].into_iter().enumerate() {
        set(&cache, b"key", &[1; 100]);
        flip(&cache, b"key", from_end);
        assert_eq!(get(&cache, b"key"), None);
        eventually(|| counted(&cache, Counter::Damaged) == number as u64 + 1);
        assert_eq!(cache.len().unwrap(), 0);
    }
    set(&cache, b"key", b"new");
    assert_eq!(get(&cache, b"key").unwrap(), b"new");
    close(cache);
}

#[test]
fn a_damaged_file_is_a_miss_and_leaves() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    let path = || {
        let files = std::fs::read_dir(directory.path().join("files")).unwrap();
        files.map(|file| file.unwrap().path()).next().unwrap()
    };
    let damages: [fn(&Path); 3] = [
        |path| {
            let mut bytes = std::fs::read(path).unwrap();
            bytes[150_000] ^= 1;
            std::fs::write(path, bytes).unwrap();
        },
        |path| std::fs::write(path, b"cut").unwrap(),
        |path| std::fs::remove_file(path).unwrap(),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        set(&cache, b"key", &vec![1; 300_000]);
        damage(&path());
        assert_eq!(get(&cache, b"key"), None);
        eventually(|| counted(&cache, Counter::Damaged) == number as u64 + 1);
        eventually(|| files_in(directory.path()) == 0);
        assert_eq!(cache.len().unwrap(), 0);
        cache.validate().unwrap();
    }
    close(cache);
}

#[test]
fn a_rebuilt_cache_says_so_and_works() {
    let directory = directory();
    let cache = open(directory.path(), &small()).unwrap();
    set(&cache, b"key", &vec![1; 300_000]);
    close(cache);
    std::fs::write(directory.path().join("data.mdb"), [9; 50_000]).unwrap();
    let cache = open(directory.path(), &small()).unwrap();
    assert!(cache.rebuilt());
    assert_eq!(get(&cache, b"key"), None);
    // The files of the lost entries are orphans.
    eventually(|| files_in(directory.path()) == 0);
    assert!(set(&cache, b"key", b"value"));
    close(cache);
}
