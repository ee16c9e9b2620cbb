//! Text with gaps. What fills them is data and stays data: nothing is evaluated.

use serde::Deserialize;
use serde_json::Value;

use super::random::Random;

/// A piece of a template.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// As it stands.
    Text(String),
    /// A variable.
    Value {
        /// Which.
        slot: usize,
        /// Its form.
        form: Form,
    },
    /// A whole number, both ends included.
    Number {
        /// The least.
        least: i64,
        /// The greatest.
        most: i64,
    },
    /// So many letters and digits.
    Letters(usize),
}

/// How a value becomes text.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Form {
    /// As it is.
    Plain,
    /// As JSON, with its type.
    Json,
    /// Inside a string of JSON.
    Quoted,
    /// Inside a query, or a form.
    Encoded,
}

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Fills the gaps.
pub fn render(parts: &[Part], values: &[Value], random: &mut Random) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(piece) => text.push_str(piece),
            Part::Value { slot, form } => {
                let value = values.get(*slot).unwrap_or(&Value::Null);
                fill(&mut text, value, *form);
            }
            Part::Number { least, most } => {
                let width = most.abs_diff(*least).saturating_add(1);
                let number = least.wrapping_add_unsigned(random.below(width));
                text.push_str(&number.to_string());
            }
            Part::Letters(length) => {
                let letter = || char::from(LETTERS[random.below(LETTERS.len() as u64) as usize]);
                text.extend(std::iter::repeat_with(letter).take(*length));
            }
        }
    }
    text
}

fn fill(text: &mut String, value: &Value, form: Form) {
    match form {
        Form::Json => text.push_str(&value.to_string()),
        Form::Plain => text.push_str(&plain(value)),
        Form::Quoted => {
            let quoted = Value::String(plain(value)).to_string();
            text.push_str(&quoted[1..quoted.len() - 1]);
        }
        Form::Encoded => encode(text, &plain(value), |byte| {
            byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
        }),
    }
}

/// A string is itself, nothing is nothing, everything else is its JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn encode(text: &mut String, value: &str, keeps: impl Fn(u8) -> bool) {
    for byte in value.bytes() {
        if keeps(byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// Path and query that can be sent: what no URL may hold is encoded, everything else stays.
pub fn path(rendered: &str) -> String {
    let mut text = String::with_capacity(rendered.len());
    encode(&mut text, rendered, |byte| {
        byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte)
    });
    text
}
