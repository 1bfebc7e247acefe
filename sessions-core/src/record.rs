//! The bytes of a session at rest.
//!
//! Little-endian, one buffer, validated once when loaded. Reading one value is a binary search, a checksum over that
//! value and one decode; unread values cost nothing and unchanged ones are copied as they are.
//!
//! | bytes | what |
//! |--:|---|
//! | 1 | format, 1 |
//! | 1 | flags: 1 previous token, 2 owner, 4 lifetime, 8 idle timeout, 16 persistence said, 32 persistent, 64 the numbers of the index have a width *w* of 2 bytes, 128 of 4, else 1; both are refused |
//! | 6, 6, 6 | created at, issued at, deadline: milliseconds since the epoch; a later time than fits, in the year 10889, is the last that does |
//! | 32 | verifier |
//! | 32, 6 | if flagged: the previous verifier and the end of its grace |
//! | 1 + 8 n | n ≤ 4 superseded versions, newest first |
//! | 1 + n | if flagged: the owner |
//! | 8, 8 | if flagged: lifetime; idle timeout (all ones: none), milliseconds |
//! | *w* | number of keys |
//! | *w* + *w* + 4 each | end of the key, end of the value, CRC-32 over id, key and value; in order of the keys |
//! | | the keys |
//! | 4 | CRC-32 over the session's id and everything above |
//! | | the values, each with its encoder's tag |
//!
//! The checksums cover the id, so that a record copied onto another row is corrupt there. They detect accidents; who can
//! write to the store can forge sessions.

use std::fmt;

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::token::{SessionId, Verifier};

mod build;
mod head;
mod width;

pub(crate) use build::{Value, build};
use head::recent_at;
pub(crate) use head::{Head, Previous, Recent};
use width::Width;

/// The format that this version of the library writes.
const FORMAT: u8 = 1;
/// Bytes of a time.
const TIME: usize = 6;
/// How many superseded versions a record keeps.
const RECENT: usize = 4;

const PREVIOUS: u8 = 1;
const OWNER: u8 = 2;
const LIFETIME: u8 = 4;
const IDLE: u8 = 8;
const PERSISTENCE: u8 = 16;
const PERSISTENT: u8 = 32;

/// A validated record.
///
/// Opaque to applications, who read sessions; public for tools that inspect a store and for tests with hostile bytes.
#[derive(Clone)]
pub struct Record {
    bytes: Bytes,
    /// Where the parts begin whose place depends on the ones before them. What is small is read when it is asked for.
    overrides: usize,
    index: usize,
    keys: usize,
    values: usize,
    len: usize,
    width: Width,
}

impl Record {
    /// Validates the bytes that a store holds under `id`: bounds, order, UTF-8 and the checksum of everything but the
    /// values, whose checksums are verified when they are read.
    ///
    /// Without copying, in time proportional to the number of keys; any input is fine.
    ///
    /// # Errors
    ///
    /// [`Error::is_newer_format`] for a format number that this version does not know; [`Error::is_corrupt`] for everything
    /// else that is not a record of this session.
    pub fn parse(id: SessionId, bytes: Bytes) -> Result<Self, Error> {
        match bytes.first() {
            None => return Err(Error::corrupt_record("empty")),
            Some(&FORMAT) => {}
            Some(&format) => return Err(Error::newer_format(format)),
        }
        Self::parse_known(id, bytes).map_err(Error::corrupt_record)
    }

    fn parse_known(id: SessionId, bytes: Bytes) -> Result<Self, &'static str> {
        let mut read = Reader { bytes: &bytes, at: 1 };
        let flags = read.u8()?;
        let width = Width::of_flags(flags).ok_or("unknown flags")?;
        read.skip(recent_at(flags) - read.at)?;
        let recent = usize::from(read.u8()?);
        if recent > RECENT {
            return Err("too many versions");
        }
        read.skip(8 * recent)?;
        if flags & OWNER != 0 {
            let len = usize::from(read.u8()?);
            let owner = read.at..read.skip(len)?;
            std::str::from_utf8(&bytes[owner]).map_err(|_| "an owner that is not UTF-8")?;
        }
        let overrides = read.at;
        read.skip(8 * (usize::from(flags & LIFETIME != 0) + usize::from(flags & IDLE != 0)))?;

        let len = read.number(width)?;
        let index = read.at;
        let keys = read.skip(len.checked_mul(width.entry()).ok_or("too many keys")?)?;
        let key_bytes = len.checked_sub(1).map_or(0, |last| entry(&bytes, width, index, last).key_end);
        let checksum = read.skip(key_bytes)?;
        if read.u32()? != checksum_of(&[id.as_bytes(), &bytes[..checksum]]) {
            return Err("checksum");
        }
        let values = read.at;
        let record = Self { bytes, overrides, index, keys, values, len, width };
        record.validate_index(checksum)?;
        Ok(record)
    }

    /// Invariant: afterwards every key and value range lies within the bytes, keys ascend, and the values end where the
    /// record does.
    fn validate_index(&self, keys_end: usize) -> Result<(), &'static str> {
        let (mut key_at, mut value_at) = (0, 0);
        let mut before = None;
        for at in 0..self.len {
            let Entry { key_end, value_end, .. } = self.entry(at);
            if key_end < key_at || key_end > keys_end - self.keys || value_end < value_at {
                return Err("index out of order");
            }
            let key = &self.bytes[self.keys + key_at..self.keys + key_end];
            if std::str::from_utf8(key).is_err() {
                return Err("a key that is not UTF-8");
            }
            if before.is_some_and(|before| before >= key) {
                return Err("keys out of order");
            }
            before = Some(key);
            (key_at, value_at) = (key_end, value_end);
        }
        if self.bytes.len() - self.values == value_at { Ok(()) } else { Err("length") }
    }

    /// How many keys the record has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the record has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len).map(|at| self.key(at))
    }

    /// The encoder's tag and the bytes under `key`, after verifying their checksum.
    ///
    /// # Errors
    ///
    /// [`Error::is_corrupt`] when the checksum does not fit.
    pub fn value(&self, id: SessionId, key: &str) -> Result<Option<Bytes>, Error> {
        Ok(self.verified_value(id, key)?.map(|value| self.share(value)))
    }

    /// As [`value`](Self::value), without sharing the record.
    pub(crate) fn verified_value(&self, id: SessionId, key: &str) -> Result<Option<&[u8]>, Error> {
        self.find(key).map(|at| self.raw(at).verified(id, key)).transpose()
    }

    /// A part of the record that lives as long as it is needed.
    pub(crate) fn share(&self, part: &[u8]) -> Bytes {
        self.bytes.slice_ref(part)
    }

    /// The bytes under `key` as they are, for comparing and copying.
    pub(crate) fn raw_value(&self, key: &str) -> Option<&[u8]> {
        self.find(key).map(|at| self.raw(at).bytes)
    }

    /// Every key with its value, for copying: checksums are carried along, not verified.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], Value<'_>)> {
        let (mut key_at, mut value_at) = (self.keys, self.values);
        (0..self.len).map(move |at| {
            let Entry { key_end, value_end, checksum } = self.entry(at);
            let (key, value) = (key_at..self.keys + key_end, value_at..self.values + value_end);
            (key_at, value_at) = (key.end, value.end);
            (&self.bytes[key], Value { bytes: &self.bytes[value], checksum: Some(checksum) })
        })
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    fn find(&self, key: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low.midpoint(high);
            match self.key_bytes(middle).cmp(key.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn key(&self, at: usize) -> &str {
        text(self.key_bytes(at))
    }

    fn key_bytes(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.entry(before).key_end);
        &self.bytes[self.keys + start..self.keys + self.entry(at).key_end]
    }

    fn raw(&self, at: usize) -> Value<'_> {
        let start = at.checked_sub(1).map_or(0, |before| self.entry(before).value_end);
        let Entry { value_end, checksum, .. } = self.entry(at);
        Value { bytes: &self.bytes[self.values + start..self.values + value_end], checksum: Some(checksum) }
    }

    fn entry(&self, at: usize) -> Entry {
        entry(&self.bytes, self.width, self.index, at)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("bytes", &self.bytes.len()).field("keys", &self.len).finish_non_exhaustive()
    }
}

struct Entry {
    key_end: usize,
    value_end: usize,
    checksum: u32,
}

/// Invariant: `at` is under the number of keys, for which `parse` has found room in the bytes.
fn entry(bytes: &[u8], width: Width, index: usize, at: usize) -> Entry {
    let mut read = Reader { bytes, at: index + at * width.entry() };
    let (key_end, value_end, checksum) = (read.number(width), read.number(width), read.u32());
    Entry {
        key_end: key_end.unwrap_or(usize::MAX),
        value_end: value_end.unwrap_or(usize::MAX),
        checksum: checksum.unwrap_or(u32::MAX),
    }
}

/// Reads integers off a slice; running out is an error, never a panic.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let rest = self.bytes.get(self.at..).ok_or("truncated")?;
        let (array, _) = rest.split_first_chunk().ok_or("truncated")?;
        self.at += N;
        Ok(*array)
    }

    /// Passes over `n` bytes and says where it stands then.
    fn skip(&mut self, n: usize) -> Result<usize, &'static str> {
        self.at = self.at.checked_add(n).filter(|&at| at <= self.bytes.len()).ok_or("truncated")?;
        Ok(self.at)
    }

    fn u8(&mut self) -> Result<u8, &'static str> {
        self.array().map(u8::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, &'static str> {
        self.array().map(u32::from_le_bytes)
    }

    fn number(&mut self, width: Width) -> Result<usize, &'static str> {
        match width {
            Width::One => self.u8().map(usize::from),
            Width::Two => self.array().map(|number| usize::from(u16::from_le_bytes(number))),
            Width::Four => self.u32().map(|number| number as usize),
        }
    }

    fn u64(&mut self) -> Result<u64, &'static str> {
        self.array().map(u64::from_le_bytes)
    }

    fn timestamp(&mut self) -> Result<Timestamp, &'static str> {
        let [a, b, c, d, e, f] = self.array()?;
        Ok(Timestamp::from_millis(u64::from_le_bytes([a, b, c, d, e, f, 0, 0])))
    }

    fn verifier(&mut self) -> Result<Verifier, &'static str> {
        self.array().map(Verifier::from_bytes)
    }
}

fn checksum_of(parts: &[&[u8]]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    for part in parts {
        crc.update(part);
    }
    crc.finalize()
}

/// Invariant: only called on ranges that `parse` has found to be UTF-8.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests;
