//! Values of jobs: data, results, progress, errors.

use crate::engine::cache::record::Kind;

/// An encoded value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its form.
    pub kind: Kind,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Value {
    /// The bytes that are kept: the form first.
    pub fn encode(&self) -> Vec<u8> {
        [&[self.kind.0], &self.bytes[..]].concat()
    }

    /// From the bytes that were kept.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, bytes) = bytes.split_first()?;
        Some(Self {
            kind: Kind(*kind),
            bytes: bytes.to_vec(),
        })
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The processor threw this encoded error.
    Thrown(Vec<u8>),
    /// It took too long.
    TimedOut {
        /// The limit in milliseconds.
        ms: u64,
    },
    /// The process or thread that worked on it has ended too often.
    Interrupted,
}

/// How a job, or its last attempt, ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With a result.
    Done(Value),
    /// Without.
    Failed(Cause),
}

const DONE: u8 = 0;
const THROWN: u8 = 1;
const TIMED_OUT: u8 = 2;
const INTERRUPTED: u8 = 3;

impl Outcome {
    /// The bytes that are kept.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Done(value) => [&[DONE, value.kind.0], &value.bytes[..]].concat(),
            Self::Failed(Cause::Thrown(error)) => [&[THROWN], &error[..]].concat(),
            Self::Failed(Cause::TimedOut { ms }) => [&[TIMED_OUT], &ms.to_le_bytes()[..]].concat(),
            Self::Failed(Cause::Interrupted) => vec![INTERRUPTED],
        }
    }

    /// From the bytes that were kept.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (sort, rest) = bytes.split_first()?;
        match *sort {
            DONE => Value::decode(rest).map(Self::Done),
            THROWN => Some(Self::Failed(Cause::Thrown(rest.to_vec()))),
            TIMED_OUT => {
                let ms = u64::from_le_bytes(rest.try_into().ok()?);
                Some(Self::Failed(Cause::TimedOut { ms }))
            }
            INTERRUPTED => Some(Self::Failed(Cause::Interrupted)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_come_back() {
        let value = Value {
            kind: Kind::LATIN1,
            bytes: b"x".to_vec(),
        };
        let outcomes = [
            Outcome::Done(value),
            Outcome::Failed(Cause::Thrown(vec![1, 2])),
            Outcome::Failed(Cause::TimedOut { ms: 7 }),
            Outcome::Failed(Cause::Interrupted),
        ];
        for outcome in outcomes {
            assert_eq!(Outcome::decode(&outcome.encode()), Some(outcome));
        }
        assert_eq!(Outcome::decode(&[]), None);
        assert_eq!(Outcome::decode(&[9]), None);
    }
}
