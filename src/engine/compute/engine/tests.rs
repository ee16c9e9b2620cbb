use super::*;
use crate::engine::completion::{Completion, CompletionQueue, Reply, Waker};
use crate::engine::compute::numbers::{Matrix, Numbers};

struct NoWaker;

impl Waker for NoWaker {
    fn wake(&self) {}
}

struct Bench {
    engine: Arc<ComputeEngine>,
    queue: Arc<CompletionQueue>,
}

impl Bench {
    fn new() -> Self {
        Self {
            engine: ComputeEngine::new(1),
            queue: Arc::new(CompletionQueue::new(Box::new(NoWaker))),
        }
    }

    fn submit(&self, operation: u32, task: Task, priority: i32, timeout_ms: Option<u64>) {
        let caller = Caller {
            queue: self.queue.clone(),
            operation,
        };
        let timeout = timeout_ms.map(Duration::from_millis);
        self.engine.submit(task, caller, priority, timeout).unwrap();
    }

    /// Waits for so many answers.
    fn answers(&self, count: usize) -> Vec<Completion> {
        let mut answers = Vec::new();
        while answers.len() < count {
            answers.extend(self.queue.drain());
            std::thread::yield_now();
        }
        answers
    }

    fn wait_until_running(&self) {
        while self.engine.counts().running == 0 {
            assert_eq!(
                self.engine.counts().timed_out,
                0,
                "its time was over before it began"
            );
            std::thread::yield_now();
        }
    }
}

fn short() -> Task {
    Task::Sort {
        numbers: Numbers::Double(vec![2.0, 1.0].into()),
        descending: false,
    }
}

/// Far more than any test waits for.
fn endless() -> Task {
    let side = 3000;
    let mut identity = vec![0.0; side * side];
    identity
        .iter_mut()
        .step_by(side + 1)
        .for_each(|number| *number = 1.0);
    Task::Inverse(Matrix::new(Numbers::Double(identity.into()), side, side).unwrap())
}

fn error_of(completion: &Completion) -> Option<Error> {
    match &completion.outcome {
        Outcome::Refused(error) => Some(error.clone()),
        _ => None,
    }
}

#[test]
fn a_task_is_answered() {
    let bench = Bench::new();
    bench.submit(7, short(), 0, None);
    let answers = bench.answers(1);
    assert_eq!(answers[0].operation, 7);
    assert!(matches!(&answers[0].outcome, Outcome::Done(Reply::Numbers(sorted)) if *sorted == [1.0, 2.0]));
    let counts = bench.engine.counts();
    assert_eq!((counts.submitted, counts.started, counts.completed), (1, 1, 1));
}

#[test]
fn the_urgent_come_first_and_equals_keep_their_order() {
    let bench = Bench::new();
    bench.submit(1, endless(), 0, None);
    bench.wait_until_running();
    for (operation, priority) in [(2, 0), (3, -5), (4, 9), (5, 0), (6, 9)] {
        bench.submit(operation, short(), priority, None);
    }
    assert_eq!(bench.engine.counts().pending, [2, 2, 1]);
    bench.engine.cancel(1);
    let order: Vec<u32> = bench.answers(6).iter().map(|answer| answer.operation).collect();
    assert_eq!(order, [1, 4, 6, 2, 5, 3]);
}

#[test]
fn waiting_and_running_tasks_are_cancelled() {
    let bench = Bench::new();
    bench.submit(1, endless(), 0, None);
    bench.wait_until_running();
    bench.submit(2, short(), 0, None);
    bench.engine.cancel(2);
    let expected = Some(Error::Cancelled { what: "task" });
    let answers = bench.answers(1);
    assert_eq!(
        (answers[0].operation, error_of(&answers[0])),
        (2, expected.clone())
    );
    bench.engine.cancel(1);
    assert_eq!(error_of(&bench.answers(1)[0]), expected);
    bench.engine.cancel(99);
    assert_eq!(bench.engine.counts().cancelled, 2);
}

#[test]
fn time_runs_out_for_waiting_and_running_tasks() {
    let bench = Bench::new();
    // Long enough for the task to begin on a busy machine: one that never began would be waited for in vain.
    bench.submit(1, endless(), 0, Some(2_000));
    bench.wait_until_running();
    bench.submit(2, short(), 0, Some(1));
    for (operation, after_ms) in [(2, 1), (1, 2_000)] {
        let answers = bench.answers(1);
        let expected = Error::Timeout {
            what: "the task",
            ms: after_ms,
        };
        assert_eq!(
            (answers[0].operation, error_of(&answers[0])),
            (operation, Some(expected))
        );
    }
    assert_eq!(bench.engine.counts().timed_out, 2);
}

#[test]
fn a_destroyed_engine_answers_everybody_and_is_soon_idle() {
    let bench = Bench::new();
    bench.submit(1, endless(), 0, None);
    bench.wait_until_running();
    bench.submit(2, short(), 0, None);
    bench.engine.destroy();
    bench.engine.wait_until_idle();
    let closed = Some(Error::Closed {
        engine: "parallel processing engine",
    });
    assert!(bench.answers(2).iter().all(|answer| error_of(answer) == closed));
    let caller = Caller {
        queue: bench.queue.clone(),
        operation: 3,
    };
    assert!(bench.engine.submit(short(), caller, 0, None).is_err());
}

#[test]
fn a_closed_engine_finishes_what_it_has() {
    let bench = Bench::new();
    bench.submit(1, short(), 0, None);
    bench.engine.close();
    assert!(error_of(&bench.answers(1)[0]).is_none());
}

#[test]
fn tasks_that_fail_are_counted_and_the_engine_goes_on() {
    let bench = Bench::new();
    let zeros = Matrix::new(Numbers::Double(vec![0.0; 4].into()), 2, 2).unwrap();
    bench.submit(1, Task::Inverse(zeros), 0, None);
    assert_eq!(error_of(&bench.answers(1)[0]), Some(Error::Singular));
    bench.submit(2, short(), 0, None);
    assert!(error_of(&bench.answers(1)[0]).is_none());
    assert_eq!(bench.engine.counts().failed, 1);
}
