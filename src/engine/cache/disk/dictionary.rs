//! The structure dictionary of the entries, in the environment: every process can decode
//! what any other wrote. See [`memory::dictionary`](crate::engine::cache::memory::dictionary).

use super::DiskCache;
use crate::error::Result;

const KEY: &[u8] = b"dictionary";

/// The version and the document. A stored dictionary is its version and its document.
fn decode(bytes: Option<&[u8]>) -> (u32, Option<&[u8]>) {
    match bytes.and_then(|bytes| bytes.split_first_chunk::<4>()) {
        Some((version, document)) => (u32::from_le_bytes(*version), Some(document)),
        None => (0, None),
    }
}

impl DiskCache {
    /// The number of times that the dictionary was saved.
    pub fn dictionary_version(&self) -> Result<u32> {
        let store = self.store()?;
        let meta = store.databases.meta;
        store.environment.read(|txn| Ok(decode(meta.get(txn, KEY)?).0))
    }

    /// The current document, if there is one.
    pub fn load_dictionary(&self) -> Result<Option<Vec<u8>>> {
        let store = self.store()?;
        let meta = store.databases.meta;
        store
            .environment
            .read(|txn| Ok(decode(meta.get(txn, KEY)?).1.map(<[u8]>::to_vec)))
    }

    /// Replaces version `expected`. False when somebody else was faster, in whatever process.
    /// Waits for the commit: rare, since a dictionary has few shapes.
    pub fn save_dictionary(&self, document: &[u8], expected: u32) -> Result<bool> {
        let store = self.store()?;
        let meta = store.databases.meta;
        let document = document.to_vec();
        store.environment.write(move |txn| {
            if decode(meta.get(txn, KEY)?).0 != expected {
                return Ok(false);
            }
            let version = expected.wrapping_add(1).to_le_bytes();
            meta.put(txn, KEY, &[&version, &document[..]].concat())?;
            Ok(true)
        })
    }
}
