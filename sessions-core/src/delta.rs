//! What one request changed.
//!
//! A commit does not write the session as the request saw it: it applies what the request changed to what is stored now.
//! That is why overlapping requests keep each other's keys. Two laws hold, and the tests below assert them:
//! `merge(merge(r, a), b) == merge(r, a.then(b))`, and setting and removing a new key is nothing.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::record::{Record, Value};
use crate::token::SessionId;

mod ops;

use ops::Ops;

/// Makes the value (with its tag) that follows from the stored one.
pub(crate) type Update = Arc<dyn Fn(Option<&[u8]>) -> Result<Vec<u8>, Error> + Send + Sync>;

/// The changes of a request, by key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delta {
    /// Whether the stored keys go before the operations apply.
    cleared: bool,
    /// Whether the session was cleared, also if nothing was stored: what a closure gets to see then is not the stored value.
    emptied: bool,
    ops: Ops,
}

/// The change of one key.
#[derive(Clone)]
pub(crate) enum Op {
    Set(Vec<u8>),
    Remove,
    /// Removed where it was not stored: nothing to write, but a closure that follows does not start from a stored value.
    Nothing,
    /// Runs on what is stored, again at every conflict. `now` is what it gave on what the request had loaded.
    Update {
        updates: Vec<Update>,
        now: Vec<u8>,
    },
}

impl Delta {
    pub(crate) fn is_empty(&self) -> bool {
        !self.cleared && self.ops.iter().all(|(_, op)| matches!(op, Op::Nothing))
    }

    pub(crate) fn is_cleared(&self) -> bool {
        self.cleared
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Op> {
        self.ops.get(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.ops.iter().map(|(key, _)| key.as_ref())
    }

    pub(crate) fn set(&mut self, key: Cow<'static, str>, value: Vec<u8>) {
        self.ops.insert(key, Op::Set(value));
    }

    /// `stored` says whether the record has the key: if it does not, there is no reason to write; if something else is written, it
    /// takes effect on what others have stored meanwhile.
    pub(crate) fn remove(&mut self, key: Cow<'static, str>, stored: bool) {
        self.ops.insert(key, if stored && !self.cleared { Op::Remove } else { Op::Nothing });
    }

    /// `now` is what `update` gives on what the request sees. On a value that this request set or removed, that is all there
    /// is to know; on a stored one, the closure is kept.
    pub(crate) fn update(&mut self, key: Cow<'static, str>, update: Update, now: Vec<u8>) {
        match self.ops.get_mut(&key) {
            Some(Op::Set(value)) => *value = now,
            Some(op @ (Op::Remove | Op::Nothing)) => *op = Op::Set(now),
            Some(Op::Update { updates, now: last }) => {
                updates.push(update);
                *last = now;
            }
            None if self.emptied => self.set(key, now),
            None => {
                self.ops.insert(key, Op::Update { updates: vec![update], now });
            }
        }
    }

    /// `stored` says whether the record has any key; see [`remove`](Self::remove).
    pub(crate) fn clear(&mut self, stored: bool) {
        self.ops.clear();
        (self.cleared, self.emptied) = (stored, true);
    }

    /// This delta as it is on `record`, which others have written since: every closure has run again.
    ///
    /// What a closure gets to read is verified first. Closures are the application's: no lock is held here.
    pub(crate) fn again(mut self, id: SessionId, record: &Record) -> Result<Self, Error> {
        for (key, op) in self.ops.iter_mut() {
            if let Op::Update { updates, now } = op {
                *now = run(updates, record.value(id, key)?.as_deref())?;
            }
        }
        Ok(self)
    }

    /// The keys and values of `record` with this delta applied, in order of the keys. Values are copied with their
    /// checksums.
    pub(crate) fn merge<'a>(&'a self, record: Option<&'a Record>) -> Vec<(&'a [u8], Value<'a>)> {
        let record = if self.emptied { None } else { record };
        let mut merged = Vec::with_capacity(record.map_or(0, Record::len) + self.ops.len());
        let mut entries = record.map(Record::entries);
        let mut stored = std::iter::from_fn(|| entries.as_mut()?.next()).peekable();
        for (key, op) in self.ops.iter() {
            let key = key.as_bytes();
            while let Some(entry) = stored.next_if(|(stored, _)| *stored < key) {
                merged.push(entry);
            }
            stored.next_if(|(stored, _)| *stored == key);
            match op {
                Op::Set(value) | Op::Update { now: value, .. } => {
                    merged.push((key, Value { bytes: value, checksum: None }));
                }
                // What others have written there meanwhile goes as well: a login that clears must not take it along.
                Op::Remove | Op::Nothing => {}
            }
        }
        merged.extend(stored);
        merged
    }
}

/// Every closure in turn, the first on what is stored.
fn run(updates: &[Update], stored: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    let mut value: Option<Vec<u8>> = None;
    for update in updates {
        value = Some(update(value.as_deref().or(stored))?);
    }
    Ok(value.unwrap_or_default())
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(value) => write!(f, "Set({} bytes)", value.len()),
            Self::Remove => f.write_str("Remove"),
            Self::Nothing => f.write_str("Nothing"),
            Self::Update { updates, .. } => write!(f, "Update({} closures)", updates.len()),
        }
    }
}

#[cfg(test)]
mod tests;
