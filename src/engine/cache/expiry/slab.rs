//! The wheel's nodes: a slab in chunks, so that it grows without copying and gives memory back.
//!
//! One `Vec` would copy every node each time it doubles (tens of megabytes under a lock at a
//! million entries) and could never shrink past its last live node, because node ids are handed
//! out and must not move. Chunks of [`CHUNK`] nodes do neither. A chunk whose nodes are all free is
//! released, except one, kept so that a cache that breathes around a chunk boundary does not
//! allocate at every breath. What this does not do: move nodes. Survivors spread thinly over many
//! chunks keep them all.

/// Nodes per chunk: 6 KiB a piece.
pub(super) const CHUNK: usize = 256;
const CHUNK_BITS: u32 = CHUNK.trailing_zeros();

/// No node, no chunk: the end of a free list.
const NONE: u32 = u32::MAX;
/// In `Node::prev`: the node is free, and `next` is the index of the next free one in its chunk.
const FREE: u32 = u32::MAX;

/// The first id that is never a node's: the wheel numbers its list heads from here.
pub(super) const NODE_LIMIT: u32 = 0xFFFF_FE00;

/// One scheduled entry and its place in a doubly linked list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) prev: u32,
    pub(super) next: u32,
    pub(super) hash: u64,
    pub(super) deadline_ms: u64,
}

struct Chunk {
    /// `None` while released.
    nodes: Option<Box<[Node]>>,
    live: u32,
    /// First free node, as an index within the chunk.
    free: u32,
    /// The next chunk that has room.
    next_with_room: u32,
}

/// Nodes addressed by ids that stay the same for as long as the node lives.
pub(super) struct Slab {
    chunks: Vec<Chunk>,
    /// Head of the list of chunks that have room. Released ones stay in it.
    with_room: u32,
    /// Chunks that hold memory, without `spare`.
    present: usize,
    spare: Option<Box<[Node]>>,
    len: usize,
}

impl Slab {
    pub(super) const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            with_room: NONE,
            present: 0,
            spare: None,
            len: 0,
        }
    }

    /// Live nodes.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Bytes held, without `self`.
    pub(super) fn bytes(&self) -> usize {
        let chunks = self.present + usize::from(self.spare.is_some());
        chunks * CHUNK * size_of::<Node>() + self.chunks.capacity() * size_of::<Chunk>()
    }

    pub(super) fn get(&self, id: u32) -> Option<&Node> {
        let nodes = self.chunks.get((id >> CHUNK_BITS) as usize)?.nodes.as_ref()?;
        nodes.get(id as usize % CHUNK).filter(|node| node.prev != FREE)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Node> {
        let nodes = self.chunks.get_mut((id >> CHUNK_BITS) as usize)?.nodes.as_mut()?;
        nodes
            .get_mut(id as usize % CHUNK)
            .filter(|node| node.prev != FREE)
    }

    /// A new node, linked nowhere (its links are 0). `None` when all ids are taken.
    pub(super) fn insert(&mut self, hash: u64, deadline_ms: u64) -> Option<u32> {
        if self.with_room == NONE {
            self.add_chunk()?;
        }
        let index = self.with_room;
        let chunk = self.chunks.get_mut(index as usize)?;
        let nodes = match &mut chunk.nodes {
            Some(nodes) => nodes,
            absent => {
                self.present += 1;
                chunk.free = 0;
                absent.insert(self.spare.take().unwrap_or_else(empty_chunk))
            }
        };
        let slot = chunk.free;
        let node = nodes.get_mut(slot as usize)?;
        chunk.free = node.next;
        chunk.live += 1;
        *node = Node {
            prev: 0,
            next: 0,
            hash,
            deadline_ms,
        };
        if chunk.free == NONE {
            self.with_room = chunk.next_with_room;
        }
        self.len += 1;
        Some(index << CHUNK_BITS | slot)
    }

    /// Frees a node; what it was. `None` (and nothing happens) if there is no such node.
    pub(super) fn remove(&mut self, id: u32) -> Option<Node> {
        let index = id >> CHUNK_BITS;
        let chunk = self.chunks.get_mut(index as usize)?;
        let node = chunk.nodes.as_mut()?.get_mut(id as usize % CHUNK)?;
        if node.prev == FREE {
            return None;
        }
        let removed = *node;
        let was_full = chunk.free == NONE;
        node.prev = FREE;
        node.next = chunk.free;
        chunk.free = id % CHUNK as u32;
        chunk.live -= 1;
        self.len -= 1;
        if was_full {
            chunk.next_with_room = self.with_room;
            self.with_room = index;
        }
        if chunk.live == 0 {
            self.present -= 1;
            let nodes = chunk.nodes.take();
            if self.spare.is_none() {
                self.spare = nodes.map(reset);
            }
        }
        Some(removed)
    }

    fn add_chunk(&mut self) -> Option<()> {
        let index = u32::try_from(self.chunks.len()).ok()?;
        if index >= NODE_LIMIT >> CHUNK_BITS {
            return None;
        }
        self.chunks.push(Chunk {
            nodes: None,
            live: 0,
            free: 0,
            next_with_room: NONE,
        });
        self.with_room = index;
        Some(())
    }
}

fn empty_chunk() -> Box<[Node]> {
    reset(
        vec![
            Node {
                prev: FREE,
                next: NONE,
                hash: 0,
                deadline_ms: 0
            };
            CHUNK
        ]
        .into_boxed_slice(),
    )
}

/// Chains all nodes of a chunk into its free list, lowest first.
fn reset(mut nodes: Box<[Node]>) -> Box<[Node]> {
    for (node, next) in nodes.iter_mut().zip(1u32..) {
        node.prev = FREE;
        node.next = if next as usize == CHUNK { NONE } else { next };
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn ids_are_unique_and_keep_their_nodes() {
        let mut slab = Slab::new();
        let mut model = HashMap::new();
        for round in 0..3u64 {
            for n in 0..3 * CHUNK as u64 {
                let id = slab.insert(n, round).expect("room");
                assert!(model.insert(id, (n, round)).is_none());
            }
            let gone: Vec<u32> = model.keys().copied().filter(|id| id % 3 == 0).collect();
            for id in gone {
                let node = slab.remove(id).expect("live");
                assert_eq!(model.remove(&id), Some((node.hash, node.deadline_ms)));
                assert!(slab.remove(id).is_none());
                assert!(slab.get(id).is_none());
            }
            assert_eq!(slab.len(), model.len());
        }
        for (id, (hash, deadline_ms)) in model {
            let node = slab.get(id).expect("live");
            assert_eq!((node.hash, node.deadline_ms), (hash, deadline_ms));
        }
    }

    #[test]
    fn empty_chunks_are_released_and_their_ids_used_again() {
        let mut slab = Slab::new();
        let ids: Vec<u32> = (0..100 * CHUNK as u64)
            .map(|n| slab.insert(n, n).expect("room"))
            .collect();
        let full = slab.bytes();
        for id in &ids[CHUNK..] {
            slab.remove(*id);
        }
        assert_eq!(slab.present, 1);
        assert!(slab.bytes() < full / 20, "{} of {full}", slab.bytes());
        for n in 0..99 * CHUNK as u64 {
            let id = slab.insert(n, n).expect("room");
            assert!((id as usize) < 100 * CHUNK);
        }
        assert_eq!(slab.bytes(), full);
    }

    #[test]
    fn unknown_ids_are_refused() {
        let mut slab = Slab::new();
        assert!(slab.remove(0).is_none());
        assert!(slab.get_mut(NODE_LIMIT).is_none());
        assert!(slab.remove(u32::MAX).is_none());
    }
}
