//! Keys by pattern: which ones the levels have, and deleting those.
//!
//! Every level is asked, and what is on its way to it counts as there. A level that cannot be
//! asked makes the answer an error, after the others' keys were deleted: a key that may still
//! be somewhere must not be taken for gone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::level::Level;
use super::{Stack, Tiered, tags};
use crate::engine::cache::glob::Glob;
use crate::engine::completion::Reply;
use crate::error::Result;

/// What a walk over all keys of a tier may take: so many times as long as one operation.
pub const WALK: u32 = 60;

fn means(glob: &Glob, key: &[u8]) -> bool {
    // What we keep for ourselves is nobody's key.
    !key.starts_with(tags::PREFIX) && glob.matches(key)
}

impl Level {
    /// The keys that a pattern means, those among them that are on their way.
    async fn keys(&self, operation: &'static str, glob: Arc<Glob>) -> Result<Vec<Arc<[u8]>>> {
        // First: what is taken meanwhile, the tier has.
        let mut keys = self.outbox.keys();
        let limit: Duration = self.limit() * WALK;
        keys.extend(
            self.call_within(limit, operation, None, self.tier().keys(Some(glob)))
                .await?,
        );
        Ok(keys)
    }
}

impl Tiered {
    async fn gather(
        &self,
        stack: &Stack,
        operation: &'static str,
        glob: Arc<Glob>,
    ) -> (Vec<Arc<[u8]>>, Result<()>) {
        let mut found = BTreeSet::new();
        for front in self.fronts() {
            front.for_each_key(Some(&glob), &mut |key| {
                found.insert(Arc::from(key));
            });
        }
        found.extend(self.reserve.keys());
        let mut outcome = Ok(());
        let levels = stack.levels.iter();
        for keys in join_all(levels.map(|level| level.keys(operation, glob.clone()))).await {
            match keys {
                Ok(keys) => found.extend(keys),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        found.retain(|key| means(&glob, key));
        (found.into_iter().collect(), outcome)
    }

    /// The keys that a pattern means, in any level, sorted by their bytes.
    ///
    /// # Errors
    /// A level cannot be asked.
    pub async fn keys(self: Arc<Self>, stack: Arc<Stack>, glob: Glob) -> Result<Reply> {
        let (keys, outcome) = self.gather(&stack, "keys", Arc::new(glob)).await;
        outcome?;
        Ok(Reply::Keys(keys.iter().map(|key| key.to_vec()).collect()))
    }

    /// Deletes the keys that a pattern means, in all levels, and counts them. What is being
    /// loaded or read under such a key gets into no level.
    ///
    /// # Errors
    /// A level cannot be asked; the keys that the others have are deleted all the same.
    pub async fn delete_pattern(self: Arc<Self>, stack: Arc<Stack>, glob: Glob) -> Result<Reply> {
        let glob = Arc::new(glob);
        let overtake = || {
            let chosen = |key: &[u8]| means(&glob, key);
            self.guards.overtake_where(&chosen);
            for front in self.fronts() {
                front.guards.overtake_where(&chosen);
            }
        };
        overtake();
        let (keys, outcome) = self.gather(&stack, "deletePattern", glob.clone()).await;
        let deleted = self.delete(&stack, &keys).await;
        // What was read meanwhile from a level that still had it.
        overtake();
        outcome.map(|()| deleted)
    }
}
