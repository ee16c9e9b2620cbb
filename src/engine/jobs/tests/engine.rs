//! The engine: who is told what, what survives, who takes over.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::book::{Draft, Taken};
use super::super::client::{ClientId, Ending, Notice};
use super::super::config::{Config, Options};
use super::super::engine::Jobs;
use super::super::event::Sort;
use super::super::head::State;
use super::super::value::{Cause, Outcome, Value};
use crate::engine::cache::record::Kind;
use crate::engine::registry::Engine;
use crate::engine::workers::client::Signal;

const PATIENCE: Duration = Duration::from_secs(60);

struct Bell(Mutex<Sender<()>>);

impl Signal for Bell {
    fn signal(&self) {
        let _ = self.0.lock().unwrap().send(());
    }
}

struct Client {
    jobs: Arc<Jobs>,
    id: ClientId,
    rung: Receiver<()>,
}

fn open(store: Option<&Path>, options: Options) -> Arc<Jobs> {
    let store = store.map(|path| path.canonicalize().unwrap());
    let jobs = Jobs::new(Config::from(&Options { store, ..options })).unwrap();
    jobs.start().unwrap();
    jobs
}

fn join(jobs: &Arc<Jobs>) -> Client {
    let (sender, rung) = channel();
    let id = jobs.join(Arc::new(Bell(Mutex::new(sender))));
    Client {
        jobs: jobs.clone(),
        id,
        rung,
    }
}

impl Client {
    /// The next notice that `wanted` makes something of; others are dropped.
    fn wait_for<T>(&self, wanted: impl Fn(Notice) -> Option<T>) -> T {
        loop {
            while let Some(notice) = self.jobs.next_notice(self.id) {
                if let Some(found) = wanted(notice) {
                    return found;
                }
            }
            self.rung.recv_timeout(PATIENCE).expect("somebody rings");
        }
    }

    fn run(&self) -> Taken {
        self.wait_for(|notice| match notice {
            Notice::Run(taken) => Some(*taken),
            _ => None,
        })
    }

    fn submit(&self, draft: Draft) -> String {
        let (sender, receiver) = channel();
        self.jobs.submit(
            draft,
            Box::new(move |result| {
                let _ = sender.send(result);
            }),
        );
        receiver.recv_timeout(PATIENCE).unwrap().unwrap().0
    }

    fn answer(&self, taken: &Taken, outcome: Outcome) {
        self.jobs.answer(taken.seq, taken.head.runs, outcome, false);
    }
}

fn draft(kind: &str) -> Draft {
    Draft {
        kind: kind.to_owned(),
        data: text("data"),
        priority: 0,
        retries: 1,
        timeout_ms: None,
        delay_ms: 0,
        group: String::new(),
        id: None,
    }
}

fn text(text: &str) -> Value {
    Value {
        kind: Kind::LATIN1,
        bytes: text.as_bytes().to_vec(),
    }
}

fn end(jobs: &Arc<Jobs>) {
    let (sender, receiver) = channel();
    jobs.at_end(move || {
        let _ = sender.send(());
    });
    Engine::close(&**jobs);
    receiver.recv_timeout(PATIENCE).unwrap();
}

fn settled(jobs: &Arc<Jobs>) {
    let (sender, receiver) = channel();
    jobs.after_commit(move || {
        let _ = sender.send(());
    });
    receiver.recv_timeout(PATIENCE).unwrap();
}

fn both(test: impl Fn(&Arc<Jobs>)) {
    let directory = tempfile::tempdir().unwrap();
    for store in [None, Some(directory.path())] {
        let options = Options {
            max_concurrent: Some(2),
            retry_delay_ms: Some(1.0),
            ..Options::default()
        };
        let jobs = open(store, options);
        test(&jobs);
        settled(&jobs);
        jobs.validate().unwrap();
        end(&jobs);
    }
}

#[test]
fn a_job_goes_from_hand_to_hand_and_its_failure_is_tried_again() {
    both(|jobs| {
        let client = join(jobs);
        jobs.listen(client.id, Sort::Dead.bit());
        jobs.serve(client.id, "mail");
        let id = client.submit(draft("mail"));
        let first = client.run();
        assert_eq!((&first.data, first.head.attempts), (&text("data"), 1));
        let failure = Outcome::Failed(Cause::Thrown(vec![1]));
        client.answer(&first, failure.clone());
        let second = client.run();
        assert_eq!(
            (second.head.id(second.seq), second.head.attempts),
            (id.clone(), 2)
        );
        // An answer to the first run is late.
        client.answer(&first, Outcome::Done(text("late")));
        client.answer(&second, failure.clone());
        client.wait_for(|notice| matches!(notice, Notice::Event(_)).then_some(()));
        let view = jobs.view(&id).unwrap().unwrap();
        assert_eq!((view.head.state, view.outcome), (State::Failed, Some(failure)));
    });
}

#[test]
fn no_more_than_wanted_are_handed_out_and_the_least_busy_client_gets_the_next() {
    both(|jobs| {
        let clients = [join(jobs), join(jobs)];
        for client in &clients {
            jobs.serve(client.id, "mail");
        }
        for _ in 0..4 {
            clients[0].submit(draft("mail"));
        }
        let taken = clients.each_ref().map(Client::run);
        settled(jobs);
        assert_eq!(jobs.snapshot(1).unwrap().running, 2);
        assert!(clients.iter().all(|client| jobs.next_notice(client.id).is_none()));
        clients[1].answer(&taken[1], Outcome::Done(text("")));
        let next = clients[1].run();
        clients[1].answer(&next, Outcome::Done(text("")));
        clients[0].answer(&taken[0], Outcome::Done(text("")));
    });
}

#[test]
fn deadlines_and_cancellations_abort_what_runs() {
    both(|jobs| {
        let client = join(jobs);
        jobs.serve(client.id, "mail");
        let aborted = || {
            client.wait_for(|notice| match notice {
                Notice::Abort(_, _, ending) => Some(ending),
                _ => None,
            })
        };
        let id = client.submit(draft("mail"));
        client.run();
        let (sender, receiver) = channel();
        jobs.cancel(id, move |result| {
            let _ = sender.send(result);
        });
        assert!(receiver.recv_timeout(PATIENCE).unwrap().unwrap());
        assert_eq!(aborted(), Ending::Cancelled);
        client.submit(Draft {
            timeout_ms: Some(1),
            retries: 0,
            ..draft("mail")
        });
        assert_eq!(aborted(), Ending::TimedOut);
    });
}

#[test]
fn what_a_client_leaves_behind_another_one_gets() {
    both(|jobs| {
        let clients = [join(jobs), join(jobs)];
        jobs.serve(clients[0].id, "mail");
        clients[0].submit(draft("mail"));
        let first = clients[0].run();
        jobs.serve(clients[1].id, "mail");
        jobs.leave(clients[0].id, true);
        let second = clients[1].run();
        assert_eq!(first.seq, second.seq);
        assert_eq!((second.head.attempts, second.head.interruptions), (1, 1));
        clients[1].answer(&second, Outcome::Done(text("")));
    });
}

#[test]
fn a_store_is_opened_again_with_what_was_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let jobs = open(Some(directory.path()), Options::default());
    let client = join(&jobs);
    let ids: Vec<String> = (0..3).map(|_| client.submit(draft("mail"))).collect();
    jobs.serve(client.id, "mail");
    let taken = client.run();
    assert!(jobs.progress(taken.seq, taken.head.runs, text("half")));
    jobs.leave(client.id, false);
    end(&jobs);
    let jobs = open(Some(directory.path()), Options::default());
    jobs.validate().unwrap();
    let states = |id: &String| jobs.view(id).unwrap().unwrap().head.state;
    assert_eq!(ids.iter().map(states).collect::<Vec<_>>(), [State::Queued; 3]);
    end(&jobs);
}

#[test]
fn two_owners_share_a_store_and_the_work_of_one_that_dies_goes_to_the_other() {
    let directory = tempfile::tempdir().unwrap();
    // Two engines of one process stand for two processes: the registry is not asked.
    let first = open(Some(directory.path()), Options::default());
    let worker = join(&first);
    first.serve(worker.id, "mail");
    let id = worker.submit(draft("mail"));
    let lost = worker.run();
    // The dead take no jobs; this one's thread lives on and would.
    first.pause(true);
    first.vanish();
    let second = open(Some(directory.path()), Options::default());
    let client = join(&second);
    second.serve(client.id, "mail");
    let taken = client.run();
    assert_eq!(
        (taken.head.id(taken.seq), taken.head.interruptions),
        (id.clone(), 1)
    );
    // Whoever was taken for dead answers a run that is none any more.
    worker.answer(&lost, Outcome::Done(text("late")));
    settled(&first);
    assert_eq!(second.view(&id).unwrap().unwrap().head.state, State::Active);
    client.answer(&taken, Outcome::Done(text("")));
    settled(&second);
    assert_eq!(second.view(&id).unwrap().unwrap().head.state, State::Completed);
    end(&second);
    end(&first);
}
