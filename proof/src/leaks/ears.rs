//! What is heard: events and spans of all levels, lines of logs, panics, of the whole process.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Everything that was heard since the first call of [`Ears::of_the_process`].
#[derive(Debug, Clone, Default)]
pub struct Ears(Arc<Mutex<String>>);

impl Ears {
    /// Listens to the whole process, for as long as it runs. There is one pair of ears.
    ///
    /// # Panics
    ///
    /// When something else listens already.
    pub fn of_the_process() -> Self {
        static EARS: OnceLock<Ears> = OnceLock::new();
        EARS.get_or_init(|| {
            let ears = Self::default();
            let subscriber = Listener { ears: ears.clone(), spans: AtomicU64::new(1) };
            tracing::subscriber::set_global_default(subscriber).expect("nobody else listens to events");
            log::set_boxed_logger(Box::new(Logger(ears.clone()))).expect("nobody else listens to logs");
            log::set_max_level(log::LevelFilter::Trace);
            let listening = ears.clone();
            std::panic::set_hook(Box::new(move |panic| {
                let _ = writeln!(listening.lock(), "{panic} {panic:?}");
            }));
            ears
        })
        .clone()
    }

    /// All of it.
    #[must_use]
    pub fn heard(&self) -> String {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Listener {
    ears: Ears,
    spans: AtomicU64,
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let _ = writeln!(self.ears.lock(), "{:?}", span.metadata());
        span.record(&mut Words(&self.ears));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Words(&self.ears));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Words(&self.ears));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Words<'a>(&'a Ears);

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // First into a string of its own: the value's own Debug may log.
        let words = format!("{}={value:?} {value:#?}\n", field.name());
        self.0.lock().push_str(&words);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let words = format!("{}={value} {value:?}\n", field.name());
        self.0.lock().push_str(&words);
    }
}

struct Logger(Ears);

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let words = format!("{} {}\n", record.target(), record.args());
        self.0.lock().push_str(&words);
    }

    fn flush(&self) {}
}
