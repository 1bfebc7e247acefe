//! How wide the numbers of an index are: as narrow as the record allows, because most sessions are small.

use super::{IDLE, LIFETIME, OWNER, PERSISTENCE, PERSISTENT, PREVIOUS};

const TWO: u8 = 64;
const FOUR: u8 = 128;
const OTHERS: u8 = PREVIOUS | OWNER | LIFETIME | IDLE | PERSISTENCE | PERSISTENT;
// Every bit is spoken for: what is not known can only be two widths at once.
const _: () = assert!(OTHERS | TWO | FOUR == u8::MAX);

/// One byte, two or four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    One = 1,
    Two = 2,
    Four = 4,
}

impl Width {
    /// The least that holds numbers up to `most`, which is at most `u32::MAX`.
    pub(super) const fn holding(most: usize) -> Self {
        match most {
            0..=0xff => Self::One,
            0x100..=0xffff => Self::Two,
            _ => Self::Four,
        }
    }

    pub(super) const fn of_flags(flags: u8) -> Option<Self> {
        match flags & (TWO | FOUR) {
            0 => Some(Self::One),
            TWO => Some(Self::Two),
            FOUR => Some(Self::Four),
            _ => None,
        }
    }

    pub(super) const fn flag(self) -> u8 {
        match self {
            Self::One => 0,
            Self::Two => TWO,
            Self::Four => FOUR,
        }
    }

    /// Of one number.
    pub(super) const fn bytes(self) -> usize {
        self as usize
    }

    /// Of an entry of the index: two ends and a checksum.
    pub(super) const fn entry(self) -> usize {
        2 * self.bytes() + 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_is_the_least_that_holds() {
        let widths = [0, 255, 256, 65_535, 65_536, u32::MAX as usize].map(Width::holding);
        assert_eq!(widths, [Width::One, Width::One, Width::Two, Width::Two, Width::Four, Width::Four]);
        for width in widths {
            assert_eq!(Width::of_flags(width.flag() | OTHERS), Some(width));
        }
    }
}
