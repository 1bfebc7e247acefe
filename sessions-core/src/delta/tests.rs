use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;
use crate::clock::Timestamp;
use crate::expiry::Overrides;
use crate::record::{Head, Recent, build};
use crate::test_kit::seeded;
use crate::token::Verifier;

mod laws;
mod operations;

const ID: SessionId = SessionId::from_bytes([7; 16]);

type Values = BTreeMap<String, Vec<u8>>;

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect()
}

/// What a request can do to a session.
#[derive(Debug, Clone)]
enum Act {
    Set(String, Vec<u8>),
    Remove(String),
    /// Appends a byte: the order of such closures shows.
    Update(String, u8),
    Clear,
}

fn append(byte: u8, stored: Option<&[u8]>) -> Vec<u8> {
    let mut value = stored.unwrap_or(b"new:").to_vec();
    value.push(byte);
    value
}

/// The meaning of an act, without deltas: the handler that runs alone.
fn act_alone(values: &mut Values, act: &Act) {
    match act.clone() {
        Act::Set(key, value) => drop(values.insert(key, value)),
        Act::Remove(key) => drop(values.remove(&key)),
        Act::Update(key, byte) => {
            let value = append(byte, values.get(&key).map(Vec::as_slice));
            values.insert(key, value);
        }
        Act::Clear => values.clear(),
    }
}

fn alone(values: &Values, acts: &[Act]) -> Values {
    let mut values = values.clone();
    acts.iter().for_each(|act| act_alone(&mut values, act));
    values
}

/// Records acts on what was loaded, as a session does.
fn delta(loaded: &Values, acts: &[Act]) -> Delta {
    let mut delta = Delta::default();
    let mut sees = loaded.clone();
    for act in acts {
        act_alone(&mut sees, act);
        match act.clone() {
            Act::Set(key, value) => delta.set(Cow::Owned(key), value),
            Act::Remove(key) => delta.remove(Cow::Owned(key.clone()), loaded.contains_key(&key)),
            Act::Update(key, byte) => {
                let now = sees[&key].clone();
                delta.update(Cow::Owned(key), Arc::new(move |stored| Ok(append(byte, stored))), now);
            }
            Act::Clear => delta.clear(!loaded.is_empty()),
        }
    }
    delta
}

fn record(values: &Values) -> Record {
    let head = Head {
        created_at: Timestamp::from_millis(1),
        issued_at: Timestamp::from_millis(2),
        deadline: Timestamp::from_millis(3),
        verifier: Verifier::from_bytes([3; 32]),
        previous: None,
        recent: Recent::default(),
        overrides: Overrides::default(),
    };
    let entries: Vec<_> = values.iter().map(|(key, bytes)| (key.as_bytes(), Value { bytes, checksum: None })).collect();
    let bytes = build(ID, &head, None, &entries, usize::MAX).expect("within the limit");
    Record::parse(ID, Bytes::from(bytes)).expect("a record")
}

fn merged(merged: &[(&[u8], Value<'_>)]) -> Values {
    assert!(merged.is_sorted_by(|(a, _), (b, _)| a < b), "in order of the keys");
    let text = |key: &[u8]| String::from_utf8(key.to_vec()).expect("keys are UTF-8");
    merged.iter().map(|(key, value)| (text(key), value.bytes.to_vec())).collect()
}

/// The delta on what it was recorded on.
fn on_loaded(loaded: &Values, delta: &Delta) -> Values {
    merged(&delta.merge(Some(&record(loaded))))
}

/// The delta on what others have written since.
fn on_newer(newer: &Values, delta: &Delta) -> Values {
    let newer = record(newer);
    merged(&delta.clone().again(ID, &newer).expect("intact").merge(Some(&newer)))
}
