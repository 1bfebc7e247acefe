//! Many sessions, large records, many writers, many expired rows.

use serde_json::Value;

use super::{Page, cell, rate};
use crate::plot::{Line, lines};

pub(crate) fn write(page: &mut Page, results: &Value) {
    let scale = &results["scale"];
    page.text("## At scale");
    page.text("What follows from these figures for a million sessions and more is in [scaling.md](scaling.md).");
    bytes(page, &scale["bytes"]);
    operations(page, &scale["operations"]);
    records(page, &scale["records"]);
    contention(page, &scale["contention"]);
    purge(page, &scale["purge"]);
}

fn bytes(page: &mut Page, rows: &Value) {
    page.text("### Bytes of a small session");
    page.text(
        "A user's id and a text of 32 characters. In memory: what the allocator has handed out and not got back. Redis: the growth of \
         `used_memory`. Postgres: tables and indexes. SQLite: the file. “With owners”: the user is the session's owner, and is \
         indexed, each with one session.",
    );
    let rows: Vec<&Value> = rows.as_array().into_iter().flatten().collect();
    let table = rows.iter().map(|row| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        vec![text("contender"), cell(&row["sessions"]), cell(&row["bytes"])]
    });
    page.table(&["", "sessions", "bytes each"], &table.collect::<Vec<_>>());
    let least = rows.iter().filter_map(|row| row["sessions"].as_u64()).min();
    let values = rows
        .iter()
        .filter(|row| row["sessions"].as_u64() == least)
        .filter_map(|row| Some((row["contender"].as_str()?.to_owned(), row["bytes"].as_f64()?)));
    page.bars("bytes", "Bytes of a small session", values);
}

fn operations(page: &mut Page, stores: &Value) {
    page.text("### Operations among many sessions");
    page.text(
        "The store trait of ours called directly, with records of 175 bytes: the median of an operation by itself, in microseconds, \
         and how many a second 64 callers get.",
    );
    let mut rows = Vec::new();
    for (store, line) in each_line(stores) {
        let mut row = vec![store.to_owned(), cell(&line["sessions"])];
        for operation in ["load", "update", "touch"] {
            row.push(cell(&line[operation]["alone"]["p50_us"]));
        }
        for operation in ["load", "update", "touch"] {
            row.push(rate(&line[operation]["64_at_a_time"]["per_second"]));
        }
        row.push(rate(&line["create"]["many_per_second"]));
        rows.push(row);
    }
    let heads =
        ["", "sessions", "load, µs", "update, µs", "touch, µs", "loads/s", "updates/s", "touches/s", "creates/s"];
    page.table(&heads, &rows);
    let curves = curves(stores, "sessions", |line| line["load"]["64_at_a_time"]["per_second"].as_f64());
    plot(page, "operations", "Loads a second among so many sessions", "sessions", &curves);
}

fn records(page: &mut Page, stores: &Value) {
    page.text("### Operations with large records");
    let mut rows = Vec::new();
    for (store, line) in each_line(stores) {
        let mut row = vec![store.to_owned(), cell(&line["record_bytes"])];
        row.extend(["load", "update"].map(|operation| cell(&line[operation]["alone"]["p50_us"])));
        row.extend(["load", "update"].map(|operation| rate(&line[operation]["64_at_a_time"]["per_second"])));
        rows.push(row);
    }
    page.table(&["", "bytes", "load, µs", "update, µs", "loads/s", "updates/s"], &rows);
    let curves = curves(stores, "record_bytes", |line| line["update"]["64_at_a_time"]["per_second"].as_f64());
    plot(page, "records", "Updates a second of records of so many bytes", "bytes", &curves);
}

fn contention(page: &mut Page, stores: &Value) {
    page.text("### Writers on one session");
    page.text(
        "So many writers load one session, count up and commit, over and over. The counter was exact every time: that is asserted. \
         Two managers have no memory in common, as two processes have none.",
    );
    let mut rows = Vec::new();
    for (store, line) in each_line(stores) {
        let mut row = vec![store.to_owned(), cell(&line["managers"]), cell(&line["writers"])];
        row.extend(["per_second", "p50_us", "p99_us", "store_calls", "failed"].map(|name| rate(&line[name])));
        rows.push(row);
    }
    let heads = ["", "managers", "writers", "commits/s", "p50, µs", "p99, µs", "store calls each", "gave up"];
    page.table(&heads, &rows);
    let curves = curves(stores, "writers", |line| {
        line["per_second"].as_f64().filter(|_| line["managers"] == 2 || line["store_calls"] == 2.0)
    });
    plot(page, "contention", "Commits a second to one session, two managers", "writers", &curves);
}

fn purge(page: &mut Page, stores: &Value) {
    page.text("### The purge");
    page.text(
        "16 callers load and update live sessions while expired ones are purged in batches of 500, one right after the other; and the \
         same before and after. The stores by themselves purge in such batches once a minute. Redis expires by itself.",
    );
    let mut rows = Vec::new();
    for (store, result) in stores.as_object().into_iter().flatten() {
        let mut row = vec![store.clone(), cell(&result["purged"]), rate(&result["purged_per_second"])];
        for name in ["p99_us", "per_second"] {
            row.extend(["before", "during", "after"].map(|phase| rate(&result[phase][name])));
        }
        rows.push(row);
    }
    let heads = ["", "purged", "a second", "p99 before, µs", "during", "after", "requests/s before", "during", "after"];
    page.table(&heads, &rows);
}

fn each_line(stores: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let stores = stores.as_object().into_iter().flatten();
    stores.flat_map(|(store, lines)| lines.as_array().into_iter().flatten().map(move |line| (store.as_str(), line)))
}

/// One line for each store.
fn curves(stores: &Value, across: &str, up: impl Fn(&Value) -> Option<f64>) -> Vec<Line> {
    let stores = stores.as_object().into_iter().flatten();
    stores
        .map(|(store, lines)| {
            let points =
                lines.as_array().into_iter().flatten().filter_map(|line| Some((line[across].as_f64()?, up(line)?)));
            Line { name: store.clone(), points: points.collect() }
        })
        .collect()
}

fn plot(page: &mut Page, name: &str, title: &str, across: &str, curves: &[Line]) {
    if curves.iter().any(|curve| !curve.points.is_empty()) {
        page.plot(name, title, lines(title, across, "a second", curves));
    }
}
