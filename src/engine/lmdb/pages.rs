//! LMDB's pages as they lie in the file, for checks and repairs that LMDB has no call for.
//!
//! The layout is that of `mdb.c` (LMDB 0.9.70, data version 1) on machines with 64 bits and
//! little-endian numbers, the only ones that are supported.

use std::fs::File;
use std::io;

const _: () = assert!(size_of::<usize>() == 8 && cfg!(target_endian = "little"));

/// Bytes before the first pointer of a page, and before the contents of an overflow page.
pub const HEADER_BYTES: usize = 16;

/// Bytes of a meta page that mean something.
pub const META_BYTES: usize = 152;

/// Bytes before the key of a node.
pub const NODE_BYTES: usize = 8;

/// Bytes of the description of a tree.
pub const TREE_BYTES: usize = 48;

/// The number of no page: the root of an empty tree.
pub const NO_PAGE: u64 = u64::MAX;

/// Flags of pages.
pub mod page_flag {
    /// Leads to other pages.
    pub const BRANCH: u16 = 0x01;
    /// Holds entries.
    pub const LEAF: u16 = 0x02;
    /// Begins a large value.
    pub const OVERFLOW: u16 = 0x04;
    /// Heads a state.
    pub const META: u16 = 0x08;
    /// What has no meaning in the file.
    pub const TRANSIENT: u16 = 0x10 | 0x4000 | 0x8000;
}

/// Flags of leaf nodes.
pub mod node_flag {
    /// The value is on pages of its own.
    pub const OVERFLOW: u16 = 0x01;
    /// The value describes a database.
    pub const TREE: u16 = 0x02;
}

const MAGIC: u32 = 0xbeef_c0de;
const DATA_VERSION: u32 = 1;

/// Whether a file begins like that of a fork of LMDB, whose pages are laid out differently.
pub fn is_of_a_fork(file: &File) -> bool {
    let mut head = [0; 64];
    let magic = MAGIC.to_le_bytes();
    matches!(read_at(file, &mut head, 0), Ok(true))
        && head[16..20] != magic
        && head.chunks_exact(4).any(|word| word == magic)
}

/// Reads a number at a place that the caller knows to be inside.
pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

/// As [`u16_at`].
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

/// As [`u16_at`].
pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut result = [0; N];
    result.copy_from_slice(&bytes[at..at + N]);
    result
}

/// Where a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    /// The page of its root, or [`NO_PAGE`].
    pub root: u64,
    /// Its levels.
    pub depth: u16,
}

impl Tree {
    /// Reads the description of a tree.
    pub fn parse(bytes: &[u8]) -> Self {
        Self {
            depth: u16_at(bytes, 6),
            root: u64_at(bytes, 40),
        }
    }
}

/// The head of a state of the environment; there are two, the newer one counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// As it lies in the file.
    pub bytes: [u8; META_BYTES],
    /// Bytes in a page.
    pub page_bytes: usize,
    /// The tree of free pages.
    pub free: Tree,
    /// The tree of databases.
    pub main: Tree,
    /// The last page in use.
    pub last_page: u64,
    /// The transaction that wrote it.
    pub transaction: u64,
}

impl Meta {
    /// Reads a meta page. None if it is not one that this version of LMDB would take.
    pub fn parse(bytes: [u8; META_BYTES]) -> Option<Self> {
        let flags = u16_at(&bytes, 10);
        let page_bytes = u32_at(&bytes, 40) as usize;
        let fits = flags & page_flag::META != 0
            && u32_at(&bytes, 16) == MAGIC
            && u32_at(&bytes, 20) == DATA_VERSION
            && page_bytes.is_power_of_two()
            && (256..=65536).contains(&page_bytes);
        fits.then(|| Self {
            page_bytes,
            free: Tree::parse(&bytes[40..]),
            main: Tree::parse(&bytes[88..]),
            last_page: u64_at(&bytes, 136),
            transaction: u64_at(&bytes, 144),
            bytes,
        })
    }
}

/// Both meta pages of a file. None if it has none that LMDB would take.
pub fn read_metas(file: &File) -> io::Result<Option<[Meta; 2]>> {
    let mut first = [0; META_BYTES];
    if !read_at(file, &mut first, 0)? {
        return Ok(None);
    }
    let Some(first) = Meta::parse(first) else {
        return Ok(None);
    };
    let mut second = [0; META_BYTES];
    if !read_at(file, &mut second, first.page_bytes as u64)? {
        return Ok(None);
    }
    Ok(Meta::parse(second).map(|second| [first, second]))
}

/// Fills the buffer from the file. False when the file ends before.
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<bool> {
    #[cfg(unix)]
    let result = std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset);
    #[cfg(windows)]
    let result = seek_read_exact(file, buffer, offset);
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes all bytes at a place of the file.
pub fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::write_all_at(file, bytes, offset);
    #[cfg(windows)]
    return match std::os::windows::fs::FileExt::seek_write(file, bytes, offset)? {
        written if written == bytes.len() => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()),
    };
}

#[cfg(windows)]
fn seek_read_exact(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, buffer, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = &mut buffer[read..];
        offset += read as u64;
    }
    Ok(())
}
