//! Caches.
//!
//! [`redis`] is a cache on a server. [`memory`] is the in-memory engine. It stands on [`store`] (what is kept, and where),
//! [`record`] (how an entry lies in memory), [`expiry`] (when entries go by themselves),
//! [`glob`] (which keys a pattern means), [`events`] (who hears of changes) and [`compression`].
//!
//! [`tiered`] is a cache of several levels, over the trait [`tier`]; [`guards`] keep values that
//! come from elsewhere from replacing newer ones.

pub mod budget;
pub mod compression;
#[cfg(test)]
mod dice;
pub mod disk;
pub mod events;
pub mod expiry;
pub mod glob;
pub mod guards;
pub mod memory;
pub mod record;
pub mod redis;
pub mod store;
pub mod tier;
pub mod tiered;
