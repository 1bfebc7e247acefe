//! One operation of the contract on its way: its deadline, its commands, and what their failures mean for it.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::{Cmd, RedisResult, Value};
use sessions_core::{Stored, Version};
use tokio::time::{Instant, timeout_at};

use crate::connection::{Link, Live, key_of};
use crate::failure::{Cause, Failure};
use crate::keys::Key;
use crate::script::Script;

/// What a command does to sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing that the contract can see: reading, and the upkeep of an index.
    None,
    /// It writes, and doing it twice is doing it once: compare-and-swap by version. When the second run writes nothing, only that
    /// version says that the first one did.
    Repeatable,
    /// It writes, and is not to be done twice: deletion counts, and a create that arrives late would bring back a session that its
    /// second run has created and that has ended since (G8).
    Once,
}

/// An operation with its deadline.
pub(crate) struct Call<'a> {
    link: &'a Link,
    limit: Duration,
    until: Instant,
    /// A write ran a second time, and its first run may have been applied.
    doubt: AtomicBool,
}

impl<'a> Call<'a> {
    /// Begins an operation, unless the store was stopped (G18).
    pub(crate) fn begin(link: &'a Link, limit: Duration) -> Result<Self, Failure> {
        if link.is_closed() {
            return Err(Cause::Stopped.certain());
        }
        Ok(Self { link, limit, until: Instant::now() + limit, doubt: AtomicBool::new(false) })
    }

    /// Whether the answer to a write is that of its second run, and the first may have been applied.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.doubt.load(Ordering::Relaxed)
    }

    /// Whether a write that found this in its way is stored all the same, by its first run: then its version is there. When
    /// another one is, or nothing, nobody can tell whether it lies under that (G6).
    pub(crate) fn has_landed(&self, version: Version, there: Option<&Stored>) -> Result<bool, Failure> {
        match there {
            _ if !self.is_in_doubt() => Ok(false),
            Some(there) if there.version == version => Ok(true),
            _ => Err(Cause::AnswerLost.of_a_write()),
        }
    }

    /// A failure of the operation, after what may have been applied before it.
    pub(crate) fn failed(&self, failure: Failure) -> Failure {
        Failure { maybe_applied: failure.maybe_applied || self.is_in_doubt(), ..failure }
    }

    /// Whether keys are on many nodes.
    pub(crate) fn is_clustered(&self) -> bool {
        self.link.origin().is_cluster()
    }

    /// Connects, if that has not happened yet.
    pub(crate) async fn connection(&self) -> Result<Arc<Live>, Failure> {
        if let Some(live) = self.link.ready() {
            return Ok(live);
        }
        // Rare and large: in a box of its own, so that the operations stay small.
        match timeout_at(self.until, Box::pin(self.link.connect())).await {
            Ok(made) => made.map_err(Cause::certain),
            Err(_) => Err(Cause::NotConnectedInTime(self.limit).certain()),
        }
    }

    /// Sends a command.
    pub(crate) async fn send(&self, cmd: &Cmd, effect: Effect) -> Result<Value, Failure> {
        let answer = self.attempt(effect, |live| async move { live.send(cmd).await }).await;
        if let Err(Failure { cause: Cause::Silent(_), .. }) = &answer {
            self.link.look_for_successor(key_of(cmd));
        }
        answer
    }

    /// Runs a script: by its digest, and by its text where the server does not know the digest.
    pub(crate) async fn run(
        &self,
        script: &Script,
        key: Key<'_>,
        args: impl Fn(&mut Cmd) + Sync,
        effect: Effect,
    ) -> Result<Value, Failure> {
        let mut cmd = script.by_digest(key);
        args(&mut cmd);
        match self.send(&cmd, effect).await {
            // The answer says that this call did nothing; an earlier one that went missing is still in doubt.
            Err(Failure { cause: Cause::Answered(code), maybe_applied }) if code == "NOSCRIPT" => {
                cmd = script.by_text(key);
                args(&mut cmd);
                Box::pin(self.send(&cmd, effect))
                    .await
                    .map_err(|failure| Failure { maybe_applied: failure.maybe_applied || maybe_applied, ..failure })
            }
            answer => answer,
        }
    }

    /// Sends many commands at once, and gives the answer to each. Fails when any of them went unanswered.
    pub(crate) async fn send_all(&self, cmds: &[Cmd], effect: Effect) -> Result<Vec<Result<Value, Cause>>, Failure> {
        if cmds.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.attempt(effect, |live| async move { live.send_all(cmds).await }).await?;
        answers
            .into_iter()
            .map(|answer| match answer.map_err(|error| Cause::of(&error)) {
                Err(cause @ (Cause::NotConnected(_) | Cause::Dropped(_) | Cause::Unexpected)) => {
                    Err(Failure { cause, maybe_applied: effect != Effect::None })
                }
                answer => Ok(answer),
            })
            .collect()
    }

    /// Asks the server, or every primary of a Cluster, something that is about no key.
    pub(crate) async fn ask_primaries(&self, cmd: &Cmd) -> Result<Vec<Value>, Failure> {
        self.attempt(Effect::None, |live| async move { live.ask_primaries(cmd).await }).await
    }

    async fn attempt<T, F>(&self, effect: Effect, send: impl Fn(Arc<Live>) -> F) -> Result<T, Failure>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let live = self.connection().await?;
        let failure = match self.once(&live, effect, pin!(send(Arc::clone(&live)))).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        // A connection that ended is most often one that ended long ago, and the command never left. On a Cluster the client
        // has repeated it already.
        if !matches!(failure.cause, Cause::Dropped(_)) || effect == Effect::Once || live.is_cluster() {
            return Err(failure);
        }
        // From here on nothing is certain but success: the first one may have been applied, whatever happens to the second.
        self.doubt.fetch_or(failure.maybe_applied, Ordering::Relaxed);
        let again = Box::pin(async {
            let live = self.connection().await?;
            self.once(&live, effect, pin!(send(Arc::clone(&live)))).await
        });
        again.await.map_err(|second| Failure { maybe_applied: second.maybe_applied || failure.maybe_applied, ..second })
    }

    async fn once<T>(
        &self,
        live: &Live,
        effect: Effect,
        answer: Pin<&mut impl Future<Output = RedisResult<T>>>,
    ) -> Result<T, Failure> {
        let writes = effect != Effect::None;
        let mark = live.mark();
        let Ok(answer) = timeout_at(self.until, answer).await else {
            // One slow command is no reason to drop a connection on which others are answered.
            if live.silent_since(mark) {
                self.link.give_up(live);
            }
            return Err(Failure { cause: Cause::Silent(self.limit), maybe_applied: writes });
        };
        let error = match answer {
            Ok(answer) => {
                live.heard();
                // The client of a Cluster may have sent it twice, and this is what the second run came to.
                match effect {
                    Effect::Once if live.has_lost_a_node_since(mark) => {
                        let cause = Cause::Dropped("a node of the Cluster went away meanwhile".to_owned());
                        return Err(Failure { cause, maybe_applied: true });
                    }
                    Effect::Repeatable if live.has_lost_a_node_since(mark) => {
                        self.doubt.store(true, Ordering::Relaxed);
                    }
                    _ => {}
                }
                return Ok(answer);
            }
            Err(error) => error,
        };
        let cause = Cause::of(&error);
        match &cause {
            Cause::Answered(code) => {
                live.heard();
                if code == "READONLY" {
                    self.link.demoted(live);
                }
            }
            _ => self.link.give_up(live),
        }
        let maybe_applied = writes && (cause.leaves_doubt() || live.may_have_repeated_since(mark));
        Err(Failure { cause, maybe_applied })
    }
}
