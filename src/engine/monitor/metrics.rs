//! Families of metrics: names, labels, and the series that they have.

use std::collections::HashMap;
use std::sync::Arc;

use super::histogram::{Histogram, Shape};
use super::store::{Store, Target};
use crate::error::{Error, Result};

/// What a label of the overflow series says.
pub const OVERFLOW: &str = "__overflow__";

/// The family that counts label sets refused by the cap.
pub const REFUSED: &str = "hotpath_metrics_refused_series_total";

/// What the series of a family are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values in buckets.
    Histogram,
}

impl Kind {
    /// As the text formats call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Counter, Self::Gauge, Self::Histogram]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// What a family is defined by.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Its name, unique in the process.
    pub name: String,
    /// One line for the reader.
    pub help: String,
    /// What its series are.
    pub kind: Kind,
    /// The names of its labels, in order.
    pub label_names: Vec<String>,
    /// Upper ends of the classic buckets, if they were given.
    pub bounds: Option<Arc<[f64]>>,
    /// For histograms without labels: the smallest difference told apart.
    pub resolution: f64,
    /// Most series.
    pub max_series: usize,
}

/// One series of a family.
#[derive(Debug, Clone)]
pub struct Series {
    /// The number of its target.
    pub target: u32,
    /// Its labels' values, in the order of their names.
    pub values: Arc<[Box<str>]>,
}

/// A family with its series.
#[derive(Debug)]
pub struct Family {
    /// What it is defined by.
    pub definition: Arc<Definition>,
    shape: Shape,
    by_values: HashMap<Arc<[Box<str>]>, u32, ahash::RandomState>,
    series: Vec<Series>,
    overflow: Option<u32>,
    refused: f64,
}

/// Where a record with some labels goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The target.
    pub target: u32,
    /// Whether it is the overflow series: then the caller must not remember the labels.
    pub overflow: bool,
}

/// All families of a process, in the order in which they were defined.
#[derive(Debug, Default)]
pub struct Metrics {
    families: Vec<Family>,
    by_name: HashMap<String, usize>,
}

impl Metrics {
    /// All families.
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The family of this name.
    pub fn find(&self, name: &str) -> Option<&Family> {
        self.families.get(*self.by_name.get(name)?)
    }
}

impl Family {
    /// Its series, the overflow series last.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// How many label sets the cap has refused.
    pub fn refused(&self) -> f64 {
        self.refused
    }

    fn agree(&self, other: &Definition) -> Result<()> {
        let own = &self.definition;
        let conflict = |option, existing: String, requested: String| {
            let name = own.name.clone();
            Err(Error::OptionConflict {
                name,
                option,
                existing,
                requested,
            })
        };
        if own.kind != other.kind {
            return conflict("type", own.kind.name().into(), other.kind.name().into());
        }
        if own.label_names != other.label_names {
            return conflict(
                "labelNames",
                own.label_names.join(","),
                other.label_names.join(","),
            );
        }
        match &other.bounds {
            Some(bounds) if **bounds != *self.shape.bounds => {
                let text = |bounds: &[f64]| bounds.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
                conflict("buckets", text(&self.shape.bounds), text(bounds))
            }
            _ => Ok(()),
        }
    }

    fn target(&self) -> Target {
        match self.definition.kind {
            Kind::Counter => Target::Counter(0.0),
            Kind::Gauge => Target::Gauge(0.0),
            Kind::Histogram => Target::Histogram(Box::new(Histogram::new(&self.shape))),
        }
    }
}

impl Store {
    /// The number of the family with this definition: an existing one if it agrees.
    pub fn define(&mut self, definition: Definition) -> Result<usize> {
        if let Some(number) = self.metrics.by_name.get(&definition.name) {
            self.metrics.families[*number].agree(&definition)?;
            return Ok(*number);
        }
        let bounds = definition.bounds.clone();
        let shape = Shape {
            bounds: bounds.unwrap_or_else(|| super::histogram::DEFAULT_BOUNDS.into()),
            resolution: definition.label_names.is_empty().then_some(definition.resolution),
        };
        let number = self.metrics.families.len();
        self.metrics.by_name.insert(definition.name.clone(), number);
        let unlabelled = definition.label_names.is_empty();
        self.metrics.families.push(Family {
            definition: Arc::new(definition),
            shape,
            by_values: HashMap::default(),
            series: Vec::new(),
            overflow: None,
            refused: 0.0,
        });
        if unlabelled {
            // Visible from the beginning, as 0.
            self.series(number, &[]);
        }
        Ok(number)
    }

    /// The series of a family with these values of its labels, made if need be and possible.
    pub fn series(&mut self, number: usize, values: &[&str]) -> Place {
        let Some(family) = self.metrics.families.get_mut(number) else {
            return Place {
                target: super::store::TIME,
                overflow: true,
            };
        };
        let values: Arc<[Box<str>]> = values.iter().map(|value| Box::from(*value)).collect();
        if let Some(target) = family.by_values.get(&values) {
            return Place {
                target: *target,
                overflow: false,
            };
        }
        if family.by_values.len() >= family.definition.max_series {
            return self.overflow(number);
        }
        let target = family.target();
        let target = self.add(target);
        let family = &mut self.metrics.families[number];
        family.by_values.insert(values.clone(), target);
        let series = Series { target, values };
        // The overflow series stays the last.
        let at = family.series.len() - usize::from(family.overflow.is_some());
        family.series.insert(at, series);
        Place {
            target,
            overflow: false,
        }
    }

    fn overflow(&mut self, number: usize) -> Place {
        let family = &mut self.metrics.families[number];
        family.refused += 1.0;
        if let Some(target) = family.overflow {
            return Place {
                target,
                overflow: true,
            };
        }
        let labels = family.definition.label_names.len();
        let target = family.target();
        let target = self.add(target);
        let family = &mut self.metrics.families[number];
        family.overflow = Some(target);
        let values = vec![Box::from(OVERFLOW); labels].into();
        family.series.push(Series { target, values });
        Place {
            target,
            overflow: true,
        }
    }

    /// A gauge that is the share of one counter in the sum of two.
    pub fn define_share(&mut self, definition: Definition, part: u32, rest: u32) -> Result<()> {
        let number = self.define(definition)?;
        let target = self.series(number, &[]).target;
        if let Some(place) = self.get_mut(target) {
            *place = Target::Share(part, rest);
        }
        Ok(())
    }

    /// Drops a series. False when there is none with these values.
    pub fn remove_series(&mut self, number: usize, values: &[&str]) -> bool {
        let Some(family) = self.metrics.families.get_mut(number) else {
            return false;
        };
        let values: Vec<Box<str>> = values.iter().map(|value| Box::from(*value)).collect();
        let Some(target) = family.by_values.remove(values.as_slice()) else {
            return false;
        };
        family.series.retain(|series| series.target != target);
        self.remove(target);
        true
    }

    /// Sets all series of all families to 0.
    pub fn reset_metrics(&mut self) {
        let targets: Vec<u32> = self
            .metrics
            .families
            .iter_mut()
            .flat_map(|family| {
                family.refused = 0.0;
                family.series.iter().map(|series| series.target)
            })
            .collect();
        for target in targets {
            self.reset(target);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A definition for tests.
    pub(in crate::engine::monitor) fn definition(name: &str, kind: Kind, label_names: &[&str]) -> Definition {
        Definition {
            name: name.into(),
            help: format!("Help for {name}"),
            kind,
            label_names: label_names.iter().map(|name| (*name).into()).collect(),
            bounds: None,
            resolution: 1e-9,
            max_series: 3,
        }
    }

    #[test]
    fn the_same_definition_is_the_same_family() {
        let mut store = Store::default();
        let first = store.define(definition("a", Kind::Counter, &["x"])).unwrap();
        assert_eq!(
            store.define(definition("a", Kind::Counter, &["x"])).unwrap(),
            first
        );
        for other in [
            definition("a", Kind::Gauge, &["x"]),
            definition("a", Kind::Counter, &["y"]),
        ] {
            assert_eq!(
                store.define(other).unwrap_err().code(),
                "ERR_HOTPATH_OPTION_CONFLICT"
            );
        }
        let place = store.series(first, &["1"]);
        assert_eq!(store.series(first, &["1"]), place);
        assert_ne!(store.series(first, &["2"]), place);
    }

    #[test]
    fn the_cap_sends_new_label_sets_to_one_series_and_counts_them() {
        let mut store = Store::default();
        let number = store.define(definition("a", Kind::Histogram, &["x"])).unwrap();
        let places: Vec<Place> = ["1", "2", "3", "4", "5"]
            .iter()
            .map(|value| store.series(number, &[value]))
            .collect();
        assert_eq!(places.iter().filter(|place| place.overflow).count(), 2);
        assert_eq!(places[3], places[4]);
        assert_eq!(store.metrics.families()[number].refused(), 2.0);
        assert!(store.remove_series(number, &["1"]));
        assert!(!store.remove_series(number, &["1"]));
        assert!(!store.series(number, &["6"]).overflow);
        let series = store.metrics.families()[number].series();
        assert_eq!(&*series[series.len() - 1].values[0], OVERFLOW);
    }

    #[test]
    fn a_series_of_ten_thousand_takes_a_few_kilobytes() {
        let mut histogram = Histogram::new(&Shape {
            bounds: super::super::histogram::DEFAULT_BOUNDS.into(),
            resolution: None,
        });
        for value in 1..10_000 {
            histogram.record(f64::from(value) / 1000.0);
        }
        let bytes = histogram.exponential().bytes() + size_of::<Histogram>() + 12 * 8;
        assert!(bytes < 6000, "{bytes}");
    }
}
