use super::*;

fn bulk(bytes: &[u8]) -> Value {
    Value::BulkString(bytes.to_vec())
}

#[test]
fn entries_are_read_and_what_is_none_is_passed_over() {
    let (now, members) = parse(Value::Array(vec![
        Value::Int(1_700_000_000_000),
        bulk(&[1; 16]),
        bulk(b"1699999999999"),
        bulk(b"not an id"),
        bulk(b"1"),
        bulk(&[2; 16]),
        bulk(b"nan"),
    ]))
    .expect("well-formed");
    assert_eq!(now, 1_700_000_000_000);
    let [member] = &members[..] else { panic!("one entry") };
    assert_eq!((member.id, member.entered_at), (SessionId::from_bytes([1; 16]), 1_699_999_999_999));
    assert_eq!(member.score, b"1699999999999");
}

#[test]
fn answers_of_another_shape_are_refused() {
    for answer in [Value::Nil, Value::Int(1), Value::Array(vec![]), Value::Array(vec![bulk(b"1")])] {
        assert!(parse(answer).is_none());
    }
}

#[test]
fn g15_an_entry_is_judged_by_what_the_session_holds_now() {
    let (owner, id) = (Owner::new("u").expect("valid"), SessionId::from_bytes([1; 16]));
    let state = |answer| State::of(&owner, &id, answer);
    assert_eq!(state(Ok(bulk(b""))).expect("a state"), State::Dead);
    assert_eq!(state(Ok(bulk(b"something else"))).expect("a state"), State::Unknown);
    assert_eq!(state(Err(Cause::Answered("WRONGTYPE".to_owned()))).expect("a state"), State::Unknown);
    assert!(state(Ok(bulk(b"\xf5sR\x02"))).is_err(), "a newer format may be this owner's");
    assert!(state(Err(Cause::Answered("LOADING".to_owned()))).is_err());
}
