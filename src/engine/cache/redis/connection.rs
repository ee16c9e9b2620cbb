//! Connections: to one server, to the primary that sentinels name, or to a cluster.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo, SingleNodeRoutingInfo};
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    Pipeline, ProtocolVersion, PushInfo, RedisConnectionInfo, RedisError, RedisResult, TlsCertificates,
    TlsMode, Value as Reply,
};

use super::config::{Endpoint, Login, Server, Tls, Topology};

/// Pipelines that may wait for a busy socket before their senders have to wait, too.
const WAITING_PIPELINES: usize = 1_024;

/// Bytes gathered before they are written, so that a pipeline is one write.
const WRITE_BYTES: usize = 256 * 1024;

/// How often a command is tried again in a cluster whose nodes change places, and the bounds of
/// the waits between.
const CLUSTER_RETRIES: u32 = 8;
const FIRST_RETRY_MS: u64 = 10;
const LAST_RETRY_MS: u64 = 200;

/// Hears what a server says without having been asked.
pub type Listener = Arc<dyn Fn(PushInfo) + Send + Sync>;

/// A connection. Clones use the same sockets.
#[derive(Clone)]
pub enum Connection {
    /// To one server.
    Single(MultiplexedConnection),
    /// To the nodes of a cluster.
    Cluster(ClusterConnection),
}

/// A server of many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// The only one.
    Only,
    /// A node of a cluster.
    At {
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
    },
}

impl Connection {
    /// Connects, and logs in.
    pub async fn open(server: &Server, timeout: Duration, listener: Listener) -> RedisResult<Self> {
        if server.topology == Topology::Cluster {
            return cluster(server, timeout, listener).await.map(Self::Cluster);
        }
        let client = match &server.topology {
            Topology::Sentinel { primary, login } => named_primary(server, primary, login).await?,
            _ => single(server)?,
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(timeout))
            // Deadlines are ours.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(WAITING_PIPELINES)
            .set_write_backpressure_boundary(WRITE_BYTES)
            .set_push_sender(push_sender(listener));
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        connection.await.map(Self::Single)
    }

    /// Sends commands and gives their replies, in order. To one server they go as one
    /// pipeline; to a cluster each goes to its node, all at once.
    pub async fn exchange(&mut self, commands: Vec<Cmd>) -> RedisResult<Vec<RedisResult<Reply>>> {
        match self {
            Self::Single(connection) => {
                let mut pipeline = Pipeline::with_capacity(commands.len());
                let count = commands.len();
                for command in commands {
                    pipeline.add_command(command);
                }
                let replies = connection.send_packed_commands(&pipeline, 0, count).await?;
                let told_apart = |reply| match reply {
                    Reply::ServerError(error) => Err(RedisError::from(error)),
                    reply => Ok(reply),
                };
                Ok(replies.into_iter().map(told_apart).collect())
            }
            Self::Cluster(connection) => {
                let ask = |command: Cmd| {
                    let mut connection = connection.clone();
                    async move { connection.req_packed_command(&command).await.and_then(told_apart) }
                };
                Ok(join_all(commands.into_iter().map(ask)).await)
            }
        }
    }

    /// Asks the server, or in a cluster the node that the command's key belongs to.
    pub async fn ask(&self, command: Cmd) -> RedisResult<Reply> {
        let reply = match self.clone() {
            Self::Single(mut connection) => connection.send_packed_command(&command).await,
            Self::Cluster(mut connection) => connection.req_packed_command(&command).await,
        };
        reply.and_then(told_apart)
    }

    /// The servers that hold keys.
    pub async fn primaries(&self) -> RedisResult<Vec<Node>> {
        if let Self::Single(_) = self {
            return Ok(vec![Node::Only]);
        }
        let mut command = redis::cmd("CLUSTER");
        command.arg("SLOTS");
        let mut nodes = Vec::new();
        if let Reply::Array(ranges) = self.ask(command).await? {
            for node in ranges.into_iter().filter_map(primary_of) {
                if !nodes.contains(&node) {
                    nodes.push(node);
                }
            }
        }
        Ok(nodes)
    }

    /// Asks one server.
    pub async fn ask_node(&self, node: &Node, command: Cmd) -> RedisResult<Reply> {
        match (self, node) {
            (Self::Cluster(connection), Node::At { host, port }) => {
                let address = SingleNodeRoutingInfo::ByAddress {
                    host: host.clone(),
                    port: *port,
                };
                let mut connection = connection.clone();
                let reply = connection.route_command(command, RoutingInfo::SingleNode(address));
                reply.await.and_then(told_apart)
            }
            _ => self.ask(command).await,
        }
    }

    /// Tells every server that holds keys. Fails if one of them does.
    pub async fn tell_primaries(&self, command: Cmd) -> RedisResult<()> {
        match self {
            Self::Single(_) => self.ask(command).await.map(drop),
            Self::Cluster(connection) => {
                let everywhere = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                connection
                    .clone()
                    .route_command(command, everywhere)
                    .await
                    .map(drop)
            }
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Single(_) => "Single",
            Self::Cluster(_) => "Cluster",
        })
    }
}

fn told_apart(reply: Reply) -> RedisResult<Reply> {
    match reply {
        Reply::ServerError(error) => Err(RedisError::from(error)),
        reply => Ok(reply),
    }
}

/// The primary of one range in the answer to `CLUSTER SLOTS`.
fn primary_of(range: Reply) -> Option<Node> {
    let Reply::Array(range) = range else { return None };
    let Reply::Array(primary) = range.into_iter().nth(2)? else {
        return None;
    };
    match primary.as_slice() {
        [Reply::BulkString(host), Reply::Int(port), ..] => Some(Node::At {
            host: String::from_utf8_lossy(host).into_owned(),
            port: u16::try_from(*port).ok()?,
        }),
        _ => None,
    }
}

fn push_sender(
    listener: Listener,
) -> impl Fn(PushInfo) -> Result<(), std::convert::Infallible> + Send + Sync {
    move |push| {
        listener(push);
        Ok(())
    }
}

fn address(endpoint: &Endpoint, tls: Option<&Tls>) -> ConnectionAddr {
    match (endpoint, tls) {
        (Endpoint::Unix(path), _) => ConnectionAddr::Unix(path.into()),
        (Endpoint::Tcp(host, port), None) => ConnectionAddr::Tcp(host.clone(), *port),
        (Endpoint::Tcp(host, port), Some(tls)) => ConnectionAddr::TcpTls {
            host: host.clone(),
            port: *port,
            insecure: tls.insecure,
            tls_params: None,
        },
    }
}

fn settings(login: &Login, database: i64) -> RedisConnectionInfo {
    let mut settings = RedisConnectionInfo::default()
        .set_protocol(ProtocolVersion::RESP3)
        .set_lib_name("hotpath", env!("CARGO_PKG_VERSION"))
        .set_db(database);
    if let Some(username) = &login.username {
        settings = settings.set_username(&username.0);
    }
    if let Some(password) = &login.password {
        settings = settings.set_password(&password.0);
    }
    settings
}

fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

fn info(endpoint: &Endpoint, server: &Server) -> RedisResult<ConnectionInfo> {
    let info = address(endpoint, server.tls.as_ref()).into_connection_info()?;
    let settings = settings(&server.login, server.database);
    Ok(info.set_redis_settings(settings).set_tcp_settings(tcp()))
}

fn certificates(tls: &Tls) -> TlsCertificates {
    let identity = tls.identity.clone();
    TlsCertificates {
        client_tls: identity.map(|(client_cert, client_key)| ClientTlsConfig {
            client_cert,
            client_key,
        }),
        root_cert: tls.authorities.clone(),
    }
}

fn single(server: &Server) -> RedisResult<Client> {
    let endpoint = server.endpoints.first().cloned();
    let info = info(
        &endpoint.unwrap_or(Endpoint::Tcp("127.0.0.1".into(), 6379)),
        server,
    )?;
    match &server.tls {
        Some(tls) => Client::build_with_tls(info, certificates(tls)),
        None => Client::open(info),
    }
}

/// Asks the sentinels, at every connect anew: after a failover they name another server.
async fn named_primary(server: &Server, primary: &str, login: &Login) -> RedisResult<Client> {
    let tls = server.tls.as_ref();
    let sentinels = server.endpoints.iter().map(|endpoint| address(endpoint, tls));
    let mut builder = SentinelClientBuilder::new(sentinels, primary, SentinelServerType::Master)?
        .set_client_to_redis_db(server.database)
        .set_client_to_redis_protocol(ProtocolVersion::RESP3)
        .set_client_to_redis_tcp_settings(tcp());
    if let Some(tls) = tls {
        let mode = if tls.insecure {
            TlsMode::Insecure
        } else {
            TlsMode::Secure
        };
        builder = builder
            .set_client_to_redis_tls_mode(mode)
            .set_client_to_redis_certificates(certificates(tls))
            .set_client_to_sentinel_tls_mode(mode)
            .set_client_to_sentinel_certificates(certificates(tls));
    }
    if let Some(username) = &server.login.username {
        builder = builder.set_client_to_redis_username(&username.0);
    }
    if let Some(password) = &server.login.password {
        builder = builder.set_client_to_redis_password(&password.0);
    }
    if let Some(username) = &login.username {
        builder = builder.set_client_to_sentinel_username(&username.0);
    }
    if let Some(password) = &login.password {
        builder = builder.set_client_to_sentinel_password(&password.0);
    }
    builder.build()?.async_get_client().await
}

async fn cluster(server: &Server, timeout: Duration, listener: Listener) -> RedisResult<ClusterConnection> {
    let nodes: RedisResult<Vec<ConnectionInfo>> = server
        .endpoints
        .iter()
        .map(|endpoint| info(endpoint, server))
        .collect();
    let mut builder = ClusterClientBuilder::new(nodes?)
        .use_protocol(ProtocolVersion::RESP3)
        .connection_timeout(timeout)
        // A node that hangs must not hold up the others' failover for longer than a command.
        .response_timeout(timeout)
        .overall_response_timeout(None)
        // A command lives for about a second: the crate's own waits begin at more than that.
        .retries(CLUSTER_RETRIES)
        .min_retry_wait(FIRST_RETRY_MS)
        .max_retry_wait(LAST_RETRY_MS)
        .tcp_settings(tcp())
        .write_backpressure_boundary(WRITE_BYTES)
        .push_sender(push_sender(listener));
    if let Some(tls) = &server.tls {
        builder = builder
            .tls(if tls.insecure {
                TlsMode::Insecure
            } else {
                TlsMode::Secure
            })
            .certs(certificates(tls));
    }
    builder.build()?.get_async_connection().await
}
