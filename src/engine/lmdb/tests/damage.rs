//! Files that were cut, overwritten, or are not ours.

use std::fs;

use super::*;
use crate::engine::lmdb::pages;

const ENTRIES: u32 = 5000;

/// An environment of some thousand entries, values within pages and beside them.
fn fill(directory: &Path) {
    let environment = open(directory, &options()).unwrap();
    let database = environment.database("a").unwrap();
    let run = move |txn: &mut WriteTransaction<'_>| {
        for number in 0..ENTRIES {
            let length = if number % 50 == 0 { 9000 } else { 100 };
            database.put(txn, &number.to_be_bytes(), &vec![number as u8; length])?;
        }
        Ok(())
    };
    environment.write(run).unwrap();
    environment
        .write(move |txn| database.delete(txn, &7u32.to_be_bytes()))
        .unwrap();
    close(environment);
}

/// Opens what was damaged and reads all of it. Returns whether it was begun anew.
fn survives(directory: &Path) -> bool {
    let environment = open(directory, &options()).unwrap();
    let database = environment.database("a").unwrap();
    for number in 0..ENTRIES {
        get(&environment, database, &number.to_be_bytes());
    }
    put(&environment, database, b"new", b"value");
    assert!(get(&environment, database, b"new").is_some());
    let rebuilt = environment.rebuilt().is_some();
    close(environment);
    rebuilt
}

#[test]
fn files_that_are_no_environment_are_replaced() {
    for contents in [b"".as_slice(), b"hello", &[0; 8192], &[0xff; 100_000]] {
        let directory = directory();
        fs::write(directory.path().join("data.mdb"), contents).unwrap();
        assert_eq!(survives(directory.path()), !contents.is_empty());
        let kept = directory.path().join("data.mdb.damaged");
        assert_eq!(
            kept.exists(),
            !contents.is_empty(),
            "what may be somebody's is kept"
        );
    }
}

#[test]
fn a_file_that_was_cut_is_replaced() {
    for part in [1, 2, 3, 10, 100] {
        let directory = directory();
        fill(directory.path());
        let file = fs::File::options()
            .write(true)
            .open(directory.path().join("data.mdb"))
            .unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length / (part + 1)).unwrap();
        assert!(survives(directory.path()), "1/{} is left", part + 1);
    }
}

#[test]
fn refusing_leaves_damaged_files_as_they_are() {
    let directory = directory();
    let data = directory.path().join("data.mdb");
    fs::write(&data, [1; 10_000]).unwrap();
    let refuse = Options {
        damage: Damage::Refuse,
        ..options()
    };
    assert_eq!(
        problem(open(directory.path(), &refuse).unwrap_err()),
        StorageProblem::Damaged
    );
    assert_eq!(fs::read(&data).unwrap(), [1; 10_000]);
}

#[test]
fn pages_full_of_rubbish_never_end_the_process() {
    let directory = directory();
    fill(directory.path());
    let data = directory.path().join("data.mdb");
    let sound = fs::read(&data).unwrap();
    let mut random = 0x2545_f491_4f6c_dd1du64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut found = 0;
    for round in 0..120 {
        let mut bytes = sound.clone();
        let page = (next() as usize % (bytes.len() / 4096)) * 4096;
        match round % 3 {
            0 => bytes[page..page + 4096]
                .iter_mut()
                .for_each(|byte| *byte = next() as u8),
            1 => bytes[page..page + 16]
                .iter_mut()
                .for_each(|byte| *byte = next() as u8),
            _ => bytes[page + next() as usize % 4096] ^= 1 << (next() % 8),
        }
        fs::write(&data, bytes).unwrap();
        found += u32::from(survives(directory.path()));
    }
    assert!(found > 20, "{found} of 120 were noticed");
}

#[test]
fn the_environment_of_another_program_is_never_touched() {
    let directory = directory();
    // SAFETY: nobody else has the file.
    let env = unsafe {
        heed::EnvOpenOptions::new()
            .max_dbs(2)
            .open(directory.path())
            .unwrap()
    };
    let txn = env.write_txn().unwrap();
    let database = env
        .create_databases_and_commit(txn, |opener, txn| {
            let database = opener.create_database::<Bytes, Bytes>(txn, Some("theirs"))?;
            Ok::<_, heed::Error>(heed::CommitOrAbort::<_, ()>::Commit(database))
        })
        .unwrap()
        .unwrap_commit();
    let closing = env.clone().prepare_for_closing();
    drop(env);
    closing.wait();
    let _ = database;
    let error = open(directory.path(), &options()).unwrap_err();
    assert_eq!(problem(error), StorageProblem::Damaged);
    assert!(directory.path().join("data.mdb").exists());
}

#[test]
fn another_format_is_replaced_or_refused() {
    let directory = directory();
    let environment = open(directory.path(), &options()).unwrap();
    let database = environment.database(format::DATABASE).unwrap();
    let newer = format::VERSION + 1;
    environment
        .write(move |txn| format::write_version(database, txn, newer))
        .unwrap();
    close(environment);
    let refuse = Options {
        damage: Damage::Refuse,
        ..options()
    };
    assert_eq!(
        problem(open(directory.path(), &refuse).unwrap_err()),
        StorageProblem::Version
    );
    assert!(survives(directory.path()));
    assert!(!survives(directory.path()));
}

#[test]
fn a_file_in_place_of_the_directory_is_an_error() {
    let directory = directory();
    let path = directory.path().join("file");
    fs::write(&path, b"").unwrap();
    assert_eq!(
        problem(open(&path, &options()).unwrap_err()),
        StorageProblem::Failed
    );
    let below = path.join("below");
    assert_eq!(
        problem(open(&below, &options()).unwrap_err()),
        StorageProblem::Failed
    );
}

#[test]
fn meta_pages_are_read_as_lmdb_writes_them() {
    let directory = directory();
    fill(directory.path());
    let file = fs::File::open(directory.path().join("data.mdb")).unwrap();
    let metas = pages::read_metas(&file).unwrap().unwrap();
    assert_eq!(metas[0].transaction.abs_diff(metas[1].transaction), 1);
    let environment = open(directory.path(), &options()).unwrap();
    let newest = metas.iter().map(|meta| meta.transaction).max().unwrap();
    assert_eq!(environment.read(|txn| Ok(txn.id() as u64)).unwrap(), newest);
}
