//! The value under a session's key: an envelope of a fixed layout, then the record.
//!
//! ```text
//! bytes  field
//!     3  mark F5 's' 'R': never the beginning of UTF-8 text
//!     1  format, 1
//!     8  version, big-endian                                 ── the head: what the scripts compare
//!     6  expiry, ms since the epoch, big-endian: the estimate of the last writer
//!     2  low half of the CRC-32 of those six                 ── the expiry field: what a touch replaces
//!     4  CRC-32 of id, head and owner
//!     1  length of the owner, 0 for none
//!     n  owner, UTF-8
//!     …  record
//! ```
//!
//! The checksums are there so that a value that somebody edited, copied to another key or cut short is an error rather than
//! another session's data. They are no proof against malice: who may write to the server may forge sessions.

use std::fmt;
use std::io::Write;

use bytes::{Buf, Bytes};
use redis::{RedisWrite, ToRedisArgs};
use sessions_core::{Owner, SessionId, Stored, Timestamp, Version};

/// A value as this store writes it.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) id: &'a SessionId,
    pub(crate) version: Version,
    pub(crate) owner: Option<&'a Owner>,
    pub(crate) record: &'a [u8],
}

impl<'a> Value<'a> {
    /// Everything after the expiry field, as one argument of a script.
    pub(crate) fn tail(self) -> Tail<'a> {
        Tail(self)
    }

    /// All of it, as one argument of a command.
    pub(crate) fn whole(self, expires_at: Timestamp) -> Whole<'a> {
        Whole(self, expires_at)
    }

    fn write_tail(self, mut out: impl Write) {
        let owner = self.owner.map_or("", Owner::as_str);
        let checksum = checksum(self.id, &head(self.version), owner.as_bytes());
        let owner_len = u8::try_from(owner.len()).unwrap_or_default();
        for part in [&checksum[..], &[owner_len], owner.as_bytes(), self.record] {
            // The writer is a buffer in memory, which takes everything.
            let _ = out.write_all(part);
        }
    }
}

/// The first bytes of the value of this version.
pub(crate) fn head(version: Version) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..MARK.len()].copy_from_slice(&MARK);
    head[MARK.len()] = FORMAT;
    head[MARK.len() + 1..].copy_from_slice(&version.as_u64().to_be_bytes());
    head
}

/// The expiry field. Times after the year 10889 become that year's.
pub(crate) fn expiry(at: Timestamp) -> [u8; EXPIRY] {
    let millis = at.as_millis().min((1 << 48) - 1).to_be_bytes();
    let mut field = [0; EXPIRY];
    field[..6].copy_from_slice(&millis[2..]);
    let check = expiry_check(&field[..6]);
    field[6..].copy_from_slice(&check);
    field
}

/// What a value says besides its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) version: Version,
    pub(crate) expires_at: Timestamp,
    pub(crate) owner: Option<Owner>,
    len: usize,
}

impl Envelope {
    /// The longest envelope: what must be read of a value to know everything but the record.
    pub(crate) const MAX: usize = HEAD + EXPIRY + CHECKSUM + 1 + Owner::MAX_BYTES;

    /// Reads the envelope at the beginning of `bytes`, which may end anywhere after it.
    pub(crate) fn parse(id: &SessionId, bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.is_empty() {
            return Err(Malformed::NotOurs);
        }
        check_head(bytes)?;
        let (head, rest) = bytes.split_first_chunk::<HEAD>().ok_or(Malformed::Damaged)?;
        let (expiry, rest) = rest.split_first_chunk::<EXPIRY>().ok_or(Malformed::Damaged)?;
        let (check, rest) = rest.split_first_chunk::<CHECKSUM>().ok_or(Malformed::Damaged)?;
        let (owner_len, rest) = rest.split_first().ok_or(Malformed::Damaged)?;
        let owner = rest.get(..usize::from(*owner_len)).ok_or(Malformed::Damaged)?;
        if *check != checksum(id, head, owner) || expiry[6..] != expiry_check(&expiry[..6]) {
            return Err(Malformed::Damaged);
        }

        let version = u64::from_be_bytes(head[HEAD - 8..].try_into().map_err(|_| Malformed::Damaged)?);
        let millis = expiry[..6].iter().fold(0, |millis, byte| millis << 8 | u64::from(*byte));
        Ok(Self {
            version: Version::from_u64(version),
            expires_at: Timestamp::from_millis(millis),
            owner: match owner {
                [] => None,
                owner => {
                    let owner = std::str::from_utf8(owner).map_err(|_| Malformed::Damaged)?;
                    Some(Owner::new(owner).map_err(|_| Malformed::Damaged)?)
                }
            },
            len: bytes.len() - rest.len() + owner.len(),
        })
    }
}

/// Reads a whole value; the record is what is left of it, not a copy.
pub(crate) fn parse(id: &SessionId, mut value: Bytes) -> Result<Stored, Malformed> {
    let Envelope { version, expires_at, owner, len } = Envelope::parse(id, &value)?;
    value.advance(len);
    Ok(Stored { version, record: value, expires_at, owner })
}

/// Whether the first bytes of a value, or none, are those of one of ours.
pub(crate) fn check_head(head: &[u8]) -> Result<(), Malformed> {
    match head.get(..=MARK.len()) {
        None if head.is_empty() => Ok(()),
        Some([mark @ .., format]) if *mark == MARK => match *format {
            FORMAT => Ok(()),
            format if format > FORMAT => Err(Malformed::NewerFormat(format)),
            _ => Err(Malformed::Damaged),
        },
        _ => Err(Malformed::NotOurs),
    }
}

/// Why bytes are not a value of this store. None of it is ever overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Something else is under the key.
    NotOurs,
    /// A newer version of this crate wrote it.
    NewerFormat(u8),
    /// It was ours, and was changed, cut or moved to another key.
    Damaged,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs => {
                f.write_str("a session's key holds something that is not a session: choose another prefix")
            }
            Self::NewerFormat(format) => {
                write!(f, "the session has format {format}, which a newer version wrote: finish the deployment")
            }
            Self::Damaged => f.write_str("the stored session is damaged: delete it"),
        }
    }
}

/// Everything after the expiry field of a value.
pub(crate) struct Tail<'a>(Value<'a>);

impl ToRedisArgs for Tail<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        self.0.write_tail(out.writer_for_next_arg());
    }
}

/// A whole value.
pub(crate) struct Whole<'a>(Value<'a>, Timestamp);

impl ToRedisArgs for Whole<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let Self(value, expires_at) = self;
        let mut out = out.writer_for_next_arg();
        for part in [&head(value.version)[..], &expiry(*expires_at)] {
            // As in `write_tail`.
            let _ = out.write_all(part);
        }
        value.write_tail(out);
    }
}

const MARK: [u8; 3] = [0xf5, b's', b'R'];
const FORMAT: u8 = 1;
/// Mark, format and version.
pub(crate) const HEAD: usize = 12;
pub(crate) const EXPIRY: usize = 8;
const CHECKSUM: usize = 4;

fn checksum(id: &SessionId, head: &[u8; HEAD], owner: &[u8]) -> [u8; CHECKSUM] {
    let mut crc = crc32fast::Hasher::new();
    for part in [id.as_bytes(), &head[..], owner] {
        crc.update(part);
    }
    crc.finalize().to_be_bytes()
}

fn expiry_check(millis: &[u8]) -> [u8; 2] {
    let [_, _, high, low] = crc32fast::hash(millis).to_be_bytes();
    [high, low]
}

#[cfg(test)]
mod tests;
