//! A matrix that stores what is not zero, in compressed rows (CSR): for each row the columns in
//! ascending order, and their values. An element takes 12 bytes, a row 4.
//!
//! Rows that lie end to end cannot be inserted into, so new elements gather in a sorted map
//! beside them and are merged in when they have become a quarter of all. Setting n elements in
//! any order thus costs O(n log n), and reading one two searches.

use std::collections::BTreeMap;

use super::envelope::{Envelope, read_u64};
use crate::error::{Error, Result};

const ENVELOPE: Envelope = Envelope {
    name: *b"HPSM",
    version: 1,
    what: "sparse matrix",
};

/// Rows, columns and elements, eight bytes each.
const FIELDS: usize = 24;

/// Fewer gathered elements than this are not merged in yet.
const MIN_MERGE: usize = 1024;

/// An element: row, column and value.
pub type Element = (u32, u32, f64);

/// See [the module](self).
#[derive(Debug, Clone, Default)]
pub struct Sparse {
    rows: u32,
    columns: u32,
    /// Where each row begins in the two below, and where the last one ends.
    starts: Vec<u32>,
    places: Vec<u32>,
    values: Vec<f64>,
    /// Elements that are not merged in yet; zeros take elements out.
    gathered: BTreeMap<(u32, u32), f64>,
}

impl Sparse {
    /// A matrix of zeros.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] for the starts of its rows.
    pub fn new(rows: u32, columns: u32) -> Result<Self> {
        Ok(Self {
            rows,
            columns,
            starts: zeros(rows as usize + 1)?,
            ..Self::default()
        })
    }

    /// Rows and columns.
    #[must_use]
    pub fn shape(&self) -> (u32, u32) {
        (self.rows, self.columns)
    }

    /// The element, 0 unless it was set. Places outside are 0 too.
    #[must_use]
    pub fn get(&self, row: u32, column: u32) -> f64 {
        if let Some(value) = self.gathered.get(&(row, column)) {
            return *value;
        }
        self.find(row, column).map_or(0.0, |index| self.values[index])
    }

    /// Sets an element; to 0 takes it out.
    ///
    /// # Errors
    /// [`Error::Shape`] outside of the matrix, [`Error::OutOfMemory`].
    pub fn set(&mut self, row: u32, column: u32, value: f64) -> Result<()> {
        if row >= self.rows || column >= self.columns {
            let reason = format!("row {row}, column {column} of {} by {}", self.rows, self.columns);
            return Err(Error::Shape { reason });
        }
        match self.find(row, column) {
            Some(index) if value != 0.0 => {
                self.gathered.remove(&(row, column));
                self.values[index] = value;
            }
            Some(_) => {
                self.gathered.insert((row, column), 0.0);
            }
            None if value != 0.0 => {
                self.gathered.insert((row, column), value);
            }
            None => {
                self.gathered.remove(&(row, column));
            }
        }
        if self.gathered.len() >= MIN_MERGE.max(self.values.len() / 4) {
            self.merge()?;
        }
        Ok(())
    }

    /// How many elements are not zero.
    #[must_use]
    pub fn len(&self) -> usize {
        let taken_out = self.gathered.values().filter(|value| **value == 0.0).count();
        self.values.len() + self.gathered.len() - 2 * taken_out
    }

    /// True for a matrix of zeros.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that it takes; an element that is gathered counts for what a node of the map
    /// takes on average.
    #[must_use]
    pub fn bytes(&self) -> usize {
        const GATHERED: usize = 32;
        size_of_val(self.starts.as_slice())
            + self.places.capacity() * size_of::<u32>()
            + self.values.capacity() * size_of::<f64>()
            + self.gathered.len() * GATHERED
    }

    /// Merges gathered elements in. Reading does not need it; whole-matrix operations do it.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; the matrix is unchanged.
    pub fn merge(&mut self) -> Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let length = self.len();
        if u32::try_from(length).is_err() {
            return Err(Error::OutOfMemory);
        }
        let mut merged = Self {
            rows: self.rows,
            columns: self.columns,
            starts: reserved(self.starts.len())?,
            places: reserved(length)?,
            values: reserved(length)?,
            gathered: BTreeMap::new(),
        };
        merged.starts.push(0);
        let mut new = self
            .gathered
            .iter()
            .map(|((row, column), value)| (*row, *column, *value))
            .peekable();
        for row in 0..self.rows {
            for (column, value) in self.row(row) {
                while let Some((_, column, value)) = new.next_if(|(r, c, _)| (*r, *c) < (row, column)) {
                    merged.push(column, value);
                }
                match new.next_if(|(r, c, _)| (*r, *c) == (row, column)) {
                    Some((_, column, value)) => merged.push(column, value),
                    None => merged.push(column, value),
                }
            }
            while let Some((_, column, value)) = new.next_if(|(r, _, _)| *r == row) {
                merged.push(column, value);
            }
            merged.end_row();
        }
        *self = merged;
        Ok(())
    }

    /// This matrix times another one (Gustavson 1978): O(products of elements).
    ///
    /// # Errors
    /// [`Error::Shape`] when they do not fit, [`Error::OutOfMemory`].
    pub fn multiply(&mut self, other: &mut Self) -> Result<Self> {
        self.merge()?;
        other.merge()?;
        self.times(other)
    }

    /// The same for two matrices that are merged: also for one and itself.
    fn times(&self, other: &Self) -> Result<Self> {
        if self.columns != other.rows {
            let reason = format!("{} columns times {} rows", self.columns, other.rows);
            return Err(Error::Shape { reason });
        }
        let mut product = Self {
            rows: self.rows,
            columns: other.columns,
            starts: reserved(self.rows as usize + 1)?,
            ..Self::default()
        };
        product.starts.push(0);
        let mut sums: Vec<f64> = zeros(other.columns as usize)?;
        // The row that a sum was last used for, counted from 1.
        let mut used: Vec<u32> = zeros(other.columns as usize)?;
        let mut touched = Vec::new();
        for row in 0..self.rows {
            for (inner, left) in self.row(row) {
                for (column, right) in other.row(inner) {
                    if used[column as usize] != row + 1 {
                        used[column as usize] = row + 1;
                        sums[column as usize] = 0.0;
                        touched.push(column);
                    }
                    sums[column as usize] += left * right;
                }
            }
            touched.sort_unstable();
            product
                .places
                .try_reserve(touched.len())
                .map_err(|_| Error::OutOfMemory)?;
            product
                .values
                .try_reserve(touched.len())
                .map_err(|_| Error::OutOfMemory)?;
            for column in touched.drain(..) {
                product.push(column, sums[column as usize]);
            }
            product.end_row();
        }
        if u32::try_from(product.values.len()).is_err() {
            return Err(Error::OutOfMemory);
        }
        Ok(product)
    }

    /// This matrix times itself.
    ///
    /// # Errors
    /// As [`multiply`](Self::multiply).
    pub fn squared(&mut self) -> Result<Self> {
        self.merge()?;
        self.times(self)
    }

    /// This matrix times a column.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::OutOfMemory`].
    pub fn multiply_column(&mut self, column: &[f64]) -> Result<Vec<f64>> {
        if column.len() != self.columns as usize {
            let reason = format!("{} columns times a column of {}", self.columns, column.len());
            return Err(Error::Shape { reason });
        }
        self.merge()?;
        let mut result = reserved(self.rows as usize)?;
        let terms = |row| {
            self.row(row)
                .map(|(place, value)| value * column[place as usize])
                .sum()
        };
        result.extend((0..self.rows).map(|row| -> f64 { terms(row) }));
        Ok(result)
    }

    /// This matrix times a number.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn scale(&mut self, factor: f64) -> Result<Self> {
        self.merge()?;
        let mut scaled = Self {
            rows: self.rows,
            columns: self.columns,
            starts: reserved(self.starts.len())?,
            places: reserved(self.places.len())?,
            values: reserved(self.values.len())?,
            gathered: BTreeMap::new(),
        };
        scaled.starts.push(0);
        for row in 0..self.rows {
            self.row(row)
                .for_each(|(column, value)| scaled.push(column, value * factor));
            scaled.end_row();
        }
        Ok(scaled)
    }

    /// Rows for columns.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn transpose(&mut self) -> Result<Self> {
        self.merge()?;
        let mut starts: Vec<u32> = zeros(self.columns as usize + 1)?;
        for column in &self.places {
            starts[*column as usize + 1] += 1;
        }
        for column in 1..starts.len() {
            starts[column] += starts[column - 1];
        }
        let mut next: Vec<u32> = reserved(starts.len())?;
        next.extend(&starts);
        let (mut places, mut values) = (zeros(self.places.len())?, zeros(self.values.len())?);
        for row in 0..self.rows {
            for (column, value) in self.row(row) {
                let index = next[column as usize] as usize;
                next[column as usize] += 1;
                places[index] = row;
                values[index] = value;
            }
        }
        Ok(Self {
            rows: self.columns,
            columns: self.rows,
            starts,
            places,
            values,
            gathered: BTreeMap::new(),
        })
    }

    /// All elements, zeros included, by rows.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn to_dense(&mut self) -> Result<Vec<f64>> {
        self.merge()?;
        let columns = self.columns as usize;
        let length = (self.rows as usize)
            .checked_mul(columns)
            .ok_or(Error::OutOfMemory)?;
        let mut dense = zeros(length)?;
        for row in 0..self.rows {
            for (column, value) in self.row(row) {
                dense[row as usize * columns + column as usize] = value;
            }
        }
        Ok(dense)
    }

    /// A matrix of these elements by rows.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are not so many, [`Error::OutOfMemory`].
    pub fn from_dense(dense: &[f64], rows: u32, columns: u32) -> Result<Self> {
        if (rows as usize).checked_mul(columns as usize) != Some(dense.len()) {
            let reason = format!("{} numbers are not {rows} rows of {columns}", dense.len());
            return Err(Error::Shape { reason });
        }
        let length = dense.iter().filter(|value| **value != 0.0).count();
        if u32::try_from(length).is_err() {
            return Err(Error::OutOfMemory);
        }
        let mut sparse = Self {
            rows,
            columns,
            starts: reserved(rows as usize + 1)?,
            places: reserved(length)?,
            values: reserved(length)?,
            gathered: BTreeMap::new(),
        };
        sparse.starts.push(0);
        for row in 0..rows as usize {
            let row = &dense[row * columns as usize..(row + 1) * columns as usize];
            (0..)
                .zip(row)
                .for_each(|(column, value)| sparse.push(column, *value));
            sparse.end_row();
        }
        Ok(sparse)
    }

    /// Up to `count` elements from a place on, in order of rows and then of columns.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn elements(&mut self, (row, column): (u32, u32), count: usize) -> Result<Vec<Element>> {
        self.merge()?;
        let mut found = reserved(count.min(self.values.len()))?;
        for current in row..self.rows {
            let first = if current == row { column } else { 0 };
            for (place, value) in self.row(current).skip_while(|(place, _)| *place < first) {
                if found.len() == count {
                    return Ok(found);
                }
                found.push((current, place, value));
            }
        }
        Ok(found)
    }

    /// The matrix as bytes, for any machine.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn serialize(&mut self) -> Result<Vec<u8>> {
        self.merge()?;
        let length = FIELDS + self.starts.len() * 4 + self.values.len() * 12;
        ENVELOPE.seal(length, |bytes| {
            bytes.extend(u64::from(self.rows).to_le_bytes());
            bytes.extend(u64::from(self.columns).to_le_bytes());
            bytes.extend((self.values.len() as u64).to_le_bytes());
            bytes.extend(self.starts.iter().flat_map(|start| start.to_le_bytes()));
            bytes.extend(self.places.iter().flat_map(|place| place.to_le_bytes()));
            bytes.extend(self.values.iter().flat_map(|value| value.to_le_bytes()));
        })
    }

    /// The matrix that [`serialize`](Self::serialize) wrote.
    ///
    /// # Errors
    /// [`Error::BadData`], [`Error::OutOfMemory`].
    pub fn deserialize(bytes: &[u8]) -> Result<Self> {
        let body = ENVELOPE.open(bytes)?;
        if body.len() < FIELDS {
            return Err(ENVELOPE.bad("it is too short"));
        }
        let field = |index: usize| u32::try_from(read_u64(&body[index * 8..]));
        let (Ok(rows), Ok(columns), Ok(length)) = (field(0), field(1), field(2)) else {
            return Err(ENVELOPE.bad("it is too large"));
        };
        // Sizes as u64, which these sums cannot exceed.
        let (starts, elements) = ((u64::from(rows) + 1) * 4, u64::from(length));
        if FIELDS as u64 + starts + elements * 12 != body.len() as u64 {
            return Err(ENVELOPE.bad("it has another length than it says"));
        }
        let (starts, rest) = body[FIELDS..].split_at(starts as usize);
        let (places, values) = rest.split_at(length as usize * 4);
        let sparse = Self {
            rows,
            columns,
            starts: words(starts)?,
            places: words(places)?,
            values: {
                let mut read = reserved(length as usize)?;
                read.extend(
                    values
                        .chunks_exact(8)
                        .map(|value| f64::from_bits(read_u64(value))),
                );
                read
            },
            gathered: BTreeMap::new(),
        };
        sparse.check()?;
        Ok(sparse)
    }

    /// Whether everything lies where the other methods take it to lie.
    fn check(&self) -> Result<()> {
        let ends = (self.starts.first(), self.starts.last());
        let length = self.values.len() as u32;
        if ends != (Some(&0), Some(&length)) || !self.starts.is_sorted() {
            return Err(ENVELOPE.bad("its rows are out of order"));
        }
        for row in 0..self.rows {
            let (range, columns) = (self.range(row), self.columns);
            let places = &self.places[range];
            if places.windows(2).any(|pair| pair[0] >= pair[1]) || places.last() >= Some(&columns) {
                return Err(ENVELOPE.bad("its columns are out of order"));
            }
        }
        Ok(())
    }

    fn range(&self, row: u32) -> std::ops::Range<usize> {
        self.starts[row as usize] as usize..self.starts[row as usize + 1] as usize
    }

    /// The merged elements of a row.
    fn row(&self, row: u32) -> impl Iterator<Item = (u32, f64)> {
        let range = self.range(row);
        let places = self.places[range.clone()].iter().copied();
        places.zip(self.values[range].iter().copied())
    }

    fn find(&self, row: u32, column: u32) -> Option<usize> {
        if row >= self.rows {
            return None;
        }
        let range = self.range(row);
        let place = self.places[range.clone()].binary_search(&column).ok()?;
        Some(range.start + place)
    }

    /// Appends to the last row. Zeros are left out.
    fn push(&mut self, column: u32, value: f64) {
        if value != 0.0 {
            self.places.push(column);
            self.values.push(value);
        }
    }

    fn end_row(&mut self) {
        self.starts.push(self.values.len() as u32);
    }
}

fn words(bytes: &[u8]) -> Result<Vec<u32>> {
    let mut words = reserved(bytes.len() / 4)?;
    let word = |bytes: &[u8]| read_u64(bytes) as u32;
    words.extend(bytes.chunks_exact(4).map(word));
    Ok(words)
}

fn reserved<T>(length: usize) -> Result<Vec<T>> {
    let mut vector = Vec::new();
    vector.try_reserve_exact(length).map_err(|_| Error::OutOfMemory)?;
    Ok(vector)
}

fn zeros<T: Copy + Default>(length: usize) -> Result<Vec<T>> {
    let mut zeros = reserved(length)?;
    zeros.resize(length, T::default());
    Ok(zeros)
}

#[cfg(test)]
mod tests;
