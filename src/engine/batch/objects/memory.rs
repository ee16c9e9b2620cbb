//! Objects in memory.

use std::collections::{BTreeMap, HashMap};

use super::{Object, Uuid};

/// What an object costs beside its payload: its place in the tree, and the allocation.
const OVERHEAD_BYTES: u64 = 56;

/// Containers of objects in memory.
#[derive(Debug, Default)]
pub struct MemoryObjects {
    containers: HashMap<Box<[u8]>, BTreeMap<Uuid, Object>>,
    bytes: u64,
}

fn weight(object: &Object) -> u64 {
    object.bytes.len() as u64 + OVERHEAD_BYTES
}

impl MemoryObjects {
    /// Adds an object, or replaces the one of this name.
    pub fn put(&mut self, container: &[u8], uuid: Uuid, object: Object) {
        self.bytes += weight(&object);
        let previous = match self.containers.get_mut(container) {
            Some(objects) => objects.insert(uuid, object),
            None => {
                let objects = BTreeMap::from([(uuid, object)]);
                self.containers.insert(container.into(), objects);
                None
            }
        };
        self.bytes -= previous.as_ref().map_or(0, weight);
    }

    /// The object of this name.
    pub fn get(&self, container: &[u8], uuid: Uuid) -> Option<&Object> {
        self.containers.get(container)?.get(&uuid)
    }

    /// Removes an object. False if there is none.
    pub fn remove(&mut self, container: &[u8], uuid: Uuid) -> bool {
        let Some(objects) = self.containers.get_mut(container) else {
            return false;
        };
        let removed = objects.remove(&uuid);
        self.bytes -= removed.as_ref().map_or(0, weight);
        if objects.is_empty() {
            self.containers.remove(container);
        }
        removed.is_some()
    }

    /// Up to `most` names in a container that come after `after`, in their order.
    pub fn page(&self, container: &[u8], after: Option<Uuid>, most: usize) -> Vec<Uuid> {
        use std::ops::Bound::{Excluded, Unbounded};
        let Some(objects) = self.containers.get(container) else {
            return Vec::new();
        };
        let start = after.map_or(Unbounded, Excluded);
        objects
            .range((start, Unbounded))
            .take(most)
            .map(|(uuid, _)| *uuid)
            .collect()
    }

    /// How many objects a container has.
    pub fn count(&self, container: &[u8]) -> usize {
        self.containers.get(container).map_or(0, BTreeMap::len)
    }

    /// Removes all objects of a container, or of all. Returns how many.
    pub fn clear(&mut self, container: Option<&[u8]>) -> usize {
        let removed: Vec<_> = match container {
            Some(container) => self.containers.remove(container).into_iter().collect(),
            None => std::mem::take(&mut self.containers).into_values().collect(),
        };
        self.bytes -= removed.iter().flat_map(BTreeMap::values).map(weight).sum::<u64>();
        removed.iter().map(BTreeMap::len).sum()
    }

    /// About how many bytes all objects take.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cache::record::Kind;

    fn object(text: &str) -> Object {
        Object {
            kind: Kind::UTF8,
            bytes: text.as_bytes().into(),
        }
    }

    #[test]
    fn containers_are_apart_and_bytes_are_counted() {
        let mut objects = MemoryObjects::default();
        objects.put(b"a", 2, object("two"));
        objects.put(b"a", 1, object("one"));
        objects.put(b"b", 1, object("other"));
        objects.put(b"a", 2, object("2"));
        assert_eq!(objects.get(b"a", 2), Some(&object("2")));
        assert_eq!(objects.get(b"c", 2), None);
        assert_eq!(objects.page(b"a", None, 9), [1, 2]);
        assert_eq!(objects.page(b"a", Some(1), 9), [2]);
        assert_eq!(objects.page(b"a", None, 1), [1]);
        assert_eq!(objects.bytes(), 3 * OVERHEAD_BYTES + 1 + 3 + 5);
        assert!(objects.remove(b"a", 1));
        assert!(!objects.remove(b"a", 1));
        assert_eq!((objects.count(b"a"), objects.clear(Some(b"a"))), (1, 1));
        assert_eq!(objects.clear(None), 1);
        assert_eq!(objects.bytes(), 0);
    }
}
