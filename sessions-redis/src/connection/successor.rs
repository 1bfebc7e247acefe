//! A node of a Cluster that goes silent while others answer: frozen, or behind a network that swallows everything.
//!
//! When such a node is replaced, its replica takes over, and the client does not notice: it learns who has what from a node's
//! redirection or from a connection that ends, and here there is neither. So a second connection is made on the side, which
//! asks the others. It takes the place of the first once it is answered where that one was not; until then the first goes on
//! serving what is on the other nodes.
//!
//! One search serves all silent nodes, and ends when any of them has a successor: one without must not keep the others from
//! theirs. The next one who waits in vain begins another.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::select_ok;
use redis::Cmd;
use tokio::sync::OnceCell;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::{Link, Live};

/// What nobody answers for, and who looks for somebody who does.
#[derive(Default)]
pub(super) struct Search {
    /// The last silent key of each part of the slots, which bounds them, and which no crowd of other nodes' keys displaces.
    silent: BTreeMap<u8, Vec<u8>>,
    task: Option<AbortHandle>,
}

impl Link {
    /// Nobody answers for this key: looks whether somebody else would, unless connections are replaced anyway or are not ours
    /// to replace.
    pub(crate) fn look_for_successor(&self, key: &[u8]) {
        if !self.origin.follows_by_itself() {
            return;
        }
        let mut search = self.search();
        // Under the lock: a search that begins is one that the stop ends.
        if self.is_closed() {
            return;
        }
        search.silent.insert(part_of(key), key.to_vec());
        if search.task.as_ref().is_none_or(AbortHandle::is_finished) {
            search.task = Some(tokio::spawn(look(Weak::clone(&self.me))).abort_handle());
        }
    }

    /// Ends the search, and what it has connected to goes with it (G18).
    pub(super) fn stop_looking(&self) {
        let Search { silent: _, task } = std::mem::take(&mut *self.search());
        if let Some(task) = task {
            task.abort();
        }
    }

    /// From now on this is the connection. Who waits for an answer on the last one keeps waiting.
    fn succeed(&self, live: Live) {
        let mut current = self.lock();
        if !self.is_closed() {
            *current = Arc::new(OnceCell::new_with(Some(Ok(Arc::new(live)))));
            self.search().silent.clear();
        }
    }

    /// Whether somebody is in charge of one of the silent keys, be there what may.
    async fn is_answered_on(&self, live: &Live) -> bool {
        for _ in 0..QUESTIONS {
            // Each time anew: others may have gone silent.
            let questions: Vec<_> = self.search().silent.values().map(|key| question(key)).collect();
            if self.is_closed() || questions.is_empty() {
                return false;
            }
            let answers = questions.iter().map(|question| Box::pin(live.send(question)));
            if let Ok(Ok(_)) = timeout(PATIENCE, select_ok(answers)).await {
                return true;
            }
            sleep(PAUSE).await;
        }
        false
    }

    fn search(&self) -> MutexGuard<'_, Search> {
        self.search.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn look(link: Weak<Link>) {
    while let Some(link) = link.upgrade().filter(|link| !link.is_closed()) {
        if let Ok(live) = link.origin.connect().await
            && link.is_answered_on(&live).await
        {
            return link.succeed(live);
        }
        drop(link);
        sleep(PAUSE).await;
    }
}

/// Of any type, sessions and indexes alike, and with no more rights than other commands take.
fn question(key: &[u8]) -> Cmd {
    let mut cmd = redis::cmd("PTTL");
    cmd.arg(key);
    cmd
}

/// Which 64th of the slots a key is in, which is how nodes divide them: in ranges. A slot is a CRC-16 (XMODEM) modulo 16 384,
/// and the client does not tell. Hash tags, which only an owner's name can have, lead elsewhere, which is harmless.
fn part_of(key: &[u8]) -> u8 {
    let shift = |crc: u16, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
    let crc = key.iter().fold(0, |crc, byte| (0..8).fold(crc ^ (u16::from(*byte) << 8), shift));
    crc.to_be_bytes()[0] & 63
}

/// How often a connection is asked before the next one is made, for how long each time, and the pause after it. Together
/// with making it, this is how often the nodes that answer get a new connection.
const QUESTIONS: u32 = 5;
const PATIENCE: Duration = Duration::from_millis(400);
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(all(test, feature = "cluster"))]
mod tests {
    use redis::cluster_routing::Slot;

    use super::*;

    #[test]
    fn parts_are_ranges_of_slots() {
        for key in (0..100).map(|n| format!("sessions/s/{n}")) {
            let part = u16::from(part_of(key.as_bytes())) * 256;
            assert!((part..part + 256).any(|slot| Slot::new(slot) == Some(Slot::for_key(&key))), "{key}");
        }
    }
}
