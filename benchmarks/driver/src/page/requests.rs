//! What a request costs.

use serde_json::Value;

use super::{Page, cell, number};
use crate::budgets::better_base;

pub(crate) fn in_process(page: &mut Page, results: &Value) {
    page.text("## In process");
    page.text(
        "What the session layer adds to one request: a service called directly, on one thread, on a store in memory, less the same \
         service, with its handler asked for nothing, under a layer that only puts a unit value into the request's extensions. \
         Nanoseconds are medians of pairs of \
         rounds, with sessions and without in turn; allocations include reallocations; instructions are callgrind's, whose \
         processor computes SHA-256 in software. “Bare blocks” is no library, but the least that a session on the same cache can be: \
         the cookie found, the token hashed and compared, a call of moka or two, and the headers that a browser and a cache need, \
         with nothing merged, encoded, checked or expired by activity.",
    );
    let contenders = results["in_process"].as_object().cloned().unwrap_or_default();
    for (unit, title) in [
        ("added_ns", "Nanoseconds"),
        ("allocations", "Allocations"),
        ("bytes", "Bytes allocated"),
        ("instructions", "Instructions"),
    ] {
        let mut heads = vec![title];
        heads.extend(contenders.keys().map(String::as_str));
        let rows = CASES.iter().filter_map(|(case, words)| {
            let cells: Vec<String> = contenders.values().map(|cases| cell(&cases[*case][unit])).collect();
            let is_there = cells.iter().any(|cell| cell != "–");
            is_there.then(|| std::iter::once((*words).to_owned()).chain(cells).collect())
        });
        page.table(&heads, &rows.collect::<Vec<Vec<String>>>());
    }
    for (case, words) in
        [("read", "a read"), ("read_write", "a read and a write"), ("number_of_256k", "a number beside 256 KiB")]
    {
        let values =
            contenders.iter().filter_map(|(name, cases)| Some((name.clone(), cases[case]["added_ns"].as_f64()?)));
        page.bars(&format!("in-process-{case}"), &format!("Nanoseconds added in process: {words}"), values);
    }
}

pub(crate) const CASES: [(&str, &str); 13] = [
    ("anonymous", "no cookie, not asked for"),
    ("untouched", "cookie, not asked for"),
    ("read", "read"),
    ("read_write", "read and write"),
    ("new", "new session"),
    ("login", "login, with rotation"),
    ("destroy", "destroy"),
    ("number_of_1k", "read a number beside 1 KiB"),
    ("number_of_16k", "read a number beside 16 KiB"),
    ("number_of_256k", "read a number beside 256 KiB"),
    ("text_of_1k", "read a text of 1 KiB"),
    ("text_of_16k", "read a text of 16 KiB"),
    ("text_of_256k", "read a text of 256 KiB"),
];

pub(crate) fn parts(page: &mut Page, results: &Value) {
    page.text("### The parts of a request of ours");
    page.text(
        "On a store that answers at once, each line beginning with “open” adds to the one before it: `plan` is what deciding costs, \
         `insert` the encoding of a value, `commit` the merge, the encoding of the record and its version.",
    );
    let parts = results["parts"].as_object().into_iter().flatten();
    let rows = parts
        .map(|(name, part)| vec![name.clone(), cell(&part["ns"]), cell(&part["allocations"]), cell(&part["bytes"])]);
    page.table(&["part", "ns", "allocations", "bytes"], &rows.collect::<Vec<_>>());
}

pub(crate) fn over_http(page: &mut Page, results: &Value) {
    page.text("## Over HTTP");
    page.text(
        "One server thread pinned to one processor, 64 connections kept alive from another, each sending its next request when it has \
         its answer. Medians of the rounds, in which all contenders took turns. “Processor” is the processor time of the application \
         for one request, its client of the store included, the store not: it moves less than the rate when the machine does other \
         things. “Destroy” counts the new session before it in the processor time. “Login” is another user's each time, who becomes the \
         owner of the session here, which is indexed. Redis is on the processor of the load, where its programs \
         are on the machine, and empty before each case; SQLite's file before each contender.",
    );
    let contenders = &results["http"];
    let rate = |name: &str| contenders[name]["untouched"]["per_second"].as_f64().unwrap_or(f64::NAN);
    let (first, again) = (rate("axum without sessions"), rate("axum without sessions, again"));
    let base = rate(better_base(results));
    page.text(&format!(
        "The base is axum without sessions: {} requests a second, and {} when measured again at the end of each round. The \
         difference is the machine's; shares are of the higher one.",
        number(first),
        number(again)
    ));
    for (path, words) in PATHS {
        let rows: Vec<Vec<String>> = contenders
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, paths)| paths[path].is_object())
            .map(|(name, paths)| {
                let result = &paths[path];
                let share = result["per_second"].as_f64().map_or(f64::NAN, |per_second| per_second / base);
                let mut row = vec![name.clone(), cell(&result["per_second"]), format!("{share:.2}")];
                row.extend(["p50_us", "p99_us", "p99_9_us", "processor_us"].map(|name| cell(&result[name])));
                row
            })
            .collect();
        if rows.is_empty() {
            continue;
        }
        page.text(&format!("### {words}"));
        page.table(&["", "a second", "of the base", "p50, µs", "p99, µs", "p99.9, µs", "processor, µs"], &rows);
        let values = contenders
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, paths)| Some((name.clone(), paths[path]["per_second"].as_f64()?)));
        page.bars(&format!("http-{path}"), &format!("Requests a second: {}", words.to_lowercase()), values);
    }
}

pub(crate) const PATHS: [(&str, &str); 6] = [
    ("untouched", "Not asked for"),
    ("read", "Read"),
    ("read_write", "Read and write"),
    ("new", "New session"),
    ("login", "Login, with rotation"),
    ("destroy", "Destroy"),
];

pub(crate) fn limits(page: &mut Page, results: &Value) {
    page.text("### The limits");
    page.text(
        "What the clients do by themselves on the same backends in the same run: 64 operations in flight on one thread, and for the \
         Redis server 64 connections with one command each. Our stores on Postgres and SQLite can be faster than one statement for \
         each: requests that wait at once share a statement, or a transaction.",
    );
    let limits = results["limits"].as_object().into_iter().flatten();
    let rows = limits.map(|(name, limit)| {
        let words = LIMITS.iter().find(|(limit, _)| limit == name).map_or(name.as_str(), |(_, words)| words);
        vec![words.to_owned(), cell(&limit["alone"]["per_second"])]
    });
    page.table(&["", "a second"], &rows.collect::<Vec<_>>());
}

const LIMITS: [(&str, &str); 10] = [
    ("redis-get", "Redis, GET through the client"),
    ("redis-set", "Redis, SET through the client"),
    ("redis-server-get", "Redis, GET without pipelining"),
    ("redis-server-set", "Redis, SET without pipelining"),
    ("postgres-select", "Postgres, SELECT by key through sqlx, 10 connections"),
    ("postgres-update", "Postgres, UPDATE by key through sqlx, 10 connections"),
    ("sqlite-select", "SQLite, SELECT by key through sqlx"),
    ("sqlite-update", "SQLite, UPDATE by key through sqlx"),
    ("rusqlite-select", "SQLite, SELECT by key through rusqlite, no threads"),
    ("rusqlite-update", "SQLite, UPDATE by key through rusqlite, no threads"),
];

pub(crate) fn durable(page: &mut Page, results: &Value) {
    page.text("### On the disk");
    let Some(durable) = results["durable"].as_object() else {
        page.text("Not measured: the programs of Postgres are not on this machine.");
        return;
    };
    page.text(
        "Read and write when the answer waits for the disk: Postgres with `fsync` and `synchronous_commit`, SQLite with \
         `synchronous=FULL` on the disk. Writes that wait at once share an `fsync` here.",
    );
    let rows = durable.iter().map(|(name, paths)| {
        let result = &paths["read_write"];
        let mut row = vec![name.clone()];
        row.extend(["per_second", "p50_us", "p99_us", "p99_9_us"].map(|name| cell(&result[name])));
        row
    });
    page.table(&["", "a second", "p50, µs", "p99, µs", "p99.9, µs"], &rows.collect::<Vec<_>>());
}
