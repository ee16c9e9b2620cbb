//! The structure dictionary of a namespace, as this process knows it.
//!
//! The names of the properties of a shape stand once here instead of in every record, see
//! `lib/cache/codec-stamped-records.js`. The document lies in Redis, is replaced only as a
//! whole by compare-and-set, and only grows; a random number tells it from another document of
//! the same namespace that came after a flush. Each record names the document and how many of
//! its shapes it may use, so nothing is ever decoded with the wrong names: a reader that knows
//! less reads the document again, and a record whose document is gone is a miss.
//!
//! Writers use a shape only once it stands in Redis; until then, and where no document can be
//! had, records define their shapes themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use serde_json::{Value as Json, json};

use super::wire::Stamp;

/// Shapes that a document has at most; the codec's own limit.
const MOST_SHAPES: usize = 31;

/// Documents that are remembered after others took their place: those who still decode what
/// was read before need them.
const REMEMBERED: usize = 4;

/// A dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Which it is, and how many shapes it has.
    pub stamp: Stamp,
    /// As it lies in Redis: `{"id": <number>, "shapes": [[<name>, ...], ...]}`.
    pub text: Arc<[u8]>,
}

impl Document {
    /// Reads a document. None if it is none of ours.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let document: Json = serde_json::from_slice(text).ok()?;
        let shapes = document.get("shapes")?.as_array()?;
        let dictionary = u32::try_from(document.get("id")?.as_u64()?).ok()?;
        if dictionary == 0 || shapes.len() > MOST_SHAPES {
            return None;
        }
        let stamp = Stamp {
            dictionary,
            shapes: shapes.len() as u8,
        };
        let text = text.into();
        Some(Self { stamp, text })
    }

    /// The text of `document`, or of a new one, with another shape (a JSON array of names).
    /// None if there is no room, or the shape is in it.
    pub fn with_shape(document: Option<&Self>, shape: &[u8], new_id: u32) -> Option<Vec<u8>> {
        let shape: Json = serde_json::from_slice(shape).ok()?;
        let mut json = match document {
            Some(document) => serde_json::from_slice(&document.text).ok()?,
            None => json!({ "id": new_id.max(1), "shapes": [] }),
        };
        let shapes = json.get_mut("shapes")?.as_array_mut()?;
        if shapes.len() >= MOST_SHAPES || shapes.contains(&shape) {
            return None;
        }
        shapes.push(shape);
        serde_json::to_vec(&json).ok()
    }
}

/// What this process knows of a namespace's documents.
#[derive(Debug, Default)]
pub struct Dictionary {
    version: AtomicU32,
    /// The current one last.
    documents: Mutex<Vec<Document>>,
}

impl Dictionary {
    /// Moves whenever the current document changes.
    pub fn version(&self) -> u32 {
        self.version.load(Ordering::SeqCst)
    }

    /// The document that records are written with, if there is one.
    pub fn current(&self) -> Option<Document> {
        self.documents.lock().last().cloned()
    }

    /// A document by its number.
    pub fn document(&self, number: u32) -> Option<Document> {
        let documents = self.documents.lock();
        let found = |document: &&Document| document.stamp.dictionary == number;
        documents.iter().rev().find(found).cloned()
    }

    /// Whether records with this stamp can be decoded.
    pub fn knows(&self, stamp: Stamp) -> bool {
        self.document(stamp.dictionary)
            .is_some_and(|document| document.stamp.shapes >= stamp.shapes)
    }

    /// Takes over what stands in Redis.
    pub fn adopt(&self, document: Document) {
        let mut documents = self.documents.lock();
        if documents.last() == Some(&document) {
            return;
        }
        let number = document.stamp.dictionary;
        let known = documents
            .iter()
            .position(|known| known.stamp.dictionary == number);
        if let Some(place) = known {
            let known = documents.remove(place);
            // Answers may overtake each other; documents only grow.
            let newer = if known.stamp.shapes > document.stamp.shapes {
                known
            } else {
                document
            };
            documents.push(newer);
        } else {
            documents.push(document);
        }
        let surplus = documents.len().saturating_sub(REMEMBERED);
        documents.drain(..surplus);
        self.version.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: u32, shapes: &[&str]) -> Document {
        let mut document = None;
        for shape in shapes {
            let text = Document::with_shape(document.as_ref(), shape.as_bytes(), id).unwrap();
            document = Document::parse(&text);
        }
        document.unwrap()
    }

    #[test]
    fn documents_grow_by_new_shapes_only() {
        let one = document(7, &[r#"["a","b"]"#]);
        assert_eq!(
            one.stamp,
            Stamp {
                dictionary: 7,
                shapes: 1
            }
        );
        assert_eq!(Document::with_shape(Some(&one), br#"["a","b"]"#, 9), None);
        let two = Document::parse(&Document::with_shape(Some(&one), br#"["c"]"#, 9).unwrap()).unwrap();
        assert_eq!(
            two.stamp,
            Stamp {
                dictionary: 7,
                shapes: 2
            }
        );
    }

    #[test]
    fn a_full_document_takes_no_more() {
        let shapes: Vec<String> = (0..MOST_SHAPES)
            .map(|number| format!("[\"k{number}\"]"))
            .collect();
        let full = document(1, &shapes.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(Document::with_shape(Some(&full), b"[\"more\"]", 2), None);
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in [&b""[..], b"{}", b"[]", br#"{"id":0,"shapes":[]}"#, br#"{"id":1}"#] {
            assert_eq!(Document::parse(text), None);
        }
    }

    #[test]
    fn older_answers_do_not_shrink_it_and_a_successor_takes_over() {
        let dictionary = Dictionary::default();
        let (short, long) = (document(1, &["[\"a\"]"]), document(1, &["[\"a\"]", "[\"b\"]"]));
        dictionary.adopt(long.clone());
        dictionary.adopt(short);
        assert_eq!(dictionary.current(), Some(long.clone()));
        let version = dictionary.version();
        let successor = document(2, &["[\"c\"]"]);
        dictionary.adopt(successor.clone());
        assert_ne!(dictionary.version(), version);
        assert_eq!(dictionary.current(), Some(successor));
        assert!(dictionary.knows(long.stamp), "old records are still decoded");
        assert!(!dictionary.knows(Stamp {
            dictionary: 1,
            shapes: 3
        }));
    }
}
