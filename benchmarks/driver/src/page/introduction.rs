//! What was compared, and with what.

use serde_json::Value;

use super::Page;

pub(crate) fn write(page: &mut Page, results: &Value) {
    page.text("# Benchmarks");
    page.text(
        "What a request costs with these sessions and with others, measured side by side in one run. Written by\n\n\
         ```sh\ncargo xtask bench          # about ten minutes, once everything is compiled\ncargo xtask bench --full   # \
         an hour: more rounds, a million sessions\n```",
    );
    let effort = results["effort"].as_str().unwrap_or("–");
    let seconds = results["seconds"].as_object().into_iter().flatten().filter_map(|(_, seconds)| seconds.as_u64());
    let minutes = seconds.sum::<u64>() / 60;
    page.text(&format!(
        "This page is from the {effort} form, which took {minutes} minutes; its figures are in \
         [`benchmarks/results/{effort}.json`](../benchmarks/results/{effort}.json). Absolute figures move from machine to \
         machine, and with whatever else a machine does meanwhile. Ratios within one table move less, the counts of allocations \
         and instructions hardly at all: trust those."
    ));
    let environment = &results["environment"];
    let text = |name: &str| match &environment[name] {
        Value::String(text) => text.clone(),
        Value::Null => "not there".to_owned(),
        other => other.to_string(),
    };
    page.table(
        &["", "measured with"],
        &[
            ("processor", format!("{}, {} of them", text("processor"), text("processors"))),
            ("memory", format!("{} MiB", text("memory_mib"))),
            ("system", text("system")),
            ("load average at the start", text("load_average")),
            ("compiler", format!("{}; {}", text("rustc"), text("profile"))),
            ("callgrind", text("valgrind")),
            ("Redis", version_of_redis(&text("redis"))),
            ("Postgres", text("postgres")),
        ]
        .map(|(name, value)| vec![name.to_owned(), value]),
    );
    page.text("Versions, from the lock file; all of them as the registry has them, with their defaults:");
    let versions = environment["versions"].as_object().into_iter().flatten().map(|(name, versions)| {
        let versions = versions.as_array().into_iter().flatten().filter_map(Value::as_str);
        format!("{name} {}", versions.collect::<Vec<_>>().join(" and "))
    });
    page.text(&(versions.collect::<Vec<_>>().join(", ") + "."));
    page.text(
        "- **The same application for all**: the handlers are alike but for the names of the methods \
         ([`benchmarks/`](../benchmarks)). tower-sessions is of the version that each of its stores is made for. actix-session has \
         no store in memory of its own; in process it is measured on a map.\n\
         - **A read and a write are not the same everywhere.** tower-sessions and actix-session write the session as a whole; \
         `axum_session` answers reads from the memory of the process; ours is a compare-and-swap, and reads the store with every \
         request that asks.\n\
         - **A disk is not waited for** unless a table says so: Postgres runs without `fsync`, SQLite's file lies in memory (with \
         the same journal and `synchronous=FULL` for everybody). Redis appends to its log.",
    );
}

/// Out of what it says of itself: `Redis server v=7.0.15 sha=…`.
fn version_of_redis(text: &str) -> String {
    text.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or(text).to_owned()
}
