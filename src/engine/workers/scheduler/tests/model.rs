//! Any sequence of operations: every task ends once, and nothing is left over.

use super::*;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Submit {
        client: usize,
        priority: i64,
        retries: u32,
        timeout: Option<u64>,
        message: bool,
    },
    Take(usize),
    Finish {
        worker: usize,
        task: usize,
        ok: bool,
    },
    Send(usize),
    Abort(usize),
    Cooperate(usize),
    Crash {
        worker: usize,
        blame: bool,
    },
    Retire(usize),
    Obey,
    Wait(u64),
    Join,
    Leave {
        client: usize,
        thread_ends: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0usize..3, -20i64..20, 0u32..3, prop::option::of(1u64..50), any::<bool>()).prop_map(
            |(client, priority, retries, timeout, message)| Step::Submit { client, priority, retries, timeout, message }
        ),
        8 => (0usize..6).prop_map(Step::Take),
        6 => (0usize..6, 0usize..3, any::<bool>()).prop_map(|(worker, task, ok)| Step::Finish { worker, task, ok }),
        3 => (0usize..3).prop_map(Step::Send),
        2 => (0usize..20).prop_map(Step::Abort),
        1 => (0usize..6).prop_map(Step::Cooperate),
        1 => (0usize..6, any::<bool>()).prop_map(|(worker, blame)| Step::Crash { worker, blame }),
        1 => (0usize..6).prop_map(Step::Retire),
        4 => Just(Step::Obey),
        3 => (1u64..3_000).prop_map(Step::Wait),
        1 => Just(Step::Join),
        1 => (0usize..3, any::<bool>()).prop_map(|(client, thread_ends)| Step::Leave { client, thread_ends }),
    ]
}

/// What a run knows beside the scheduler: who is there, and what was accepted.
struct Run {
    world: World,
    clients: Vec<ClientId>,
    accepted: Vec<(TaskId, ClientId)>,
}

impl Run {
    fn worker(&self, index: usize) -> Option<WorkerId> {
        let workers = self.world.workers();
        workers.get(index % workers.len().max(1)).copied()
    }

    /// A task that a worker is really working on.
    fn running(&self, worker: WorkerId, index: usize) -> Option<TaskId> {
        let ledger = &self.world.scheduler.workers[&worker].ledger;
        let running: Vec<TaskId> = ledger
            .iter()
            .filter(|held| held.started_us.is_some())
            .map(|held| held.task)
            .collect();
        running.get(index % running.len().max(1)).copied()
    }

    fn apply(&mut self, step: Step) {
        let now = self.world.now;
        match step {
            Step::Submit {
                client,
                priority,
                retries,
                timeout,
                message,
            } => {
                let client = self.clients[client % self.clients.len()];
                let payload = match message {
                    true => Payload::Message { sent: false },
                    false => order().payload,
                };
                let order = Order {
                    payload,
                    priority,
                    retries,
                    timeout_ms: timeout,
                    ..order()
                };
                if let Ok(task) = self.world.scheduler.submit(client, order, now) {
                    self.accepted.push((task, client));
                }
            }
            Step::Take(index) => {
                if let Some(worker) = self.worker(index)
                    && self.world.scheduler.workers[&worker].signal.is_some()
                    && matches!(self.world.scheduler.take(worker, now), Take::Leave)
                {
                    self.world.scheduler.exited(worker, 0, None, now);
                }
            }
            Step::Finish { worker, task, ok } => {
                if let Some(worker) = self.worker(worker)
                    && let Some(task) = self.running(worker, task)
                {
                    let answer = if ok { done() } else { Err(thrown()) };
                    self.world.scheduler.finish(worker, task, answer, now);
                }
            }
            Step::Send(index) => {
                if !self.world.to_send.is_empty() {
                    let index = index % self.world.to_send.len();
                    let task = self.world.to_send.swap_remove(index);
                    self.world.scheduler.sent(task);
                }
            }
            Step::Abort(index) => {
                if let Some((task, _)) = self.accepted.get(index % self.accepted.len().max(1)) {
                    self.world.scheduler.abort(*task, Cause::Aborted, now);
                }
            }
            Step::Cooperate(index) => {
                if let Some(worker) = self.worker(index)
                    && let Some(task) = self.running(worker, 0)
                {
                    self.world.scheduler.cooperates(worker, task);
                }
            }
            Step::Crash { worker, blame } => {
                if let Some(worker) = self.worker(worker) {
                    if blame && let Some(task) = self.running(worker, 0) {
                        self.world.scheduler.blame(worker, task);
                    }
                    self.world.scheduler.exited(worker, 1, None, now);
                }
            }
            Step::Retire(index) => {
                if let Some(worker) = self.worker(index) {
                    self.world.scheduler.retire(worker, Departure::Recycled, now);
                }
            }
            Step::Obey => self.world.obey(),
            Step::Wait(ms) => self.world.pass(ms),
            Step::Join if self.clients.len() < 3 => {
                let client = self.world.join();
                self.clients.push(client);
            }
            Step::Join => {}
            Step::Leave { client, thread_ends } if self.clients.len() > 1 => {
                let client = self.clients.swap_remove(client % self.clients.len());
                self.world.scheduler.terminate(client, now);
                self.world.read();
                self.world.scheduler.leave(client, thread_ends, now);
                let orphans: Vec<WorkerId> = match thread_ends {
                    true => Vec::new(),
                    // Their thread goes on: they leave by themselves.
                    false => self.world.scheduler.hosted_by(client),
                };
                for worker in orphans {
                    if self.world.scheduler.workers[&worker].ledger.is_empty() {
                        self.world.scheduler.exited(worker, 0, None, now);
                    }
                }
            }
            Step::Leave { .. } => {}
        }
        self.world.read();
    }

    /// Lets honest workers finish everything.
    fn finish_all(&mut self) {
        for _ in 0..2_000 {
            if self
                .accepted
                .iter()
                .all(|(task, _)| self.world.settled.contains_key(task))
            {
                return;
            }
            self.world.obey();
            for task in std::mem::take(&mut self.world.to_send) {
                self.world.scheduler.sent(task);
            }
            let now = self.world.now;
            for worker in self.world.workers() {
                loop {
                    match self.world.scheduler.take(worker, now) {
                        Take::Task(given) => self.world.scheduler.finish(worker, given.task, done(), now),
                        Take::Abort(_) => {}
                        Take::Nothing => break,
                        Take::Leave => {
                            self.world.scheduler.exited(worker, 0, None, now);
                            break;
                        }
                    }
                }
                // What was taken before the honest time is finished too.
                let running = |world: &World| {
                    let worker = world.scheduler.workers.get(&worker)?;
                    worker
                        .ledger
                        .iter()
                        .find(|held| held.started_us.is_some())
                        .map(|held| held.task)
                };
                while let Some(task) = running(&self.world) {
                    self.world.scheduler.finish(worker, task, done(), now);
                }
                self.world.read();
            }
            let alarm = self.world.scheduler.alarm_us();
            self.world.now = self.world.now.max(alarm.min(self.world.now + 400_000_000)) + 1;
            self.world.scheduler.tick(self.world.now);
        }
        panic!("tasks are left over: {:?}", self.world.scheduler);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_task_ends_once(
        steps in prop::collection::vec(step(), 0..120),
        per_worker in 1usize..4,
        max_tasks in prop::option::of(1u64..4),
        idle_ms in prop::option::of(1u64..100),
        max_queue in prop_oneof![Just(usize::MAX), Just(3)],
    ) {
        let limits = Limits { max_workers: 3, min_workers: 1, max_queue, per_worker, idle_ms, max_tasks };
        let (world, client) = World::new(limits);
        let mut run = Run { world, clients: vec![client], accepted: Vec::new() };
        for step in steps {
            run.apply(step);
        }
        run.finish_all();
        prop_assert_eq!(run.world.settled.len(), run.accepted.len());
        for (task, client) in &run.accepted {
            prop_assert_eq!(run.world.settled[task].0, *client, "told to whoever ordered it");
        }
    }
}
