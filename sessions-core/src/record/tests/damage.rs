//! Accidents: damaged bytes never read as other data.

use super::*;
use crate::test_kit::seeded;

/// The header, the index and the keys fail as a whole; a value fails alone, and every other one reads as before.
#[test]
fn every_single_bit_flip_is_noticed_where_it_is() {
    for sample in Sample::of_all_widths().into_iter().chain([Sample::bare()]) {
        let good = sample.bytes();
        let values = parse(good.clone()).expect("a record").values;
        let (frame, all) = (values * 8, good.len() * 8);
        // Of a long value, some.
        let step = if good.len() > 10_000 { 4_999 } else { 1 };
        for bit in (0..frame).chain((frame..all).step_by(step)) {
            let mut bad = good.to_vec();
            bad[bit / 8] ^= 1 << (bit % 8);
            let record = match parse(bad) {
                Err(error) => {
                    assert!(bit / 8 < values, "a flip in a value fails only that value: bit {bit}");
                    assert!(error.is_corrupt() || bit < 8 && error.is_newer_format(), "bit {bit}: {error}");
                    continue;
                }
                Ok(record) => record,
            };
            assert!(bit / 8 >= values, "bit {bit} of the frame was not noticed");
            sample.assert_frame(&record);
            assert_eq!(damaged(&sample, &record, bit / 8 - values), 1, "bit {bit}");
        }
    }
}

/// How many values fail; each is the one that holds the byte `at`, and the others are unchanged.
fn damaged(sample: &Sample, record: &Record, at: usize) -> usize {
    let (mut failed, mut end) = (0, 0);
    for (key, bytes) in &sample.values {
        let start = end;
        end += bytes.len();
        match record.value(ID, key) {
            Ok(value) => assert_eq!(value.as_deref(), Some(bytes.as_slice()), "{key:?} became other data"),
            Err(error) => {
                assert!(error.is_corrupt() && (start..end).contains(&at), "{key:?}: {error}");
                failed += 1;
            }
        }
    }
    failed
}

#[test]
fn every_truncation_is_corrupt() {
    for sample in [Sample::bare(), Sample::full()] {
        let good = sample.bytes();
        for len in 0..good.len() {
            assert!(parse(good.slice(..len)).expect_err("truncated").is_corrupt(), "{len} bytes");
        }
    }
}

#[test]
fn every_extension_is_corrupt() {
    for sample in [Sample::bare(), Sample::full()] {
        for extra in 1..=64 {
            for byte in [0, 1, 0xff] {
                let mut bad = sample.bytes().to_vec();
                bad.resize(bad.len() + extra, byte);
                assert!(parse(bad).expect_err("extended").is_corrupt(), "{extra} times {byte}");
            }
        }
    }
}

#[test]
fn a_record_under_another_id_is_corrupt_there() {
    let mut rng = seeded("a_record_under_another_id_is_corrupt_there");
    for sample in [Sample::bare(), Sample::full()] {
        for _ in 0..1_000 {
            let other = SessionId::from_bytes(std::array::from_fn(|_| rng.u8(..)));
            assert!(Record::parse(other, sample.bytes()).expect_err("swapped").is_corrupt());
        }
    }
}

/// A value that was swapped with another session's, by a storage engine that mixes pages up: the checksum covers the id.
#[test]
fn a_value_of_another_session_is_corrupt() {
    let mine = Sample::full().bytes();
    let record = parse(mine.clone()).expect("a record");
    let other = SessionId::from_bytes([8; 16]);
    assert!(record.value(other, "cart").expect_err("another id").is_corrupt());
}

#[test]
fn an_empty_record_is_corrupt_and_an_unknown_format_is_newer() {
    assert!(parse(Bytes::new()).expect_err("empty").is_corrupt());
    for format in (0..=255).filter(|&format| format != 1) {
        let mut bytes = Sample::full().bytes().to_vec();
        bytes[0] = format;
        assert!(parse(bytes.clone()).expect_err("unknown format").is_newer_format());
        // A format that we do not know may be of any length.
        assert!(parse(vec![format]).expect_err("unknown format").is_newer_format());
    }
}

#[test]
fn random_bytes_are_no_record_and_random_damage_is_noticed() {
    let mut rng = seeded("random_bytes_are_no_record_and_random_damage_is_noticed");
    for round in 0..20_000 {
        let mut bytes: Vec<u8> = (0..rng.usize(..300)).map(|_| rng.u8(..)).collect();
        if let (Some(format), true) = (bytes.first_mut(), rng.bool()) {
            *format = 1;
        }
        assert!(parse(bytes).is_err(), "round {round}");
    }
    let sample = Sample::full();
    let values = parse(sample.bytes()).expect("a record").values;
    for round in 0..20_000 {
        let mut bad = sample.bytes().to_vec();
        // Up to four bytes: a CRC-32 notices every burst of 32 bits.
        let at = rng.usize(..bad.len() - 4);
        (at..at + rng.usize(1..=4)).for_each(|at| bad[at] = rng.u8(..));
        let Ok(record) = parse(bad.clone()) else { continue };
        assert!(bad[..values] == sample.bytes()[..values], "round {round}");
        sample.assert_frame(&record);
        for (key, bytes) in &sample.values {
            if let Ok(value) = record.value(ID, key) {
                assert_eq!(value.as_deref(), Some(bytes.as_slice()), "round {round}");
            }
        }
    }
}

/// A commit copies what it does not change, checksum included: damage is not made to look whole.
#[test]
fn a_damaged_value_stays_detectable_when_it_is_copied() {
    let sample = Sample::full();
    let mut bad = sample.bytes().to_vec();
    let values = parse(bad.clone()).expect("a record").values;
    bad[values + "empty key".len()] ^= 1;
    let record = parse(bad).expect("the frame is whole");
    assert!(record.value(ID, "cart").expect_err("damaged").is_corrupt());

    let entries: Vec<_> = record.entries().collect();
    let copy = build(ID, &record.head(), sample.owner.as_ref(), &entries, LIMIT).expect("within the limit");
    let copy = parse(copy).expect("a record");
    assert!(copy.value(ID, "cart").expect_err("still damaged").is_corrupt());
    assert_eq!(copy.value(ID, "z").expect("whole").as_deref(), Some(&b"1234"[..]));
}
