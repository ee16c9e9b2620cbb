use super::*;
use std::sync::Arc;

const OPTIONS: Options = Options {
    failure_threshold: 3,
    failure_ratio: 0.5,
    minimum_calls: 10,
    window_ms: 1_000,
    open_ms: 100,
    probes: 2,
};

fn pass(breaker: &Breaker, now: u64) -> Permit {
    breaker.acquire(now).expect("the call should pass")
}

fn opened(now: u64) -> Breaker {
    let breaker = Breaker::new(OPTIONS);
    let permit = pass(&breaker, now);
    breaker.report(permit, 0, 3, now);
    assert_eq!(breaker.state(now), State::Open);
    breaker
}

#[test]
fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
    let breaker = Breaker::new(OPTIONS);
    for _ in 0..2 {
        breaker.fail(pass(&breaker, 5), 5);
        breaker.fail(pass(&breaker, 5), 5);
        breaker.succeed(pass(&breaker, 5), 5);
    }
    assert_eq!(breaker.state(5), State::Closed);
    for _ in 0..3 {
        breaker.fail(pass(&breaker, 6), 6);
    }
    assert_eq!(breaker.state(6), State::Open);
    assert_eq!(breaker.counts().openings, 1);
}

#[test]
fn a_share_of_failures_within_the_window_opens_it() {
    let breaker = Breaker::new(OPTIONS);
    for call in 0..10 {
        let permit = pass(&breaker, call);
        match call % 2 {
            0 => breaker.succeed(permit, call),
            _ => breaker.fail(permit, call),
        }
    }
    assert_eq!(breaker.state(10), State::Open);
}

#[test]
fn what_left_the_window_does_not_count() {
    let breaker = Breaker::new(OPTIONS);
    for call in 0..20 {
        // Half of them fail, but never ten within a second.
        let now = call * 200;
        let permit = pass(&breaker, now);
        match call % 2 {
            0 => breaker.succeed(permit, now),
            _ => breaker.fail(permit, now),
        }
    }
    assert_eq!(breaker.state(4_000), State::Closed);
}

#[test]
fn an_open_breaker_refuses_until_its_time_has_passed() {
    let breaker = opened(50);
    assert!(breaker.acquire(149).is_none());
    assert_eq!(breaker.retry_after_ms(120), 30);
    assert_eq!(breaker.state(150), State::HalfOpen);
    assert_eq!(breaker.counts().rejections, 1);
}

#[test]
fn probes_pass_in_limited_number_and_close_it() {
    let breaker = opened(0);
    let (first, second) = (pass(&breaker, 100), pass(&breaker, 100));
    assert!(breaker.acquire(100).is_none());
    breaker.succeed(first, 101);
    assert_eq!(breaker.state(101), State::HalfOpen);
    breaker.succeed(second, 101);
    assert_eq!(breaker.state(101), State::Closed);
    assert!(breaker.acquire(101).is_some());
}

#[test]
fn one_failed_probe_opens_it_again() {
    let breaker = opened(0);
    let (first, second) = (pass(&breaker, 100), pass(&breaker, 100));
    breaker.succeed(first, 101);
    breaker.fail(second, 102);
    assert_eq!(breaker.state(201), State::Open);
    assert_eq!(breaker.state(202), State::HalfOpen);
}

#[test]
fn a_released_probe_makes_room_and_a_lost_one_does_so_in_time() {
    let breaker = opened(0);
    let released = pass(&breaker, 100);
    let _lost = pass(&breaker, 100);
    breaker.release(released);
    let _lost_too = pass(&breaker, 100);
    assert!(breaker.acquire(200).is_none());
    assert!(breaker.acquire(201).is_some());
}

#[test]
fn reports_of_an_earlier_epoch_are_ignored() {
    let breaker = Breaker::new(OPTIONS);
    let early = pass(&breaker, 0);
    breaker.report(pass(&breaker, 0), 0, 3, 0);
    let probe = pass(&breaker, 100);
    breaker.fail(early, 100);
    assert_eq!(breaker.state(100), State::HalfOpen);
    breaker.succeed(probe, 100);
    breaker.succeed(early, 100);
    assert_eq!(breaker.state(100), State::HalfOpen, "only probes close it");
}

#[test]
fn news_of_recovery_ends_the_wait() {
    let breaker = opened(0);
    breaker.try_again(1);
    assert_eq!(breaker.state(1), State::HalfOpen);
    breaker.try_again(2);
    breaker.report(pass(&breaker, 2), 2, 0, 2);
    breaker.try_again(3);
    assert_eq!(breaker.state(3), State::Closed);
}

#[test]
fn the_observer_hears_every_change_in_order() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = heard.clone();
    let breaker = Breaker::observed(OPTIONS, move |state| ears.lock().push(state.name()));
    breaker.report(pass(&breaker, 0), 0, 3, 0);
    breaker.report(pass(&breaker, 100), 2, 0, 100);
    assert_eq!(*heard.lock(), ["open", "half-open", "closed"]);
}
