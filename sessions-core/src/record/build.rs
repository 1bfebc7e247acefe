//! Writing records.

use super::{FORMAT, Head, IDLE, LIFETIME, OWNER, PERSISTENCE, PERSISTENT, PREVIOUS, TIME, Width, checksum_of};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::owner::Owner;
use crate::token::SessionId;

/// The bytes of a record without owner, overrides, previous token, versions and index.
const FIXED: usize = 1 + 1 + 3 * TIME + 32 + 1 + 4;

/// A value's bytes, with the checksum that an existing record already holds for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) checksum: Option<u32>,
}

impl<'a> Value<'a> {
    /// The bytes, if they are what was once written under this id and key.
    pub(crate) fn verified(&self, id: SessionId, key: &str) -> Result<&'a [u8], Error> {
        let found = checksum_of(&[id.as_bytes(), key.as_bytes(), self.bytes]);
        if self.checksum.is_none_or(|checksum| checksum == found) {
            Ok(self.bytes)
        } else {
            Err(Error::corrupt_value(key))
        }
    }
}

/// The bytes of a record. `entries` must ascend by key; keys are UTF-8.
///
/// A checksum that comes along with a value is copied, not computed: a value that was corrupt stays detectable.
pub(crate) fn build(
    id: SessionId,
    head: &Head,
    owner: Option<&Owner>,
    entries: &[(&[u8], Value<'_>)],
    limit: usize,
) -> Result<Vec<u8>, Error> {
    let Head { created_at, issued_at, deadline, verifier, previous, recent, overrides } = head;
    debug_assert!(entries.iter().all(|(key, _)| std::str::from_utf8(key).is_ok()), "keys are text");
    let keys: usize = entries.iter().map(|(key, _)| key.len()).sum();
    let values: usize = entries.iter().map(|(_, value)| value.bytes.len()).sum();
    let width = Width::holding(entries.len().max(keys).max(values));
    let owner_len = owner.map_or(0, |owner| 1 + owner.as_str().len());
    // Exact, because the buffer becomes the store's, and is kept.
    let size = FIXED
        + previous.map_or(0, |_| 32 + TIME)
        + 8 * recent.as_slice().len()
        + owner_len
        + overrides.lifetime.map_or(0, |_| 8)
        + overrides.idle_timeout.map_or(0, |_| 8)
        + width.bytes()
        + entries.len() * width.entry()
        + keys
        + values;
    // Ends are u32: a larger record could not be indexed.
    let limit = limit.min(u32::MAX as usize);
    if size > limit {
        return Err(Error::too_large(size, limit));
    }

    let flag = |on: bool, flag: u8| if on { flag } else { 0 };
    let mut out = Vec::with_capacity(size);
    out.push(FORMAT);
    out.push(
        flag(previous.is_some(), PREVIOUS)
            | flag(owner.is_some(), OWNER)
            | flag(overrides.lifetime.is_some(), LIFETIME)
            | flag(overrides.idle_timeout.is_some(), IDLE)
            | flag(overrides.persistent.is_some(), PERSISTENCE)
            | flag(overrides.persistent == Some(true), PERSISTENT)
            | width.flag(),
    );
    for time in [created_at, issued_at, deadline] {
        push_time(&mut out, *time);
    }
    out.extend_from_slice(verifier.as_bytes());
    if let Some(previous) = previous {
        out.extend_from_slice(previous.verifier.as_bytes());
        push_time(&mut out, previous.grace_ends);
    }
    out.push(recent.len);
    for version in recent.as_slice() {
        out.extend_from_slice(&version.to_le_bytes());
    }
    if let Some(owner) = owner {
        // At most 255 bytes, by `Owner::new`.
        out.push(u8::try_from(owner.as_str().len()).unwrap_or(u8::MAX));
        out.extend_from_slice(owner.as_str().as_bytes());
    }
    let millis = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX - 1);
    if let Some(lifetime) = overrides.lifetime {
        out.extend_from_slice(&millis(lifetime).to_le_bytes());
    }
    if let Some(idle) = overrides.idle_timeout {
        out.extend_from_slice(&idle.map_or(u64::MAX, millis).to_le_bytes());
    }

    push(&mut out, width, entries.len());
    let (mut key_end, mut value_end) = (0, 0);
    for (key, value) in entries {
        key_end += key.len();
        value_end += value.bytes.len();
        let checksum = value.checksum.unwrap_or_else(|| checksum_of(&[id.as_bytes(), key, value.bytes]));
        push(&mut out, width, key_end);
        push(&mut out, width, value_end);
        out.extend_from_slice(&checksum.to_le_bytes());
    }
    for (key, _) in entries {
        out.extend_from_slice(key);
    }
    let checksum = checksum_of(&[id.as_bytes(), &out]);
    out.extend_from_slice(&checksum.to_le_bytes());
    for (_, value) in entries {
        out.extend_from_slice(value.bytes);
    }
    debug_assert_eq!(out.len(), size);
    Ok(out)
}

fn push_time(out: &mut Vec<u8>, time: Timestamp) {
    const LAST: u64 = (1 << (8 * TIME)) - 1;
    out.extend_from_slice(&time.as_millis().min(LAST).to_le_bytes()[..TIME]);
}

/// Invariant: `width` holds every number of the record, none of which is over the limit that `build` has checked.
fn push(out: &mut Vec<u8>, width: Width, number: usize) {
    let [a, b, c, d] = u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    // Of a known size each, because a copy of some bytes is a call.
    match width {
        Width::One => out.push(a),
        Width::Two => out.extend_from_slice(&[a, b]),
        Width::Four => out.extend_from_slice(&[a, b, c, d]),
    }
}
