//! Listening to what a store logs (G19).

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber, dispatcher};

/// Runs a future and gives the text of every event and span of every level that it emitted, names and values of fields.
///
/// It runs in a runtime on this thread alone, so that the tasks that a store starts are heard too. Threads of its own are not:
/// a subscriber for the whole process is the application's to set.
pub(crate) fn overhear<F: Future>(future: F) -> (F::Output, String) {
    let heard = Arc::<Mutex<String>>::default();
    let dispatch = Dispatch::new(Ear { heard: Arc::clone(&heard), spans: AtomicU64::new(1) });
    let output = tokio::task::block_in_place(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a tokio runtime");
        dispatcher::with_default(&dispatch, || runtime.block_on(future))
    });
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (output, heard)
}

struct Ear {
    heard: Arc<Mutex<String>>,
    spans: AtomicU64,
}

impl Ear {
    fn note(&self, record: impl FnOnce(&mut Words<'_>)) {
        record(&mut Words(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner)));
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(|words| span.record(words));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.note(|words| values.record(words));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note(|words| event.record(words));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Words<'a>(&'a mut String);

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail; a value whose `Debug` fails says nothing.
        let _ = writeln!(self.0, "{}={value:?}", field.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn events_and_spans_are_heard_of_tasks_too() {
        let (joined, heard) = overhear(async {
            tokio::task::yield_now().await;
            tracing::trace!(answer = 42, "said");
            tracing::debug_span!("within", name = "alice").in_scope(|| ());
            tokio::spawn(async { tracing::info!("in a task") }).await
        });
        joined.expect("no panic");
        for words in ["answer=42", "said", "alice", "in a task"] {
            assert!(heard.contains(words), "{words} is not in {heard}");
        }
    }
}
