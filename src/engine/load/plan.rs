//! What a run is to do, as JavaScript describes it.

use std::net::SocketAddr;

use serde::Deserialize;

use super::template::Part;

/// A whole run.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Where requests go.
    pub target: Target,
    /// Threads that make them.
    pub threads: usize,
    /// What a request may take, with the connection that it needs.
    pub timeout_ms: f64,
    /// What is asked.
    pub work: Work,
}

/// One server.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Tried in order.
    pub addresses: Vec<SocketAddr>,
    /// Host and port as the request names them.
    pub authority: String,
    /// HTTP/2, and nothing else.
    pub http2: bool,
    /// How it is encrypted, if it is.
    pub tls: Option<Tls>,
}

/// How connections are encrypted.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// The name that the certificate must have.
    pub server_name: String,
    /// Any certificate will do.
    pub insecure: bool,
    /// Certificates to trust instead of the system's, as PEM.
    pub ca: Option<String>,
}

/// What is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Work {
    /// One request, over and over.
    Requests(Requests),
    /// Users who arrive, each with a scenario.
    Users(Users),
}

/// One request, over and over.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requests {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body; bytes beside the plan.
    #[serde(skip)]
    pub body: bytes::Bytes,
    /// How many are under way at any time, over all threads.
    pub concurrency: usize,
    /// Connections that they share, over HTTP/2.
    pub connections: usize,
    /// Whether a connection serves more than one.
    pub keep_alive: bool,
    /// How many a second, due at even distances; as fast as they are answered when absent.
    pub rate: Option<f64>,
    /// How many at most.
    pub requests: Option<u64>,
    /// For how long new ones begin.
    pub duration_ms: Option<f64>,
}

/// Users who arrive in phases.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Users {
    /// One after the other.
    pub phases: Vec<Phase>,
    /// What they do.
    pub scenarios: Vec<Scenario>,
    /// How many variables a user has.
    pub slots: usize,
    /// Variables, and the values of which a user gets one each.
    pub variables: Vec<(usize, Vec<serde_json::Value>)>,
    /// Files of which a user gets one row each.
    pub payloads: Vec<Payload>,
    /// Chooses everything that is random.
    pub seed: u64,
}

/// A time with its own rate of arrivals.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// How long it is.
    pub duration_ms: f64,
    /// Arrivals a second at its beginning.
    pub from: f64,
    /// And at its end.
    pub to: f64,
    /// Users at most at a time; those who would be more do not come.
    pub most: Option<usize>,
}

/// What a user does.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scenario {
    /// Its share among the scenarios.
    pub weight: f64,
    /// One after the other.
    pub steps: Vec<Step>,
}

/// One thing that a user does.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Asks.
    Request(Box<Ask>),
    /// Waits so many milliseconds.
    Think(f64),
    /// Does the same several times; the slot counts.
    Repeat {
        /// How often.
        count: u64,
        /// Where the number of the round is kept.
        slot: usize,
        /// What.
        steps: Vec<Step>,
    },
}

/// A request with gaps to fill in.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: Vec<Part>,
    /// Names and values.
    pub headers: Vec<(String, Vec<Part>)>,
    /// The body.
    pub body: Option<Vec<Part>>,
    /// What is kept of the answer.
    pub captures: Vec<Capture>,
}

/// Something that is kept of an answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capture {
    /// Where to.
    pub slot: usize,
    /// From where.
    pub from: Source,
}

/// Where in an answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// In its body, which is JSON: the way down.
    Json(Vec<Key>),
    /// In a header.
    Header(String),
}

/// One step of a way down into JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// Into an array.
    Index(usize),
    /// Into an object.
    Name(String),
}

/// A table that users get rows of.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload {
    /// The table, as CSV.
    pub text: String,
    /// One character between fields.
    pub delimiter: char,
    /// Whether the first row holds names.
    pub skip_header: bool,
    /// Whether numbers become numbers.
    pub cast: bool,
    /// At random, or one after the other.
    pub random: bool,
    /// Where each field goes.
    pub slots: Vec<usize>,
}
