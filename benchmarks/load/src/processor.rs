//! The processor time of the application: what a request costs, whoever else is using the machine.

use std::fs;
use std::time::Duration;

use crate::latency::Window;

/// What the process took within the window; nothing where the system does not tell.
pub(crate) async fn spent_within(process: u32, window: Window) -> Option<Duration> {
    tokio::time::sleep_until(window.begin().into()).await;
    let begin = spent(process)?;
    tokio::time::sleep_until(window.end().into()).await;
    spent(process)?.checked_sub(begin)
}

/// What all threads took so far.
fn spent(process: u32) -> Option<Duration> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task")).ok()? {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        nanos += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanos))
}
