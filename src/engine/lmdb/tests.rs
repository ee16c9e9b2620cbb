use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use heed::types::Bytes;

use super::*;
use crate::error::{Error, StorageProblem};

mod damage;
mod power;

fn options() -> Options {
    Options {
        data_bytes: 16 << 20,
        durability: Durability::RELAXED,
        damage: Damage::Rebuild,
    }
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn put(environment: &Environment, database: Database, key: &[u8], value: &[u8]) {
    let (key, value) = (key.to_vec(), value.to_vec());
    environment
        .write(move |txn| database.put(txn, &key, &value))
        .unwrap();
}

fn get(environment: &Environment, database: Database, key: &[u8]) -> Option<Vec<u8>> {
    environment
        .read(|txn| Ok(database.get(txn, key)?.map(<[u8]>::to_vec)))
        .unwrap()
}

fn close(environment: Arc<Environment>) {
    let (sender, receiver) = mpsc::channel();
    environment.release(move || sender.send(()).unwrap());
    receiver.recv().unwrap();
}

fn problem(error: Error) -> StorageProblem {
    match error {
        Error::Storage { problem, .. } => problem,
        other => panic!("not about storage: {other}"),
    }
}

#[test]
fn a_second_opening_of_a_path_joins_the_first() {
    let directory = directory();
    let first = open(directory.path(), &options()).unwrap();
    let other_spelling = directory
        .path()
        .join(".")
        .join("..")
        .join(directory.path().file_name().unwrap());
    let second = open(&other_spelling, &options()).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    let database = first.database("a").unwrap();
    put(&first, database, b"key", b"value");
    close(first);
    assert_eq!(
        get(&second, second.database("a").unwrap(), b"key").unwrap(),
        b"value"
    );
}

#[test]
fn a_reopened_environment_has_what_was_written() {
    let directory = directory();
    for round in 0..5u8 {
        let environment = open(directory.path(), &options()).unwrap();
        let database = environment.database("a").unwrap();
        assert_eq!(
            get(&environment, database, &[round.wrapping_sub(1)]).is_some(),
            round > 0
        );
        put(&environment, database, &[round], b"value");
        assert_eq!(environment.rebuilt(), None);
        if round % 2 == 0 {
            close(environment);
        }
    }
}

#[test]
fn databases_of_one_environment_do_not_meet() {
    let directory = directory();
    let environment = open(directory.path(), &options()).unwrap();
    let (one, two) = (
        environment.database("one").unwrap(),
        environment.database("two").unwrap(),
    );
    put(&environment, one, b"key", b"1");
    put(&environment, two, b"key", b"2");
    assert_eq!(get(&environment, one, b"key").unwrap(), b"1");
    assert_eq!(get(&environment, two, b"key").unwrap(), b"2");
}

#[test]
fn who_joins_with_another_durability_is_told() {
    let directory = directory();
    let _first = open(directory.path(), &options()).unwrap();
    let durable = Options {
        durability: Durability::EachCommit,
        ..options()
    };
    assert!(matches!(
        open(directory.path(), &durable),
        Err(Error::OptionConflict { .. })
    ));
}

#[test]
fn many_writes_share_few_commits() {
    let directory = directory();
    let environment = open(directory.path(), &options()).unwrap();
    let database = environment.database("a").unwrap();
    let first = environment.read(|txn| Ok(txn.id())).unwrap();
    let (sender, receiver) = mpsc::channel();
    let (blocked, block) = mpsc::channel::<()>();
    // The writing thread waits here until everything else is queued.
    environment.submit_with(|_| Ok(()), move |_| block.recv().unwrap());
    for number in 0..500u32 {
        let sender = sender.clone();
        let run = move |txn: &mut WriteTransaction<'_>| database.put(txn, &number.to_be_bytes(), b"value");
        environment.submit_with(run, move |result| sender.send(result).unwrap());
    }
    blocked.send(()).unwrap();
    (0..500).for_each(|_| receiver.recv().unwrap().unwrap());
    let last = environment.read(|txn| Ok(txn.id())).unwrap();
    assert!(last - first < 10, "{} commits", last - first);
}

#[test]
fn a_write_that_fails_takes_no_other_down() {
    let directory = directory();
    let environment = open(directory.path(), &options()).unwrap();
    let database = environment.database("a").unwrap();
    let (sender, receiver) = mpsc::channel();
    let (blocked, block) = mpsc::channel::<()>();
    environment.submit_with(|_| Ok(()), move |_| block.recv().unwrap());
    for number in 0..20u32 {
        let sender = sender.clone();
        let run = move |txn: &mut WriteTransaction<'_>| {
            database.put(txn, &number.to_be_bytes(), b"value")?;
            assert_ne!(number, 13, "expected by the test");
            // A key of 600 bytes is more than LMDB takes.
            if number == 7 {
                database.put(txn, &[0; 600], b"value")
            } else {
                Ok(())
            }
        };
        environment.submit_with(run, move |result| sender.send((number, result.is_ok())).unwrap());
    }
    blocked.send(()).unwrap();
    for _ in 0..20 {
        let (number, stored) = receiver.recv().unwrap();
        assert_eq!(stored, number != 7 && number != 13);
        assert_eq!(
            get(&environment, database, &number.to_be_bytes()).is_some(),
            stored
        );
    }
}

#[test]
fn a_full_map_is_an_error_and_heals_when_room_is_made() {
    let directory = directory();
    let environment = open(
        directory.path(),
        &Options {
            data_bytes: 0,
            ..options()
        },
    )
    .unwrap();
    let database = environment.database("a").unwrap();
    let mut full = None;
    for number in 0..200u32 {
        let run =
            move |txn: &mut WriteTransaction<'_>| database.put(txn, &number.to_be_bytes(), &vec![1; 1 << 20]);
        if let Err(error) = environment.write(run) {
            full = Some((number, error));
            break;
        }
    }
    let (count, error) = full.unwrap();
    assert_eq!(problem(error), StorageProblem::Full);
    assert!(count > 40);
    let (sender, receiver) = mpsc::channel();
    environment.submit_freeing(
        move |txn| database.clear(txn),
        move |result| sender.send(result).unwrap(),
    );
    receiver.recv().unwrap().unwrap();
    for number in 0..10 {
        put(&environment, database, &[number], &vec![2; 1 << 20]);
    }
    assert_eq!(get(&environment, database, &[9]).unwrap()[0], 2);
}

#[test]
fn everything_queued_is_written_before_the_environment_closes() {
    let directory = directory();
    let environment = open(directory.path(), &options()).unwrap();
    let database = environment.database("a").unwrap();
    let told = Arc::new(AtomicUsize::new(0));
    for number in 0..3000u32 {
        let told = told.clone();
        let run = move |txn: &mut WriteTransaction<'_>| database.put(txn, &number.to_be_bytes(), b"value");
        environment.submit_with(run, move |result| {
            result.unwrap();
            told.fetch_add(1, Ordering::SeqCst);
        });
    }
    close(environment);
    assert_eq!(told.load(Ordering::SeqCst), 3000);
    let environment = open(directory.path(), &options()).unwrap();
    let database = environment.database("a").unwrap();
    assert_eq!(environment.read(|txn| database.len(txn)).unwrap(), 3000);
}

#[test]
fn a_larger_file_of_another_environment_is_mapped_anew() {
    let directory = directory();
    let environment = open(
        directory.path(),
        &Options {
            data_bytes: 0,
            ..options()
        },
    )
    .unwrap();
    let database = environment.database("a").unwrap();
    put(&environment, database, b"small", b"1");
    grow_in_another_process(directory.path());
    assert_eq!(get(&environment, database, b"large").unwrap().len(), 100 << 20);
    put(&environment, database, b"small", b"2");
    assert_eq!(get(&environment, database, b"small").unwrap(), b"2");
}

/// Another process is played by this test's own program, run again for one test.
fn grow_in_another_process(directory: &Path) {
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "engine::lmdb::tests::other_process"])
        .env("HOTPATH_TEST_DIRECTORY", directory)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "run by another test, as another process"]
fn other_process() {
    let directory = std::env::var_os("HOTPATH_TEST_DIRECTORY").unwrap();
    let large = Options {
        data_bytes: 200 << 20,
        ..options()
    };
    let environment = open(Path::new(&directory), &large).unwrap();
    let database = environment.database("a").unwrap();
    put(&environment, database, b"large", &vec![7; 100 << 20]);
    close(environment);
}

#[test]
#[cfg(unix)]
fn a_reader_that_died_gives_its_slot_back() {
    let directory = directory();
    let environment = open(directory.path(), &options()).unwrap();
    let database = environment.database("a").unwrap();
    put(&environment, database, b"key", b"value");
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "engine::lmdb::tests::dying_reader"])
        .env("HOTPATH_TEST_DIRECTORY", directory.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !directory.path().join("reading").exists() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    close(environment);
    let environment = open(directory.path(), &options()).unwrap();
    // Without the clearing at the opening, pages that the dead reader saw could never be
    // used again, and these writes would fill the map many times over.
    let database = environment.database("a").unwrap();
    for _ in 0..200 {
        put(&environment, database, b"key", &vec![1; 1 << 20]);
    }
    assert_eq!(get(&environment, database, b"key").unwrap().len(), 1 << 20);
}

#[test]
#[ignore = "run by another test, as another process"]
fn dying_reader() {
    let directory = std::env::var_os("HOTPATH_TEST_DIRECTORY").unwrap();
    let environment = open(Path::new(&directory), &options()).unwrap();
    environment
        .read(|_| -> heed::Result<()> {
            std::fs::write(Path::new(&directory).join("reading"), b"").unwrap();
            loop {
                std::thread::park();
            }
        })
        .unwrap();
}

#[test]
#[cfg(unix)]
fn a_forked_child_is_refused() {
    let directory = directory();
    let environment = open(directory.path(), &options()).unwrap();
    let database = environment.database("a").unwrap();
    put(&environment, database, b"key", b"value");
    // SAFETY: the child calls nothing that needs another thread of the parent, and ends
    // without running anything of it.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: ends the child should it hang on a lock that the fork left taken.
        unsafe { libc::alarm(10) };
        let read = environment.read(|txn| Ok(database.get(txn, b"key")?.is_some()));
        let refused = read.is_err_and(|error| problem(error) == StorageProblem::Unsupported);
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(i32::from(!refused)) };
    }
    let mut status = 0;
    // SAFETY: waits for the child that was just made.
    unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!(status, 0);
    assert!(get(&environment, database, b"key").is_some());
}

#[test]
#[cfg(target_os = "linux")]
fn network_file_systems_are_refused_by_name() {
    assert_eq!(filesystem::network_kind(0x6969), Some("NFS"));
    assert_eq!(filesystem::network_kind(0xff53_4d42), Some("SMB"));
    // ext4, tmpfs, overlayfs.
    for local in [0xef53, 0x0102_1994, 0x794c_7630] {
        assert_eq!(filesystem::network_kind(local), None);
    }
}

#[test]
fn many_threads_read_while_others_write() {
    let directory = directory();
    let environment = open(directory.path(), &options()).unwrap();
    let database = environment.database("a").unwrap();
    put(&environment, database, b"key", &0u64.to_be_bytes());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut last = 0;
                while last < 500 {
                    let value = get(&environment, database, b"key").unwrap();
                    let value = u64::from_be_bytes(value.try_into().unwrap());
                    assert!(value >= last);
                    last = value;
                }
            });
        }
        for number in 1..=500u64 {
            put(&environment, database, b"key", &number.to_be_bytes());
        }
    });
    let database = database.remap_types::<Bytes, Bytes>();
    assert_eq!(environment.read(|txn| database.len(txn)).unwrap(), 1);
}
