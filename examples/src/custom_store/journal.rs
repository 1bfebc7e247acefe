//! The file: one frame after the other, and never a change to one that is there.
//!
//! A frame is `length u32 | CRC-32 u32 | body`. The body is the session's id and, unless the session was deleted, `version u64 |
//! expiry u64 | length of the owner u8 | owner | record`. All numbers are little-endian.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sessions_core::{Owner, SessionId, StoreError, Stored, Timestamp, Version};

/// The file's first bytes, so that a file of somebody else is left alone.
const MAGIC: &[u8; 16] = b"sessions journal";
const FRAME_HEAD: usize = 8;
/// A journal is rewritten when it is this much longer than twice what the live sessions took.
const SLACK: u64 = 1024 * 1024;

pub(super) struct Journal {
    file: File,
    path: PathBuf,
    length: u64,
    length_when_rewritten: u64,
    /// Set when nobody knows what the file ends with.
    is_broken: bool,
    /// Holds other processes off for as long as it is open. A file of its own, because rewriting replaces the other.
    lock: File,
}

/// Closing the file is not enough: a program that is being started elsewhere in this process has a copy of the descriptor for a
/// moment, and with it the lock.
impl Drop for Journal {
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

impl Journal {
    /// Reads the live sessions, and starts the journal anew with them.
    pub(super) fn open(path: &Path, now: Timestamp) -> io::Result<(Self, BTreeMap<SessionId, Stored>)> {
        let lock = File::create(path.with_extension("lock"))?;
        lock.try_lock().map_err(|_| io::Error::new(io::ErrorKind::ResourceBusy, "another process has it open"))?;
        let mut sessions = match fs::read(path) {
            Ok(bytes) => replay(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        sessions.retain(|_, stored| stored.expires_at > now);
        let (file, length) = rewrite(path, &sessions)?;
        let (path, length_when_rewritten) = (path.to_owned(), length);
        Ok((Self { file, path, length, length_when_rewritten, is_broken: false, lock }, sessions))
    }

    pub(super) fn put(&mut self, id: &SessionId, stored: &Stored) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        push_frame(&mut bytes, &body(id, stored));
        self.append(&bytes)
    }

    pub(super) fn remove(&mut self, ids: &BTreeSet<SessionId>) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        for id in ids {
            push_frame(&mut bytes, id.as_bytes());
        }
        self.append(&bytes)
    }

    /// Rewrites a journal that has grown. A failure costs nothing but disk space, and the next change tries again.
    pub(super) fn tidy(&mut self, sessions: &BTreeMap<SessionId, Stored>) {
        if self.length > 2 * self.length_when_rewritten + SLACK
            && let Ok((file, length)) = rewrite(&self.path, sessions)
        {
            (self.file, self.length, self.length_when_rewritten) = (file, length, length);
        }
    }

    /// Appends, and answers when it is on the disk. What fails is cut off again: the change was surely not applied. If that
    /// fails too, it may have been, and nothing more is written.
    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if self.is_broken {
            return Err(StoreError::unavailable("the journal is damaged: open it anew"));
        }
        let Err(error) = self.file.write_all(bytes).and_then(|()| self.file.sync_data()) else {
            self.length += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            return Ok(());
        };
        match self.file.set_len(self.length).and_then(|()| self.file.sync_data()) {
            Ok(()) => Err(StoreError::unavailable(error)),
            Err(_) => {
                self.is_broken = true;
                Err(StoreError::indeterminate(error))
            }
        }
    }
}

/// Writes a journal beside the old one and puts it in its place: at no moment is there none.
fn rewrite(path: &Path, sessions: &BTreeMap<SessionId, Stored>) -> io::Result<(File, u64)> {
    let mut bytes = MAGIC.to_vec();
    for (id, stored) in sessions {
        push_frame(&mut bytes, &body(id, stored));
    }
    let beside = path.with_extension("new");
    // Not one that a crash has left.
    File::create(&beside)?;
    let mut file = OpenOptions::new().append(true).open(&beside)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    Ok((file, u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
}

/// What the frames say, up to the first one that is not whole: the process or the machine died while it was written, and nobody
/// was told that it was.
fn replay(bytes: &[u8]) -> io::Result<BTreeMap<SessionId, Stored>> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "not a journal of sessions");
    let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(invalid)?;
    let mut sessions = BTreeMap::new();
    while let Some((body, after)) = frame(rest) {
        let (id, stored) = parse(body).ok_or_else(invalid)?;
        match stored {
            Some(stored) => sessions.insert(id, stored),
            None => sessions.remove(&id),
        };
        rest = after;
    }
    Ok(sessions)
}

fn push_frame(bytes: &mut Vec<u8>, body: &[u8]) {
    // Invariant: a body is a record of at most 1 MiB and a little more.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
    bytes.extend_from_slice(body);
}

fn frame(mut bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut head = [0; FRAME_HEAD];
    bytes.read_exact(&mut head).ok()?;
    let [l0, l1, l2, l3, c0, c1, c2, c3] = head;
    let (length, crc) = (u32::from_le_bytes([l0, l1, l2, l3]), u32::from_le_bytes([c0, c1, c2, c3]));
    let (body, after) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    (crc32fast::hash(body) == crc).then_some((body, after))
}

fn body(id: &SessionId, stored: &Stored) -> Vec<u8> {
    let Stored { version, record, expires_at, owner } = stored;
    let owner = owner.as_ref().map(Owner::as_str).unwrap_or_default();
    let mut body = id.as_bytes().to_vec();
    body.extend_from_slice(&version.as_u64().to_le_bytes());
    body.extend_from_slice(&expires_at.as_millis().to_le_bytes());
    // Invariant: an owner has at most 255 bytes, and at least one where there is one.
    body.push(u8::try_from(owner.len()).unwrap_or(u8::MAX));
    body.extend_from_slice(owner.as_bytes());
    body.extend_from_slice(record);
    body
}

fn parse(body: &[u8]) -> Option<(SessionId, Option<Stored>)> {
    let (id, rest) = body.split_first_chunk()?;
    let id = SessionId::from_bytes(*id);
    if rest.is_empty() {
        return Some((id, None));
    }
    let (version, rest) = rest.split_first_chunk()?;
    let (expires_at, rest) = rest.split_first_chunk()?;
    let (owner_length, rest) = rest.split_first()?;
    let (owner, record) = rest.split_at_checked((*owner_length).into())?;
    let owner = match owner {
        [] => None,
        bytes => Some(Owner::new(std::str::from_utf8(bytes).ok()?).ok()?),
    };
    let version = Version::from_u64(u64::from_le_bytes(*version));
    let expires_at = Timestamp::from_millis(u64::from_le_bytes(*expires_at));
    Some((id, Some(Stored { version, record: Bytes::copy_from_slice(record), expires_at, owner })))
}
