//! Options as JavaScript gives them, checked and normalised there.

use std::time::Duration;

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::engine::breaker;
use crate::engine::cache::redis::config::{Endpoint, Format, Login, Options, Secret, Server, Tls, Topology};

/// Where a server listens: a path, or host and port.
#[napi(object)]
pub struct RedisEndpoint {
    pub path: Option<String>,
    pub host: Option<String>,
    pub port: Option<u32>,
}

/// Encryption.
#[napi(object)]
pub struct RedisTls {
    pub ca: Option<Buffer>,
    pub cert: Option<Buffer>,
    pub key: Option<Buffer>,
    pub insecure: bool,
}

/// What to connect to.
#[napi(object)]
pub struct RedisServer {
    /// `single`, `cluster` or `sentinel`.
    pub topology: String,
    pub endpoints: Vec<RedisEndpoint>,
    pub username: Option<String>,
    pub password: Option<String>,
    pub database: i64,
    pub primary: Option<String>,
    pub sentinel_username: Option<String>,
    pub sentinel_password: Option<String>,
    pub tls: Option<RedisTls>,
}

/// When the breaker opens, and how it finds its way back.
#[napi(object)]
pub struct RedisBreaker {
    pub failure_threshold: Option<u32>,
    pub failure_ratio: Option<f64>,
    pub minimum_calls: Option<u32>,
    pub window_ms: Option<f64>,
    pub open_ms: Option<f64>,
    pub probes: Option<u32>,
}

/// All options; what is missing was not given.
#[napi(object)]
pub struct RedisOptions {
    pub name: Option<String>,
    pub server: Option<RedisServer>,
    pub key_prefix: Option<String>,
    pub ttl_ms: Option<f64>,
    pub command_timeout_ms: Option<f64>,
    /// False for none.
    pub has_breaker: Option<bool>,
    pub breaker: Option<RedisBreaker>,
    /// `native` or `json`.
    pub format: Option<String>,
    pub client_tracking: Option<bool>,
}

fn login(username: Option<String>, password: Option<String>) -> Login {
    Login {
        username: username.map(Secret),
        password: password.map(Secret),
    }
}

impl From<RedisEndpoint> for Endpoint {
    fn from(endpoint: RedisEndpoint) -> Self {
        match endpoint.path {
            Some(path) => Self::Unix(path),
            None => {
                let port = endpoint.port.unwrap_or(6379) as u16;
                Self::Tcp(endpoint.host.unwrap_or_default(), port)
            }
        }
    }
}

impl From<RedisTls> for Tls {
    fn from(tls: RedisTls) -> Self {
        let bytes = |buffer: Buffer| buffer.to_vec();
        Self {
            authorities: tls.ca.map(bytes),
            identity: tls.cert.map(bytes).zip(tls.key.map(bytes)),
            insecure: tls.insecure,
        }
    }
}

impl From<RedisServer> for Server {
    fn from(server: RedisServer) -> Self {
        let topology = match server.topology.as_str() {
            "cluster" => Topology::Cluster,
            "sentinel" => Topology::Sentinel {
                primary: server.primary.unwrap_or_default(),
                login: login(server.sentinel_username, server.sentinel_password),
            },
            _ => Topology::Single,
        };
        Self {
            topology,
            endpoints: server.endpoints.into_iter().map(Endpoint::from).collect(),
            login: login(server.username, server.password),
            database: server.database,
            tls: server.tls.map(Tls::from),
        }
    }
}

impl From<RedisBreaker> for breaker::Options {
    fn from(given: RedisBreaker) -> Self {
        let default = Self::default();
        let ms = |ms: f64| ms.ceil() as u64;
        Self {
            failure_threshold: given.failure_threshold.unwrap_or(default.failure_threshold),
            failure_ratio: given.failure_ratio.unwrap_or(default.failure_ratio),
            minimum_calls: given.minimum_calls.unwrap_or(default.minimum_calls),
            window_ms: given.window_ms.map_or(default.window_ms, ms),
            open_ms: given.open_ms.map_or(default.open_ms, ms),
            probes: given.probes.unwrap_or(default.probes),
        }
    }
}

impl From<RedisOptions> for Options {
    fn from(given: RedisOptions) -> Self {
        let breaker = match given.has_breaker {
            Some(false) => Some(None),
            _ => given.breaker.map(|breaker| Some(breaker.into())),
        };
        Self {
            server: given.server.map(Server::from),
            prefix: given.key_prefix.map(String::into_bytes),
            ttl_ms: given.ttl_ms.map(|ms| ms.is_finite().then(|| ms.ceil() as u64)),
            timeout: given
                .command_timeout_ms
                .map(|ms| Duration::from_millis(ms.ceil() as u64)),
            breaker,
            format: given.format.map(|format| match format.as_str() {
                "json" => Format::Json,
                _ => Format::Native,
            }),
            tracking: given.client_tracking,
        }
    }
}
