//! Attempts: handing out, answers, repetitions, interruptions.

use super::*;

impl Book<'_> {
    /// Hands out the job whose turn it is, of those in the given lanes: of the group that
    /// comes next after the one that was served last, the job with the best rank.
    pub fn take(&mut self, lanes: &[Lane], last_turn: &mut u64) -> heed::Result<Option<Taken>> {
        let Some(found) = self.next_ready(lanes, *last_turn)? else {
            return Ok(None);
        };
        let number = |place| number_at(&found, place).unwrap_or_default();
        let (turn, seq) = (number(place::TURN), number(place::SEQ));
        let head = head_of(self.tables, seq)?.filter(|head| head.state == State::Queued);
        let mut head = head.ok_or_else(|| damaged("a job that is ready is missing"))?;
        self.leave(seq, &head)?;
        *last_turn = turn;
        head.state = State::Active;
        head.attempts += 1;
        head.runs += 1;
        (head.owner, head.started_ms) = (self.owner, self.now_ms);
        self.enter(seq, &head)?;
        let data = self.tables.get(Table::Data, &key([seq]))?;
        let data = data.and_then(|bytes| Value::decode(&bytes));
        let data = data.ok_or_else(|| damaged("the data of a job are missing"))?;
        let waited = self.now_ms.saturating_sub(head.ready_ms);
        let figures = [f64::from(head.attempts), waited as f64];
        self.tell(Sort::Active, seq, &head, figures, || Detail::None);
        Ok(Some(Taken { seq, head, data }))
    }

    /// The key of the job whose turn it is. Every lane offers the first job of the first group
    /// after the last one served, going round; the group that comes first wins, then the rank.
    fn next_ready(&self, lanes: &[Lane], last_turn: u64) -> heed::Result<Option<Vec<u8>>> {
        let mut best: Option<(u64, Vec<u8>)> = None;
        for lane in lanes {
            let first = |turn: u64| -> heed::Result<Option<Vec<u8>>> {
                let from = [&lane[..], &turn.to_be_bytes()].concat();
                let found = self.tables.at_or_after(Table::Ready, &from)?;
                Ok(found.map(|(key, _)| key).filter(|key| key.starts_with(lane)))
            };
            let turn_of = |key: &[u8]| number_at(key, place::TURN).unwrap_or_default();
            // Most lanes are empty: one search says so.
            let Some(mut found) = first(0)? else {
                continue;
            };
            if turn_of(&found) <= last_turn
                && let Some(next_turn) = last_turn.checked_add(1)
                && let Some(next) = first(next_turn)?
            {
                found = next;
            }
            let turn = turn_of(&found);
            // How far round the group is; the one just served is the farthest.
            let distance = turn.wrapping_sub(last_turn).wrapping_sub(1);
            let better = best.as_ref().is_none_or(|(least, best)| {
                (distance, &found[8 * place::RANK..]) < (*least, &best[8 * place::RANK..])
            });
            if better {
                best = Some((distance, found));
            }
        }
        Ok(best.map(|(_, found)| found))
    }

    /// The job, if this run of it is the current one.
    fn current(&self, seq: Seq, run: u32) -> heed::Result<Option<Head>> {
        let is_current =
            |head: &Head| head.state == State::Active && head.runs == run && head.owner == self.owner;
        Ok(head_of(self.tables, seq)?.filter(is_current))
    }

    /// An answer. False when nobody waits for it any more. With `last`, no further attempt is
    /// made after a failure.
    pub fn finish(&mut self, seq: Seq, run: u32, outcome: &Outcome, last: bool) -> heed::Result<bool> {
        let Some(mut head) = self.current(seq, run)? else {
            return Ok(false);
        };
        self.leave(seq, &head)?;
        head.interruptions = 0;
        let cause = match outcome {
            Outcome::Failed(cause) => cause,
            Outcome::Done(value) => {
                head.state = State::Completed;
                self.counts.completed += 1;
                self.tables.delete(Table::Data, &key([seq]))?;
                self.tables.put(Table::Outcomes, &key([seq]), &outcome.encode())?;
                let figures = self.figures(&head);
                self.tell(Sort::Completed, seq, &head, figures, || {
                    Detail::Value(value.clone())
                });
                self.end(seq, &mut head)?;
                return Ok(true);
            }
        };
        if matches!(cause, Cause::TimedOut { .. }) {
            self.counts.timed_out += 1;
            self.effects.aborted.push((seq, run));
        }
        self.fail(seq, head, cause, last)?;
        Ok(true)
    }

    /// An attempt has failed, and the job has left its place.
    fn fail(&mut self, seq: Seq, mut head: Head, cause: &Cause, last: bool) -> heed::Result<()> {
        let outcome = Outcome::Failed(cause.clone());
        self.tables.put(Table::Outcomes, &key([seq]), &outcome.encode())?;
        let figures = self.figures(&head);
        self.tell(Sort::Failed, seq, &head, figures, || Detail::Cause(cause.clone()));
        let attempts = f64::from(head.attempts);
        if last || head.attempts > head.retries {
            head.state = State::Failed;
            self.counts.failed += 1;
            self.tell(Sort::Dead, seq, &head, [attempts, 0.0], || {
                Detail::Cause(cause.clone())
            });
            return self.end(seq, &mut head);
        }
        let chance = (self.roll() >> 11) as f64 / (1u64 << 53) as f64;
        let delay_ms = self.rules.backoff.delay_ms(head.attempts, chance);
        (head.state, head.owner) = (State::Delayed, 0);
        head.ready_ms = self.now_ms.saturating_add(delay_ms);
        self.counts.retried += 1;
        self.enter(seq, &head)?;
        let figures = [attempts, delay_ms as f64];
        self.tell(Sort::Retrying, seq, &head, figures, || {
            Detail::Cause(cause.clone())
        });
        Ok(())
    }

    fn figures(&self, head: &Head) -> [f64; 2] {
        let took = self.now_ms.saturating_sub(head.started_ms);
        [f64::from(head.attempts), took as f64]
    }

    /// Nobody works on this run any more, through no fault of the job: it keeps its place in
    /// the queue, and the attempt is not counted. With `blame`, doing so too often in a row
    /// makes it a dead letter.
    pub fn interrupt(&mut self, seq: Seq, run: u32, blame: bool) -> heed::Result<()> {
        if let Some(head) = self.current(seq, run)? {
            self.give_back(seq, head, blame)?;
        }
        Ok(())
    }

    pub(super) fn give_back(&mut self, seq: Seq, mut head: Head, blame: bool) -> heed::Result<()> {
        self.leave(seq, &head)?;
        if blame {
            self.counts.interrupted += 1;
            head.interruptions += 1;
            if head.interruptions > MOST_INTERRUPTIONS {
                return self.fail(seq, head, &Cause::Interrupted, true);
            }
        }
        head.attempts = head.attempts.saturating_sub(1);
        (head.state, head.owner) = (State::Queued, 0);
        self.enter(seq, &head)
    }

    /// Keeps what a processor told of a run.
    pub fn progress(&mut self, seq: Seq, run: u32, value: &Value) -> heed::Result<()> {
        if self.current(seq, run)?.is_some() {
            self.tables.put(Table::Progress, &key([seq]), &value.encode())?;
        }
        Ok(())
    }
}
