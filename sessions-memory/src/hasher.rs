//! How the map finds a session's place.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Hashes session ids under a key that each store draws for itself: one multiplication, where the standard library's hash
/// takes ten times as long.
///
/// It need not withstand what that one does, which is keys of a client's choice: the ids that are looked up come from clients,
/// but those in the map are random, made by the manager. The key keeps even who could choose them from choosing where they
/// go.
#[derive(Debug, Clone)]
pub(crate) struct IdState([u64; 2]);

/// The hash of one id.
#[derive(Debug)]
pub(crate) struct IdHasher {
    key: [u64; 2],
    hash: u64,
}

impl Default for IdState {
    fn default() -> Self {
        let random = RandomState::new();
        Self([random.hash_one(0), random.hash_one(1)])
    }
}

impl BuildHasher for IdState {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher { key: self.0, hash: 0 }
    }
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(16) {
            let mut id = [0; 16];
            id[..part.len()].copy_from_slice(part);
            let id = u128::from_le_bytes(id);
            self.hash = folded(low(id) ^ self.key[0] ^ self.hash, high(id) ^ self.key[1]);
        }
    }

    /// The length, which all ids share, tells nothing.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.hash
    }
}

/// Both halves of the product, so that every bit of it depends on every bit of the factors.
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    low(product) ^ high(product)
}

#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
const fn low(n: u128) -> u64 {
    n as u64
}

const fn high(n: u128) -> u64 {
    low(n >> 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sessions_core::SessionId;
    use std::collections::HashSet;

    /// The map takes the lowest bits for the place; the highest ones tell two sessions in one place apart. Only numbered ids
    /// need a good key.
    #[test]
    fn ids_that_are_numbered_at_either_end_are_spread() {
        let state = IdState([0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03]);
        for at in [0, 15] {
            let hashes = (0..=u8::MAX).map(|n| {
                let mut id = [0; 16];
                id[at] = n;
                state.hash_one(SessionId::from_bytes(id))
            });
            let (low, high): (HashSet<_>, HashSet<_>) = hashes.map(|hash| (hash % 4096, hash >> 52)).unzip();
            assert!(low.len() > 200 && high.len() > 200, "{} and {} of 256", low.len(), high.len());
        }
    }

    #[test]
    fn each_store_has_a_key_of_its_own() {
        let id = SessionId::from_bytes([1; 16]);
        assert_ne!(IdState::default().hash_one(id), IdState::default().hash_one(id));
    }
}
