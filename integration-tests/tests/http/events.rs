//! What the library says while a test runs, on every thread of the test's runtime.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The events so far, one text each: the message first, then `field=value`. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    /// Listens on this thread for as long as it runs.
    pub(crate) fn listen(&self) {
        std::mem::forget(tracing::subscriber::set_default(Ear(self.clone())));
    }

    /// How many events there were whose message is `message`.
    pub(crate) fn count(&self, message: &str) -> usize {
        let is_it = |event: &&String| event.split(' ').next() == Some(message);
        self.with(|events| events.iter().filter(is_it).count())
    }

    /// ASVS 16.2.5: a token has 64 characters of base64url; nothing else here has as many.
    pub(crate) fn assert_no_token(&self) {
        let of_token = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
        self.with(|events| {
            for event in events {
                let longest = event.split(|character| !of_token(character)).map(str::len).max();
                assert!(longest < Some(43), "an event with a secret in it: {event}");
            }
        });
    }

    fn with<T>(&self, look: impl FnOnce(&mut Vec<String>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Ear(Events);

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sessions"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words { message: String::new(), fields: String::new() };
        event.record(&mut words);
        self.0.with(|events| events.push(words.message + &words.fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
