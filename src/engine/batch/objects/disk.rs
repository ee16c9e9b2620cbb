//! Objects on the disk.
//!
//! The key of an object is the name of its container, a zero byte and the UUID; its value is
//! the kind and the payload.

use std::path::Path;
use std::sync::Arc;

use super::{Object, Uuid};
use crate::engine::cache::record::Kind;
use crate::engine::lmdb::{self, Damage, Database, Durability, Environment, Options, WriteTransaction};
use crate::error::Result;

/// Where the dictionary of structures stands, after its version.
const DICTIONARY: &[u8] = b"dictionary";

/// Containers of objects in a directory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DiskObjects {
    environment: Arc<Environment>,
    objects: Database,
    /// Structures of records, for the codec.
    structures: Database,
}

fn prefix(container: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(container.len() + 17);
    key.extend_from_slice(container);
    key.push(0);
    key
}

fn key(container: &[u8], uuid: Uuid) -> Vec<u8> {
    let mut key = prefix(container);
    key.extend_from_slice(&uuid.to_be_bytes());
    key
}

fn object(value: &[u8]) -> Option<Object> {
    let (kind, bytes) = value.split_first()?;
    Some(Object {
        kind: Kind(*kind),
        bytes: bytes.into(),
    })
}

impl DiskObjects {
    /// Opens a directory for up to about `max_bytes` of objects. What is added is on the
    /// disk before anybody is told.
    ///
    /// # Errors
    /// See [`lmdb::open`]. Damaged files are refused, never replaced.
    pub fn open(directory: &Path, max_bytes: u64) -> Result<Self> {
        let environment = lmdb::open(
            directory,
            &Options {
                data_bytes: max_bytes,
                durability: Durability::EachCommit,
                damage: Damage::Refuse,
            },
        )?;
        Ok(Self {
            objects: environment.database("objects")?,
            structures: environment.database("structures")?,
            environment,
        })
    }

    /// Adds objects, all of them or none, and calls `done` after the commit.
    pub fn add(
        &self,
        container: &[u8],
        added: Vec<(Uuid, Object)>,
        done: impl FnOnce(Result<()>) + Send + 'static,
    ) {
        let objects = self.objects;
        let added: Vec<(Vec<u8>, Vec<u8>)> = added
            .into_iter()
            .map(|(uuid, object)| {
                let mut value = Vec::with_capacity(object.bytes.len() + 1);
                value.push(object.kind.0);
                value.extend_from_slice(&object.bytes);
                (key(container, uuid), value)
            })
            .collect();
        let run = move |transaction: &mut WriteTransaction<'_>| {
            added
                .iter()
                .try_for_each(|(key, value)| objects.put(transaction, key, value))
        };
        self.environment.submit_with(run, done);
    }

    /// The objects of these names, as far as they exist.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn get(&self, container: &[u8], uuids: &[Option<Uuid>]) -> Result<Vec<Option<Object>>> {
        self.environment.read(|transaction| {
            let one = |uuid: &Option<Uuid>| match uuid {
                Some(uuid) => {
                    let value = self.objects.get(transaction, &key(container, *uuid))?;
                    Ok(value.and_then(object))
                }
                None => Ok(None),
            };
            uuids.iter().map(one).collect()
        })
    }

    /// Removes an object, and tells `done` whether there was one.
    pub fn remove(&self, container: &[u8], uuid: Uuid, done: impl FnOnce(Result<bool>) + Send + 'static) {
        let (objects, key) = (self.objects, key(container, uuid));
        self.environment
            .submit_freeing(move |transaction| objects.delete(transaction, &key), done);
    }

    /// Up to `most` objects of a container that come after `after`, in the order of their
    /// names.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn page(&self, container: &[u8], after: Option<Uuid>, most: usize) -> Result<Vec<(Uuid, Object)>> {
        let prefix = prefix(container);
        let start = after.map_or_else(|| prefix.clone(), |uuid| key(container, uuid));
        self.environment.read(|transaction| {
            let mut page = Vec::new();
            let range = (
                std::ops::Bound::Excluded(start.as_slice()),
                std::ops::Bound::Unbounded,
            );
            for entry in self.objects.range(transaction, &range)? {
                let (key, value) = entry?;
                let Some(uuid) = key.strip_prefix(prefix.as_slice()) else {
                    break;
                };
                if let (Ok(uuid), Some(object)) = (uuid.try_into().map(Uuid::from_be_bytes), object(value)) {
                    page.push((uuid, object));
                }
                if page.len() == most {
                    break;
                }
            }
            Ok(page)
        })
    }

    /// How many objects a container has. Walks over all of them.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn count(&self, container: &[u8]) -> Result<usize> {
        let prefix = prefix(container);
        self.environment
            .read(|transaction| Ok(self.objects.prefix_iter(transaction, &prefix)?.count()))
    }

    /// Removes all objects of a container, or of all, and tells `done` how many.
    pub fn clear(&self, container: Option<&[u8]>, done: impl FnOnce(Result<usize>) + Send + 'static) {
        let (objects, prefix) = (self.objects, container.map(prefix));
        let run = move |transaction: &mut WriteTransaction<'_>| match &prefix {
            None => {
                let count = objects.len(transaction)? as usize;
                objects.clear(transaction)?;
                Ok(count)
            }
            Some(prefix) => {
                let keys: Vec<Vec<u8>> = objects
                    .prefix_iter(transaction, prefix)?
                    .map(|entry| entry.map(|(key, _)| key.to_vec()))
                    .collect::<heed::Result<_>>()?;
                for key in &keys {
                    objects.delete(transaction, key)?;
                }
                Ok(keys.len())
            }
        };
        self.environment.submit_freeing(run, done);
    }

    /// The dictionary of structures and its version; version 0 is an empty one.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn structures(&self) -> Result<(u32, Vec<u8>)> {
        self.environment.read(|transaction| {
            let stored = self.structures.get(transaction, DICTIONARY)?;
            Ok(stored
                .and_then(versioned)
                .map_or((0, Vec::new()), |(version, document)| {
                    (version, document.to_vec())
                }))
        })
    }

    /// Replaces the dictionary if it still has the expected version, and waits for the
    /// commit: values that use it must never be there before it is. False if somebody else
    /// was faster.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn save_structures(&self, document: &[u8], expected: u32) -> Result<bool> {
        let (structures, document) = (self.structures, document.to_vec());
        self.environment.write(move |transaction| {
            let current = structures.get(transaction, DICTIONARY)?.and_then(versioned);
            if current.map_or(0, |(version, _)| version) != expected {
                return Ok(false);
            }
            let mut value = (expected + 1).to_le_bytes().to_vec();
            value.extend_from_slice(&document);
            structures.put(transaction, DICTIONARY, &value)?;
            Ok(true)
        })
    }

    /// Ends this use of the directory, and calls `done` when all is written.
    pub fn close(self, done: impl FnOnce() + Send + 'static) {
        self.environment.release(done);
    }
}

fn versioned(value: &[u8]) -> Option<(u32, &[u8])> {
    let (version, document) = value.split_first_chunk()?;
    Some((u32::from_le_bytes(*version), document))
}
