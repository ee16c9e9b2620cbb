//! Checks the structure of an environment before LMDB may read it.
//!
//! LMDB follows page numbers and offsets without a doubt, so a file that was cut or
//! overwritten would end the process. This walk reads the trees from the root, level by
//! level, through the file and not through the map, and believes nothing. It stops after
//! [`MOST_PAGES`]: small environments are checked whole, large ones in their upper levels,
//! where an error would do the most harm. Contents of values are their owners' to check.

use std::collections::VecDeque;
use std::fs::File;
use std::io;

use heed::{Env, WithoutTls};

use super::pages::{
    HEADER_BYTES, Meta, NO_PAGE, NODE_BYTES, TREE_BYTES, Tree, node_flag, page_flag, read_at, read_metas,
    u16_at, u32_at, u64_at,
};

/// Pages that one check reads at most: 64 MiB of the usual ones.
pub const MOST_PAGES: usize = 16_384;

/// LMDB's own bound for the levels of a tree.
const MOST_LEVELS: u16 = 32;

/// The first page that is no meta page.
const FIRST_PAGE: u64 = 2;

/// What is wrong, in words; none if nothing was found.
pub type Finding = Option<&'static str>;

/// Checks the newest state of an open environment.
pub fn check(env: &Env<WithoutTls>) -> heed::Result<Finding> {
    let file = env.try_clone_inner_file()?;
    loop {
        // Keeps the pages of the state from being reused while they are read.
        let pinned = env.read_txn()?;
        let Some(metas) = read_metas(&file)? else {
            return Ok(Some("the head of the file is damaged"));
        };
        let meta = metas.iter().find(|meta| meta.transaction == pinned.id() as u64);
        // Without one, other processes have committed twice in between.
        if let Some(meta) = meta {
            return Ok(Walk::new(&file, meta).run()?);
        }
    }
}

#[derive(Clone, Copy)]
struct Step {
    page: u64,
    level: u16,
    tree: Tree,
    /// Trees of databases are found in the leaves of the main tree.
    holds_trees: bool,
    free_list: bool,
}

struct Walk<'a> {
    file: &'a File,
    meta: &'a Meta,
    steps: VecDeque<Step>,
    read: usize,
}

type Checked = Result<(), Trouble>;

enum Trouble {
    Io(io::Error),
    Found(&'static str),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn ensure(holds: bool, otherwise: &'static str) -> Checked {
    holds.then_some(()).ok_or(Trouble::Found(otherwise))
}

impl<'a> Walk<'a> {
    fn new(file: &'a File, meta: &'a Meta) -> Self {
        Self {
            file,
            meta,
            steps: VecDeque::new(),
            read: 0,
        }
    }

    fn run(mut self) -> io::Result<Finding> {
        match self.walk() {
            Ok(()) => Ok(None),
            Err(Trouble::Found(what)) => Ok(Some(what)),
            Err(Trouble::Io(error)) => Err(error),
        }
    }

    fn walk(&mut self) -> Checked {
        // LMDB writes pages to the end of the file only when they are in use, so the file may
        // be shorter than the last page says; it is not shorter than any page that is read.
        self.enter(self.meta.free, false, true)?;
        self.enter(self.meta.main, true, false)?;
        let mut page = vec![0; self.meta.page_bytes];
        while let Some(step) = self.steps.pop_front() {
            self.read += 1;
            if self.read > MOST_PAGES {
                return Ok(());
            }
            self.load(step.page, &mut page)?;
            self.check_page(step, &page)?;
        }
        Ok(())
    }

    fn enter(&mut self, tree: Tree, holds_trees: bool, free_list: bool) -> Checked {
        if tree.root == NO_PAGE {
            return Ok(());
        }
        ensure(
            (1..=MOST_LEVELS).contains(&tree.depth),
            "a tree has an impossible depth",
        )?;
        self.follow(Step {
            page: tree.root,
            level: 1,
            tree,
            holds_trees,
            free_list,
        })
    }

    fn follow(&mut self, step: Step) -> Checked {
        ensure(self.is_page(step.page), "a page number is out of bounds")?;
        self.steps.push_back(step);
        Ok(())
    }

    fn is_page(&self, page: u64) -> bool {
        (FIRST_PAGE..=self.meta.last_page).contains(&page)
    }

    fn load(&self, number: u64, page: &mut [u8]) -> Checked {
        let whole = read_at(self.file, page, number * self.meta.page_bytes as u64)?;
        ensure(whole, "the file was cut")?;
        ensure(
            u64_at(page, 0) == number,
            "a page is not the one that it should be",
        )
    }

    fn check_page(&mut self, step: Step, page: &[u8]) -> Checked {
        let flags = u16_at(page, 10) & !page_flag::TRANSIENT;
        let is_leaf = step.level == step.tree.depth;
        let expected = if is_leaf {
            page_flag::LEAF
        } else {
            page_flag::BRANCH
        };
        ensure(flags == expected, "a page is of the wrong kind")?;
        let (lower, upper) = (u16_at(page, 12) as usize, u16_at(page, 14) as usize);
        let sound = HEADER_BYTES <= lower && lower <= upper && upper <= page.len() && lower.is_multiple_of(2);
        ensure(sound, "a page's bounds are wrong")?;
        let count = (lower - HEADER_BYTES) / 2;
        ensure(count > 0, "a page is empty")?;
        for index in 0..count {
            let at = u16_at(page, HEADER_BYTES + 2 * index) as usize;
            let sound = upper <= at && at + NODE_BYTES <= page.len();
            ensure(sound, "a node is out of bounds")?;
            self.check_node(step, is_leaf, &page[at..])?;
        }
        Ok(())
    }

    fn check_node(&mut self, step: Step, is_leaf: bool, node: &[u8]) -> Checked {
        let low = u64::from(u32_at(node, 0));
        let (flags, key_bytes) = (u16_at(node, 4), u16_at(node, 6) as usize);
        let Some(data) = node.get(NODE_BYTES + key_bytes..) else {
            return ensure(false, "a key is longer than its page");
        };
        if !is_leaf {
            return self.follow(Step {
                page: low | u64::from(flags) << 32,
                level: step.level + 1,
                ..step
            });
        }
        if flags & node_flag::OVERFLOW != 0 {
            ensure(data.len() >= 8, "a value is longer than its page")?;
            return self.check_overflow(step, u64_at(data, 0), low);
        }
        let Some(data) = data.get(..low as usize) else {
            return ensure(false, "a value is longer than its page");
        };
        if step.free_list {
            return self.check_free(data);
        }
        if flags & node_flag::TREE != 0 {
            ensure(
                step.holds_trees && data.len() == TREE_BYTES,
                "a database is damaged",
            )?;
            return self.enter(Tree::parse(data), false, false);
        }
        Ok(())
    }

    fn check_overflow(&mut self, step: Step, first: u64, bytes: u64) -> Checked {
        self.read += 1;
        ensure(self.is_page(first), "a page number is out of bounds")?;
        let page_bytes = self.meta.page_bytes as u64;
        let mut head = [0; HEADER_BYTES];
        self.load(first, &mut head)?;
        let flags = u16_at(&head, 10) & !page_flag::TRANSIENT;
        ensure(flags == page_flag::OVERFLOW, "a page is of the wrong kind")?;
        let pages = u64::from(u32_at(&head, 12));
        let sound =
            pages > 0 && pages * page_bytes >= bytes + HEADER_BYTES as u64 && self.is_page(first + pages - 1);
        ensure(sound, "a large value is longer than its pages")?;
        let start = first * page_bytes + HEADER_BYTES as u64;
        if step.free_list {
            ensure(
                bytes <= (self.meta.last_page + 2) * 8,
                "the list of free pages is damaged",
            )?;
            let mut list = vec![0; bytes as usize];
            ensure(read_at(self.file, &mut list, start)?, "the file was cut")?;
            return self.check_free(&list);
        }
        let mut last = [0];
        let end = start + bytes.max(1) - 1;
        ensure(read_at(self.file, &mut last, end)?, "the file was cut")
    }

    /// A count, and as many page numbers in descending order.
    fn check_free(&self, list: &[u8]) -> Checked {
        const WRONG: &str = "the list of free pages is damaged";
        ensure(list.len() >= 8 && list.len().is_multiple_of(8), WRONG)?;
        let count = u64_at(list, 0) as usize;
        ensure(count < list.len() / 8, WRONG)?;
        let mut previous = u64::MAX;
        for index in 1..=count {
            let page = u64_at(list, 8 * index);
            ensure(page < previous && self.is_page(page), WRONG)?;
            previous = page;
        }
        Ok(())
    }
}
