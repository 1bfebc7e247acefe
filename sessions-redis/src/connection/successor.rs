//! A node of a Cluster that goes silent while others answer: frozen, or behind a network that swallows everything.
//!
//! When such a node is replaced, its replica takes over, and the client does not notice: it learns who has what from a node's
//! redirection or from a connection that ends, and here there is neither. So a second connection is made on the side, which
//! asks the others. It takes the place of the first once it is answered where that one was not; until then the first goes on
//! serving what is on the other nodes.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};

use super::{Link, Live, Request};

/// How often a connection is asked before the next one is made, for how long each time, and the pause after it. Together
/// with making it, this is how often the nodes that answer get a new connection.
const QUESTIONS: u32 = 5;
const PATIENCE: Duration = Duration::from_millis(400);
const PAUSE: Duration = Duration::from_millis(100);

impl Link {
    /// Nobody answers for this key: looks whether somebody else would. Does nothing where connections are replaced anyway or
    /// are not ours to replace, and when somebody is looking already.
    pub(crate) fn look_for_successor(&self, key: &[u8]) {
        if !self.origin.follows_by_itself() || self.looks.swap(true, Ordering::SeqCst) {
            return;
        }
        let (link, key) = (Weak::clone(&self.me), key.to_vec());
        tokio::spawn(async move {
            while let Some(link) = link.upgrade().filter(|link| !link.is_closed()) {
                if let Ok(live) = link.origin.connect().await
                    && answers(&live, &key).await
                {
                    link.succeed(live);
                    break;
                }
                drop(link);
                sleep(PAUSE).await;
            }
            if let Some(link) = link.upgrade() {
                link.looks.store(false, Ordering::SeqCst);
            }
        });
    }

    /// From now on this is the connection. Who waits for an answer on the last one keeps waiting.
    fn succeed(&self, live: Live) {
        let mut current = self.lock();
        if !self.is_closed() {
            *current = Arc::new(OnceCell::new_with(Some(Ok(Arc::new(live)))));
        }
    }
}

/// Whether the session's key can be read: its value does not matter, but that somebody is in charge of it does.
async fn answers(live: &Live, key: &[u8]) -> bool {
    let mut cmd = redis::cmd("GET");
    cmd.arg(key);
    let request = Request { key: key.to_vec(), cmd };
    for _ in 0..QUESTIONS {
        if let Ok(Ok(_)) = timeout(PATIENCE, live.send(&request)).await {
            return true;
        }
        sleep(PAUSE).await;
    }
    false
}
