//! What is told of a session's life: every step and every rejected input, with ids, never with secrets or values.

use std::fmt::Write;
use std::sync::{LazyLock, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

use super::*;

/// Keeps what is told, as text.
#[derive(Debug, Default, Clone)]
struct Log(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").expect("a string takes it");
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sessions"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What is told meanwhile.
fn told(happens: impl FnOnce()) -> Vec<String> {
    // While there is but one subscriber, `tracing` lets the thread that first meets an event decide for all threads whether
    // anybody listens. Tests on other threads, to which nobody listens, must not.
    static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Log::default()));
    LazyLock::force(&ANOTHER);
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), happens);
    let lines = std::mem::take(&mut *log.0.lock().unwrap_or_else(PoisonError::into_inner));
    assert!(lines.iter().all(|line| line.contains(" message=session.")), "{lines:?}");
    lines
}

/// The one event that is told, without its fields.
#[track_caller]
fn assert_tells(expected: &[&str], happens: impl FnOnce()) {
    let lines = told(happens);
    let short = |line: &String| {
        let (level, rest) = line.split_once(' ').expect("a level");
        let name = rest.split_once("message=session.").expect("a name").1;
        format!("{level} {}", name.split(' ').next().unwrap_or_default())
    };
    assert_eq!(lines.iter().map(short).collect::<Vec<_>>(), expected);
}

fn kit() -> (Kit, Token) {
    let kit = Kit::with(|builder| builder.idle_timeout(secs(1_600)));
    let token = kit.stored(|_| {});
    (kit, token)
}

#[test]
fn every_step_of_a_life_is_told() {
    let (kit, token) = kit();
    let run = |handle: fn(&Session)| {
        let session = kit.open(&token);
        handle(&session);
        kit.commit(&session);
    };
    assert_tells(&["INFO created"], || {
        let session = kit.manager.new_session();
        increment(&session);
        kit.commit(&session);
    });
    assert_tells(&[], || run(|_| {}));
    assert_tells(&["DEBUG written"], || run(increment));
    kit.advance(200);
    assert_tells(&["TRACE touched"], || run(|_| {}));
    let slow = kit.counting(&token);
    assert_tells(&["INFO destroyed"], || run(|session| session.destroy().expect("open")));
    assert_tells(&["INFO lost"], || assert_eq!(kit.commit(&slow).outcome, Outcome::Lost));
    assert_tells(&["DEBUG unknown"], || drop(kit.open(&token)));
    assert_tells(&["INFO deleted_by_id"], || {
        block_on(kit.manager.delete_session(&token.id())).expect("the store answers");
    });
}

#[test]
fn what_is_destroyed_and_what_follows_are_both_told() {
    let (kit, token) = kit();
    assert_tells(&["INFO destroyed", "INFO created"], || {
        let session = kit.open(&token);
        session.destroy().expect("open");
        increment(&session);
        kit.commit(&session);
    });
}

#[test]
fn every_rejected_input_is_told() {
    let (kit, old) = kit();
    kit.request(&old, |session| session.rotate().expect("open"));
    assert_tells(&["DEBUG superseded"], || drop(kit.open(&old)));
    kit.advance(31);
    assert_tells(&["WARN refused"], || drop(kit.open(&old)));

    let (kit, token) = self::kit();
    kit.store.tamper(token.id(), |stored| stored.expires_at = crate::Timestamp::MAX);
    kit.advance(24 * 60 * 60);
    assert_tells(&["DEBUG expired"], || drop(kit.open(&token)));
    kit.store.tamper(token.id(), |stored| stored.record = stored.record.slice(1..));
    assert_tells(&[], || drop(block_on(kit.manager.load(&token)).expect_err("another format")));
    kit.store.tamper(token.id(), |stored| stored.record = Bytes::new());
    assert_tells(&["ERROR corrupt"], || drop(kit.open(&token)));
}

#[test]
fn what_fails_softly_is_told() {
    let (kit, token) = kit();
    kit.advance(200);
    assert_tells(&["WARN touch_failed"], || {
        kit.store.answer(Call::Touch, Answer::Refused);
        kit.commit(&kit.open(&token));
    });
    assert_tells(&["WARN renewal_failed"], || {
        kit.store.answer(Call::Update, Answer::Refused);
        let session = kit.open(&token);
        session.renew_quietly().expect("open");
        kit.commit(&session);
    });
}

/// ASVS 16.2.5: over a whole life, with failures.
#[test]
fn asvs_16_2_5_no_event_has_a_secret_an_owner_or_a_value() {
    let (kit, first) = kit();
    let mut tokens = vec![first.clone()];
    let lines = told(|| {
        let session = kit.open(&first);
        session.set_owner("alice@example.org").expect("open");
        session.insert("password", &"hunter2").expect("open");
        kit.store.answer(Call::Update, Answer::Lost);
        tokens.push(token(&kit.commit(&session)));
        kit.open(&first);
        kit.advance(200);
        kit.store.answer(Call::Touch, Answer::Refused);
        kit.commit(&kit.open(&tokens[1]));
        let session = kit.open(&tokens[1]);
        session.destroy().expect("open");
        session.insert("password", &"hunter2").expect("open");
        tokens.push(token(&kit.commit(&session)));
        kit.open(&first);
    });
    assert!(lines.len() >= 6, "{lines:?}");
    let all = lines.join("\n");
    for token in &tokens {
        let text = token.encode();
        assert!(!all.contains(&text.as_str()[22..]), "a secret: {all}");
    }
    assert!(all.contains(&first.id().to_string()), "ids are told");
    assert!(!all.contains("alice") && !all.contains("hunter"), "{all}");
}
