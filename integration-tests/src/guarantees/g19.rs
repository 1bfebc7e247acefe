//! G19 No record bytes and no connection secrets in `Debug`, `Display`, errors or logs.

use std::error::Error;
use std::fmt::Write as _;

use sessions_core::SessionStore;

use crate::expect::{Expect, KEEP, after, load};
use crate::overhear::overhear;
use crate::trial::{HOUR, Trial};

/// Bytes of a record that must be seen nowhere.
const CANARY: &str = "canary-Zq8";

pub(crate) async fn g19_debug_is_silent(trial: &Trial) {
    let store = trial.open().await;
    let entry = trial.entry_with(CANARY);
    let id = trial.create(&store, &entry).await;
    load(&store, &id).await;
    assert_silent(trial, "Debug of the store", &format!("{store:?} {store:#?}"));
    store.stop().await.answer();
    assert_silent(trial, "Debug of the stopped store", &format!("{store:?} {store:#?}"));
}

pub(crate) async fn g19_errors_are_silent(trial: &Trial) {
    let mut errors: Vec<Box<dyn Error + Send + Sync>> = Vec::new();
    let store = trial.open().await;
    let (entry, large) = (trial.entry_with(CANARY), trial.entry_with(too_large(trial)));
    let id = trial.create(&store, &entry).await;
    errors.extend(store.create(&trial.id(), &large, HOUR).await.err().map(Into::into));
    errors.extend(store.update(&id, entry.version, &large, KEEP).await.err().map(Into::into));
    if let Some(full) = trial.open_bounded(1).await {
        for _ in 0..2 {
            errors.extend(full.create(&trial.id(), &entry, HOUR).await.err().map(Into::into));
        }
    }
    store.stop().await.answer();
    errors.extend(store.load(&id).await.err().map(Into::into));
    errors.extend(store.create(&id, &entry, HOUR).await.err().map(Into::into));
    errors.extend(store.update(&id, entry.version, &entry, KEEP).await.err().map(Into::into));
    errors.extend(trial.open_named("'").await.err());
    errors.extend(trial.open_named("").await.err());
    assert!(!errors.is_empty(), "no error to look at");
    for error in errors {
        let mut text = String::new();
        let mut cause: Option<&dyn Error> = Some(&*error);
        while let Some(error) = cause {
            write!(text, "{error} {error:?} {error:#?} ").expect("writing to a string");
            cause = error.source();
        }
        assert_silent(trial, "an error", &text);
    }
}

pub(crate) async fn g19_events_are_silent(trial: &Trial) {
    let everything = async {
        let store = trial.open().await;
        let owner = trial.owner("alice");
        let (first, second) = (trial.entry_with(CANARY), trial.entry_with(CANARY));
        let id = trial.create(&store, &first).await;
        load(&store, &id).await;
        store.create(&id, &second, HOUR).await.answer();
        store.update(&id, trial.version(), &second, KEEP).await.answer();
        store.update(&id, first.version, &second, after(HOUR)).await.answer();
        store.touch(&id, second.version, HOUR).await.answer();
        drop(store.create(&trial.id(), &trial.entry_with(too_large(trial)), HOUR).await);
        store.owned_by(&owner).await.answer();
        trial.create_expired(&store, &first).await;
        store.purge_expired(10).await.answer();
        store.delete(&[id]).await.answer();
        store.stop().await.answer();
        drop(store.create(&id, &first, HOUR).await);
    };
    let ((), heard) = overhear(everything);
    assert_silent(trial, "an event", &heard);
}

fn too_large(trial: &Trial) -> String {
    CANARY.repeat(trial.profile.record_limit / CANARY.len() + 1)
}

/// Checks that a text has neither the canary nor a secret, as they are or as a `Debug` of bytes would show them.
fn assert_silent(trial: &Trial, what: &str, text: &str) {
    let normal = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    let text = normal(text);
    for forbidden in trial.profile.secrets.iter().map(String::as_str).chain([CANARY]) {
        let hexadecimal = forbidden.bytes().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let numbers = format!("{:?}", forbidden.as_bytes());
        for form in [forbidden, &hexadecimal, numbers.trim_matches(['[', ']'])] {
            // The text itself stays out of the message, which is a log too.
            assert!(!text.contains(&normal(form)), "{what} shows bytes of a record or a secret");
        }
    }
}
