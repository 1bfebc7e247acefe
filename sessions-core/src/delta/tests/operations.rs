//! One operation at a time.

use super::*;

fn set(key: &str, value: &str) -> Act {
    Act::Set(key.to_owned(), value.as_bytes().to_vec())
}

fn remove(key: &str) -> Act {
    Act::Remove(key.to_owned())
}

fn update(key: &str, byte: u8) -> Act {
    Act::Update(key.to_owned(), byte)
}

#[test]
fn setting_and_removing_a_new_key_is_nothing() {
    let loaded = values(&[("a", "1")]);
    for acts in [
        vec![set("b", "2"), remove("b")],
        vec![update("b", b'!'), remove("b")],
        vec![remove("b")],
        vec![remove("b"), set("b", "2"), set("b", "3"), remove("b")],
    ] {
        let delta = delta(&loaded, &acts);
        assert!(delta.is_empty(), "{acts:?}");
        assert_eq!(on_loaded(&loaded, &delta), loaded);
    }
    assert!(!delta(&loaded, &[set("a", "1"), remove("a")]).is_empty(), "a stored key is removed");
    assert!(delta(&values(&[]), &[set("a", "1"), Act::Clear]).is_empty());
    assert!(!delta(&loaded, &[Act::Clear]).is_empty());
}

#[test]
fn clearing_takes_what_is_stored_and_what_was_set_before() {
    let loaded = values(&[("a", "1"), ("b", "2")]);
    let delta = delta(&loaded, &[set("c", "3"), update("a", b'!'), Act::Clear, set("d", "4"), remove("a")]);
    assert_eq!(on_loaded(&loaded, &delta), values(&[("d", "4")]));
    assert_eq!(on_newer(&values(&[("a", "5"), ("e", "6")]), &delta), values(&[("d", "4")]));
}

#[test]
fn closures_run_again_in_their_order_on_what_is_stored_now() {
    let loaded = values(&[("a", "x")]);
    let delta = delta(&loaded, &[update("a", b'1'), update("b", b'1'), update("a", b'2')]);
    assert_eq!(on_loaded(&loaded, &delta), values(&[("a", "x12"), ("b", "new:1")]));
    assert_eq!(on_newer(&values(&[("a", "y"), ("b", "z")]), &delta), values(&[("a", "y12"), ("b", "z1")]));
    assert_eq!(on_newer(&values(&[]), &delta), values(&[("a", "new:12"), ("b", "new:1")]));
}

#[test]
fn a_closure_on_what_this_request_set_or_removed_does_not_see_what_others_wrote() {
    let loaded = values(&[("a", "x")]);
    for acts in [
        vec![set("a", "mine"), update("a", b'!')],
        vec![remove("a"), update("a", b'!')],
        vec![remove("b"), update("b", b'!')],
        vec![set("b", "mine"), remove("b"), update("b", b'!')],
        vec![Act::Clear, update("a", b'!')],
    ] {
        let delta = delta(&loaded, &acts);
        let newer = values(&[("a", "theirs"), ("b", "theirs")]);
        let (expected, found) = (alone(&newer, &acts), on_newer(&newer, &delta));
        assert_eq!(found, expected, "{acts:?}");
    }
    // Clearing what is empty, and removing what is absent, hold for what is there by the time of the commit.
    let delta = delta(&values(&[]), &[Act::Clear, update("a", b'!')]);
    assert_eq!(on_newer(&values(&[("a", "theirs"), ("b", "theirs")]), &delta), values(&[("a", "new:!")]));
    let delta = self::delta(&values(&[]), &[remove("a"), set("b", "mine")]);
    assert_eq!(
        on_newer(&values(&[("a", "theirs"), ("c", "theirs")]), &delta),
        values(&[("b", "mine"), ("c", "theirs")])
    );
}

#[test]
fn a_closure_that_fails_fails_the_whole() {
    let loaded = values(&[("a", "x"), ("b", "y")]);
    let mut delta = delta(&loaded, &[set("b", "mine")]);
    let only_x = |stored: Option<&[u8]>| {
        if stored == Some(b"x") { Ok(b"xx".to_vec()) } else { Err(Error::corrupt_value("a")) }
    };
    delta.update("a".into(), Arc::new(only_x), b"xx".to_vec());
    assert_eq!(on_newer(&loaded, &delta)["a"], b"xx");
    let newer = record(&values(&[("a", "z")]));
    assert!(delta.again(ID, &newer).expect_err("the closure's own").is_corrupt());
}

#[test]
fn a_corrupt_value_is_an_error_to_a_closure_and_to_nothing_else() {
    let mut bytes = build(
        ID,
        &record(&values(&[])).head(),
        None,
        &[(b"a", Value { bytes: b"x", checksum: Some(1) }), (b"b", Value { bytes: b"y", checksum: None })],
        usize::MAX,
    )
    .expect("within the limit");
    let damaged = Record::parse(ID, Bytes::from(std::mem::take(&mut bytes))).expect("the frame is whole");
    let loaded = values(&[("a", "x"), ("b", "y")]);
    let error = delta(&loaded, &[update("a", b'!')]).again(ID, &damaged).expect_err("damaged");
    assert!(error.is_corrupt() && error.to_string().contains("\"a\""), "{error}");
    for harmless in [update("b", b'!'), set("a", "anew"), remove("a")] {
        let delta = delta(&loaded, &[harmless]).again(ID, &damaged).expect("it reads nothing damaged");
        assert_eq!(delta.merge(Some(&damaged)).len(), on_loaded(&loaded, &delta).len());
    }
}

#[test]
fn g19_debug_shows_no_values() {
    let shown = format!("{:?}", delta(&values(&[]), &[set("a", "hunter2"), update("b", b'!'), remove("c")]));
    assert!(!shown.contains("hunter2") && !shown.contains("104"), "{shown}");
}

/// Values are the application's own matter.
#[test]
fn operations_show_no_values() {
    let delta = delta(&values(&[]), &[set("a", "hunter2"), update("b", b'!')]);
    let shown = format!("{delta:?}");
    assert!(shown.contains("Set(7 bytes)") && shown.contains("Update(1 closures)"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
