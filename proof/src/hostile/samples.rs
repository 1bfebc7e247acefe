//! Sessions whose bytes are known: what the corpus is made of.

use std::time::Duration;

use bytes::Bytes;
use sessions_conformance::reference::Reference;
use sessions_core::{
    CookieChange, ManualClock, Owner, Random, RandomError, Record, Session, SessionId, SessionManager, SessionStore,
    Timestamp, Token,
};

use crate::gate::now;

/// The id of every sample: the checksums cover it.
pub(crate) const ID: SessionId = SessionId::from_bytes([7; 16]);

/// When every sample was made.
pub(crate) const MADE_AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A session with what it is known to hold.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    /// What opens it.
    pub(crate) token: Token,
    pub(crate) bytes: Bytes,
    pub(crate) owner: Option<Owner>,
    /// The record as it was written.
    pub(crate) record: Record,
}

/// The same samples each time: neither their randomness nor their time is real, and the store does not say that it is
/// process-local, so that versions are drawn as well.
pub(crate) fn samples() -> Vec<Sample> {
    vec![
        sample("bare", |session, _| session.set_owner("u")),
        sample("one", |session, _| session.insert("n", &1_u8)),
        sample("full", |session, stage| match stage {
            0 => fill(session),
            1 => session.renew(),
            _ => session.insert("n", &stage),
        }),
        sample("many", |session, _| (0..100).try_for_each(|n| session.insert(format!("key {n:02}"), &n))),
    ]
}

fn fill(session: &Session) -> Result<(), sessions_core::Error> {
    session.set_owner("用户-42")?;
    session.set_lifetime(Duration::from_secs(1_000_000))?;
    session.set_idle_timeout(Some(Duration::from_secs(2_000)))?;
    session.set_persistent(true)?;
    session.insert("", &"under the empty key")?;
    session.insert("cart", &vec![("apple", 3), ("pear", 0)])?;
    session.insert("nothing", &())?;
    session.insert("ключ", &vec![0_u8; 300])
}

/// Makes a session in six commits, so that it has all the superseded versions that a record keeps.
fn sample(name: &'static str, change: impl Fn(&Session, u32) -> Result<(), sessions_core::Error>) -> Sample {
    let clock = ManualClock::at(MADE_AT);
    let store = Reference::new(clock.clone());
    let random = Counted::default();
    let manager = SessionManager::builder(store.clone()).clock(clock.clone()).random(random).build().expect("settings");
    let session = manager.new_session();
    change(&session, 0).expect("an open session");
    let committed = now(manager.commit(&session)).expect("a new session");
    let CookieChange::Set { mut token, .. } = committed.cookie else { panic!("a new session has a token") };
    for stage in 1..if name == "full" { 6 } else { 1 } {
        let session = now(manager.load(&token)).expect("it is there").expect("it opens");
        change(&session, stage).expect("an open session");
        if let CookieChange::Set { token: next, .. } = now(manager.commit(&session)).expect("a write").cookie {
            token = next;
        }
    }
    let stored = now(store.load(&ID)).expect("it is there").expect("its id is known");
    let record = Record::parse(ID, stored.record.clone()).expect("our own record");
    Sample { name, token, bytes: stored.record, owner: stored.owner, record }
}

/// Bytes that only look random: each fill another number, and the id of every session is [`ID`].
#[derive(Debug, Default)]
struct Counted(std::sync::atomic::AtomicU8);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let count = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = count.wrapping_mul(37).wrapping_add(u8::try_from(at).unwrap_or_default().wrapping_mul(11));
        }
        // That of a new session: id, secret and version. A rotation draws no id.
        if bytes.len() > 40 {
            bytes[..16].copy_from_slice(ID.as_bytes());
        }
        Ok(())
    }
}
