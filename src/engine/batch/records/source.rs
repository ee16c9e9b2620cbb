//! Blocks of a file that end where a record ends.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};

use super::{BLOCK_BYTES, Format, LONGEST_RECORD};

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Whole records, or one that is too long.
#[derive(Debug)]
pub struct Block {
    /// Its number, from 0.
    pub sequence: u64,
    /// The records.
    pub bytes: Vec<u8>,
    /// Where it begins in the file.
    pub offset: u64,
    /// Where the next one begins.
    pub end: u64,
    /// Its first line, from 1.
    pub line: u64,
    /// It is no record but the begin of one that is too long.
    pub oversized: bool,
    /// Names of the columns, in a file that has them.
    pub columns: Option<Arc<[String]>>,
}

/// A file that is read block by block.
#[derive(Debug)]
pub struct Source {
    file: File,
    /// What was read after the last record of the last block.
    rest: Vec<u8>,
    offset: u64,
    line: u64,
    sequence: u64,
    at_end: bool,
    quoting: Option<Quoting>,
    columns: Option<Arc<[String]>>,
}

/// How newlines may hide in fields.
#[derive(Debug, Clone, Copy)]
struct Quoting {
    quote: u8,
    delimiter: u8,
}

/// Where to begin: at the start of a block that an earlier scan has told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Start {
    /// Offset in bytes; 0 for the begin of the records.
    pub offset: u64,
    /// The line there.
    pub line: u64,
}

impl Source {
    /// Opens a file. Reads the names of its columns, if it has them.
    ///
    /// # Errors
    /// The file cannot be read, or its first record is not one.
    pub fn open(path: &Path, format: &Format, start: Start) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let (mut quoting, mut columns) = (None, None);
        let mut first = Start { offset: 0, line: 1 };
        if let Format::Csv {
            delimiter,
            quote,
            columns: given,
        } = format
        {
            (quoting, columns) = (
                Some(Quoting {
                    quote: *quote,
                    delimiter: *delimiter,
                }),
                given.as_deref().map(Arc::from),
            );
            if columns.is_none() {
                let mut reader = super::csv::reader(*delimiter, *quote).from_reader(&file);
                let mut header = csv::StringRecord::new();
                if reader.read_record(&mut header).map_err(io::Error::other)? {
                    first = Start {
                        offset: reader.position().byte(),
                        line: reader.position().line(),
                    };
                }
                columns = Some(header.iter().map(str::to_owned).collect());
            }
        }
        if start.offset > first.offset {
            first = start;
        }
        file.seek(SeekFrom::Start(first.offset))?;
        let mut source = Self {
            file,
            rest: Vec::new(),
            offset: first.offset,
            line: first.line,
            sequence: 0,
            at_end: false,
            quoting,
            columns,
        };
        if source.offset == 0 {
            source.skip_bom()?;
        }
        Ok(source)
    }

    fn skip_bom(&mut self) -> io::Result<()> {
        self.fill(BOM.len())?;
        if self.rest.starts_with(BOM) {
            self.rest.drain(..BOM.len());
            self.offset = BOM.len() as u64;
        }
        Ok(())
    }

    /// Reads until `rest` has so many bytes or the file ends.
    fn fill(&mut self, bytes: usize) -> io::Result<()> {
        while self.rest.len() < bytes && !self.at_end {
            let missing = (bytes - self.rest.len()) as u64;
            self.at_end = (&self.file).take(missing).read_to_end(&mut self.rest)? == 0;
        }
        Ok(())
    }

    /// Names of the columns, in a file that has them.
    pub fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    /// The number of the block that comes next.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The next block, if there is one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next_block(&mut self) -> io::Result<Option<Block>> {
        let mut wanted = BLOCK_BYTES;
        loop {
            self.fill(wanted)?;
            if self.rest.is_empty() {
                return Ok(None);
            }
            if self.at_end {
                return Ok(Some(self.cut(self.rest.len(), false)));
            }
            if let Some(end) = last_record_end(&self.rest, self.quoting) {
                return Ok(Some(self.cut(end, false)));
            }
            if self.rest.len() >= LONGEST_RECORD {
                return self.pass_over().map(Some);
            }
            wanted = (self.rest.len() * 2).min(LONGEST_RECORD);
        }
    }

    fn cut(&mut self, end: usize, oversized: bool) -> Block {
        let rest = self.rest.split_off(end);
        let bytes = std::mem::replace(&mut self.rest, rest);
        // Room for the next block, so that reading it does not grow the buffer step by step.
        self.rest.reserve(BLOCK_BYTES.saturating_sub(self.rest.len()));
        let block = Block {
            sequence: self.sequence,
            offset: self.offset,
            end: self.offset + bytes.len() as u64,
            line: self.line,
            oversized,
            columns: self.columns.clone(),
            bytes,
        };
        self.sequence += 1;
        self.offset = block.end;
        self.line += memchr_iter(b'\n', &block.bytes).count() as u64;
        block
    }

    /// Leaves out a record that is too long, up to the end of its first line: a quote that
    /// is never closed must not swallow the rest of a file.
    fn pass_over(&mut self) -> io::Result<Block> {
        if let Some(end) = memchr(b'\n', &self.rest) {
            return Ok(self.cut(end + 1, true));
        }
        let mut block = self.cut(self.rest.len(), true);
        loop {
            self.fill(BLOCK_BYTES)?;
            let end = memchr(b'\n', &self.rest);
            let passed = end.map_or(self.rest.len(), |end| end + 1);
            self.rest.drain(..passed);
            self.offset += passed as u64;
            self.line += u64::from(end.is_some());
            if end.is_some() || self.at_end {
                break;
            }
        }
        block.end = self.offset;
        Ok(block)
    }
}

/// Where the last record that is whole ends, behind its newline.
fn last_record_end(bytes: &[u8], quoting: Option<Quoting>) -> Option<usize> {
    let Some(Quoting { quote, delimiter }) = quoting else {
        return memrchr(b'\n', bytes).map(|at| at + 1);
    };
    // Newlines count outside of quotes only. A quote opens a field where the field begins,
    // and is a character like others elsewhere.
    let mut last = None;
    let mut at = 0;
    loop {
        let Some(found) = memchr(quote, &bytes[at..]).map(|found| at + found) else {
            return memrchr(b'\n', &bytes[at..]).map(|end| at + end + 1).or(last);
        };
        if let Some(end) = memrchr(b'\n', &bytes[at..found]) {
            last = Some(at + end + 1);
        }
        at = found + 1;
        let opens = found == 0 || [delimiter, b'\n', b'\r'].contains(&bytes[found - 1]);
        if opens {
            loop {
                let Some(closing) = memchr(quote, &bytes[at..]) else {
                    return last;
                };
                at += closing + 1;
                match bytes.get(at) {
                    // Two quotes are one, and the field goes on.
                    Some(byte) if *byte == quote => at += 1,
                    // Whether it is closed, the next byte would tell.
                    None => return last,
                    Some(_) => break,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv_end(text: &str) -> Option<usize> {
        let quoting = Quoting {
            quote: b'"',
            delimiter: b',',
        };
        last_record_end(text.as_bytes(), Some(quoting))
    }

    #[test]
    fn newlines_in_quotes_end_no_record() {
        assert_eq!(csv_end("a,b\nc"), Some(4));
        assert_eq!(csv_end("a,\"b\nc\",d\ne"), Some(10));
        assert_eq!(csv_end("a\n\"b\nc"), Some(2));
        assert_eq!(csv_end("\"a\"\"\nb\"\nc"), Some(8));
        assert_eq!(csv_end("5\" disk\nnext \"\n"), Some(15));
        assert_eq!(csv_end("\"open\n"), None);
        assert_eq!(csv_end("x\n\"a\""), Some(2));
        assert_eq!(csv_end("none"), None);
    }
}
