//! Conditions on records.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// `null`.
    Null,
    /// A boolean.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// A field of a record, as far as conditions can see.
#[derive(Debug, Clone, PartialEq)]
pub enum Field<'a> {
    /// It is not there.
    Missing,
    /// `null`.
    Null,
    /// A boolean.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// A text of a file without types: equal to whatever it spells.
    Untyped(Cow<'a, str>),
    /// An array or an object.
    Composite,
}

/// How a field is tested.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It equals one of these.
    OneOf(Vec<Operand>),
    /// It equals none of these, or is missing.
    NoneOf(Vec<Operand>),
    /// It is of the operand's type, and compares so.
    Compare(Operand, &'static [Ordering]),
    /// It is a text that contains another.
    Contains(String),
    /// It is a text that begins so.
    StartsWith(String),
    /// It is a text that ends so.
    EndsWith(String),
    /// It is there, or is not.
    Exists(bool),
}

/// A test of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The field's place in the plan's names.
    pub field: usize,
    /// The test.
    pub test: Test,
}

/// Alternatives, of which one has to hold; each is a list of conditions that all hold. No
/// alternatives at all let everything pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter(pub Vec<Vec<Condition>>);

impl Filter {
    /// Whether a record passes, whose fields `field` tells.
    pub fn passes<'a>(&self, field: impl Fn(usize) -> Field<'a>) -> bool {
        let holds = |condition: &Condition| condition.test.holds(&field(condition.field));
        self.0.is_empty() || self.0.iter().any(|all| all.iter().all(holds))
    }
}

impl Filter {
    /// Reads a filter as JavaScript has normalised it: a list of alternatives, each a list
    /// of conditions `[place of the field, name of the test, operand]`. `None` if it is not
    /// of this form.
    pub fn from_json(text: &str) -> Option<Self> {
        let alternatives: Vec<Vec<(usize, String, Value)>> = serde_json::from_str(text).ok()?;
        let condition = |(field, test, operand): (usize, String, Value)| {
            let test = Test::new(&test, operand)?;
            Some(Condition { field, test })
        };
        let all = |conditions: Vec<_>| conditions.into_iter().map(condition).collect();
        alternatives.into_iter().map(all).collect::<Option<_>>().map(Self)
    }
}

impl Operand {
    fn new(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Null),
            Value::Bool(flag) => Some(Self::Flag(flag)),
            Value::Number(number) => number.as_f64().map(Self::Number),
            Value::String(text) => Some(Self::Text(text)),
            _ => None,
        }
    }

    fn list(value: Value) -> Option<Vec<Self>> {
        match value {
            Value::Array(values) => values.into_iter().map(Self::new).collect(),
            _ => None,
        }
    }
}

impl Test {
    fn new(name: &str, operand: Value) -> Option<Self> {
        use Ordering::{Equal, Greater, Less};
        let compare = |operand, wanted| Operand::new(operand).map(|operand| Self::Compare(operand, wanted));
        match (name, operand) {
            ("in", list) => Operand::list(list).map(Self::OneOf),
            ("notIn", list) => Operand::list(list).map(Self::NoneOf),
            ("lt", operand) => compare(operand, &[Less]),
            ("lte", operand) => compare(operand, &[Less, Equal]),
            ("gt", operand) => compare(operand, &[Greater]),
            ("gte", operand) => compare(operand, &[Greater, Equal]),
            ("contains", Value::String(part)) => Some(Self::Contains(part)),
            ("startsWith", Value::String(part)) => Some(Self::StartsWith(part)),
            ("endsWith", Value::String(part)) => Some(Self::EndsWith(part)),
            ("exists", Value::Bool(wanted)) => Some(Self::Exists(wanted)),
            _ => None,
        }
    }

    /// Whether a field passes.
    pub fn holds(&self, field: &Field<'_>) -> bool {
        match self {
            Test::OneOf(operands) => operands.iter().any(|operand| field.equals(operand)),
            Test::NoneOf(operands) => !operands.iter().any(|operand| field.equals(operand)),
            Test::Compare(operand, wanted) => field
                .compare(operand)
                .is_some_and(|found| wanted.contains(&found)),
            Test::Contains(part) => field.text().is_some_and(|text| text.contains(part.as_str())),
            Test::StartsWith(part) => field.text().is_some_and(|text| text.starts_with(part.as_str())),
            Test::EndsWith(part) => field.text().is_some_and(|text| text.ends_with(part.as_str())),
            Test::Exists(wanted) => (*field != Field::Missing) == *wanted,
        }
    }
}

impl Field<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Field::Text(text) | Field::Untyped(text) => Some(text),
            _ => None,
        }
    }

    /// The number that an untyped field spells.
    fn spelled_number(text: &str) -> Option<f64> {
        text.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    fn equals(&self, operand: &Operand) -> bool {
        match (self, operand) {
            (Field::Null, Operand::Null) => true,
            (Field::Flag(flag), Operand::Flag(wanted)) => flag == wanted,
            (Field::Number(number), Operand::Number(wanted)) => number == wanted,
            (Field::Text(text) | Field::Untyped(text), Operand::Text(wanted)) => text == wanted,
            (Field::Untyped(text), Operand::Null) => text.is_empty(),
            (Field::Untyped(text), Operand::Flag(wanted)) => text == if *wanted { "true" } else { "false" },
            (Field::Untyped(text), Operand::Number(wanted)) => Self::spelled_number(text) == Some(*wanted),
            _ => false,
        }
    }

    fn compare(&self, operand: &Operand) -> Option<Ordering> {
        match (self, operand) {
            (Field::Number(number), Operand::Number(wanted)) => number.partial_cmp(wanted),
            (Field::Untyped(text), Operand::Number(wanted)) => {
                Self::spelled_number(text)?.partial_cmp(wanted)
            }
            // By UTF-16 units, as JavaScript compares.
            (Field::Text(text) | Field::Untyped(text), Operand::Text(wanted)) => {
                Some(text.encode_utf16().cmp(wanted.encode_utf16()))
            }
            _ => None,
        }
    }
}
