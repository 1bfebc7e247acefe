//! Deleting many keys (G9).

use redis::Value;

use crate::call::{Call, Effect};
use crate::connection::Request;
use crate::failure::{Cause, Failure};

/// Keys in one UNLINK, so that none holds the server up.
const BATCH: usize = 500;

/// Unlinks keys and counts those that there were.
pub(crate) async fn unlink(call: &Call<'_>, keys: Vec<Vec<u8>>) -> Result<u64, Failure> {
    let mut tally = Tally::default();
    let requests = if call.is_clustered() { by_slot(keys) } else { keys.chunks(BATCH).map(request).collect() };
    let mut torn = Vec::new();
    for (request, answer) in requests.iter().zip(call.send_all(&requests, Effect::Once).await?) {
        match answer {
            // A slot on its way to another node, some keys here, some there: one at a time they are found.
            Err(Cause::Answered(code)) if code == "TRYAGAIN" => torn.extend(one_by_one(request)),
            answer => tally.add(answer),
        }
    }
    for answer in call.send_all(&torn, Effect::Once).await.map_err(|failure| tally.after(failure))? {
        tally.add(answer);
    }
    tally.finish()
}

/// What became of the commands of one deletion.
#[derive(Default)]
struct Tally {
    count: u64,
    applied: bool,
    failed: Option<Cause>,
}

impl Tally {
    fn add(&mut self, answer: Result<Value, Cause>) {
        match answer {
            Ok(Value::Int(count)) if count >= 0 => {
                self.count += count.unsigned_abs();
                self.applied = true;
            }
            Ok(_) => self.failed = Some(Cause::Unexpected),
            Err(cause) => self.failed = Some(cause),
        }
    }

    /// A failure after what was done so far.
    fn after(&self, failure: Failure) -> Failure {
        Failure { maybe_applied: failure.maybe_applied || self.applied, ..failure }
    }

    fn finish(mut self) -> Result<u64, Failure> {
        match self.failed.take() {
            None => Ok(self.count),
            Some(cause) => Err(self.after(cause.of_a_write())),
        }
    }
}

fn request(keys: &[Vec<u8>]) -> Request {
    let mut cmd = redis::cmd("UNLINK");
    cmd.arg(keys);
    Request { key: keys.first().cloned().unwrap_or_default(), cmd }
}

fn one_by_one(all: &Request) -> Vec<Request> {
    all.cmd
        .args_iter()
        .skip(1)
        .filter_map(|arg| match arg {
            redis::Arg::Simple(key) => Some(request(&[key.to_vec()])),
            _ => None,
        })
        .collect()
}

/// One command of a Cluster takes keys of one slot only.
#[cfg(feature = "cluster")]
fn by_slot(keys: Vec<Vec<u8>>) -> Vec<Request> {
    use std::collections::HashMap;

    let mut slots: HashMap<_, Vec<_>> = HashMap::new();
    for key in keys {
        slots.entry(redis::cluster_routing::Slot::for_key(&key)).or_default().push(key);
    }
    slots.values().flat_map(|keys| keys.chunks(BATCH)).map(request).collect()
}

#[cfg(not(feature = "cluster"))]
fn by_slot(keys: Vec<Vec<u8>>) -> Vec<Request> {
    keys.into_iter().map(|key| request(&[key])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(request: &Request) -> Vec<Vec<u8>> {
        one_by_one(request).into_iter().map(|request| request.key).collect()
    }

    #[cfg(feature = "cluster")]
    #[test]
    fn g09_keys_are_grouped_by_slot_and_none_is_lost() {
        use redis::cluster_routing::Slot;

        let all: Vec<_> = (0..10_000).map(|n| format!("sessions/s/{n}").into_bytes()).collect();
        let requests = by_slot(all.clone());
        assert!(requests.len() < all.len());
        let mut found = Vec::new();
        for request in &requests {
            let group = keys(request);
            assert!(group.iter().all(|key| Slot::for_key(key) == Slot::for_key(&request.key)));
            found.extend(group);
        }
        found.sort();
        let mut all = all;
        all.sort();
        assert_eq!(found, all);
    }

    #[test]
    fn g09_a_torn_group_falls_into_single_keys() {
        let group = request(&[b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(keys(&group), [b"a".to_vec(), b"b".to_vec()]);
    }

    #[test]
    fn g11_a_refusal_after_a_success_is_in_doubt_and_one_before_it_is_not() {
        let refused = || Err(Cause::Answered("READONLY".to_owned()));
        let mut tally = Tally::default();
        tally.add(refused());
        assert!(!tally.finish().expect_err("refused").maybe_applied);

        let mut tally = Tally::default();
        tally.add(Ok(Value::Int(3)));
        tally.add(refused());
        assert!(tally.finish().expect_err("refused").maybe_applied);
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
