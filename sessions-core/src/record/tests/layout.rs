//! What is written is read.

use std::time::Duration;

use super::*;

#[test]
fn the_smallest_and_the_fullest_record_round_trip() {
    for sample in Sample::of_all_widths().into_iter().chain([Sample::bare()]) {
        let record = parse(sample.bytes()).expect("a record");
        sample.assert_reads(&record);
        assert_eq!(record.len(), sample.values.len());
        assert_eq!(record.is_empty(), sample.values.is_empty());
        assert_eq!((record.created_at(), record.deadline()), (sample.head.created_at, sample.head.deadline));
    }
}

/// Every optional part beside every other, present and absent.
#[test]
fn every_combination_of_optional_parts_round_trips() {
    let full = Sample::full();
    let lifetimes = [None, Some(Duration::from_millis(1)), Some(crate::store::MAX_TTL)];
    let idles = [None, Some(None), Some(Some(Duration::from_millis(1))), Some(Some(crate::store::MAX_TTL))];
    let mut seen = std::collections::HashSet::new();
    for lifetime in lifetimes {
        for idle_timeout in idles {
            for persistent in [None, Some(false), Some(true)] {
                for previous in [None, full.head.previous] {
                    for owner in [None, full.owner.clone()] {
                        for versions in 0..=4u64 {
                            let recent = (0..versions).map(Version::from_u64).fold(Recent::default(), Recent::push);
                            let overrides = Overrides { lifetime, idle_timeout, persistent };
                            let head = Head { overrides, previous, recent, ..full.head };
                            let sample = Sample { head, owner: owner.clone(), ..full.clone() };
                            sample.assert_reads(&parse(sample.bytes()).expect("a record"));
                            assert!(seen.insert(sample.bytes()), "two records with the same bytes");
                        }
                    }
                }
            }
        }
    }
    assert_eq!(seen.len(), 3 * 4 * 3 * 2 * 2 * 5);
}

#[test]
fn the_last_time_of_all_is_late_enough() {
    let mut sample = Sample::full();
    let last = Timestamp::from_millis((1 << 48) - 1);
    sample.head.deadline = last;
    sample.assert_reads(&parse(sample.bytes()).expect("a record"));
    sample.head.deadline = Timestamp::MAX;
    assert_eq!(parse(sample.bytes()).expect("a record").deadline(), last);
}

/// The least width that holds the number of keys, the keys and the values, whichever is the most.
#[test]
fn the_index_is_as_narrow_as_its_numbers() {
    let width = |keys: usize, key_bytes: usize, value_bytes: usize| {
        let mut sample = Sample::bare();
        sample.values = (0..keys).map(|n| (format!("{n:key_bytes$}"), vec![1; value_bytes])).collect();
        let record = parse(sample.bytes()).expect("a record");
        sample.assert_reads(&record);
        record.width.bytes()
    };
    assert_eq!([width(0, 1, 0), width(1, 255, 255), width(1, 256, 0), width(1, 1, 256)], [1, 1, 2, 2]);
    assert_eq!([width(1, 1, 65_535), width(1, 1, 65_536), width(64, 1_024, 0), width(63, 1_024, 0)], [2, 4, 4, 2]);
}

#[test]
fn a_key_that_is_not_there_is_no_value() {
    let record = parse(Sample::full().bytes()).expect("a record");
    for missing in ["A", "b", "car", "carts", "zz", "\u{10ffff}"] {
        assert!(record.value(ID, missing).expect("no error").is_none());
        assert!(!record.contains(missing));
    }
    assert!(parse(Sample::bare().bytes()).expect("a record").value(ID, "").expect("no error").is_none());
}

#[test]
fn ten_thousand_keys() {
    let mut sample = Sample::full();
    sample.values = (0..10_000u32).map(|n| (format!("{n:05}"), vec![1, n.to_le_bytes()[0]])).collect();
    let record = parse(sample.bytes()).expect("a record");
    sample.assert_reads(&record);
    assert_eq!(record.len(), 10_000);
    assert!(!record.contains("10000"));
}

#[test]
fn the_longest_owner_and_the_longest_key() {
    let mut sample = Sample::full();
    sample.owner = Some(Owner::new("o".repeat(Owner::MAX_BYTES)).expect("255 bytes"));
    sample.values = vec![("k".repeat(crate::MAX_KEY_BYTES), vec![1; 100_000])];
    sample.assert_reads(&parse(sample.bytes()).expect("a record"));
}

#[test]
fn the_limit_is_exact() {
    let sample = Sample::full();
    let size = sample.bytes().len();
    assert_eq!(sample.try_bytes(ID, size).expect("as large as the limit").len(), size);
    for limit in [0, 1, size - 1] {
        assert!(sample.try_bytes(ID, limit).expect_err("over the limit").is_too_large(), "{limit}");
    }
}

#[test]
fn recent_versions_are_the_last_four_newest_first() {
    let mut recent = Recent::default();
    for version in 1..=9 {
        recent = recent.push(Version::from_u64(version));
        let newest_first: Vec<u64> = (1..=version).rev().take(4).collect();
        assert_eq!(recent.as_slice(), newest_first);
        assert!((1..=20).all(|n| recent.contains(Version::from_u64(n)) == newest_first.contains(&n)));
    }
    // Zero is a version as every other, and unused room is none.
    assert!(!Recent::default().contains(Version::from_u64(0)));
    assert!(Recent::default().push(Version::from_u64(0)).contains(Version::from_u64(0)));
}

/// The size that sizing advice is made of: a change of it is a change of the documentation.
#[test]
fn the_size_of_a_small_session() {
    let mut sample = Sample::bare();
    sample.owner = Some(Owner::new("user-42").expect("valid"));
    let mut string = vec![1, 0xd9, 32];
    string.extend([b'x'; 32]);
    sample.values = vec![("token".to_owned(), string)];
    assert_eq!(sample.bytes().len(), 112);
    sample.head.recent = Sample::full().head.recent;
    assert_eq!(sample.bytes().len(), 144);
}

#[test]
fn g19_debug_shows_no_bytes() {
    let shown = format!("{:?}", parse(Sample::full().bytes()).expect("a record"));
    assert!(!shown.contains("user-42") && !shown.contains("apples") && !shown.contains("cart"), "{shown}");
    assert!(shown.starts_with("Record { bytes: "), "{shown}");
}
