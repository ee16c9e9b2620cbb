//! One rule a test.

use super::*;

fn is_done(world: &World, task: TaskId) -> bool {
    matches!(world.settlement(task), Some(Settlement::Done(..)))
}

fn failure(world: &World, task: TaskId) -> Option<&Cause> {
    match world.settlement(task) {
        Some(Settlement::Failed(cause)) => Some(cause),
        _ => None,
    }
}

#[test]
fn a_task_goes_to_a_worker_and_its_answer_to_the_client() {
    let (mut world, client) = World::new(limits());
    world.obey();
    let task = world.submit(client, order());
    assert_eq!(world.take(1), Some(task));
    world.finish(1, task, done());
    assert!(is_done(&world, task));
    assert_eq!(world.settled[&task].0, client);
    assert_eq!(world.scheduler.snapshot().idle, 1);
}

#[test]
fn failed_attempts_are_repeated_after_longer_and_longer_waits() {
    let (mut world, client) = World::new(limits());
    world.obey();
    let task = world.submit(
        client,
        Order {
            retries: 2,
            ..order()
        },
    );
    for wait in [1_000, 2_000] {
        assert_eq!(world.take(1), Some(task));
        world.finish(1, task, Err(thrown()));
        world.pass(wait - 1);
        assert_eq!(world.take(1), None);
        world.pass(1);
    }
    assert_eq!(world.take(1), Some(task));
    world.finish(1, task, Err(thrown()));
    assert_eq!(failure(&world, task), Some(&thrown()));
    assert_eq!(world.scheduler.snapshot().counters.retried, 2);
}

#[test]
fn what_can_not_be_sent_is_not_repeated() {
    let (mut world, client) = World::new(limits());
    world.obey();
    let task = world.submit(
        client,
        Order {
            retries: 5,
            ..order()
        },
    );
    world.take(1);
    let cause = Cause::Unsendable(Arc::from(&b"function"[..]));
    world.finish(1, task, Err(cause.clone()));
    assert_eq!(failure(&world, task), Some(&cause));
}

#[test]
fn a_full_queue_refuses_but_a_free_worker_does_not() {
    let (mut world, client) = World::new(Limits {
        max_queue: 0,
        ..limits()
    });
    world.obey();
    let task = world.submit(client, order());
    assert_eq!(
        world.scheduler.submit(client, order(), world.now),
        Err(Refusal::Full(1))
    );
    world.take(1);
    assert_eq!(
        world.scheduler.submit(client, order(), world.now),
        Err(Refusal::Full(0))
    );
    world.finish(1, task, done());
    assert!(world.scheduler.submit(client, order(), world.now).is_ok());
}

#[test]
fn a_task_that_takes_too_long_loses_its_worker_and_another_is_started() {
    let (mut world, client) = World::new(limits());
    world.obey();
    let slow = Order {
        timeout_ms: Some(50),
        ..order()
    };
    let task = world.submit(client, slow);
    assert_eq!(world.take(1), Some(task));
    assert!(world.scheduler.alarm_us() <= world.now + 50 * MS);
    world.pass(50);
    assert_eq!(failure(&world, task), Some(&Cause::TimedOut { ms: 50 }));
    assert_eq!(world.workers(), [2]);
    world.finish(1, task, done());
    assert_eq!(world.settled.len(), 1);
}

#[test]
fn neighbours_of_an_aborted_task_finish_before_their_worker_leaves() {
    let (mut world, client) = World::new(Limits {
        per_worker: 2,
        ..limits()
    });
    world.obey();
    let first = world.submit(client, order());
    let second = world.submit(client, order());
    assert_eq!((world.take(1), world.take(1)), (Some(first), Some(second)));
    assert!(world.scheduler.abort(first, Cause::Aborted, world.now));
    world.obey();
    assert_eq!(failure(&world, first), Some(&Cause::Aborted));
    // It moves: it is told of the abort, and so not stuck.
    assert!(matches!(world.scheduler.take(1, world.now), Take::Abort(task) if task == first));
    world.pass(2_000);
    assert_eq!(
        world.workers(),
        [1, 2],
        "a replacement is there, and the old one still works"
    );
    world.finish(1, second, done());
    assert!(is_done(&world, second));
    world.obey();
    assert_eq!(world.workers(), [2]);
}

#[test]
fn neighbours_of_a_task_that_hogs_the_thread_are_done_elsewhere() {
    let (mut world, client) = World::new(Limits {
        per_worker: 2,
        ..limits()
    });
    world.obey();
    let hog = world.submit(
        client,
        Order {
            timeout_ms: Some(10),
            ..order()
        },
    );
    let neighbour = world.submit(client, order());
    world.take(1);
    world.take(1);
    world.pass(10);
    assert!(failure(&world, hog).is_some());
    assert!(world.settlement(neighbour).is_none());
    world.pass(1_000);
    assert_eq!(world.workers(), [2]);
    assert_eq!(world.take(2), Some(neighbour));
    world.finish(2, neighbour, done());
    assert!(is_done(&world, neighbour));
    assert_eq!(world.scheduler.snapshot().counters.retried, 0);
}

#[test]
fn a_function_that_heeds_its_abort_signal_keeps_its_worker() {
    let (mut world, client) = World::new(limits());
    world.obey();
    let heeding = world.submit(client, order());
    world.take(1);
    world.scheduler.cooperates(1, heeding);
    world.scheduler.abort(heeding, Cause::Aborted, world.now);
    world.obey();
    assert_eq!(failure(&world, heeding), Some(&Cause::Aborted));
    world.finish(1, heeding, Err(thrown()));
    world.pass(5_000);
    assert_eq!(world.workers(), [1]);
    let deaf = world.submit(client, order());
    assert!(matches!(world.scheduler.take(1, world.now), Take::Abort(task) if task == heeding));
    assert_eq!(world.take(1), Some(deaf));
    world.scheduler.cooperates(1, deaf);
    world.scheduler.abort(deaf, Cause::Aborted, world.now);
    world.pass(1_000);
    assert_eq!(world.workers(), [2]);
}

#[test]
fn a_death_is_the_fault_of_one_task() {
    let (mut world, client) = World::new(Limits {
        per_worker: 2,
        ..limits()
    });
    world.obey();
    let first = world.submit(client, order());
    let second = world.submit(client, order());
    world.take(1);
    world.take(1);
    world.scheduler.blame(1, second);
    world.scheduler.exited(1, 3, None, world.now);
    world.obey();
    assert_eq!(
        failure(&world, second),
        Some(&Cause::Exited { code: 3, error: None })
    );
    assert_eq!(world.take(2), Some(first));
    let last = world.events.iter().rev().find_map(|event| match event {
        Event::Started { task, attempt, .. } => Some((*task, *attempt)),
        _ => None,
    });
    assert_eq!(last, Some((first, 1)), "the attempt that was lost is not counted");
}

#[test]
fn messages_are_sent_once_the_worker_is_known_and_only_once() {
    let (mut world, client) = World::new(limits());
    world.obey();
    let message = Order {
        payload: Payload::Message { sent: false },
        retries: 3,
        ..order()
    };
    let task = world.submit(client, message);
    assert_eq!(world.take(1), None);
    assert_eq!(std::mem::take(&mut world.to_send), [task]);
    assert!(world.scheduler.sent(task));
    assert_eq!(world.take(1), Some(task));
    world.finish(1, task, Err(thrown()));
    assert_eq!(failure(&world, task), Some(&thrown()));
    assert!(!world.scheduler.sent(task));
}

#[test]
fn a_pool_can_be_made_larger_and_smaller() {
    let (mut world, client) = World::new(Limits {
        max_workers: 1,
        ..limits()
    });
    world.obey();
    let tasks: Vec<TaskId> = (0..3).map(|_| world.submit(client, order())).collect();
    assert_eq!(world.take(1), Some(tasks[0]));
    world.pass(5);
    assert_eq!(world.workers(), [1], "no more are allowed");
    world.scheduler.resize(3, 1, world.now);
    world.obey();
    assert_eq!(world.workers(), [1, 2, 3]);
    assert_eq!(world.take(2), Some(tasks[1]));
    world.scheduler.resize(1, 1, world.now);
    world.obey();
    let serving = |world: &World| {
        world
            .scheduler
            .workers
            .values()
            .filter(|worker| worker.serves())
            .count()
    };
    assert_eq!(
        serving(&world),
        1,
        "the idle one leaves first, then one of the busy"
    );
    world.finish(2, tasks[1], done());
    world.finish(1, tasks[0], done());
    assert_eq!(world.scheduler.bounds(), (1, 1));
    world.scheduler.resize(0, 9, world.now);
    assert_eq!(
        world.scheduler.bounds(),
        (1, 1),
        "one worker at least, and no more than allowed"
    );
}

#[test]
fn workers_are_started_for_what_waits_and_leave_when_idle() {
    let (mut world, client) = World::new(Limits {
        max_workers: 3,
        idle_ms: Some(100),
        ..limits()
    });
    world.obey();
    let tasks: Vec<TaskId> = (0..5).map(|_| world.submit(client, order())).collect();
    assert_eq!(world.workers(), [1], "short tasks need no more workers");
    assert_eq!(world.take(1), Some(tasks[0]));
    world.pass(5);
    assert_eq!(world.workers(), [1, 2, 3]);
    for (worker, task) in [(2, tasks[1]), (3, tasks[2])] {
        assert_eq!(world.take(worker), Some(task));
    }
    for (worker, task) in [(1, tasks[0]), (2, tasks[1]), (3, tasks[2])] {
        world.finish(worker, task, done());
    }
    for (worker, task) in [(1, tasks[3]), (2, tasks[4])] {
        assert_eq!(world.take(worker), Some(task));
        world.finish(worker, task, done());
    }
    for worker in 1..=3 {
        assert_eq!(world.take(worker), None);
    }
    world.pass(100);
    let leaving = |worker| {
        matches!(
            world.scheduler.workers[&worker].phase,
            Phase::Leaving(Departure::Idle)
        )
    };
    assert_eq!(
        [1, 2, 3].map(leaving).iter().filter(|leaving| **leaving).count(),
        2
    );
}

#[test]
fn a_worker_that_has_served_enough_is_replaced() {
    let (mut world, client) = World::new(Limits {
        max_workers: 1,
        max_tasks: Some(1),
        ..limits()
    });
    world.obey();
    let (first, second) = (world.submit(client, order()), world.submit(client, order()));
    assert_eq!(world.take(1), Some(first));
    world.finish(1, first, done());
    assert!(matches!(world.scheduler.take(1, world.now), Take::Leave));
    world.scheduler.exited(1, 0, None, world.now);
    world.obey();
    assert_eq!(world.take(2), Some(second));
    assert_eq!(world.scheduler.snapshot().counters.reuses, 0);
}

#[test]
fn code_that_cannot_be_loaded_fails_what_waits_until_somebody_tries_again() {
    let (mut world, client) = World::new(limits());
    world.read();
    let task = world.scheduler.submit(client, order(), world.now).unwrap();
    let error: Arc<[u8]> = Arc::from(&b"not found"[..]);
    world.scheduler.unstartable(1, error.clone(), world.now);
    world.read();
    assert_eq!(failure(&world, task), Some(&Cause::Unstartable(Some(error))));
    world.to_start.clear();
    world.pass(60_000);
    assert!(world.workers().is_empty());
    let again = world.submit(client, order());
    assert_eq!(world.take(2), Some(again));
}

#[test]
fn a_client_that_terminates_leaves_the_tasks_of_others_alone() {
    let (mut world, host) = World::new(limits());
    let other = world.join();
    world.obey();
    let (own, foreign, waiting) = (
        world.submit(host, order()),
        world.submit(other, order()),
        world.submit(host, order()),
    );
    world.take(1);
    world.pass(5);
    assert_eq!(world.take(2), Some(foreign));
    world.scheduler.terminate(host, world.now);
    world.obey();
    assert_eq!(failure(&world, own), Some(&Cause::Terminated));
    assert_eq!(failure(&world, waiting), Some(&Cause::Terminated));
    assert_eq!(
        world.scheduler.submit(host, order(), world.now),
        Err(Refusal::Closed)
    );
    world.scheduler.leave(host, false, world.now);
    world.finish(2, foreign, done());
    assert!(is_done(&world, foreign));
    let next = world.submit(other, order());
    assert!(matches!(world.scheduler.take(2, world.now), Take::Leave));
    world.scheduler.exited(2, 0, None, world.now);
    world.obey();
    let worker = world.workers()[0];
    assert_eq!(world.take(worker), Some(next));
    world.scheduler.terminate(other, world.now);
    world.obey();
    assert!(world.scheduler.has_ended());
    assert!(world.workers().is_empty());
}

#[test]
fn workers_of_a_thread_that_ends_are_replaced_and_their_tasks_done_elsewhere() {
    let (mut world, host) = World::new(limits());
    let other = world.join();
    world.obey();
    let task = world.submit(other, order());
    assert_eq!(world.take(1), Some(task));
    world.scheduler.leave(host, true, world.now);
    world.obey();
    let worker = world.workers()[0];
    assert_eq!(world.take(worker), Some(task));
    world.finish(worker, task, done());
    assert!(is_done(&world, task));
}
