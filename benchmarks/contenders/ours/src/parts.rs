//! What a request consists of, each part by itself.

use std::hint::black_box;
use std::sync::Arc;

use bench_kit::{Parts, at_once, text};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use sessions_core::{
    Change, CookieChange, Entry, OsRandom, Random, Record, SessionManager, SessionStore, Stored, Timestamp, Token, Ttl,
};
use sessions_memory::MemoryStore;

use crate::N;
use crate::instant::InstantStore;
use crate::scan::scan;

/// Shows each part to `parts`, which runs those that it is to measure.
pub(crate) fn all(parts: &mut Parts) {
    let small = Sample::new(0, 0);
    let large = Sample::new(8, 16 << 10);
    let huge = Sample::new(8, 256 << 10);
    cookies(parts, &small.token);
    records(parts, &small, &large);
    requests(parts, &[("small", &small), ("16k", &large), ("256k", &huge)]);
    stores(parts, &small);
    parts.part("48 random bytes", || {
        let mut bytes = [0; 48];
        OsRandom.fill(&mut bytes).expect("the system has randomness");
        black_box(bytes);
    });
}

fn cookies(parts: &mut Parts, token: &Token) {
    let encoded = token.encode();
    let mut headers = HeaderMap::new();
    let ours = format!("theme=dark; lang=en-GB; consent=1; __Host-session={}; _ga=GA1.1.1.1", encoded.as_str());
    headers.insert(COOKIE, HeaderValue::from_str(&ours).expect("a header value"));
    parts.part("cookie scan, token parse", || {
        black_box(scan(black_box(&headers), "__Host-session"));
    });
    parts.part("token parse", || {
        black_box(Token::parse(black_box(encoded.as_str().as_bytes())));
    });
    parts.part("token hash", || {
        black_box(black_box(token).verifier());
    });
}

fn records(parts: &mut Parts, small: &Sample, large: &Sample) {
    for (name, sample) in [("record parse, small", small), ("record parse, 16k", large)] {
        let (id, Stored { record, .. }) = (sample.token.id(), sample.stored());
        parts.part(name, || {
            black_box(Record::parse(id, black_box(&record).clone()).expect("it is sound"));
        });
    }
    for (name, sample) in [("get, small", small), ("get, 16k", large)] {
        let session = sample.open();
        parts.part(name, || {
            black_box(session.get(black_box(&N)).expect("it is sound"));
        });
    }
    let session = small.open();
    parts.part("insert", || session.insert(black_box(&N), &2).expect("it is open"));
}

/// Each adds to the one before it: their differences are the parts.
fn requests(parts: &mut Parts, samples: &[(&str, &Sample)]) {
    for (size, sample) in samples {
        parts.part(&format!("open, {size}"), || {
            black_box(sample.open());
        });
        parts.part(&format!("open, plan, {size}"), || {
            assert!(sample.manager.seal_unless_due(&sample.open()));
        });
        parts.part(&format!("open, insert, {size}"), || {
            sample.open().insert(&N, &2).expect("it is open");
        });
        parts.part(&format!("open, insert, commit, {size}"), || {
            let session = sample.open();
            session.insert(&N, &2).expect("it is open");
            black_box(at_once(sample.manager.commit(&session)).expect("it is written"));
        });
    }
}

fn stores(parts: &mut Parts, small: &Sample) {
    let store = MemoryStore::new();
    let (id, Stored { version, record, owner, .. }) = (small.token.id(), small.stored());
    let entry = Entry { version, record, owner, deadline: Timestamp::MAX };
    at_once(store.create(&id, &entry, std::time::Duration::from_secs(3600))).expect("there is room");
    parts.part("memory store, load", || {
        black_box(at_once(store.load(&id)).expect("it works").expect("it is there"));
    });
    let change = Change { ttl: Ttl::Keep, reindex: false };
    parts.part("memory store, update", || {
        black_box(at_once(store.update(&id, version, &entry, change)).expect("it works"));
    });
}

/// A manager whose store has one session.
struct Sample {
    store: Arc<InstantStore>,
    manager: SessionManager,
    token: Token,
}

impl Sample {
    fn new(texts: usize, bytes: usize) -> Self {
        let store = Arc::new(InstantStore::default());
        let manager = SessionManager::builder(Arc::clone(&store)).max_record_bytes(1 << 20).build();
        let manager = manager.expect("the settings are valid");
        let session = manager.new_session();
        session.insert(&N, &1).expect("it is open");
        for number in 0..texts {
            session.insert(format!("text {number}"), &text(number, bytes / texts)).expect("it is open");
        }
        let cookie = at_once(manager.commit(&session)).expect("it is created").cookie;
        let CookieChange::Set { token, .. } = cookie else { unreachable!("a new session has a token") };
        Self { store, manager, token }
    }

    fn open(&self) -> sessions_core::Session {
        let session = self.manager.begin(Some(self.token.clone()));
        at_once(self.manager.open(&session)).expect("it opens");
        session
    }

    fn stored(&self) -> Stored {
        self.store.stored().expect("it was created")
    }
}
