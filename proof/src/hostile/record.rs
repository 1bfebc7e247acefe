//! Records: anything goes, and only an error or a session comes out.

use std::time::Duration;

use bytes::Bytes;
use serde::de::IgnoredAny;
use sessions_conformance::reference::Reference;
use sessions_core::{Entry, Error, ManualClock, Record, SessionManager, SessionStore, Version};

use super::samples::{ID, MADE_AT, Sample, samples};
use crate::gate::now;

/// Reads every part of a record, and a manager's session of it, and writes it back.
pub(crate) fn throw(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    match Record::parse(ID, bytes.clone()) {
        Ok(record) => {
            read_all(&record);
            serve(bytes);
        }
        Err(error) => assert!(error.is_corrupt() || error.is_newer_format(), "{error}"),
    }
}

pub(crate) fn is_well_formed(bytes: &[u8]) -> bool {
    Record::parse(ID, Bytes::copy_from_slice(bytes)).is_ok()
}

/// Whether bytes whose checksums nobody has made to fit are a record. An error, if it says anything that no sample says.
pub(crate) fn never_other_data(bytes: &[u8]) -> Result<bool, String> {
    thread_local!(static SAMPLES: Vec<Sample> = samples());
    let Ok(record) = Record::parse(ID, Bytes::copy_from_slice(bytes)) else { return Ok(false) };
    SAMPLES.with(|samples| {
        let same_frame = |sample: &&Sample| {
            let other = &sample.record;
            record.keys().eq(other.keys())
                && record.owner() == other.owner()
                && (record.created_at(), record.deadline()) == (other.created_at(), other.deadline())
        };
        let sample = samples.iter().find(same_frame).ok_or("a frame that nobody has written")?;
        for key in sample.record.keys() {
            match record.value(ID, key) {
                Ok(value) if value.as_deref() == sample.record.value(ID, key).ok().flatten().as_deref() => {}
                Err(error) if error.is_corrupt() => {}
                Ok(_) => return Err(format!("{key:?} is other data")),
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(true)
    })
}

fn read_all(record: &Record) {
    let keys: Vec<&str> = record.keys().collect();
    assert_eq!(keys.len(), record.len());
    assert!(keys.is_sorted_by(|a, b| a < b), "keys ascend");
    for key in &keys {
        match record.value(ID, key) {
            Ok(value) => assert!(value.is_some(), "a key without a value"),
            Err(error) => assert!(error.is_corrupt(), "{error}"),
        }
    }
    let _ = (record.owner(), record.created_at(), record.deadline(), format!("{record:?}"));
    assert_eq!(record.value(ID, "a key that no record has").expect("an absent key is no error"), None);
}

/// What an application would do with it: through the administration, which needs no token.
fn serve(bytes: Bytes) {
    let clock = ManualClock::at(MADE_AT);
    let store = Reference::new(clock.clone());
    let entry = Entry { version: Version::from_u64(1), record: bytes, owner: None, deadline: MADE_AT };
    now(store.create(&ID, &entry, Duration::from_secs(60))).expect("there is room");
    let manager = SessionManager::builder(store.clone()).clock(clock).build().expect("the defaults are valid");
    let Some(session) = now(manager.get_session(&ID)).expect("it parses") else { return };
    for key in session.keys() {
        typed(session.get::<IgnoredAny>(key.clone()));
        typed(session.get::<String>(key.clone()));
        typed(session.get::<Vec<u8>>(key.clone()));
        typed(session.get::<u64>(key));
    }
    let _ = (session.owner(), session.expires_at(), session.last_active(), session.status(), format!("{session:?}"));
    typed(session.insert("new", &1));
    typed(session.update("counter", |count: Option<u64>| count.unwrap_or(0).wrapping_add(1)).map(Some));
    typed(session.rotate());
    if now(manager.commit(&session)).is_ok()
        && let Some(stored) = now(store.load(&ID)).expect("the store works")
    {
        let record = Record::parse(ID, stored.record).expect("what a commit has written is a record");
        read_all(&record);
    }
}

fn typed<T>(result: Result<T, Error>) {
    if let Err(error) = result {
        assert!(error.is_corrupt() || error.is_decode() || error.is_too_large(), "{error}");
    }
}
