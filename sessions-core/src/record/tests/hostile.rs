//! Hostile bytes: who writes to the store can make the checksums fit, and must not be able to do more than forge.

use super::super::{Width, checksum_of};
use super::*;
use crate::test_kit::seeded;

/// A record whose bytes are bent, and whose checksum fits again.
struct Forged {
    bytes: Vec<u8>,
    width: Width,
    index: usize,
    keys: usize,
}

impl Forged {
    fn new(sample: &Sample) -> Self {
        let record = parse(sample.bytes()).expect("a record");
        Self { bytes: sample.bytes().to_vec(), width: record.width, index: record.index, keys: record.keys }
    }

    fn bend(mut self, at: usize, byte: u8) -> Self {
        self.bytes[at] = byte;
        self
    }

    /// Sets a field of an index entry: 0 the end of the key, 1 the end of the value.
    fn entry(mut self, entry: usize, field: usize, to: u32) -> Self {
        let width = self.width.bytes();
        let at = self.index + entry * self.width.entry() + field * width;
        self.bytes[at..at + width].copy_from_slice(&to.to_le_bytes()[..width]);
        self
    }

    fn parse(mut self) -> Result<Record, Error> {
        let last = self.keys - self.width.entry();
        let key_end = self.bytes[last..last + self.width.bytes()].iter().rev();
        let at = self.keys + key_end.fold(0, |end, byte| end << 8 | usize::from(*byte));
        if self.bytes.len().checked_sub(4).is_some_and(|room| at <= room) {
            let checksum = checksum_of(&[ID.as_bytes(), &self.bytes[..at]]);
            self.bytes[at..at + 4].copy_from_slice(&checksum.to_le_bytes());
        }
        parse(self.bytes)
    }
}

fn forged() -> Forged {
    Forged::new(&Sample::full())
}

#[track_caller]
fn assert_refused(forged: Forged, reason: &str) {
    let error = forged.parse().expect_err("refused");
    assert!(error.is_corrupt() && error.to_string().contains(reason), "{error}");
}

#[test]
fn a_forgery_without_a_flaw_is_read() {
    for sample in Sample::of_all_widths() {
        sample.assert_reads(&Forged::new(&sample).parse().expect("nothing was bent"));
    }
}

#[test]
fn ends_out_of_order_and_out_of_bounds_are_refused() {
    for sample in &Sample::of_all_widths() {
        let forged = |entry, field, to| Forged::new(sample).entry(entry, field, to);
        assert_refused(forged(2, 0, 0), "index out of order");
        assert_refused(forged(2, 1, 0), "index out of order");
        assert_refused(forged(1, 0, 200), "index out of order");
        assert_refused(forged(1, 1, 200), "index out of order");
        assert_refused(forged(4, 0, u32::MAX), "truncated");
        assert_refused(forged(4, 1, u32::MAX), "length");
        assert_refused(forged(4, 1, 29), "length");
    }
}

#[test]
fn keys_out_of_order_and_not_utf_8_are_refused() {
    let keys = forged().keys;
    assert_refused(forged().bend(keys, b'x'), "keys out of order");
    assert_refused(forged().bend(keys, 0xff), "not UTF-8");
    // Equal keys: one would hide the other.
    assert_refused(forged().bend(keys + 1, b'a').entry(2, 0, 2), "keys out of order");
    // An end amid a character.
    assert_refused(forged().entry(2, 0, 7), "not UTF-8");
}

#[test]
fn unknown_flags_and_too_many_versions_are_refused() {
    for flags in 0xc0..=0xff {
        assert_refused(forged().bend(1, flags), "unknown flags");
    }
    let versions = 2 + 18 + 32 + 38;
    assert_refused(forged().bend(versions, 5), "too many versions");
}

#[test]
fn an_owner_that_is_not_utf_8_is_refused() {
    let owner = 2 + 18 + 32 + 38 + 1 + 32 + 1;
    assert_refused(forged().bend(owner, 0xff), "not UTF-8");
}

#[test]
fn a_claimed_number_of_keys_allocates_nothing_and_is_refused() {
    for sample in &Sample::of_all_widths() {
        let forged = || Forged::new(sample);
        for byte in 1..=forged().width.bytes() {
            let count = forged().index - byte;
            assert!(forged().bend(count, 0xff).parse().expect_err("refused").is_corrupt());
        }
    }
}

/// The same record with another width in its flags.
#[test]
fn numbers_of_another_width_are_refused() {
    for (at, sample) in Sample::of_all_widths().iter().enumerate() {
        for other in [0x00, 0x40, 0x80].into_iter().enumerate().filter(|(other, _)| *other != at) {
            let forged = Forged::new(sample);
            let flags = forged.bytes[1] & 0x3f | other.1;
            assert!(forged.bend(1, flags).parse().expect_err("refused").is_corrupt());
        }
    }
}

/// Anything goes: an error or a record whose every part can be read, and no panic.
#[test]
fn random_forgeries_are_refused_or_read_without_a_panic() {
    let mut rng = seeded("random_forgeries_are_refused_or_read_without_a_panic");
    let samples = Sample::of_all_widths();
    let mut read = 0;
    for _ in 0..50_000 {
        // Seldom the wide one, which is long.
        let sample = if rng.u8(..) < 4 { &samples[2] } else { &samples[rng.usize(..2)] };
        let mut forged = Forged::new(sample);
        for _ in 0..rng.usize(1..4) {
            forged = if rng.bool() {
                let at = rng.usize(1..forged.bytes.len());
                forged.bend(at, rng.u8(..))
            } else {
                let end = if rng.bool() { rng.u32(..40) } else { rng.u32(..) };
                forged.entry(rng.usize(..5), rng.usize(..2), end)
            };
        }
        if rng.u8(..) < 16 {
            forged.bytes.truncate(rng.usize(forged.keys..forged.bytes.len()));
        }
        let Ok(record) = forged.parse() else { continue };
        read += 1;
        let keys: Vec<String> = record.keys().map(str::to_owned).collect();
        for key in &keys {
            assert!(record.contains(key));
            let _ = record.value(ID, key);
        }
        let _ = (record.owner(), record.len(), record.head());
        assert_eq!(record.entries().count(), keys.len());
    }
    assert!(read > 100, "hardly any forgery got through: the checksums do not fit");
}
