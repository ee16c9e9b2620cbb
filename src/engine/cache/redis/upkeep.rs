//! Keeps the link up: connects, prepares a new connection, notices that it is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::{PushInfo, PushKind};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::config::Topology;
use super::connection::{Connection, Listener};
use super::link::{Backoff, State};
use super::stats::add;
use super::tracking::{self, Invalidation};
use super::{RedisCache, failure, scripts};
use crate::engine::clock;
use crate::error::{Error, Result};

/// Least time for an attempt to connect: with TLS and a login it takes several round trips,
/// and a command's own limit may be shorter than that.
const CONNECT_AT_LEAST: Duration = Duration::from_millis(500);

/// How often a cluster is looked over for nodes that do not track for us.
const REARM_PERIOD: Duration = Duration::from_millis(500);

/// What a connection tells of itself.
#[derive(Debug, Default)]
struct Signals {
    /// Set once the connection is given up: what it says later is nobody's business.
    retired: AtomicBool,
    /// A node of a cluster went away.
    shaken: Notify,
}

/// Runs until the cache is closed.
pub async fn run(cache: Arc<RedisCache>) {
    let mut backoff = Backoff::default();
    let mut first = true;
    while !cache.link.is_closed() {
        let signals = Arc::new(Signals::default());
        match cache.connect(&signals).await {
            Ok(connection) => {
                backoff = Backoff::default();
                add(&cache.counters.reconnects, u64::from(!first));
                first = false;
                cache.link.set(State::Up(connection.clone()));
                cache.attend(&connection, &signals).await;
                signals.retired.store(true, Ordering::SeqCst);
                cache.tracking.store(false, Ordering::Relaxed);
                cache.link.set(State::Connecting);
            }
            Err(error) => {
                cache.link.set(State::Down(reason(error)));
                tokio::select! {
                    () = sleep(backoff.wait()) => {}
                    () = cache.link.closed() => {}
                }
            }
        }
    }
}

fn reason(error: Error) -> String {
    match error {
        Error::Unavailable { reason, .. } | Error::Server { reason, .. } => reason,
        other => other.to_string(),
    }
}

impl RedisCache {
    /// Connects and makes the connection ready. It is tried before anybody gets it, so that a
    /// server that accepts connections and answers nothing counts as away.
    async fn connect(self: &Arc<Self>, signals: &Arc<Signals>) -> Result<Connection> {
        let limit = self.config.timeout.max(CONNECT_AT_LEAST);
        let ready = async {
            let listener = self.listener(signals);
            let connection = Connection::open(&self.config.server, limit, listener).await?;
            connection.ask(redis::cmd("PING")).await?;
            for script in scripts::ALL {
                connection.tell_primaries(script.load()).await?;
            }
            if self.config.tracking {
                tracking::arm(&connection, &self.keys).await?;
                self.tracking.store(true, Ordering::Relaxed);
                self.listeners.tell(Invalidation::All);
            }
            Ok(connection)
        };
        let connection = match timeout(limit, ready).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Err(self.without_secrets(failure::of(error))),
            Err(_) => return Err(failure::timeout(limit)),
        };
        if timeout(limit, self.read_dictionary(&connection)).await.is_err() {
            return Err(failure::timeout(limit));
        }
        self.close_breaker();
        Ok(connection)
    }

    /// The connection was tried and stands; that is what a probe would find out.
    fn close_breaker(&self) {
        let Some(breaker) = &self.breaker else { return };
        let now = clock::now_ms();
        breaker.try_again(now);
        let probes = breaker.options().probes;
        if let Some(permit) = breaker.acquire(now) {
            breaker.report(permit, probes, 0, now);
        }
    }

    fn listener(self: &Arc<Self>, signals: &Arc<Signals>) -> Listener {
        let cache: Weak<Self> = Arc::downgrade(self);
        let signals = signals.clone();
        Arc::new(move |push: PushInfo| {
            let Some(cache) = cache.upgrade() else { return };
            if signals.retired.load(Ordering::SeqCst) {
                return;
            }
            if push.kind != PushKind::Disconnection {
                cache.listeners.hear(&cache.keys, &push);
            } else if cache.config.server.topology == Topology::Cluster {
                // The cluster's connection mends itself, but not what was armed on it.
                signals.shaken.notify_one();
            } else {
                cache.link.lose();
            }
        })
    }

    /// Watches over a connection until it is lost or the cache is closed.
    async fn attend(&self, connection: &Connection, signals: &Signals) {
        let watch_over_nodes = async {
            if !self.config.tracking || matches!(connection, Connection::Single(_)) {
                return std::future::pending().await;
            }
            loop {
                tokio::select! {
                    () = sleep(REARM_PERIOD) => {}
                    () = signals.shaken.notified() => {}
                }
                self.rearm(connection).await;
            }
        };
        tokio::select! {
            () = self.link.lost() => {}
            () = self.link.closed() => {}
            () = watch_over_nodes => {}
        }
    }

    /// Nodes that came back, or that took another's place, do not know that we listen. What
    /// was missed meanwhile, nobody knows.
    async fn rearm(&self, connection: &Connection) {
        let armed = timeout(self.config.timeout, tracking::arm(connection, &self.keys)).await;
        if !matches!(armed, Ok(Ok(false))) {
            self.listeners.tell(Invalidation::All);
        }
    }
}
