//! The budgets, and what became of each.

use serde_json::Value;

use crate::contenders::BARE;
use crate::page::number;

/// One row.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) what: String,
    pub(crate) budget: String,
    pub(crate) ours: String,
    pub(crate) peer: String,
    pub(crate) limit: String,
    pub(crate) verdict: Verdict,
}

/// What became of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    Missed,
    /// The rate says one thing and the processor time another: the machine was doing something else.
    Divided {
        by_rate: bool,
    },
    NotMeasured,
}

impl Verdict {
    fn of(is_met: Option<bool>) -> Self {
        match is_met {
            Some(true) => Self::Met,
            Some(false) => Self::Missed,
            None => Self::NotMeasured,
        }
    }
}

/// All of them, from the results of one run.
pub(crate) fn all(results: &Value) -> Vec<Budget> {
    let mut budgets = Vec::new();
    for (case, what, share, allocations, instructions) in IN_PROCESS {
        budgets.push(time(results, case, what, share));
        budgets.push(count(results, case, what, "allocations", allocations));
        budgets.push(count(results, case, what, "instructions", instructions));
    }
    for (contender, path, share, limit) in OF_BASE {
        budgets.push(of_base(results, contender, path, share, limit));
    }
    for (store, path, times) in TIMES_PEER {
        budgets.push(times_peer(results, store, path, times));
    }
    for (contender, store, bytes) in BYTES {
        budgets.push(held(results, contender, store, bytes));
    }
    budgets.push(overlap(results));
    budgets
}

pub(crate) const OURS: &str = "sessions, memory";
const REFERENCE: &str = "tower-sessions, memory";
const BASE: &str = "axum without sessions";
const BASE_AGAIN: &str = "axum without sessions, again";

/// Case, words, share of the reference's time in the same run, allocations, instructions.
///
/// The shares are those of the budgets in nanoseconds, 150, 350, 860, 900, 350 and 350, of the reference on the machine that
/// they were set on, 593, 878, 1 721, 1 877, 1 251 and 1 684: nanoseconds do not travel, shares do.
const IN_PROCESS: [(&str, &str, f64, f64, f64); 6] = [
    ("untouched", "untouched", 0.253, 2.0, 2_000.0),
    ("read", "read", 0.399, 5.0, 5_000.0),
    ("read_write", "read and write", 0.500, 12.0, 10_000.0),
    ("new", "new session", 0.479, 10.0, 9_000.0),
    ("number_of_1k", "read one of nine values, 1 KiB", 0.280, 5.0, 5_000.0),
    ("number_of_16k", "read one of nine values, 16 KiB", 0.208, 5.0, 5_000.0),
];

/// Contender, path, share of the base's requests per second, and the limit: the bare blocks, and the client in bare handlers, which
/// compare before they write as every session has to that loses nothing.
const OF_BASE: [(&str, &str, f64, Option<&str>); 3] = [
    ("sessions, memory", "untouched", 0.92, Some(BARE)),
    ("sessions, Redis", "read", 0.55, Some("bare handlers, Redis")),
    ("sessions, Redis", "read_write", 0.40, Some("bare handlers that compare, Redis")),
];

/// Store, path, times the requests per second of tower-sessions.
const TIMES_PEER: [(&str, &str, f64); 4] = [
    ("Postgres", "read", 2.0),
    ("Postgres", "read_write", 1.7),
    ("SQLite", "read", 2.0),
    ("SQLite", "read_write", 2.0),
];

const BYTES: [(&str, &str, f64); 5] = [
    ("sessions, memory", "memory", 620.0),
    ("sessions, memory, with owners", "memory", 820.0),
    ("sessions, Redis, with owners", "redis", 320.0),
    ("sessions, Postgres, with owners", "postgres", 300.0),
    ("sessions, SQLite, with owners", "sqlite", 260.0),
];

fn time(results: &Value, case: &str, what: &str, share: f64) -> Budget {
    let added = |contender: &str| results["in_process"][contender][case]["added_ns"].as_f64();
    let (ours, reference) = (added(OURS), added(REFERENCE));
    let of_reference = |ns: f64| format!("{} ns, {:.2}", number(ns), ns / reference.unwrap_or(f64::NAN));
    let peer = best_in_process(results, case, "added_ns");
    Budget {
        what: format!("{what}, in process: time, as share of {REFERENCE}"),
        budget: format!("≤ {share:.2}"),
        ours: ours.map_or_else(unknown, of_reference),
        peer: peer.map_or_else(unknown, |(name, ns)| format!("{} ({name})", of_reference(ns))),
        limit: added(BARE).map_or_else(String::new, |bare| format!("{} (bare blocks)", of_reference(bare))),
        verdict: Verdict::of(ours.zip(reference).map(|(ours, reference)| ours / reference <= share)),
    }
}

fn count(results: &Value, case: &str, what: &str, unit: &str, budget: f64) -> Budget {
    let ours = &results["in_process"][OURS][case];
    let count = ours[unit].as_f64();
    let sha256 = ours["instructions_sha256"].as_f64().filter(|sha256| unit == "instructions" && *sha256 > 0.0);
    let sha256 = sha256.map(|sha256| format!("{} of ours SHA-256 in software", number(sha256)));
    let bare = results["in_process"][BARE][case][unit].as_f64().map(|bare| format!("{} (bare blocks)", number(bare)));
    let peer = best_in_process(results, case, unit);
    Budget {
        what: format!("{what}, in process: {unit}"),
        budget: format!("≤ {}", number(budget)),
        ours: count.map_or_else(unknown, number),
        peer: peer.map_or_else(unknown, |(name, count)| format!("{} ({name})", number(count))),
        limit: bare.into_iter().chain(sha256).collect::<Vec<_>>().join(", "),
        // The counts of a store that clears up now and then are averages.
        verdict: Verdict::of(count.map(|count| count < budget + 0.5)),
    }
}

/// The least of the other libraries, which the bare blocks are not.
pub(crate) fn best_in_process(results: &Value, case: &str, unit: &str) -> Option<(String, f64)> {
    let contenders =
        results["in_process"].as_object()?.iter().filter(|(name, _)| ![OURS, BARE].contains(&name.as_str()));
    let counts = contenders.filter_map(|(name, cases)| Some((name.clone(), cases[case][unit].as_f64()?)));
    counts.min_by(|one, other| one.1.total_cmp(&other.1))
}

pub(crate) fn per_second(results: &Value, contender: &str, path: &str) -> Option<f64> {
    results["http"][contender][path]["per_second"].as_f64()
}

/// How a contender compares with another: by requests a second, and by the processor time of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison {
    pub(crate) by_rate: Option<f64>,
    pub(crate) by_processor: Option<f64>,
}

impl Comparison {
    pub(crate) fn of(results: &Value, contender: (&str, &str), other: (&str, &str)) -> Self {
        let number = |(name, path): (&str, &str), unit: &str| results["http"][name][path][unit].as_f64();
        let both = |unit: &str| number(contender, unit).zip(number(other, unit));
        Self {
            by_rate: both("per_second").map(|(contender, other)| contender / other),
            by_processor: both("processor_us").map(|(contender, other)| other / contender),
        }
    }

    fn words(self) -> String {
        let Self { by_rate: Some(by_rate), by_processor } = self else { return unknown() };
        by_rate_and(by_rate, by_processor)
    }

    fn verdict(self, least: f64) -> Verdict {
        let is_met = |value: Option<f64>| value.map(|value| value >= least);
        match (is_met(self.by_rate), is_met(self.by_processor)) {
            (Some(by_rate), Some(by_processor)) if by_rate != by_processor => Verdict::Divided { by_rate },
            (by_rate, _) => Verdict::of(by_rate),
        }
    }
}

fn by_rate_and(by_rate: f64, by_processor: Option<f64>) -> String {
    by_processor.map_or_else(|| two(by_rate), |by_processor| format!("{by_rate:.2}, {by_processor:.2}"))
}

fn of_base(results: &Value, contender: &str, path: &str, share: f64, limit: Option<&str>) -> Budget {
    let base = better_base(results);
    let compared = |name: &str| Comparison::of(results, (name, path), (base, "untouched"));
    let peer = best_over_http(results, contender, path);
    Budget {
        what: format!("{contender}, {}: share of {BASE}", path.replace('_', " and ")),
        budget: format!("≥ {share:.2}"),
        ours: compared(contender).words(),
        peer: peer.map_or_else(unknown, |name| format!("{} ({name})", compared(&name).words())),
        limit: limit.map_or_else(String::new, |limit| format!("{} ({limit})", compared(limit).words())),
        verdict: compared(contender).verdict(share),
    }
}

fn times_peer(results: &Value, store: &str, path: &str, times: f64) -> Budget {
    let (ours, reference) = (format!("sessions, {store}"), format!("tower-sessions, {store}"));
    let compared = |name: &str| Comparison::of(results, (name, path), (&reference, path));
    let operation = if path == "read" { "select" } else { "update" };
    let limit = results["limits"][format!("{}-{operation}", store.to_lowercase())]["alone"]["per_second"].as_f64();
    let peer = best_over_http(results, &ours, path);
    Budget {
        what: format!("{ours}, {}: times {reference}", path.replace('_', " and ")),
        budget: format!("≥ {times:.1}"),
        ours: compared(&ours).words(),
        peer: peer.map_or_else(unknown, |name| format!("{} ({name})", compared(&name).words())),
        limit: limit.map_or_else(String::new, |limit| {
            format!(
                "{} single {operation}s a second, {} requests",
                number(limit),
                per_second(results, &ours, path).map_or_else(unknown, number)
            )
        }),
        verdict: compared(&ours).verdict(times),
    }
}

/// The base is measured at the beginning of a round and at its end: what is compared with it is compared with the faster one.
pub(crate) fn better_base(results: &Value) -> &'static str {
    let rate = |name: &str| per_second(results, name, "untouched").unwrap_or_default();
    if rate(BASE_AGAIN) > rate(BASE) { BASE_AGAIN } else { BASE }
}

/// The fastest other library on the same kind of store.
pub(crate) fn best_over_http(results: &Value, ours: &str, path: &str) -> Option<String> {
    let store = ours.rsplit(", ").next()?;
    let is_peer = |name: &str| {
        let same = name.ends_with(store) || store == "memory" && name.ends_with("moka");
        same && name != ours && !name.starts_with("bare")
    };
    let contenders = results["http"].as_object()?.keys().filter(|name| is_peer(name));
    let rates = contenders.filter_map(|name| Some((name.clone(), per_second(results, name, path)?)));
    Some(rates.max_by(|one, other| one.1.total_cmp(&other.1))?.0)
}

fn held(results: &Value, contender: &str, store: &str, budget: f64) -> Budget {
    let rows = || results["scale"]["bytes"].as_array().into_iter().flatten().filter(|row| row["store"] == store);
    // The most sessions that were measured.
    let ours = rows().filter(|row| row["contender"] == contender).filter_map(|row| row["bytes"].as_f64()).next_back();
    let is_peer = |name: &str| !name.starts_with("sessions,") && name != BARE;
    let peers = rows().filter(|row| row["contender"].as_str().is_some_and(is_peer));
    let peer = peers
        .filter_map(|row| Some((row["contender"].as_str()?, row["bytes"].as_f64()?)))
        .min_by(|one, other| one.1.total_cmp(&other.1));
    let without = contender.strip_suffix(", with owners").map(|plain| {
        let plain = rows().filter(|row| row["contender"] == plain).filter_map(|row| row["bytes"].as_f64()).next_back();
        plain.map_or_else(unknown, |bytes| format!("{} without owners", number(bytes)))
    });
    Budget {
        what: format!("{contender}: bytes of a small session"),
        budget: format!("≤ {}", number(budget)),
        ours: ours.map_or_else(unknown, number),
        peer: peer.map_or_else(unknown, |(name, bytes)| format!("{} ({name})", number(bytes))),
        limit: without.unwrap_or_default(),
        verdict: Verdict::of(ours.map(|ours| ours <= budget)),
    }
}

fn overlap(results: &Value) -> Budget {
    // A counter that is not exact ends the run.
    let stores = ["redis", "postgres", "sqlite"];
    let is_measured = stores.iter().all(|store| results["scale"]["contention"][store].is_array());
    Budget {
        what: "64 writers on one session, across processes: increments that are there".to_owned(),
        budget: "all".to_owned(),
        ours: if is_measured { "all".to_owned() } else { unknown() },
        peer: String::new(),
        limit: String::new(),
        verdict: Verdict::of(is_measured.then_some(true)),
    }
}

fn two(share: f64) -> String {
    format!("{share:.2}")
}

fn unknown() -> String {
    "–".to_owned()
}
