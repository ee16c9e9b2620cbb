//! Power failures, played with copies of the file: what was synced is there, and of what
//! came later any part.

use std::fs;

use super::*;

const PAGE: usize = 4096;

fn number(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes[..8].try_into().unwrap())
}

/// Writes a generation of all keys, each with its number all over the value.
fn write_generation(environment: &Environment, database: Database, generation: u64) {
    let run = move |txn: &mut WriteTransaction<'_>| {
        for key in 0..2000u64 {
            database.put(
                txn,
                &(key * 7919 % 2000).to_be_bytes(),
                &generation.to_be_bytes().repeat(30),
            )?;
        }
        Ok(())
    };
    environment.write(run).unwrap();
}

fn synced(environment: &Environment) {
    let (sender, receiver) = mpsc::channel();
    environment.flush(move |result| sender.send(result).unwrap());
    receiver.recv().unwrap().unwrap();
}

/// Makes the checkpoint one of another run of the machine.
fn start_machine_again(directory: &Path) {
    let path = directory.join(checkpoint::FILE);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len() - 8;
    bytes[end - 1] ^= 1;
    let sum = xxhash_rust::xxh3::xxh3_64(&bytes[8..end]);
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
    fs::write(&path, bytes).unwrap();
}

#[test]
fn after_a_power_failure_the_last_checkpoint_is_there_whole() {
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for round in 0..20 {
        let directory = directory();
        // No checkpoint but those that the test asks for.
        let patient = Options {
            durability: Durability::Checkpoints(Duration::from_secs(3600)),
            ..options()
        };
        let environment = open(directory.path(), &patient).unwrap();
        let database = environment.database("a").unwrap();
        for generation in 0..5 {
            write_generation(&environment, database, generation);
        }
        synced(&environment);
        let data = directory.path().join("data.mdb");
        let on_disk = fs::read(&data).unwrap();
        for generation in 5..5 + round % 7 {
            write_generation(&environment, database, generation);
        }
        let in_memory = fs::read(&data).unwrap();
        let checkpoint = fs::read(directory.path().join(checkpoint::FILE)).unwrap();

        let failed = super::directory();
        let mut image = in_memory.clone();
        for page in 0..image.len() / PAGE {
            // Each page that was written later arrived or did not.
            if next() % 2 == 0 {
                let range = page * PAGE..(page + 1) * PAGE;
                let old = on_disk.get(range.clone()).unwrap_or(&[0; PAGE]);
                image[range].copy_from_slice(old);
            }
        }
        fs::write(failed.path().join("data.mdb"), image).unwrap();
        fs::write(failed.path().join(checkpoint::FILE), checkpoint).unwrap();
        start_machine_again(failed.path());

        let after = open(failed.path(), &options()).unwrap();
        assert_eq!(after.rebuilt(), None);
        let database = after.database("a").unwrap();
        for key in 0..2000u64 {
            let value = get(&after, database, &key.to_be_bytes()).unwrap();
            assert_eq!(value, 4u64.to_be_bytes().repeat(30), "key {key}");
        }
        write_generation(&after, database, 9);
        assert_eq!(number(&get(&after, database, &0u64.to_be_bytes()).unwrap()), 9);
        close(after);
    }
}

#[test]
fn without_a_power_failure_nothing_is_taken_back() {
    let directory = directory();
    let patient = Options {
        durability: Durability::Checkpoints(Duration::from_secs(3600)),
        ..options()
    };
    let environment = open(directory.path(), &patient).unwrap();
    let database = environment.database("a").unwrap();
    write_generation(&environment, database, 1);
    synced(&environment);
    write_generation(&environment, database, 2);
    // What a killed process leaves: the file as it is, and a checkpoint of this same run.
    let killed = super::directory();
    for name in ["data.mdb", checkpoint::FILE] {
        fs::copy(directory.path().join(name), killed.path().join(name)).unwrap();
    }
    let after = open(killed.path(), &options()).unwrap();
    let database = after.database("a").unwrap();
    assert_eq!(number(&get(&after, database, &0u64.to_be_bytes()).unwrap()), 2);
}

#[test]
fn the_checkpoint_follows_the_writes() {
    let directory = directory();
    let hasty = Options {
        durability: Durability::Checkpoints(Duration::from_millis(1)),
        ..options()
    };
    let environment = open(directory.path(), &hasty).unwrap();
    let database = environment.database("a").unwrap();
    write_generation(&environment, database, 1);
    let first = fs::read(directory.path().join(checkpoint::FILE)).unwrap();
    write_generation(&environment, database, 2);
    while fs::read(directory.path().join(checkpoint::FILE)).unwrap() == first {
        std::thread::yield_now();
    }
}

#[test]
fn a_checkpoint_of_another_file_is_not_put_back() {
    let directory = directory();
    let environment = open(directory.path(), &options()).unwrap();
    let database = environment.database("a").unwrap();
    for generation in 0..5 {
        write_generation(&environment, database, generation);
    }
    close(environment);
    start_machine_again(directory.path());
    fs::remove_file(directory.path().join("data.mdb")).unwrap();
    let environment = open(directory.path(), &options()).unwrap();
    assert_eq!(environment.rebuilt(), None);
    put(&environment, environment.database("a").unwrap(), b"key", b"value");
}

#[test]
fn commits_that_are_synced_each_need_no_checkpoint() {
    let directory = directory();
    let durable = Options {
        durability: Durability::EachCommit,
        ..options()
    };
    let environment = open(directory.path(), &durable).unwrap();
    put(&environment, environment.database("a").unwrap(), b"key", b"value");
    synced(&environment);
    assert!(!directory.path().join(checkpoint::FILE).exists());
}
