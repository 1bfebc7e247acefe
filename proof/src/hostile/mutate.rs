//! A mutator: from well-formed inputs to almost well-formed ones. Seeded, free of coverage, quick.

use fastrand::Rng;

use super::samples::ID;
use super::{Seeds, Target, corpus};

/// A mutated input.
#[derive(Debug, Clone)]
pub struct Thrown {
    /// What to throw.
    pub bytes: Vec<u8>,
    /// Whether its checksums were made to fit, as somebody who can write to the store would.
    pub forged: bool,
}

/// Makes inputs from a corpus, the same ones from the same seed.
#[derive(Debug)]
pub struct Mutator {
    target: Target,
    corpus: Vec<Vec<u8>>,
    rng: Rng,
}

impl Mutator {
    /// Begins with what the target's corpus is made of.
    #[must_use]
    pub fn new(target: Target, seed: u64) -> Self {
        let corpus = corpus::made(target).into_iter().map(|Seeds { bytes, .. }| bytes).collect();
        Self { target, corpus, rng: Rng::with_seed(seed) }
    }

    /// Another input: one of the corpus, changed in one to five ways.
    pub fn make(&mut self) -> Thrown {
        let mut bytes = self.rng.choice(&self.corpus).cloned().unwrap_or_default();
        for _ in 0..self.rng.u32(1..=5) {
            self.change(&mut bytes);
        }
        let forged = self.rng.bool() && forge(self.target, &mut bytes);
        Thrown { bytes, forged }
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        let at = self.rng.usize(..=len);
        let end = self.rng.usize(at..=len.min(at + 24));
        match self.rng.u32(..11) {
            0 if at < len => bytes[at] ^= 1 << self.rng.u32(..8),
            1 if at < len => bytes[at] = self.rng.u8(..),
            2 if at < len => bytes[at] = INTERESTING[self.rng.usize(..INTERESTING.len())],
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..end)),
            5 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            6 => {
                let word = self.word();
                bytes.splice(at..at, word);
            }
            7 => {
                let word = self.word();
                bytes.splice(at..len.min(at + word.len()), word);
            }
            8 => {
                let other = self.rng.choice(&self.corpus).cloned().unwrap_or_default();
                let from = self.rng.usize(..=other.len());
                bytes.splice(at.., other[from..].iter().copied());
            }
            9 => {
                let other = self.rng.usize(..=len);
                let (low, high) = (at.min(other), at.max(other));
                bytes[low..high].reverse();
            }
            _ => {
                let number = LENGTHS[self.rng.usize(..LENGTHS.len())].wrapping_add(self.rng.u64(..3));
                let number = number.to_le_bytes();
                let width = [1, 2, 4, 8][self.rng.usize(..4)];
                for (byte, new) in bytes.iter_mut().skip(at).zip(&number[..width]) {
                    *byte = *new;
                }
            }
        }
    }

    /// Something that means something to the target.
    fn word(&mut self) -> Vec<u8> {
        let words: &[&[u8]] = match self.target {
            Target::Cookie => &[b"s=", b";", b"; ", b" ", b"\t", b"=", b"\"", b"\n", b"s", b"%3D", b",", b"\xa0"],
            Target::Token => &[b"=", b"A", b"-_", b"+/", b" ", b"%41", b"\0", b"\xff"],
            Target::Record | Target::RedisValue => {
                &[b"\x01", b"\0", b"\xff\xff\xff\xff", b"key", b"\xf5sR\x01", &[0; 8], &[0xff; 8], &[0; 12]]
            }
        };
        if self.target == Target::Cookie && self.rng.u32(..4) == 0 {
            return super::cookie::tokens()[self.rng.usize(..2)].clone().into_bytes();
        }
        words[self.rng.usize(..words.len())].to_vec()
    }
}

/// Makes the checksums fit; `false` where there are none, or none can be found.
pub(super) fn forge(target: Target, bytes: &mut [u8]) -> bool {
    match target {
        Target::Record => forge_record(bytes).is_some(),
        Target::RedisValue => forge_envelope(bytes).is_some(),
        Target::Cookie | Target::Token => false,
    }
}

/// The layout as the documentation of the record has it: the checksum of the frame, and those of the values.
pub(super) fn forge_record(bytes: &mut [u8]) -> Option<()> {
    let flags = *bytes.get(1)?;
    let flag = |bit: u8, width: usize| if flags & bit != 0 { width } else { 0 };
    let versions = 2 + 18 + 32 + flag(1, 38);
    let owner = versions + 1 + 8 * usize::from(*bytes.get(versions)?);
    let owner_len = if flags & 2 != 0 { 1 + usize::from(*bytes.get(owner)?) } else { 0 };
    let count = owner + owner_len + flag(4, 8) + flag(8, 8);
    let width = [1, 2, 4, 4][usize::from(flags >> 6)];
    let number = |bytes: &[u8], at: usize| {
        let number = bytes.get(at..at.checked_add(width)?)?;
        Some(number.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    };
    let (index, len, size) = (count + width, number(bytes, count)?, 2 * width + 4);
    let keys = index.checked_add(len.checked_mul(size)?)?;
    let keys_end = if len == 0 { keys } else { keys.checked_add(number(bytes, keys.checked_sub(size)?)?)? };
    let values = keys_end.checked_add(4)?;

    let (mut key_at, mut value_at) = (keys, values);
    for entry in (0..len).map(|at| index + at * size) {
        let (key_end, value_end) =
            (keys.checked_add(number(bytes, entry)?)?, values.checked_add(number(bytes, entry + width)?)?);
        let (key, value) = (bytes.get(key_at..key_end)?, bytes.get(value_at..value_end)?);
        let checksum = crc(&[ID.as_bytes(), key, value]).to_le_bytes();
        bytes[entry + 2 * width..entry + size].copy_from_slice(&checksum);
        (key_at, value_at) = (key_end, value_end);
    }
    let checksum = crc(&[ID.as_bytes(), bytes.get(..keys_end)?]).to_le_bytes();
    bytes.get_mut(keys_end..values)?.copy_from_slice(&checksum);
    Some(())
}

/// The layout as the documentation of the Redis value has it.
pub(super) fn forge_envelope(bytes: &mut [u8]) -> Option<()> {
    let [_, _, high, low] = crc(&[bytes.get(12..18)?]).to_be_bytes();
    bytes.get_mut(18..20)?.copy_from_slice(&[high, low]);
    let owner = bytes.get(25..25 + usize::from(*bytes.get(24)?))?;
    let checksum = crc(&[ID.as_bytes(), &bytes[..12], owner]).to_be_bytes();
    bytes[20..24].copy_from_slice(&checksum);
    Some(())
}

fn crc(parts: &[&[u8]]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    parts.iter().for_each(|part| crc.update(part));
    crc.finalize()
}

const INTERESTING: [u8; 12] = [0, 1, 2, 4, 5, 0x20, 0x3b, 0x3d, 0x7f, 0x80, 0xfe, 0xff];

/// Lengths and times at which arithmetic might give way.
const LENGTHS: [u64; 10] =
    [0, 0xfe, 0xfffe, 0x7fff_fffe, 0xffff_fffe, 1 << 47, (1 << 48) - 2, u64::MAX / 2, u64::MAX - 2, u64::MAX];
