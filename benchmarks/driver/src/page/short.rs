//! Who is ahead, and who is not.

use serde_json::Value;

use super::requests::{CASES, PATHS};
use super::{Page, number};
use crate::budgets::{Comparison, OURS, best_in_process, best_over_http, per_second};

pub(crate) fn write(page: &mut Page, results: &Value) {
    page.text("## In short");
    page.text(
        "Ours beside the fastest of the other libraries: in process in memory, over HTTP on the same store. Over 1 means that ours \
         is faster, under 1 that the other is; within 5 % nobody is ahead. Over HTTP there are two figures, as everywhere below: \
         by requests a second, and by the processor time of the application. Where sessions are not asked for, no store is, and \
         one row is for all.",
    );
    let in_process = CASES.iter().filter_map(|(case, words)| in_process(results, case, words));
    let over_http = STORES.iter().flat_map(|store| {
        let ours = format!("sessions, {store}");
        let asked = move |path: &str| *store == "memory" || path != "untouched";
        let paths = PATHS.iter().filter(move |(path, _)| asked(path));
        paths.filter_map(move |(path, words)| over_http(results, &ours, path, words))
    });
    let rows: Vec<Vec<String>> = in_process.chain(over_http).collect();
    page.table(&["", "ours", "the fastest other", "", "times as fast"], &rows);
    page.text(
        "Where ours is behind, this is what is paid for. In memory, new sessions, logins and destroys: what moka and the indexes by \
         expiry and owner keep up with, so that the store is bounded, purged and asked for a user's sessions. Large texts: a \
         checksum over each value that is read. Writes to a store that processes share: a version from the system's randomness, so \
         that a write whose answer was lost is found again. On Redis by rate, where the server and the load share a processor: \
         for a login the index of its owner, which is a command of its own and keeps the server busy longer than the session does. \
         Reads on Postgres and SQLite: the store is asked each time, and not the memory of the process.",
    );
}

const STORES: [&str; 4] = ["memory", "Redis", "Postgres", "SQLite"];

fn in_process(results: &Value, case: &str, words: &str) -> Option<Vec<String>> {
    let ours = results["in_process"][OURS][case]["added_ns"].as_f64()?;
    let (name, other) = best_in_process(results, case, "added_ns")?;
    let (ours_ns, other_ns) = (format!("{} ns", number(ours)), format!("{} ns", number(other)));
    Some(vec![format!("in process: {words}"), ours_ns, other_ns, name, times(other / ours)])
}

fn over_http(results: &Value, contender: &str, path: &str, words: &str) -> Option<Vec<String>> {
    let ours = per_second(results, contender, path)?;
    let name = best_over_http(results, contender, path)?;
    let other = per_second(results, &name, path)?;
    let rate = |per_second: f64| format!("{}/s", number(per_second));
    let comparison = Comparison::of(results, (contender, path), (&name, path));
    let store = contender.rsplit(' ').next().unwrap_or(contender);
    Some(vec![format!("{store}: {}", words.to_lowercase()), rate(ours), rate(other), name, compared(comparison)])
}

fn compared(comparison: Comparison) -> String {
    let Comparison { by_rate, by_processor } = comparison;
    by_rate.into_iter().chain(by_processor).map(times).collect::<Vec<_>>().join(", ")
}

fn times(ratio: f64) -> String {
    if ratio > 1.05 { format!("**{ratio:.2}**") } else { format!("{ratio:.2}") }
}
