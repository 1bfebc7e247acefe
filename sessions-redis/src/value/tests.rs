use super::*;

const ID: SessionId = SessionId::from_bytes([7; 16]);

fn encode(owner: Option<&str>, record: &[u8]) -> Vec<u8> {
    let owner = owner.map(|owner| Owner::new(owner).expect("a valid owner"));
    let value = Value { id: &ID, version: Version::from_u64(0x0102_0304_0506_0708), owner: owner.as_ref(), record };
    value.whole(Timestamp::from_millis(1_700_000_000_123)).to_redis_args().concat()
}

#[test]
fn g01_what_is_written_is_read() {
    let long = "o".repeat(Owner::MAX_BYTES);
    for owner in [None, Some("u"), Some("用户 {1}\n"), Some(long.as_str())] {
        for record in [&b""[..], b"\0", &[0xff; 1000]] {
            let stored = parse(&ID, encode(owner, record).into()).expect("our own value");
            assert_eq!(stored.version, Version::from_u64(0x0102_0304_0506_0708));
            assert_eq!(stored.expires_at, Timestamp::from_millis(1_700_000_000_123));
            assert_eq!(stored.owner.as_ref().map(Owner::as_str), owner);
            assert_eq!(stored.record, record);
        }
    }
}

#[test]
fn the_scripts_find_head_and_expiry_where_they_look() {
    let value = encode(Some("u"), b"record");
    let version = Version::from_u64(0x0102_0304_0506_0708);
    assert_eq!(value[..12], head(version));
    assert_eq!(value[12..20], expiry(Timestamp::from_millis(1_700_000_000_123)));
    let tail = Value { id: &ID, version, owner: Owner::new("u").ok().as_ref(), record: b"record" }
        .tail()
        .to_redis_args()
        .concat();
    assert_eq!(value[20..], tail);
}

#[test]
fn the_largest_envelope_is_read_from_its_bytes_alone() {
    let owner = "o".repeat(Owner::MAX_BYTES);
    let value = encode(Some(&owner), b"record");
    let envelope = Envelope::parse(&ID, &value[..Envelope::MAX]).expect("the envelope is complete");
    assert_eq!(envelope.owner.as_ref().map(Owner::as_str), Some(owner.as_str()));
    assert_eq!(envelope.len, Envelope::MAX);
}

#[test]
fn every_truncation_of_the_envelope_is_refused() {
    for owner in [None, Some("user-42")] {
        let value = encode(owner, b"");
        for len in 0..value.len() {
            let error = Envelope::parse(&ID, &value[..len]).expect_err("must be refused");
            let expected = if len < 4 { Malformed::NotOurs } else { Malformed::Damaged };
            assert_eq!(error, expected, "{len} bytes");
        }
    }
}

#[test]
fn every_bit_flip_of_the_envelope_is_refused() {
    for owner in [None, Some("user-42")] {
        let good = encode(owner, &[0x55; 300]);
        let len = Envelope::parse(&ID, &good).expect("our own value").len;
        for bit in 0..len * 8 {
            let mut value = good.clone();
            value[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&ID, value.into()).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn a_value_under_another_key_is_refused() {
    let other = SessionId::from_bytes([8; 16]);
    assert_eq!(parse(&other, encode(None, b"record").into()), Err(Malformed::Damaged));
}

#[test]
fn foreign_values_and_newer_formats_are_told_apart() {
    for foreign in [&b""[..], b"{\"user\":1}", b"\x80\x04\x95", &[0; 64], &[0xff; 64]] {
        assert_eq!(parse(&ID, Bytes::copy_from_slice(foreign)), Err(Malformed::NotOurs));
    }
    let mut newer = encode(None, b"record");
    newer[3] = 2;
    assert_eq!(check_head(&newer), Err(Malformed::NewerFormat(2)));
    assert_eq!(parse(&ID, newer.into()), Err(Malformed::NewerFormat(2)));
    assert_eq!(check_head(b""), Ok(()), "nothing is there, which is not foreign");
}

#[test]
fn times_beyond_the_field_are_held_to_it() {
    assert_eq!(expiry(Timestamp::MAX), expiry(Timestamp::from_millis((1 << 48) - 1)));
}
