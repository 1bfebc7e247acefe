//! Deleting many keys (G9).

use redis::{Cmd, Value};

use crate::call::{Call, Effect};
use crate::connection::PIPELINE;
use crate::failure::{Cause, Failure};

/// Keys in one UNLINK, so that none holds the server up.
const BATCH: usize = 500;

/// Unlinks keys and counts those that there were.
pub(crate) async fn unlink(call: &Call<'_>, keys: Vec<Vec<u8>>) -> Result<u64, Failure> {
    let mut tally = Tally::default();
    let cmds = if call.is_clustered() { by_slot(keys) } else { keys.chunks(BATCH).map(unlinking).collect() };
    let mut torn = Vec::new();
    // One pipeline at a time: what fails as a whole has done nothing, or is in doubt.
    for cmds in cmds.chunks(PIPELINE) {
        let answers = call.send_all(cmds, Effect::Once).await.map_err(|failure| tally.after(failure))?;
        for (cmd, answer) in cmds.iter().zip(answers) {
            match answer {
                // A slot on its way to another node, some keys here, some there: one at a time they are found.
                Err(Cause::Answered(code)) if code == "TRYAGAIN" => torn.extend(one_by_one(cmd)),
                answer => tally.add(answer),
            }
        }
    }
    for cmds in torn.chunks(PIPELINE) {
        for answer in call.send_all(cmds, Effect::Once).await.map_err(|failure| tally.after(failure))? {
            tally.add(answer);
        }
    }
    tally.finish()
}

/// What became of the commands of one deletion.
#[derive(Default)]
struct Tally {
    count: u64,
    /// The last failure, or the first that leaves doubt: no later refusal makes that one certain (G11).
    failed: Option<Cause>,
}

impl Tally {
    fn add(&mut self, answer: Result<Value, Cause>) {
        let cause = match answer {
            Ok(Value::Int(count)) if count >= 0 => {
                self.count += count.unsigned_abs();
                return;
            }
            Ok(_) => Cause::Unexpected,
            Err(cause) => cause,
        };
        if !self.leaves_doubt() {
            self.failed = Some(cause);
        }
    }

    fn leaves_doubt(&self) -> bool {
        self.failed.as_ref().is_some_and(Cause::leaves_doubt)
    }

    /// A failure after what was done so far.
    fn after(&self, failure: Failure) -> Failure {
        Failure { maybe_applied: failure.maybe_applied || self.count > 0 || self.leaves_doubt(), ..failure }
    }

    fn finish(mut self) -> Result<u64, Failure> {
        match self.failed.take() {
            None => Ok(self.count),
            Some(cause) => Err(self.after(cause.of_a_write())),
        }
    }
}

fn unlinking(keys: &[Vec<u8>]) -> Cmd {
    let mut cmd = redis::cmd("UNLINK");
    cmd.arg(keys);
    cmd
}

fn one_by_one(all: &Cmd) -> Vec<Cmd> {
    all.args_iter()
        .skip(1)
        .filter_map(|arg| match arg {
            redis::Arg::Simple(key) => Some(unlinking(&[key.to_vec()])),
            _ => None,
        })
        .collect()
}

/// One command of a Cluster takes keys of one slot only.
#[cfg(feature = "cluster")]
fn by_slot(keys: Vec<Vec<u8>>) -> Vec<Cmd> {
    use std::collections::HashMap;

    let mut slots: HashMap<_, Vec<_>> = HashMap::new();
    for key in keys {
        slots.entry(redis::cluster_routing::Slot::for_key(&key)).or_default().push(key);
    }
    slots.values().flat_map(|keys| keys.chunks(BATCH)).map(unlinking).collect()
}

#[cfg(not(feature = "cluster"))]
fn by_slot(keys: Vec<Vec<u8>>) -> Vec<Cmd> {
    keys.into_iter().map(|key| unlinking(&[key])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::key_of;

    fn keys(cmd: &Cmd) -> Vec<Vec<u8>> {
        one_by_one(cmd).iter().map(|cmd| key_of(cmd).to_vec()).collect()
    }

    #[cfg(feature = "cluster")]
    #[test]
    fn g09_keys_are_grouped_by_slot_and_none_is_lost() {
        use redis::cluster_routing::Slot;

        let all: Vec<_> = (0..10_000).map(|n| format!("sessions/s/{n}").into_bytes()).collect();
        let cmds = by_slot(all.clone());
        assert!(cmds.len() < all.len());
        let mut found = Vec::new();
        for cmd in &cmds {
            let group = keys(cmd);
            assert!(group.iter().all(|key| Slot::for_key(key) == Slot::for_key(key_of(cmd))));
            found.extend(group);
        }
        found.sort();
        let mut all = all;
        all.sort();
        assert_eq!(found, all);
    }

    #[test]
    fn g09_a_torn_group_falls_into_single_keys() {
        let group = unlinking(&[b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(keys(&group), [b"a".to_vec(), b"b".to_vec()]);
    }

    #[test]
    fn g11_a_refusal_is_in_doubt_after_a_success_or_another_doubt() {
        let refused = || Err(Cause::Answered("READONLY".to_owned()));
        let mut tally = Tally::default();
        tally.add(refused());
        assert!(!tally.finish().expect_err("refused").maybe_applied);

        for before in
            [Ok(Value::Int(3)), Err(Cause::Unexpected), Err(Cause::Answered("ERR".to_owned())), Ok(Value::Nil)]
        {
            let mut tally = Tally::default();
            tally.add(before);
            tally.add(Ok(Value::Int(0)));
            assert!(tally.after(Cause::Stopped.certain()).maybe_applied, "nothing of the rest was sent");
            tally.add(refused());
            assert!(tally.finish().expect_err("refused").maybe_applied);
        }
    }

    #[test]
    fn g09_counts_are_summed() {
        let mut tally = Tally::default();
        for count in [2, 0, 40] {
            tally.add(Ok(Value::Int(count)));
        }
        assert_eq!(tally.finish().expect("no failure"), 42);
    }
}
