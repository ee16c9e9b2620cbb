//! How long to wait before a failed attempt is repeated: exponentially longer each time, with
//! some chance in it, so that what failed together does not come back together.

/// A policy of waiting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// The wait before the first repetition, in milliseconds.
    pub initial_ms: f64,
    /// By what each further wait is longer.
    pub factor: f64,
    /// The longest wait, in milliseconds.
    pub max_ms: f64,
    /// The part of a wait that is left to chance, from 0 to 1: with 0.2 a wait of a second
    /// takes between 800 ms and a second.
    pub jitter: f64,
}

impl Default for Backoff {
    /// 1 s, 2 s, 4 s, ... up to five minutes, without chance.
    fn default() -> Self {
        Self {
            initial_ms: 1_000.0,
            factor: 2.0,
            max_ms: 300_000.0,
            jitter: 0.0,
        }
    }
}

impl Backoff {
    /// The wait after attempt number `attempt` (the first is 1) has failed. `chance` is a
    /// random number from 0 up to, but not including, 1.
    pub fn delay_ms(&self, attempt: u32, chance: f64) -> u64 {
        let repetitions = attempt.saturating_sub(1).min(i32::MAX as u32) as i32;
        let wait = (self.initial_ms * self.factor.powi(repetitions)).min(self.max_ms);
        (wait * (1.0 - self.jitter * chance)).max(0.0).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_the_one_before_up_to_the_longest() {
        let waits: Vec<u64> = (1..=5)
            .map(|attempt| Backoff::default().delay_ms(attempt, 0.9))
            .collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000]);
        assert_eq!(Backoff::default().delay_ms(u32::MAX, 0.0), 300_000);
    }

    #[test]
    fn chance_only_shortens_and_by_no_more_than_its_part() {
        let backoff = Backoff {
            jitter: 0.25,
            ..Backoff::default()
        };
        assert_eq!(backoff.delay_ms(1, 0.0), 1_000);
        assert_eq!(backoff.delay_ms(1, 0.5), 875);
        assert!(backoff.delay_ms(3, 0.999) >= 3_000);
    }
}
