//! Monitoring: what the process counts, measures and remembers, shared by all its threads.
//!
//! **Recording.** A thread owns a [`ring`] of slots over native memory. JavaScript writes a
//! slot (which target, what value) as a typed array and publishes it with one atomic store:
//! no call is made. A native thread ([`worker`]) drains the rings into the [`store`]. A ring
//! that is full is drained in place by its owner, and once more when the owner's thread ends:
//! nothing that was published is ever lost. Whoever reads figures drains all rings first, so
//! a reader sees everything that was recorded before it asked.
//!
//! **Targets.** What a slot names is a [`target`](store::Target): a counter, a gauge, a
//! [`histogram`], a rolling [`window`] or a ring of [`samples`]. Numbers of targets are never
//! used twice, so a record that arrives late for a target that is gone is dropped, and cannot
//! reach another one.
//!
//! **Metrics.** [`metrics`] names targets for export: families with labels, a cap on the
//! series of each, and one overflow series that takes what exceeds the cap. [`render`] turns
//! them into text piece by piece, so that neither the event loop nor the recording threads
//! wait for a scrape.
//!
//! **Histograms.** A series with labels keeps sparse exponential buckets, the ones of
//! Prometheus's native histograms (32 to each power of two, halved when a series spreads so
//! wide that it would exceed about 4 KB); a series without labels keeps an hdrhistogram with
//! three significant digits. Both count the classic buckets exactly beside it. Percentiles
//! over a rolling window come from the merged counts of its slices, never from averages.
//!
//! **Locks**, from left to right: the sampler's state, or a monitor's names, or the list of
//! rings; a ring's cursor; the store. The store's lock is held for at most [`ring::BATCH`] slots
//! or one piece of a rendering, and nothing else is locked inside it. A monitor's alerts and the
//! worker's jobs have locks that enclose nothing.

pub mod alerts;
pub mod histogram;
pub mod loop_probe;
pub mod metrics;
pub mod monitors;
pub mod render;
pub mod ring;
pub mod samples;
pub mod sparse;
pub mod store;
pub mod system;
pub mod window;
pub mod worker;

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, as JavaScript's `Date.now()` has them.
pub fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64() * 1000.0
}
