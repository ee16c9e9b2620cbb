//! Alerts: when a figure is over its limit, since when, and when it is fine again.
//!
//! A rule has one incident at most. It fires when its figure has been beyond the threshold for
//! `hold_ms`, and resolves when the figure is back behind `resolve_at`, which lies on the good
//! side of the threshold (hysteresis), or when somebody resolves it. Who resolves an incident
//! while its cause persists will not hear of it again until the figure was fine in between.

use std::collections::VecDeque;

/// Transitions that are remembered for those who have not taken them yet.
const REMEMBERED: usize = 1_000;

/// What a rule watches for.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What its incidents are called.
    pub kind: String,
    /// How bad they are.
    pub severity: String,
    /// Whether figures above the threshold are bad, or those below.
    pub above: bool,
    /// How long a figure has to be bad, in milliseconds.
    pub hold_ms: f64,
}

/// An incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Unique in its book.
    pub id: u64,
    /// What it is called.
    pub kind: String,
    /// How bad it is.
    pub severity: String,
    /// The figure: when it began, or at its end.
    pub value: f64,
    /// The limit that it passed.
    pub threshold: f64,
    /// When it began, in milliseconds since 1970.
    pub since: f64,
    /// What else is to be said of it, in a form of the caller's.
    pub note: String,
}

/// A change of an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// Counts from 1.
    pub number: u64,
    /// Whether it began, or ended.
    pub began: bool,
    /// The incident as it was then.
    pub incident: Incident,
    /// When it changed.
    pub time: f64,
}

#[derive(Debug)]
struct State {
    rule: Rule,
    bad_since: Option<f64>,
    incident: Option<Incident>,
    acknowledged: bool,
}

/// All rules of one monitor, and what became of them.
#[derive(Debug, Default)]
pub struct Book {
    states: Vec<State>,
    log: VecDeque<Transition>,
    transitions: u64,
    incidents: u64,
}

/// A figure and its limits, as they are now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The figure; none while there is nothing to tell.
    pub value: Option<f64>,
    /// From where on it is bad.
    pub threshold: f64,
    /// From where on it is fine again.
    pub resolve_at: f64,
}

impl Book {
    /// The number of the rule for this kind, added if it is new. An existing rule takes on
    /// what is said now.
    pub fn rule(&mut self, rule: Rule) -> usize {
        match self.states.iter().position(|state| state.rule.kind == rule.kind) {
            Some(number) => {
                self.states[number].rule = rule;
                number
            }
            None => {
                self.states.push(State {
                    rule,
                    bad_since: None,
                    incident: None,
                    acknowledged: false,
                });
                self.states.len() - 1
            }
        }
    }

    /// Tells a rule its figure.
    pub fn observe(&mut self, number: usize, seen: Observation, note: &str, now: f64) {
        let Some(state) = self.states.get_mut(number) else {
            return;
        };
        // Without a figure nothing is known to be bad: whoever has gone quiet, is fine.
        let beyond = |limit: f64| {
            seen.value.is_some_and(|value| {
                if state.rule.above {
                    value > limit
                } else {
                    value < limit
                }
            })
        };
        let bad = beyond(seen.threshold);
        if state.incident.is_some() || state.acknowledged {
            if bad || beyond(seen.resolve_at) {
                return;
            }
            state.bad_since = None;
            state.acknowledged = false;
            if let Some(incident) = state.incident.take() {
                let value = seen.value.unwrap_or(incident.value);
                self.write(false, Incident { value, ..incident }, now);
            }
            return;
        }
        if !bad {
            state.bad_since = None;
            return;
        }
        let since = *state.bad_since.get_or_insert(now);
        if now - since < state.rule.hold_ms {
            return;
        }
        self.incidents += 1;
        let incident = Incident {
            id: self.incidents,
            kind: state.rule.kind.clone(),
            severity: state.rule.severity.clone(),
            value: seen.value.unwrap_or_default(),
            threshold: seen.threshold,
            since: now,
            note: note.to_owned(),
        };
        state.incident = Some(incident.clone());
        self.write(true, incident, now);
    }

    fn write(&mut self, began: bool, incident: Incident, time: f64) {
        self.transitions += 1;
        if self.log.len() == REMEMBERED {
            self.log.pop_front();
        }
        self.log.push_back(Transition {
            number: self.transitions,
            began,
            incident,
            time,
        });
    }

    /// Ends an incident on somebody's word. False when there is none with this number.
    pub fn resolve(&mut self, id: u64, now: f64) -> bool {
        let open = |state: &&mut State| state.incident.as_ref().is_some_and(|incident| incident.id == id);
        let Some(state) = self.states.iter_mut().find(open) else {
            return false;
        };
        let Some(incident) = state.incident.take() else {
            return false;
        };
        state.acknowledged = true;
        self.write(false, incident, now);
        true
    }

    /// Ends all incidents on somebody's word.
    pub fn resolve_all(&mut self, now: f64) {
        let ids: Vec<u64> = self.open().map(|incident| incident.id).collect();
        for id in ids {
            self.resolve(id, now);
        }
    }

    /// The incidents that have not ended.
    pub fn open(&self) -> impl Iterator<Item = &Incident> + '_ {
        self.states.iter().filter_map(|state| state.incident.as_ref())
    }

    /// What changed after the transition of this number.
    pub fn after(&self, number: u64) -> impl Iterator<Item = &Transition> + '_ {
        self.log
            .iter()
            .filter(move |transition| transition.number > number)
    }

    /// The number of the latest transition.
    pub fn latest(&self) -> u64 {
        self.transitions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(above: bool, hold_ms: f64) -> Book {
        let mut book = Book::default();
        book.rule(Rule {
            kind: "HIGH".into(),
            severity: "critical".into(),
            above,
            hold_ms,
        });
        book
    }

    fn see(book: &mut Book, now: f64, value: impl Into<Option<f64>>) -> Vec<bool> {
        let before = book.latest();
        let seen = Observation {
            value: value.into(),
            threshold: 80.0,
            resolve_at: 72.0,
        };
        book.observe(0, seen, "", now);
        book.after(before).map(|transition| transition.began).collect()
    }

    #[test]
    fn an_incident_fires_once_and_resolves_behind_its_second_limit() {
        let mut book = book(true, 0.0);
        assert!(see(&mut book, 1.0, 80.0).is_empty(), "the limit itself is fine");
        assert_eq!(see(&mut book, 2.0, 81.0), [true]);
        assert!(see(&mut book, 3.0, 95.0).is_empty(), "not twice");
        assert!(see(&mut book, 4.0, 75.0).is_empty(), "not yet");
        assert_eq!(see(&mut book, 5.0, 72.0), [false]);
        assert_eq!(see(&mut book, 6.0, 90.0), [true]);
        assert_eq!(book.open().map(|incident| incident.id).collect::<Vec<_>>(), [2]);
        assert_eq!(see(&mut book, 7.0, None), [false], "quiet is fine");
    }

    #[test]
    fn a_figure_has_to_be_bad_for_a_while() {
        let mut book = book(true, 10.0);
        assert!(see(&mut book, 0.0, 90.0).is_empty());
        assert!(see(&mut book, 5.0, 10.0).is_empty());
        assert!(see(&mut book, 8.0, 90.0).is_empty());
        assert!(see(&mut book, 17.0, 90.0).is_empty());
        assert_eq!(see(&mut book, 18.0, 90.0), [true]);
    }

    #[test]
    fn what_is_resolved_by_hand_stays_quiet_until_it_was_fine() {
        let mut book = book(true, 0.0);
        see(&mut book, 0.0, 90.0);
        assert!(book.resolve(1, 1.0));
        assert!(!book.resolve(1, 1.0));
        assert!(see(&mut book, 2.0, 90.0).is_empty());
        assert!(see(&mut book, 3.0, 10.0).is_empty());
        assert_eq!(see(&mut book, 4.0, 90.0), [true]);
        book.resolve_all(5.0);
        assert_eq!(book.open().count(), 0);
    }

    #[test]
    fn low_figures_can_be_the_bad_ones() {
        let mut book = book(false, 0.0);
        let seen = |value| Observation {
            value,
            threshold: 70.0,
            resolve_at: 72.0,
        };
        book.observe(0, seen(Some(69.0)), "", 0.0);
        assert_eq!(book.open().count(), 1);
        book.observe(0, seen(Some(71.0)), "", 1.0);
        assert_eq!(book.open().count(), 1);
        book.observe(0, seen(Some(72.0)), "", 2.0);
        assert_eq!(book.open().count(), 0);
    }

    #[test]
    fn the_log_is_bounded() {
        let mut book = book(true, 0.0);
        for round in 0..2_000 {
            see(
                &mut book,
                f64::from(round),
                if round % 2 == 0 { 90.0 } else { 0.0 },
            );
        }
        assert_eq!(book.after(0).count(), REMEMBERED);
        assert_eq!(book.latest(), 2_000);
    }
}
