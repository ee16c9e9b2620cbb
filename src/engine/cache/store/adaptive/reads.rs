//! Reads on their way to the policy: striped, lossy buffers, so that readers neither wait for
//! each other nor for the policy's lock. What is lost under pressure are uses of keys that
//! are used a lot anyway.

use super::sync::{AtomicU32, AtomicU64, AtomicUsize, Ordering, own_number};

const STRIPES: usize = 16;

/// Reads that a stripe holds before somebody has to apply them.
const LENGTH: usize = 64;

/// A read: the hash of the key, and the node of its record, if there was one.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// Of the key.
    pub hash: u64,
    /// In the policy's lists.
    pub node: u32,
}

#[derive(Debug)]
#[repr(align(128))]
struct Stripe {
    len: AtomicUsize,
    hashes: [AtomicU64; LENGTH],
    nodes: [AtomicU32; LENGTH],
}

/// See the module.
#[derive(Debug)]
pub struct Reads {
    stripes: Box<[Stripe]>,
}

impl Default for Reads {
    fn default() -> Self {
        let stripe = || Stripe {
            len: AtomicUsize::new(0),
            hashes: std::array::from_fn(|_| AtomicU64::new(0)),
            nodes: std::array::from_fn(|_| AtomicU32::new(0)),
        };
        Self {
            stripes: (0..STRIPES).map(|_| stripe()).collect(),
        }
    }
}

impl Reads {
    /// Remembers a read. True when the thread's stripe is full and should be applied.
    pub fn push(&self, read: Read) -> bool {
        let stripe = &self.stripes[own_number() % STRIPES];
        let place = stripe.len.fetch_add(1, Ordering::Relaxed);
        if place < LENGTH {
            // Two threads may share a stripe. A hash and a node of different reads do not
            // fit each other, which the policy checks.
            stripe.hashes[place].store(read.hash, Ordering::Relaxed);
            stripe.nodes[place].store(read.node, Ordering::Relaxed);
        }
        place + 1 >= LENGTH
    }

    /// Takes everything out, a stripe at a time.
    pub fn drain(&self, apply: &mut dyn FnMut(Read)) {
        for stripe in &self.stripes {
            let len = stripe.len.load(Ordering::Relaxed).min(LENGTH);
            if len == 0 {
                continue;
            }
            for place in 0..len {
                let hash = stripe.hashes[place].load(Ordering::Relaxed);
                let node = stripe.nodes[place].load(Ordering::Relaxed);
                apply(Read { hash, node });
            }
            stripe.len.store(0, Ordering::Relaxed);
        }
    }
}
