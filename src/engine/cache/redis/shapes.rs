//! The dictionary's traffic: reading it, adding to it, and making sure that it is still there.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use redis::Value as Reply;
use tokio::time::timeout;

use super::RedisCache;
use super::connection::Connection;
use super::dictionary::Document;
use super::link::State;
use super::scripts;
use crate::engine::{clock, runtime};

/// How often a writer makes sure that the dictionary it uses still stands in Redis.
const CHECK_MS: u64 = 1_000;

/// Attempts to add a shape while others add theirs.
const ATTEMPTS: usize = 4;

impl RedisCache {
    fn dictionary_name(&self) -> Vec<u8> {
        self.keys.reserved("records", b"")
    }

    /// Learns what stands in Redis. False if nothing does.
    pub(super) async fn read_dictionary(&self, connection: &Connection) -> bool {
        let mut command = redis::cmd("GET");
        command.arg(self.dictionary_name());
        match connection.ask(command).await {
            Ok(Reply::BulkString(text)) => {
                if let Some(document) = Document::parse(&text) {
                    self.dictionary.adopt(document);
                }
                true
            }
            // Nobody can tell: nothing is changed until somebody can.
            Err(_) => true,
            Ok(_) => false,
        }
    }

    /// Puts a shape (a JSON array of names) into the dictionary, some time soon. Without
    /// effect while another one is on its way, while there is no connection, or when there is
    /// no room.
    pub fn propose_shape(self: &Arc<Self>, shape: Vec<u8>) {
        let State::Up(connection) = self.link.state() else {
            return;
        };
        if self.proposing.swap(true, Ordering::SeqCst) {
            return;
        }
        let cache = self.clone();
        let Ok(runtime) = runtime::handle() else { return };
        runtime.spawn(async move {
            let _ = timeout(cache.config.timeout, cache.add_shape(&connection, &shape)).await;
            cache.proposing.store(false, Ordering::SeqCst);
        });
    }

    async fn add_shape(&self, connection: &Connection, shape: &[u8]) {
        for _ in 0..ATTEMPTS {
            let current = self.dictionary.current();
            let Some(text) = Document::with_shape(current.as_ref(), shape, new_number()) else {
                return;
            };
            let expected = current.map_or(Vec::new(), |document| document.text.to_vec());
            match self.replace_dictionary(connection, &expected, &text).await {
                Some(Reply::Nil) => {
                    if let Some(document) = Document::parse(&text) {
                        self.dictionary.adopt(document);
                    }
                    return;
                }
                // Somebody else was faster, and the shape may be in there by now.
                Some(Reply::BulkString(other)) if !other.is_empty() => {
                    let Some(document) = Document::parse(&other) else {
                        return;
                    };
                    self.dictionary.adopt(document);
                }
                // It is gone: what was written with it can be read again once it is back.
                Some(Reply::BulkString(_)) => {
                    self.replace_dictionary(connection, b"", &expected).await;
                }
                _ => return,
            }
        }
    }

    async fn replace_dictionary(
        &self,
        connection: &Connection,
        expected: &[u8],
        text: &[u8],
    ) -> Option<Reply> {
        let names = [self.dictionary_name()];
        let arguments = [expected, text];
        connection
            .ask(scripts::REPLACE.call_by_text(&names, &arguments))
            .await
            .ok()
    }

    /// After a flush, records would go on leaning on a dictionary that new readers cannot
    /// find. So writers look now and then, and put it back unless another has taken its place.
    pub(super) fn check_dictionary_soon(self: Arc<Self>) {
        let now = clock::now_ms();
        let last = self.dictionary_checked.load(Ordering::Relaxed);
        let due = last == 0 || now.saturating_sub(last) >= CHECK_MS;
        let ours = || {
            let mark = &self.dictionary_checked;
            mark.compare_exchange(last, now, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
        };
        if !due || !ours() {
            return;
        }
        let State::Up(connection) = self.link.state() else {
            return;
        };
        tokio::spawn(async move {
            let restore = async {
                let current = self.dictionary.current();
                if let (false, Some(document)) = (self.read_dictionary(&connection).await, current) {
                    self.replace_dictionary(&connection, b"", &document.text).await;
                    self.read_dictionary(&connection).await;
                }
            };
            let _ = timeout(self.config.timeout, restore).await;
        });
    }
}

fn new_number() -> u32 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish() as u32
}
