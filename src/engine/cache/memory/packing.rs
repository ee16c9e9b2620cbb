//! What a cache does to its values before it stores them: whether it compresses them, and
//! the dictionaries that it trains from them.
//!
//! # Training
//!
//! The first dictionary is trained from the first values, as soon as there are enough of
//! them, so that most values profit. As the first are rarely like all others, a second one
//! follows from a wider sample. From then on the cache compares what compression leaves with
//! what it left after that training, and trains again when it has become clearly worse: the
//! values have changed. A new dictionary is taken only if it does better on values that it
//! was not trained from. Values stay as they were stored; whatever a dictionary was used for
//! keeps it.
//!
//! Samples are copies of values, a few megabytes at most while they are gathered, and none
//! in between. Training runs on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::engine::cache::compression::dictionary::Dictionary;
use crate::engine::cache::compression::{Algorithm, Compressor};
use crate::engine::cache::record::Packed;

/// Bytes of a dictionary.
const DICTIONARY_BYTES: usize = 32 * 1024;

/// Bytes of values that the first dictionary is trained from, and all others.
const FIRST_SAMPLE_BYTES: usize = 256 * 1024;
const SAMPLE_BYTES: usize = 2 * 1024 * 1024;

/// Fewer values say too little about others, and of more than a few a copy is a burden.
const MIN_SAMPLES: usize = 100;
const MAX_SAMPLE: usize = 64 * 1024;

/// A wide sample takes one value of so many.
const STRIDE: u64 = 8;

/// One value in so many is kept from the training, to judge it by.
const HELD_OUT: usize = 8;

/// Values between two looks at what compression leaves.
const WINDOW: u64 = 8_192;

/// Compression is clearly worse when it leaves so much more than after the last training.
const WORSE: f64 = 1.15;

/// A new dictionary must leave less than this of what the current one leaves.
const BETTER: f64 = 0.98;

/// See the module.
#[derive(Debug, Default)]
pub struct Packing {
    compressor: Option<Compressor>,
    /// Values of fewer bytes are left alone. In the beginning the compressor's own.
    threshold: AtomicUsize,
    training: Option<Arc<Training>>,
    small: AtomicU64,
    skipped: AtomicU64,
}

/// What compression has left alone, and with what it works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackingStats {
    /// Values of fewer bytes are left alone.
    pub threshold: usize,
    /// Values below the threshold.
    pub small: u64,
    /// Values that would not have become a tenth smaller.
    pub skipped: u64,
    /// The dictionary, if there may be one.
    pub dictionary: Option<DictionaryStats>,
}

/// About a cache's dictionary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DictionaryStats {
    /// Its size, 0 before there is one.
    pub bytes: u64,
    /// How many were trained, those that did no better than their predecessor included.
    pub trainings: u64,
}

impl Packing {
    /// Packs with `compressor`, if there is one.
    pub fn new(compressor: Option<Compressor>) -> Self {
        Self {
            compressor,
            threshold: AtomicUsize::new(compressor.map_or(0, |compressor| compressor.threshold)),
            training: compressor
                .filter(|compressor| compressor.dictionary)
                .map(|_| Arc::default()),
            ..Self::default()
        }
    }

    /// From now on values of so many bytes and more are tried.
    pub fn set_threshold(&self, bytes: usize) {
        self.threshold.store(bytes, Ordering::Relaxed);
    }

    /// The packed form of a value, if it is worth it.
    pub fn pack(&self, payload: &[u8]) -> Option<(Vec<u8>, Packed)> {
        let compressor = Compressor {
            threshold: self.threshold.load(Ordering::Relaxed),
            ..self.compressor?
        };
        if payload.len() < compressor.threshold {
            self.small.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let dictionary = self.training.as_ref().and_then(|training| training.current());
        let packed = compressor.compress(payload, dictionary.as_ref());
        if let Some(training) = &self.training {
            let stored = packed.as_ref().map_or(payload.len(), Vec::len);
            training.observe(payload, stored);
        }
        let Some(bytes) = packed else {
            self.skipped.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let packed = Packed {
            algorithm: compressor.algorithm,
            dictionary,
            original_len: payload.len() as u32,
        };
        Some((bytes, packed))
    }

    /// The counters.
    pub fn stats(&self) -> PackingStats {
        PackingStats {
            threshold: self.threshold.load(Ordering::Relaxed),
            small: self.small.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            dictionary: self.training.as_ref().map(|training| training.stats()),
        }
    }
}

/// The dictionary of a cache, and what becomes the next one.
#[derive(Debug, Default)]
struct Training {
    current: Mutex<Option<Dictionary>>,
    bytes: AtomicU64,
    trainings: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    samples: Samples,
    /// Since the last look.
    values: u64,
    original: u64,
    stored: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Phase {
    /// Gathers every value for the first dictionary.
    #[default]
    First,
    /// Another thread trains.
    Training { is_first: bool },
    /// Gathers a wide sample.
    Wide,
    /// Compares with what was left after the training; 0 until that is known.
    Watching { left: f64 },
}

#[derive(Debug, Default)]
struct Samples {
    bytes: Vec<u8>,
    sizes: Vec<usize>,
}

impl Training {
    fn current(&self) -> Option<Dictionary> {
        self.current.lock().clone()
    }

    fn stats(&self) -> DictionaryStats {
        DictionaryStats {
            bytes: self.bytes.load(Ordering::Relaxed),
            trainings: self.trainings.load(Ordering::Relaxed),
        }
    }

    /// A value was stored in so many bytes.
    fn observe(self: &Arc<Self>, payload: &[u8], stored: usize) {
        let mut state = self.state.lock();
        state.values += 1;
        state.original += payload.len() as u64;
        state.stored += stored as u64;
        match state.phase {
            Phase::First => state.gather(payload, FIRST_SAMPLE_BYTES),
            Phase::Wide if state.values.is_multiple_of(STRIDE) => state.gather(payload, SAMPLE_BYTES),
            Phase::Watching { left } if state.values >= WINDOW => state.look(left),
            _ => {}
        }
        let is_first = state.phase == Phase::First;
        if state.samples.are_full(is_first) {
            let samples = std::mem::take(&mut state.samples);
            state.phase = Phase::Training { is_first };
            drop(state);
            self.clone().begin(samples);
        }
    }

    fn begin(self: Arc<Self>, samples: Samples) {
        let this = self.clone();
        let train = move || this.finish(this.train(&samples));
        let thread = std::thread::Builder::new().name("hotpath-training".into());
        if thread.spawn(train).is_err() {
            // No thread to be had: the values stay without a better dictionary.
            self.finish(None);
        }
    }

    /// A dictionary that is better than the current one. On a thread of its own.
    fn train(&self, samples: &Samples) -> Option<(Dictionary, usize)> {
        let (learnt, held_out) = samples.split();
        let (dictionary, bytes) = Dictionary::train(&learnt.bytes, &learnt.sizes, DICTIONARY_BYTES)?;
        let current = self.current();
        let (new, old) = (held_out.left(Some(&dictionary)), held_out.left(current.as_ref()));
        ((new as f64) < BETTER * old as f64).then_some((dictionary, bytes))
    }

    fn finish(&self, trained: Option<(Dictionary, usize)>) {
        self.trainings.fetch_add(1, Ordering::Relaxed);
        if let Some((dictionary, bytes)) = trained {
            self.bytes.store(bytes as u64, Ordering::Relaxed);
            // What it replaces may go, which takes another lock.
            let replaced = self.current.lock().replace(dictionary);
            drop(replaced);
        }
        let mut state = self.state.lock();
        let is_first = state.phase == Phase::Training { is_first: true };
        state.begin(if is_first {
            Phase::Wide
        } else {
            Phase::Watching { left: 0.0 }
        });
    }
}

impl State {
    fn begin(&mut self, phase: Phase) {
        *self = Self {
            phase,
            ..Self::default()
        };
    }

    fn gather(&mut self, payload: &[u8], most: usize) {
        if payload.len() <= MAX_SAMPLE && self.samples.bytes.len() < most {
            self.samples.bytes.extend_from_slice(payload);
            self.samples.sizes.push(payload.len());
        }
    }

    fn look(&mut self, left: f64) {
        let now = self.stored as f64 / self.original.max(1) as f64;
        let is_worse = left > 0.0 && now > WORSE * left;
        self.begin(match is_worse {
            true => Phase::Wide,
            false if left == 0.0 => Phase::Watching { left: now },
            false => Phase::Watching { left },
        });
    }
}

impl Samples {
    fn are_full(&self, is_first: bool) -> bool {
        let most = if is_first {
            FIRST_SAMPLE_BYTES
        } else {
            SAMPLE_BYTES
        };
        self.bytes.len() >= most && self.sizes.len() >= MIN_SAMPLES
    }

    fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.sizes.push(value.len());
    }

    fn values(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.bytes[..];
        self.sizes.iter().map(move |&size| {
            let (value, others) = rest.split_at(size);
            rest = others;
            value
        })
    }

    /// What is learnt from, and what it is judged by.
    fn split(&self) -> (Samples, Samples) {
        let (mut learnt, mut held_out) = (Samples::default(), Samples::default());
        for (index, value) in self.values().enumerate() {
            match index % HELD_OUT {
                0 => held_out.push(value),
                _ => learnt.push(value),
            }
        }
        (learnt, held_out)
    }

    /// What compression would leave of the values, with this dictionary or without one.
    fn left(&self, dictionary: Option<&Dictionary>) -> usize {
        let compressor = Compressor {
            algorithm: Algorithm::Zstd,
            threshold: 0,
            dictionary: dictionary.is_some(),
        };
        let left = |value: &[u8]| {
            compressor
                .compress(value, dictionary)
                .map_or(value.len(), |bytes| bytes.len())
        };
        self.values().map(left).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cache::compression;
    use crate::engine::cache::dice::Dice;
    use std::time::{Duration, Instant};

    fn value(shape: &str, dice: &mut Dice) -> Vec<u8> {
        let (number, mail) = (dice.below(1_000_000), dice.below(u64::from(u32::MAX)));
        format!(
            r#"{{"{shape}-number":{number},"{shape}-mail":"{mail:x}@example.org","{shape}-active":true}}"#
        )
        .into_bytes()
    }

    fn packing() -> Packing {
        Packing::new(Some(Compressor {
            algorithm: Algorithm::Zstd,
            threshold: 64,
            dictionary: true,
        }))
    }

    /// Packs values until `done`, and checks that they unpack.
    fn pack_until(packing: &Packing, shape: &str, done: impl Fn(DictionaryStats) -> bool) {
        let mut dice = Dice(1);
        let end = Instant::now() + Duration::from_secs(120);
        while !packing.stats().dictionary.is_some_and(&done) {
            assert!(Instant::now() < end, "{:?}", packing.stats());
            for _ in 0..100 {
                let original = value(shape, &mut dice);
                let Some((bytes, packed)) = packing.pack(&original) else {
                    continue;
                };
                let mut out = Vec::new();
                let dictionary = packed.dictionary.as_ref();
                compression::decompress(packed.algorithm, dictionary, &bytes, original.len(), &mut out)
                    .unwrap();
                assert_eq!(out, original);
            }
        }
    }

    fn left(packing: &Packing, shape: &str) -> f64 {
        let mut dice = Dice(2);
        let values: Vec<_> = (0..100).map(|_| value(shape, &mut dice)).collect();
        let packed = values
            .iter()
            .map(|value| packing.pack(value).map_or(value.len(), |(bytes, _)| bytes.len()));
        packed.sum::<usize>() as f64 / values.concat().len() as f64
    }

    #[test]
    fn dictionaries_follow_the_values() {
        let packing = packing();
        assert!(
            left(&packing, "customer") > 0.8,
            "short values alone hardly compress"
        );
        pack_until(&packing, "customer", |stats| stats.trainings >= 2);
        let trained = left(&packing, "customer");
        assert!(trained < 0.5, "{trained} is left");
        // Kept from before, and still readable when the values have changed and so has it.
        let old = value("customer", &mut Dice(9));
        let (bytes, packed) = packing.pack(&old).expect("compresses");
        pack_until(&packing, "customer", |_| {
            packing.stats().small == 0 && settled(&packing)
        });
        let trainings = packing.stats().dictionary.unwrap().trainings;
        // One training may still have samples of both.
        pack_until(&packing, "invoice", |stats| {
            stats.trainings > trainings && left(&packing, "invoice") < 0.5
        });
        let mut out = Vec::new();
        compression::decompress(
            packed.algorithm,
            packed.dictionary.as_ref(),
            &bytes,
            old.len(),
            &mut out,
        )
        .unwrap();
        assert_eq!(out, old);
    }

    fn settled(packing: &Packing) -> bool {
        let training = packing.training.as_ref().unwrap();
        matches!(training.state.lock().phase, Phase::Watching { left } if left > 0.0)
    }

    #[test]
    fn what_is_left_alone_is_counted() {
        let packing = packing();
        assert!(packing.pack(b"small").is_none());
        let mut dice = Dice(3);
        let noise: Vec<u8> = (0..500).map(|_| dice.below(256) as u8).collect();
        assert!(packing.pack(&noise).is_none());
        let stats = packing.stats();
        assert_eq!((stats.small, stats.skipped), (1, 1));
        assert_eq!(stats.dictionary, Some(DictionaryStats::default()));
        assert_eq!(Packing::new(None).stats(), PackingStats::default());
    }
}
