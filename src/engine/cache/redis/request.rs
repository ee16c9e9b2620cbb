//! What can be asked of Redis: each request as commands, and what their replies mean.

use redis::{Cmd, RedisError, Value as Reply};

use super::config::Format;
use super::failure;
use super::scripts::{self, Script};
use super::wire::{self, Value};
use crate::error::{Error, Result};

/// A request. Names are keys as Redis knows them, values are in the form of Redis.
#[derive(Debug, Clone)]
pub enum Request {
    /// Reads.
    Get(Vec<u8>),
    /// Reads, and says how long the value still has.
    GetWithTtl(Vec<u8>),
    /// The same for an entry of a multi-level cache, which is wanted even when it is stale.
    GetSealed(Vec<u8>),
    /// Reads many.
    GetMany(Vec<Vec<u8>>),
    /// Writes.
    Set {
        /// The key.
        name: Vec<u8>,
        /// The value.
        value: Vec<u8>,
        /// Time to live; none is for ever.
        ttl_ms: Option<u64>,
    },
    /// Writes many, with one time to live.
    SetMany {
        /// Keys and values.
        entries: Vec<(Vec<u8>, Vec<u8>)>,
        /// Time to live; none is for ever.
        ttl_ms: Option<u64>,
    },
    /// Whether a key is there.
    Has(Vec<u8>),
    /// Removes keys and counts those that were there.
    Delete(Vec<Vec<u8>>),
    /// Reads and removes.
    Take(Vec<u8>),
    /// Gives a key a new time to live.
    Touch {
        /// The key.
        name: Vec<u8>,
        /// Time to live; none is for ever.
        ttl_ms: Option<u64>,
    },
    /// How long a key still has.
    Ttl(Vec<u8>),
    /// Adds to a number.
    Increment {
        /// The key.
        name: Vec<u8>,
        /// What to add.
        by: f64,
        /// Time to live of a number that is created.
        ttl_ms: Option<u64>,
    },
    /// Asks whether anybody is there.
    Ping,
    /// A script.
    Script {
        /// Which.
        script: &'static Script,
        /// Its keys; in a cluster, all of one slot.
        names: Vec<Vec<u8>>,
        /// Its arguments.
        arguments: Vec<Vec<u8>>,
    },
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It was done.
    Done,
    /// Yes or no.
    Flag(bool),
    /// A number, or a count.
    Number(f64),
    /// A value, or none.
    Value(Option<Value>),
    /// A value and its remaining time in milliseconds, if it has an end.
    Entry(Option<(Value, Option<u64>)>),
    /// Values in the order of their keys.
    Values(Vec<Option<Value>>),
    /// What a key's remaining time is: none if the key is not there, infinite if it has no end.
    Remaining(Option<f64>),
    /// Whatever a script answered.
    Raw(Reply),
}

/// Longest time to live that is passed on; Redis refuses what overflows its own clock.
const LONGEST_TTL_MS: u64 = 1 << 52;

/// A script, its keys and its arguments.
type ScriptCall = (&'static Script, Vec<Vec<u8>>, Vec<Vec<u8>>);

/// Takes one reply after the other.
pub type Replies<'a> = &'a mut dyn Iterator<Item = std::result::Result<Reply, RedisError>>;

impl Request {
    /// The commands that ask it. `by_text` sends scripts along instead of naming them.
    pub fn commands(&self, by_text: bool, mut send: impl FnMut(Cmd)) {
        match self {
            Self::Get(name) => send(command("GET", name)),
            Self::GetWithTtl(name) | Self::GetSealed(name) => {
                send(command("GET", name));
                send(command("PTTL", name));
            }
            Self::GetMany(names) => send(commands("MGET", names)),
            Self::Set { name, value, ttl_ms } => send(set(name, value, *ttl_ms)),
            Self::SetMany {
                entries,
                ttl_ms: None,
            } => {
                let mut command = redis::cmd("MSET");
                for (name, value) in entries {
                    command.arg(name.as_slice()).arg(value.as_slice());
                }
                send(command);
            }
            Self::SetMany { entries, ttl_ms } => {
                for (name, value) in entries {
                    send(set(name, value, *ttl_ms));
                }
            }
            Self::Has(name) => send(command("EXISTS", name)),
            Self::Delete(names) => send(commands("UNLINK", names)),
            Self::Touch { name, ttl_ms: None } => {
                send(command("EXISTS", name));
                send(command("PERSIST", name));
            }
            Self::Touch {
                name,
                ttl_ms: Some(ttl_ms),
            } => {
                let mut command = command("PEXPIRE", name);
                command.arg(ttl_ms.min(&LONGEST_TTL_MS));
                send(command);
            }
            Self::Ttl(name) => send(command("PTTL", name)),
            Self::Ping => send(redis::cmd("PING")),
            Self::Take(_) | Self::Increment { .. } | Self::Script { .. } => {
                if let Some((script, names, arguments)) = self.script() {
                    let arguments: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
                    send(match by_text {
                        true => script.call_by_text(&names, &arguments),
                        false => script.call(&names, &arguments),
                    });
                }
            }
        }
    }

    fn script(&self) -> Option<ScriptCall> {
        match self {
            Self::Take(name) => Some((&scripts::TAKE, vec![name.clone()], Vec::new())),
            Self::Increment { name, by, ttl_ms } => {
                let ttl = ttl_ms.map_or(String::new(), |ttl| ttl.min(LONGEST_TTL_MS).to_string());
                let arguments = vec![wire::decimal(*by).into_bytes(), ttl.into_bytes()];
                Some((&scripts::INCREMENT, vec![name.clone()], arguments))
            }
            Self::Script {
                script,
                names,
                arguments,
            } => Some((script, names.clone(), arguments.clone())),
            _ => None,
        }
    }

    /// How many replies it gets.
    pub fn replies(&self) -> usize {
        match self {
            Self::GetWithTtl(_) | Self::GetSealed(_) | Self::Touch { ttl_ms: None, .. } => 2,
            Self::SetMany {
                entries,
                ttl_ms: Some(_),
            } => entries.len(),
            _ => 1,
        }
    }

    /// Makes the answer of its replies, and takes all of them even if the first is an error.
    pub fn answer(&self, format: Format, replies: Replies<'_>) -> Result<Answer> {
        let mut next = || match replies.next() {
            Some(reply) => reply.map_err(failure::of),
            None => Err(failure::unexpected("no reply")),
        };
        match self {
            Self::Get(_) => Ok(Answer::Value(value(format, next()?)?)),
            Self::Take(_) => Ok(Answer::Value(value(format, next()?)?)),
            Self::GetWithTtl(_) | Self::GetSealed(_) => {
                let (read, ttl) = (next(), next());
                let stale_too = matches!(self, Self::GetSealed(_));
                let value = any_value(format, read?)?.filter(|value| stale_too || value.is_fresh());
                // Gone between the two commands is as good as gone before the first.
                Ok(Answer::Entry(match (value, integer(ttl?)?) {
                    (Some(value), ttl) if ttl != -2 => Some((value, u64::try_from(ttl).ok())),
                    _ => None,
                }))
            }
            Self::GetMany(names) => values(format, next()?, names.len()),
            Self::Set { .. } | Self::Ping => next().map(|_| Answer::Done),
            Self::SetMany { .. } => {
                let all: Vec<Result<Reply>> = (0..self.replies()).map(|_| next()).collect();
                all.into_iter().collect::<Result<Vec<_>>>().map(|_| Answer::Done)
            }
            Self::Has(_) | Self::Touch { ttl_ms: Some(_), .. } => Ok(Answer::Flag(integer(next()?)? > 0)),
            Self::Touch { ttl_ms: None, .. } => {
                let (exists, persisted) = (next(), next());
                persisted?;
                Ok(Answer::Flag(integer(exists?)? > 0))
            }
            Self::Delete(_) => Ok(Answer::Number(integer(next()?)? as f64)),
            Self::Ttl(_) => Ok(Answer::Remaining(match integer(next()?)? {
                -2 => None,
                -1 => Some(f64::INFINITY),
                ms => Some(ms as f64),
            })),
            Self::Increment { .. } => sum(next()).map(Answer::Number),
            Self::Script { .. } => next().map(Answer::Raw),
        }
    }
}

fn command(verb: &str, name: &[u8]) -> Cmd {
    let mut command = Cmd::with_capacity(2, verb.len() + name.len());
    command.arg(verb).arg(name);
    command
}

fn commands(verb: &str, names: &[Vec<u8>]) -> Cmd {
    let bytes: usize = names.iter().map(Vec::len).sum();
    let mut command = Cmd::with_capacity(names.len() + 1, verb.len() + bytes);
    command.arg(verb);
    for name in names {
        command.arg(name.as_slice());
    }
    command
}

fn set(name: &[u8], value: &[u8], ttl_ms: Option<u64>) -> Cmd {
    let mut command = Cmd::with_capacity(5, 32 + name.len() + value.len());
    command.arg("SET").arg(name).arg(value);
    if let Some(ttl_ms) = ttl_ms {
        command.arg("PX").arg(ttl_ms.min(LONGEST_TTL_MS));
    }
    command
}

fn value(format: Format, reply: Reply) -> Result<Option<Value>> {
    Ok(any_value(format, reply)?.filter(Value::is_fresh))
}

fn any_value(format: Format, reply: Reply) -> Result<Option<Value>> {
    match reply {
        Reply::Nil => Ok(None),
        Reply::BulkString(bytes) => wire::read(format, bytes).map(Some),
        other => Err(failure::unexpected(kind_of(&other))),
    }
}

fn values(format: Format, reply: Reply, count: usize) -> Result<Answer> {
    match reply {
        Reply::Array(replies) if replies.len() == count => {
            let values: Result<Vec<_>> = replies.into_iter().map(|reply| value(format, reply)).collect();
            values.map(Answer::Values)
        }
        other => Err(failure::unexpected(kind_of(&other))),
    }
}

/// An integer reply.
pub fn integer(reply: Reply) -> Result<i64> {
    match reply {
        Reply::Int(number) => Ok(number),
        other => Err(failure::unexpected(kind_of(&other))),
    }
}

fn sum(reply: Result<Reply>) -> Result<f64> {
    match reply {
        Ok(Reply::BulkString(text)) => std::str::from_utf8(&text)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| failure::unexpected("text")),
        Ok(other) => Err(failure::unexpected(kind_of(&other))),
        Err(Error::Server { reason, .. }) if reason.contains("NOTANUMBER") => Err(Error::NotANumber),
        Err(Error::Server { reason, .. }) if reason.contains("NOTFINITE") => Err(Error::NotFinite),
        Err(error) => Err(error),
    }
}

/// What a reply is, without what is in it.
fn kind_of(reply: &Reply) -> &'static str {
    match reply {
        Reply::Nil => "nothing",
        Reply::Int(_) => "an integer",
        Reply::BulkString(_) | Reply::SimpleString(_) => "text",
        Reply::Array(_) => "an array",
        Reply::Okay => "OK",
        _ => "something else",
    }
}
