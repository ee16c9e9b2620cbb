//! The latest values of one name, with their times: bounded in number and in age.

use std::collections::VecDeque;
use std::sync::Arc;

/// A value and when it was recorded, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When.
    pub time: f64,
    /// What.
    pub value: f64,
}

/// Statistics of some points. Percentiles are the values at `floor(count * share)` of the
/// sorted list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stats {
    /// How many.
    pub count: usize,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The mean.
    pub avg: f64,
    /// Percentiles 50, 95 and 99.
    pub quantiles: [f64; 3],
}

/// See the module.
#[derive(Debug)]
pub struct Samples {
    points: VecDeque<Point>,
    /// The notes of some points, by the number of the point.
    notes: VecDeque<(u64, Arc<str>)>,
    /// The number of the oldest point.
    first: u64,
    capacity: usize,
    retention_ms: f64,
}

impl Samples {
    /// Keeps at most `capacity` points, none older than `retention_ms` before the newest.
    pub fn new(capacity: usize, retention_ms: f64) -> Self {
        Self {
            points: VecDeque::new(),
            notes: VecDeque::new(),
            first: 0,
            capacity: capacity.max(1),
            retention_ms,
        }
    }

    /// Adds a point.
    pub fn push(&mut self, point: Point, note: Option<Arc<str>>) {
        while self.points.len() >= self.capacity {
            self.drop_oldest();
        }
        while self
            .points
            .front()
            .is_some_and(|oldest| oldest.time < point.time - self.retention_ms)
        {
            self.drop_oldest();
        }
        if let Some(note) = note {
            self.notes
                .push_back((self.first + self.points.len() as u64, note));
        }
        self.points.push_back(point);
    }

    fn drop_oldest(&mut self) {
        self.points.pop_front();
        if self
            .notes
            .front()
            .is_some_and(|(number, _)| *number == self.first)
        {
            self.notes.pop_front();
        }
        self.first += 1;
    }

    /// The points after `since`, in the order in which they came, with their notes.
    pub fn after(&self, since: f64) -> impl Iterator<Item = (Point, Option<&Arc<str>>)> + '_ {
        let mut notes = self.notes.iter().peekable();
        self.points.iter().enumerate().filter_map(move |(index, point)| {
            let number = self.first + index as u64;
            let note = notes.next_if(|(noted, _)| *noted == number);
            (point.time > since).then_some((*point, note.map(|(_, note)| note)))
        })
    }

    /// Statistics of the points after `since`; none without points.
    pub fn stats(&self, since: f64) -> Option<Stats> {
        let mut values: Vec<f64> = self.after(since).map(|(point, _)| point.value).collect();
        let count = values.len();
        if count == 0 {
            return None;
        }
        let avg = values.iter().sum::<f64>() / count as f64;
        values.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| values[((count as f64 * share) as usize).min(count - 1)];
        Some(Stats {
            count,
            min: values[0],
            max: values[count - 1],
            avg,
            quantiles: [at(0.5), at(0.95), at(0.99)],
        })
    }

    /// How many points are held.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// True without points.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Bytes held, about.
    pub fn bytes(&self) -> usize {
        self.points.capacity() * size_of::<Point>() + self.notes.capacity() * size_of::<(u64, Arc<str>)>()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.capacity, self.retention_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(time: f64, value: f64) -> Point {
        Point { time, value }
    }

    #[test]
    fn the_latest_thousand_stay() {
        let mut samples = Samples::new(1_000, f64::INFINITY);
        for value in 0..1_500 {
            let note = (value % 500 == 0).then(|| Arc::from(value.to_string()));
            samples.push(point(f64::from(value), f64::from(value)), note);
        }
        assert_eq!(samples.len(), 1_000);
        let noted: Vec<_> = samples
            .after(-1.0)
            .filter_map(|(point, note)| Some((point.value, note?.to_string())))
            .collect();
        assert_eq!(noted, [(500.0, "500".into()), (1000.0, "1000".into())]);
        let stats = samples.stats(-1.0).unwrap();
        assert_eq!((stats.min, stats.max, stats.avg), (500.0, 1499.0, 999.5));
        assert_eq!(stats.quantiles, [1000.0, 1450.0, 1490.0]);
    }

    #[test]
    fn only_points_after_the_cutoff_count() {
        let mut samples = Samples::new(10, f64::INFINITY);
        samples.push(point(1.0, 5.0), None);
        samples.push(point(2.0, 7.0), None);
        assert_eq!(samples.stats(1.0).unwrap().count, 1);
        assert_eq!(samples.stats(2.0), None);
    }

    #[test]
    fn memory_is_flat_over_days_at_the_default_retention() {
        const DAY: f64 = 86_400_000.0;
        let mut samples = Samples::new(17_280, DAY);
        let mut held = 0;
        for tick in 0..(3 * 17_280) {
            samples.push(point(f64::from(tick) * 5_000.0, 1.0), None);
            if tick == 17_280 {
                held = samples.bytes();
            }
        }
        assert_eq!(samples.bytes(), held);
        assert!(samples.len() <= 17_280);
        samples.push(point(10.0 * DAY, 1.0), None);
        assert_eq!(samples.len(), 1);
    }
}
