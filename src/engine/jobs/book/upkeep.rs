//! What is due, who is alive, and whether everything adds up.

use std::collections::BTreeMap;

use super::super::tables::walk;
use super::*;

impl Book<'_> {
    /// Puts jobs into the queue whose time has come, a number of them at a time. When the next
    /// one is due.
    pub fn release_due(&mut self) -> heed::Result<Option<u64>> {
        for _ in 0..STRIDE {
            let Some((found, _)) = self.tables.at_or_after(Table::Due, &[])? else {
                return Ok(None);
            };
            let number = |place| number_at(&found, place).unwrap_or_default();
            let (due_ms, seq) = (number(0), number(1));
            if due_ms > self.now_ms {
                return Ok(Some(due_ms));
            }
            let head = head_of(self.tables, seq)?;
            let mut head = head.ok_or_else(|| damaged("a delayed job is missing"))?;
            self.leave(seq, &head)?;
            head.state = State::Queued;
            self.enter(seq, &head)?;
        }
        Ok(Some(self.now_ms))
    }

    /// This owner is alive until then.
    pub fn renew(&mut self, until_ms: u64) -> heed::Result<()> {
        self.tables
            .put(Table::Owners, &key([self.owner]), &until_ms.to_le_bytes())
    }

    /// This owner has gone, and works on nothing any more.
    pub fn resign(&mut self) -> heed::Result<()> {
        self.tables.delete(Table::Owners, &key([self.owner])).map(|_| ())
    }

    /// Gives back what other owners worked on whose time is over, or who are gone for certain.
    /// How many others there are.
    pub fn take_over(&mut self, is_gone: impl Fn(u64) -> bool) -> heed::Result<usize> {
        let mut others = BTreeMap::new();
        let none = 0u64.to_le_bytes();
        walk(self.tables, Table::Owners, &[], |found, until| {
            let until = until.try_into().map_or(0, u64::from_le_bytes);
            others.insert(number_at(found, 0).unwrap_or_default(), until);
            Ok(true)
        })?;
        // Whoever works without being listed has never been alive for certain.
        let mut from = Vec::new();
        while let Some((found, _)) = self.tables.at_or_after(Table::Active, &from)? {
            let owner = number_at(&found, 0).unwrap_or_default();
            others.entry(owner).or_insert(u64::from_le_bytes(none));
            match owner.checked_add(1) {
                Some(next) => from = key([next]),
                None => break,
            }
        }
        others.remove(&self.owner);
        let mut alive = 0;
        for (owner, until_ms) in others {
            if until_ms > self.now_ms && !is_gone(owner) {
                alive += 1;
                continue;
            }
            let mut jobs = Vec::new();
            walk(self.tables, Table::Active, &key([owner]), |found, _| {
                jobs.push(number_at(found, 1).unwrap_or_default());
                Ok(true)
            })?;
            for seq in jobs {
                let head = head_of(self.tables, seq)?;
                let head = head.ok_or_else(|| damaged("a running job is missing"))?;
                self.give_back(seq, head, true)?;
            }
            self.tables.delete(Table::Owners, &key([owner]))?;
        }
        Ok(alive)
    }
}

/// Whether anybody else has said that he is alive.
pub fn has_others(tables: &dyn Reads, owner: u64) -> heed::Result<bool> {
    let mut others = false;
    walk(tables, Table::Owners, &[], |found, _| {
        others = number_at(found, 0) != Some(owner);
        Ok(!others)
    })?;
    Ok(others)
}

/// When the next job is due.
pub fn next_due(tables: &dyn Reads) -> heed::Result<Option<u64>> {
    let first = tables.at_or_after(Table::Due, &[])?;
    Ok(first.and_then(|(found, _)| number_at(&found, 0)))
}

/// Whether anything is ready in these lanes.
pub fn any_ready(tables: &dyn Reads, lanes: &[Lane]) -> heed::Result<bool> {
    for lane in lanes {
        let found = tables.at_or_after(Table::Ready, lane)?;
        if found.is_some_and(|(key, _)| key.starts_with(lane)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Recounts everything that is kept twice. Names the first disagreement.
pub fn validate(tables: &dyn Reads, rules: &Rules) -> heed::Result<Option<String>> {
    let counts = counts_of(tables)?;
    let mut states = [0; crate::engine::jobs::head::STATES];
    let mut names = 0;
    let mut wrong = None;
    walk(tables, Table::Heads, &[], |found, bytes| {
        let seq = number_at(found, 0).unwrap_or_default();
        let head = Head::decode(bytes)?;
        states[head.state as usize] += 1;
        let (table, place) = match head.state {
            State::Queued => (Table::Ready, keys::ready(&head, seq)),
            State::Delayed => (Table::Due, key([head.ready_ms, seq])),
            State::Active => (Table::Active, key([head.owner, seq])),
            _ => (Table::Ended, ended_key(&head, seq)),
        };
        let has = |table| Ok::<_, heed::Error>(tables.get(table, &key([seq]))?.is_some());
        if tables.get(table, &place)?.is_none() {
            wrong = Some(format!("job {seq} is not where its state says"));
        }
        let needs_data = !matches!(head.state, State::Completed | State::Cancelled);
        if has(Table::Data)? != needs_data {
            wrong = Some(format!("job {seq} and its data do not fit"));
        }
        if matches!(head.state, State::Completed | State::Failed) && !has(Table::Outcomes)? {
            wrong = Some(format!("job {seq} has no outcome"));
        }
        if let Name::Given(id) = &head.name {
            names += 1;
            if find(tables, id)?.map(|(found, _)| found) != Some(seq) {
                wrong = Some(format!("job {seq} is not found by its name"));
            }
        }
        Ok(true)
    })?;
    let mut sizes = BTreeMap::new();
    for table in [
        Table::Names,
        Table::Ready,
        Table::Due,
        Table::Active,
        Table::Ended,
    ] {
        let mut size = 0;
        walk(tables, table, &[], |_, _| {
            size += 1;
            Ok(true)
        })?;
        sizes.insert(table as usize, size);
    }
    let ended = states[3] + states[4] + states[5];
    let expected = [
        (Table::Names, names),
        (Table::Ready, states[0]),
        (Table::Due, states[1]),
        (Table::Active, states[2]),
        (Table::Ended, ended),
    ];
    for (table, size) in expected {
        if sizes[&(table as usize)] != size {
            wrong = Some(format!(
                "{table:?} has {} rows, not {size}",
                sizes[&(table as usize)]
            ));
        }
    }
    if states != counts.states {
        wrong = Some(format!("jobs by state are {states:?}, not {:?}", counts.states));
    }
    if states[3] + states[5] > rules.max_finished || states[4] > rules.max_dead {
        wrong = Some("more is remembered than may be".to_owned());
    }
    let live = states[0] + states[1] + states[2];
    let ended = counts.completed + counts.failed + counts.cancelled - counts.revived;
    if counts.submitted != live + ended {
        wrong = Some(format!(
            "{} submitted, {ended} ended, {live} live",
            counts.submitted
        ));
    }
    Ok(wrong)
}
