//! What is known of a job beside its values, and the form in which it is kept.

use super::tables::damaged;

/// The number that a queue gives a job; they grow with each.
pub type Seq = u64;

/// Where a job stands. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// It waits for its turn.
    Queued = 0,
    /// It waits for its time: a later start, or the next attempt.
    Delayed = 1,
    /// An attempt is being made.
    Active = 2,
    /// It has succeeded.
    Completed = 3,
    /// Its last attempt has failed: a dead letter.
    Failed = 4,
    /// Somebody ended it.
    Cancelled = 5,
}

/// How many states there are.
pub const STATES: usize = 6;

impl State {
    fn of(number: u8) -> Option<Self> {
        use State::*;
        [Queued, Delayed, Active, Completed, Failed, Cancelled]
            .into_iter()
            .find(|state| *state as u8 == number)
    }

    /// True when nothing more will happen to the job by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// What a job is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// What its owner called it.
    Given(String),
    /// The queue made a name of the job's number, its time, and some chance.
    Made(u32),
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its name.
    pub name: Name,
    /// Which processor it needs.
    pub kind: String,
    /// With whom it takes turns; empty for nobody.
    pub group: String,
    /// Larger first.
    pub priority: i64,
    /// Attempts after the first.
    pub retries: u32,
    /// Longest time of an attempt, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// Where it stands.
    pub state: State,
    /// Attempts that were begun since it was submitted or revived.
    pub attempts: u32,
    /// How often it was handed out in its whole life: tells a late answer from a current one.
    pub runs: u32,
    /// How often the process that ran it has ended, in a row.
    pub interruptions: u32,
    /// When it was submitted. All times are milliseconds since 1970.
    pub created_ms: u64,
    /// Since when it is ready, or when it will be.
    pub ready_ms: u64,
    /// When the last attempt began; 0 for never.
    pub started_ms: u64,
    /// When it ended; 0 if it has not.
    pub ended_ms: u64,
    /// Who runs it; 0 for nobody.
    pub owner: u64,
}

const NONE: u64 = u64::MAX;
const GIVEN: u8 = 0;
const MADE: u8 = 1;

/// Digits of the chance in a made name.
const CHANCE_DIGITS: usize = 7;
const BASE: u64 = 36;

fn digits(mut number: u64, least: usize) -> String {
    let mut text = Vec::new();
    while number > 0 || text.len() < least {
        text.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % BASE) as usize]);
        number /= BASE;
    }
    text.iter().rev().map(|digit| char::from(*digit)).collect()
}

impl Head {
    /// The name as users know it.
    pub fn id(&self, seq: Seq) -> String {
        match &self.name {
            Name::Given(id) => id.clone(),
            Name::Made(chance) => {
                let chance = digits(u64::from(*chance), CHANCE_DIGITS);
                format!("job_{}_{chance}{}", self.created_ms, digits(seq, 1))
            }
        }
    }

    /// The number inside a name that the queue may have made.
    pub fn seq_of(id: &str) -> Option<Seq> {
        let (_, rest) = id.strip_prefix("job_")?.split_once('_')?;
        Seq::from_str_radix(rest.get(CHANCE_DIGITS..)?, BASE as u32).ok()
    }

    /// The bytes that are kept.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96 + self.kind.len() + self.group.len());
        let (form, given, chance) = match &self.name {
            Name::Given(id) => (GIVEN, id.as_str(), 0),
            Name::Made(chance) => (MADE, "", *chance),
        };
        bytes.extend([form, self.state as u8]);
        for number in [chance, self.retries, self.attempts, self.runs, self.interruptions] {
            bytes.extend(number.to_le_bytes());
        }
        let numbers = [
            self.priority as u64,
            self.timeout_ms.unwrap_or(NONE),
            self.created_ms,
            self.ready_ms,
            self.started_ms,
            self.ended_ms,
            self.owner,
        ];
        for number in numbers {
            bytes.extend(number.to_le_bytes());
        }
        for text in [&self.kind, &self.group, given] {
            bytes.extend((text.len() as u32).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes
    }

    /// From the bytes that were kept.
    pub fn decode(bytes: &[u8]) -> heed::Result<Self> {
        Self::read(bytes).ok_or_else(|| damaged("a job cannot be read"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let [form, state] = reader.take::<2>()?;
        let [chance, retries, attempts, runs, interruptions] = [
            reader.word()?,
            reader.word()?,
            reader.word()?,
            reader.word()?,
            reader.word()?,
        ];
        let priority = reader.number()? as i64;
        let timeout = reader.number()?;
        let [created_ms, ready_ms, started_ms, ended_ms, owner] = [
            reader.number()?,
            reader.number()?,
            reader.number()?,
            reader.number()?,
            reader.number()?,
        ];
        let (kind, group, given) = (reader.text()?, reader.text()?, reader.text()?);
        Some(Self {
            name: match form {
                MADE => Name::Made(chance),
                _ => Name::Given(given),
            },
            kind,
            group,
            priority,
            retries,
            timeout_ms: (timeout != NONE).then_some(timeout),
            state: State::of(state)?,
            attempts,
            runs,
            interruptions,
            created_ms,
            ready_ms,
            started_ms,
            ended_ms,
            owner,
        })
    }
}

/// Reads what was written one after the other.
#[derive(Debug)]
pub(super) struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    /// Four bytes.
    pub fn word(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    /// Eight bytes.
    pub fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = self.word()? as usize;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: Name) -> Head {
        Head {
            name,
            kind: "mail".into(),
            group: "ä".into(),
            priority: -7,
            retries: 3,
            timeout_ms: Some(5),
            state: State::Delayed,
            attempts: 1,
            runs: 9,
            interruptions: 2,
            created_ms: 1_642_248_600_000,
            ready_ms: 11,
            started_ms: 12,
            ended_ms: 13,
            owner: 14,
        }
    }

    #[test]
    fn what_is_kept_comes_back_and_what_is_cut_is_refused() {
        for name in [Name::Given("order-1".into()), Name::Made(7)] {
            let head = head(name);
            let bytes = head.encode();
            assert_eq!(Head::decode(&bytes).unwrap(), head);
            for length in 0..bytes.len() {
                assert!(Head::decode(&bytes[..length]).is_err());
            }
        }
    }

    #[test]
    fn a_made_name_tells_its_number_and_any_other_name_tells_none_or_another() {
        let head = head(Name::Made(u32::MAX));
        for seq in [1, 35, 36, 1 << 52] {
            let id = head.id(seq);
            assert!(id.starts_with("job_1642248600000_1z141z3"), "{id}");
            assert_eq!(Head::seq_of(&id), Some(seq));
        }
        for id in [
            "",
            "job_",
            "job_1_",
            "job_1_abc",
            "order_1_00000001",
            "job_1_ääääääää",
        ] {
            assert_eq!(Head::seq_of(id), None);
        }
    }
}
