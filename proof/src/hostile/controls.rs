//! Parsers and stores that are broken in one way each, and that they are noticed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, Record, SessionId, SessionStore, StoreError, Stored, UpdateOutcome, Version,
};

use super::literal::{Reading, h07};
use super::samples::samples;
use super::{at_rest, mutate, record};
use crate::behind::{Bench, Kind, Problem};

/// A cookie parser as one might write it, and as it must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sloppy {
    /// Trims whatever Unicode calls white space.
    TrimsUnicode,
    /// Takes quotes off values.
    Unquotes,
    /// Takes the last of several values.
    LastWins,
    /// Finds names whatever their case.
    AnyCase,
    /// Reads the first field only.
    FirstField,
}

impl Sloppy {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::TrimsUnicode, Self::Unquotes, Self::LastWins, Self::AnyCase, Self::FirstField];

    /// Whether it reads these fields as they must be read.
    #[must_use]
    pub fn reads_rightly(self, fields: &[&[u8]]) -> bool {
        self.read(fields) == h07(fields, b"s")
    }

    fn read(self, fields: &[&[u8]]) -> Reading {
        let changed: Vec<Vec<u8>> = fields.iter().map(|field| self.change(field)).collect();
        let changed: Vec<&[u8]> = changed.iter().map(Vec::as_slice).collect();
        match self {
            Self::FirstField => h07(&changed[..changed.len().min(1)], b"s"),
            Self::LastWins => {
                let last = changed
                    .iter()
                    .flat_map(|field| field.split(|byte| *byte == b';'))
                    .rfind(|pair| h07(&[pair], b"s") != Reading::Nothing);
                last.map_or(Reading::Nothing, |pair| h07(&[pair], b"s"))
            }
            _ => h07(&changed, b"s"),
        }
    }

    /// What it takes the field for.
    fn change(self, field: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(field);
        let pairs = text.split(';').map(|pair| match self {
            Self::TrimsUnicode => pair.trim().to_owned(),
            Self::Unquotes => pair.replace('"', ""),
            Self::AnyCase => pair.replacen('S', "s", 1),
            Self::LastWins | Self::FirstField => pair.to_owned(),
        });
        pairs.collect::<Vec<_>>().join(";").into_bytes()
    }
}

/// Whether a record with a changed value, for which somebody has made the checksums fit, is noticed: as every changed one would be
/// if there were no checksums.
#[must_use]
pub fn a_record_without_checksums_is_noticed() -> bool {
    let sample = samples().swap_remove(1);
    let mut bytes = sample.bytes.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    mutate::forge_record(&mut bytes).is_some() && record::never_other_data(&bytes).is_err()
}

/// A store that means well with what is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Deletes what it cannot read, as many caches do.
    Cleans,
    /// Answers from memory what it once has read.
    Remembers,
    /// Answers with another session's record where its own is damaged. No control: the checksums cover the id, so that nobody's
    /// session opens.
    Mixes,
}

impl Control {
    /// Those that have to be noticed.
    pub const ALL: [Self; 2] = [Self::Cleans, Self::Remembers];

    /// What the checks say of it; `None` if it goes unnoticed.
    ///
    /// # Errors
    ///
    /// When no store can be opened.
    pub async fn caught(self) -> Result<Option<String>, Problem> {
        let bench = Bench::open(Kind::Memory).await?.ok_or("no store")?;
        let store = Meddling { control: self, inner: Arc::clone(&bench.store), good: Arc::default() };
        let found = at_rest::damage(&bench.with_store(Arc::new(store)), false).await;
        Ok(found.err().map(|problem| problem.to_string()))
    }
}

#[derive(Debug)]
struct Meddling {
    control: Control,
    inner: Arc<dyn SessionStore>,
    /// What was whole once.
    good: Arc<Mutex<HashMap<SessionId, Stored>>>,
}

impl Meddling {
    /// What it makes of a record that is damaged. The values are looked at, too.
    async fn meddle(&self, id: &SessionId, stored: Stored) -> Result<Option<Stored>, StoreError> {
        let is_whole = Record::parse(*id, stored.record.clone())
            .is_ok_and(|record| record.keys().all(|key| record.value(*id, key).is_ok()));
        if is_whole {
            return Ok(Some(stored));
        }
        if self.control == Control::Cleans {
            self.inner.delete(&[*id]).await?;
            return Ok(None);
        }
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |(other, _): &(&SessionId, &Stored)| (*other == id) == (self.control == Control::Remembers);
        Ok(good.iter().find(wanted).map(|(_, stored)| stored.clone()).or(Some(stored)))
    }
}

#[async_trait]
impl SessionStore for Meddling {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        match self.inner.load(id).await? {
            Some(stored) => self.meddle(id, stored).await,
            None => Ok(None),
        }
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        let outcome = self.inner.create(id, entry, ttl).await?;
        let stored = self.inner.load(id).await?;
        self.good.lock().unwrap_or_else(PoisonError::into_inner).extend(stored.map(|stored| (*id, stored)));
        Ok(outcome)
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        self.inner.update(id, expected, entry, change).await
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        self.inner.touch(id, expected, ttl).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        self.inner.delete(ids).await
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        self.inner.owned_by(owner).await
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.inner.purge_expired(limit).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.inner.stop().await
    }

    fn is_process_local(&self) -> bool {
        self.inner.is_process_local()
    }
}
