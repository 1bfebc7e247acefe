//! What a session takes in memory.

use serde_json::{Value, json};

use crate::case::Job;
use crate::command::Contender;
use crate::count::Counter;
use crate::runner::Runner;

/// The bytes that so many small sessions hold, each.
pub(crate) async fn hold<C: Contender>(make: &impl Fn() -> C, count: u32, owned: bool, counter: Counter) -> Value {
    let before = counter().held;
    let contender = make();
    let mut maker = contender.with(Job::SignUp { owned }).await;
    for _ in 0..count {
        drop(maker.request(None).await);
    }
    let each = (counter().held - before) / f64::from(count);
    json!({ "sessions": count, "owned": owned, "bytes": each.round() })
}
