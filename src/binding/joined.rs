//! Many strings in one argument.
//!
//! An array costs a look-up, a handle and a copy for each element. Strings that JavaScript has
//! joined cost one copy in all; their lengths, in UTF-16 units, stand in the scratch memory.

use napi::sys;

use super::call::{Call, Failure, check, utf16};
use super::environment::Shared;
use crate::engine::text;

/// Memory that is kept for the next call at most.
const MOST_KEPT_BYTES: usize = 1 << 20;

/// Strings one behind the other, in WTF-8, and where each ends.
#[derive(Debug, Default)]
pub struct Joined {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Joined {
    /// The strings, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts
            .zip(&self.ends)
            .map(|(&start, &end)| self.bytes.get(start..end).unwrap_or_default())
    }

    fn read(
        &mut self,
        env: sys::napi_env,
        joined: sys::napi_value,
        lengths: Shared,
        count: usize,
    ) -> Result<(), Failure> {
        self.ends.clear();
        let mut units = 0;
        self.ends.extend((0..count).map(|index| {
            units += lengths.word(index) as u32 as usize;
            units
        }));
        self.bytes.clear();
        self.bytes.resize(units + 1, 0);
        let mut written = 0;
        // SAFETY: the buffer has room for the stated length, the terminator included.
        check(unsafe {
            let buffer = self.bytes.as_mut_ptr().cast();
            sys::napi_get_value_string_utf8(env, joined, buffer, units + 1, &mut written)
        })?;
        // A byte for every unit: nothing was cut, and a string ends where its units end.
        if written != units || !text::is_ascii(&self.bytes[..units]) {
            self.widen(&utf16(env, joined)?);
        }
        Ok(())
    }

    /// The same from UTF-16, string by string: halves of a pair that only meet in the joined
    /// text stay apart.
    fn widen(&mut self, units: &[u16]) {
        self.bytes.clear();
        let mut start = 0;
        for end in &mut self.ends {
            let own = units.get(start..*end).unwrap_or_default();
            start = *end;
            text::utf16_to_wtf8(own, &mut self.bytes);
            *end = self.bytes.len();
        }
    }
}

impl<const N: usize> Call<'_, N> {
    /// Lends the strings that two arguments describe: their joined text, and how many they are.
    pub fn with_joined<T>(
        &self,
        [joined, count]: [usize; 2],
        read: impl FnOnce(&Joined) -> T,
    ) -> Result<T, Failure> {
        let lengths = self.environment.scratch.get();
        let count = (self.u32(count)? as usize).min(lengths.words());
        let mut strings = self.environment.joined.take();
        let outcome = strings
            .read(self.env, self.argument(joined), lengths, count)
            .map(|()| read(&strings));
        if strings.bytes.capacity() <= MOST_KEPT_BYTES {
            self.environment.joined.replace(strings);
        }
        outcome
    }
}
