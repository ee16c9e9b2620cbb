//! What a Redis cache is configured with.

use std::fmt;
use std::time::Duration;

use crate::engine::breaker;
use crate::error::{Error, Result};

/// Put before every key unless another prefix was asked for.
pub const DEFAULT_PREFIX: &str = "hotpath:";

/// How long a command may take unless told otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_millis(1_000);

/// Text that no message, and no `Debug`, may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(hidden)")
    }
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Host and port.
    Tcp(String, u16),
    /// The path of a socket.
    Unix(String),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) => write!(formatter, "{host}:{port}"),
            Self::Unix(path) => formatter.write_str(path),
        }
    }
}

/// How the servers belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topology {
    /// One server.
    Single,
    /// A cluster; the endpoints are where to start asking.
    Cluster,
    /// Sentinels stand at the endpoints and name the primary.
    Sentinel {
        /// The name that they know the primary by.
        primary: String,
        /// User and password of the sentinels themselves.
        login: Login,
    },
}

/// User and password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The user; the default user where there is none.
    pub username: Option<Secret>,
    /// The password.
    pub password: Option<Secret>,
}

/// Encryption of the connection. Certificates and keys are in PEM.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates to trust instead of the system's.
    pub authorities: Option<Vec<u8>>,
    /// The client's certificate and key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// Accepts any certificate.
    pub insecure: bool,
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("insecure", &self.insecure)
            .finish_non_exhaustive()
    }
}

/// What to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// How the endpoints belong together.
    pub topology: Topology,
    /// At least one.
    pub endpoints: Vec<Endpoint>,
    /// User and password.
    pub login: Login,
    /// The number of the database; 0 in a cluster.
    pub database: i64,
    /// Encryption, if wanted.
    pub tls: Option<Tls>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            topology: Topology::Single,
            endpoints: vec![Endpoint::Tcp("127.0.0.1".into(), 6379)],
            login: Login::default(),
            database: 0,
            tls: None,
        }
    }
}

impl Server {
    /// Where it is, without anything secret.
    pub fn address(&self) -> String {
        let endpoints: Vec<String> = self.endpoints.iter().map(Endpoint::to_string).collect();
        let database = match self.database {
            0 => String::new(),
            number => format!("/{number}"),
        };
        endpoints.join(",") + &database
    }

    /// A message with whatever is secret blotted out: servers and libraries may quote it.
    pub fn without_secrets(&self, message: String) -> String {
        let sentinel = match &self.topology {
            Topology::Sentinel { login, .. } => login.clone(),
            _ => Login::default(),
        };
        let secrets = [&self.login, &sentinel].map(|login| [login.username.clone(), login.password.clone()]);
        let secrets = secrets.into_iter().flatten().flatten();
        secrets
            .filter(|secret| !secret.0.is_empty())
            .fold(message, |message, secret| without_word(&message, &secret.0))
    }
}

/// A text with a word blotted out. Not where it is a part of a longer word: a gap in there would tell
/// what a short secret is.
fn without_word(text: &str, word: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let joins = |outer: Option<char>, inner: Option<char>| {
            outer.is_some_and(char::is_alphanumeric) && inner.is_some_and(char::is_alphanumeric)
        };
        // What stands before was looked at with the word before it.
        let last = before.chars().next_back().or_else(|| clean.chars().next_back());
        let is_part =
            joins(last, word.chars().next()) || joins(after.chars().next(), word.chars().next_back());
        clean.push_str(before);
        clean.push_str(if is_part { word } else { "(hidden)" });
        rest = after;
    }
    clean + rest
}

/// In which form values stand in Redis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// What the codec makes: compact, and every type comes back as it was.
    #[default]
    Native,
    /// JSON text, for other clients.
    Json,
}

impl Format {
    /// The name that JavaScript knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Json => "json",
        }
    }
}

/// The options that were given explicitly; the others have defaults.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What to connect to.
    pub server: Option<Server>,
    /// What to put before every key.
    pub prefix: Option<Vec<u8>>,
    /// Time to live of entries that bring none: `Some(None)` is an explicit "for ever".
    pub ttl_ms: Option<Option<u64>>,
    /// How long a command may take.
    pub timeout: Option<Duration>,
    /// The circuit breaker: `Some(None)` does without.
    pub breaker: Option<Option<breaker::Options>>,
    /// The form of values.
    pub format: Option<Format>,
    /// Whether to hear of what other clients change.
    pub tracking: Option<bool>,
}

/// The options with the defaults filled in.
#[derive(Debug, Clone)]
pub struct Config {
    /// What to connect to.
    pub server: Server,
    /// What to put before every key.
    pub prefix: Vec<u8>,
    /// Time to live of entries that bring none.
    pub ttl_ms: Option<u64>,
    /// How long a command may take.
    pub timeout: Duration,
    /// The circuit breaker, if there is one.
    pub breaker: Option<breaker::Options>,
    /// The form of values.
    pub format: Format,
    /// Whether to hear of what other clients change.
    pub tracking: bool,
}

impl From<&Options> for Config {
    fn from(options: &Options) -> Self {
        Self {
            server: options.server.clone().unwrap_or_default(),
            prefix: options.prefix.clone().unwrap_or_else(|| DEFAULT_PREFIX.into()),
            ttl_ms: options.ttl_ms.flatten(),
            timeout: options.timeout.unwrap_or(DEFAULT_TIMEOUT),
            breaker: options
                .breaker
                .unwrap_or_else(|| Some(breaker::Options::default())),
            format: options.format.unwrap_or_default(),
            tracking: options.tracking.unwrap_or(false),
        }
    }
}

impl Config {
    /// Checks that what was asked for explicitly is what this engine was made with.
    ///
    /// # Errors
    /// [`Error::OptionConflict`] for the first option that differs. Secrets are compared, and
    /// not shown.
    pub fn agree(&self, name: &str, options: &Options) -> Result<()> {
        let requested = Config::from(options);
        let check = |option, given: bool, equal: bool, existing: String, requested: String| {
            if !given || equal {
                return Ok(());
            }
            Err(Error::OptionConflict {
                name: name.to_owned(),
                option,
                existing,
                requested,
            })
        };
        macro_rules! agree {
            ($option:literal, $field:ident, $show:expr) => {
                check(
                    $option,
                    options.$field.is_some(),
                    self.$field == requested.$field,
                    $show(&self),
                    $show(&&requested),
                )?
            };
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (same_place, same_login) = {
            let (ours, theirs) = (&self.server, &requested.server);
            (ours.address() == theirs.address(), ours == theirs)
        };
        if options.server.is_some() && same_place && !same_login {
            let hidden = |_| "(hidden)".to_owned();
            check("credentials", true, false, hidden(0), hidden(1))?;
        }
        agree!("url", server, |config: &&Config| config.server.address());
        agree!("keyPrefix", prefix, |config: &&Config| text(&config.prefix));
        agree!("ttlMs", ttl_ms, |config: &&Config| {
            config.ttl_ms.map_or("unlimited".into(), |ms| ms.to_string())
        });
        agree!("commandTimeoutMs", timeout, |config: &&Config| {
            config.timeout.as_millis().to_string()
        });
        agree!("breaker", breaker, |config: &&Config| {
            let show = |breaker: breaker::Options| format!("{breaker:?}");
            config.breaker.map_or("off".into(), show)
        });
        agree!("format", format, |config: &&Config| config
            .format
            .name()
            .to_owned());
        agree!("clientTracking", tracking, |config: &&Config| config
            .tracking
            .to_string());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(password: &str) -> Server {
        Server {
            login: Login {
                username: None,
                password: Some(Secret(password.into())),
            },
            ..Server::default()
        }
    }

    #[test]
    fn only_explicit_options_are_compared() {
        let config = Config::from(&Options {
            prefix: Some(b"a:".to_vec()),
            ..Options::default()
        });
        assert!(config.agree("x", &Options::default()).is_ok());
        let other = Options {
            prefix: Some(b"b:".to_vec()),
            ..Options::default()
        };
        let message = config.agree("x", &other).unwrap_err().to_string();
        assert!(message.contains("keyPrefix") && message.contains("a:") && message.contains("b:"));
    }

    #[test]
    fn a_conflict_of_secrets_shows_none() {
        let options = |password| Options {
            server: Some(server(password)),
            ..Options::default()
        };
        let config = Config::from(&options("first-secret"));
        assert!(config.agree("x", &options("first-secret")).is_ok());
        let message = config
            .agree("x", &options("second-secret"))
            .unwrap_err()
            .to_string();
        assert!(message.contains("credentials") && !message.contains("secret"));
    }

    #[test]
    fn secrets_are_blotted_out_of_messages_and_debug() {
        let server = server("hunter2");
        assert!(!format!("{server:?}").contains("hunter2"));
        assert_eq!(server.without_secrets("bad hunter2!".into()), "bad (hidden)!");
        assert_eq!(
            without_word("u: refused 'u' for urgent u", "u"),
            "(hidden): refused '(hidden)' for urgent (hidden)"
        );
        assert_eq!(without_word("é:éé:é", "é"), "(hidden):éé:(hidden)");
    }
}
