//! Input out of range: an error, and nothing has changed.

use super::*;

#[test]
fn a_value_over_the_limit_is_refused_when_it_is_written() {
    let kit = Kit::with(|builder| builder.max_record_bytes(1024));
    let session = kit.manager.new_session();
    session.insert("a", &1).expect("fits");
    let large = "x".repeat(1024);
    assert!(session.insert("a", &large).expect_err("too large").is_too_large());
    assert!(session.update("a", move |_: Option<i32>| 1).is_ok());
    assert!(session.update("b", move |_: Option<String>| large.clone()).expect_err("too large").is_too_large());
    assert_eq!(session.keys(), ["a"]);
    assert_eq!(session.get::<i32>("a").expect("a number"), Some(1));
}

/// A record has a head, so that such a value is refused at the commit; until then it may be replaced.
#[test]
fn a_value_of_just_the_limit_may_be_written_and_replaced() {
    let kit = Kit::with(|builder| builder.max_record_bytes(1024));
    let session = kit.manager.new_session();
    // The tag, and three bytes of MessagePack.
    session.insert("a", &"x".repeat(1024 - 4)).expect("as large as a record");
    assert!(session.insert("b", &"x".repeat(1024 - 3)).expect_err("too large").is_too_large());
    session.insert("a", &1).expect("fits");
    assert_eq!(kit.commit(&session).outcome, crate::Outcome::Created);
}

#[test]
fn values_that_are_too_large_together_fail_the_commit_and_the_record_is_intact() {
    let kit = Kit::with(|builder| builder.max_record_bytes(1024));
    let token = kit.stored(|_| {});
    let before = kit.store.stored(token.id());
    let session = kit.open(&token);
    for key in ["a", "b"] {
        session.insert(key, &"x".repeat(600)).expect("fits alone");
    }
    assert!(kit.try_commit(&session).expect_err("too large").is_too_large());
    assert_eq!(kit.store.stored(token.id()), before);
}

#[test]
fn the_longest_key_fits_and_a_longer_one_is_refused() {
    let session = Session::detached();
    let (longest, longer) = ("k".repeat(MAX_KEY_BYTES), "k".repeat(MAX_KEY_BYTES + 1));
    session.insert(longest.clone(), &1).expect("fits");
    assert!(session.insert(longer.clone(), &1).expect_err("too long").is_invalid_key());
    let update = |_: Option<i32>| 1;
    assert!(session.update(longer.clone(), update).expect_err("too long").is_invalid_key());
    assert_eq!(session.get::<i32>(longer.clone()).expect("it cannot be there"), None);
    session.remove(longer).expect("it cannot be there");
    assert_eq!(session.keys(), [longest]);
}

#[test]
fn an_owner_out_of_range_is_refused() {
    let session = Session::detached();
    for bad in [String::new(), "o".repeat(Owner::MAX_BYTES + 1)] {
        assert!(session.set_owner(bad).expect_err("out of range").is_invalid_owner());
    }
    assert_eq!((session.owner(), session.status()), (None, SessionStatus::Unchanged));
    session.set_owner("o".repeat(Owner::MAX_BYTES)).expect("255 bytes");
}

#[test]
fn durations_out_of_range_are_refused() {
    let session = Session::detached();
    for bad in [Duration::ZERO, Duration::from_micros(999), Duration::MAX] {
        assert!(session.set_lifetime(bad).expect_err("out of range").is_invalid_setting());
        assert!(session.set_idle_timeout(Some(bad)).expect_err("out of range").is_invalid_setting());
    }
    assert_eq!(session.status(), SessionStatus::Unchanged);
    session.set_lifetime(Duration::from_millis(1)).expect("the least");
    session.set_idle_timeout(Some(crate::store::MAX_TTL)).expect("the most");
}

/// A value that cannot be encoded, and one whose encoder panics half way.
#[test]
fn a_value_that_cannot_be_encoded_changes_nothing() {
    struct Bad;
    impl Serialize for Bad {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    let session = Session::detached();
    session.insert("a", &1).expect("fits");
    assert!(session.insert("a", &Bad).expect_err("not encodable").is_encode());
    assert_eq!(session.get::<i32>("a").expect("a number"), Some(1));
}
