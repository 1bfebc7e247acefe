//! What it takes to hold a million sessions, a hundred million, a billion: arithmetic on what was measured.

use serde_json::Value;

use super::{Page, number};
use crate::stats::rounded;

/// Writes the whole page.
pub(crate) fn write(results: &Value) -> String {
    let measured = Measured::of(results);
    let mut page = Page::default();
    page.text("# Holding millions of sessions");
    page.text(&format!(
        "What it takes to hold 10⁶, 10⁸ and 10⁹ sessions, calculated from what `cargo xtask bench` measured for \
         [benchmarks.md](benchmarks.md), on {} processors shared by the application, its load and the server. Written by the same \
         command. A larger machine does more; the bytes stay.",
        results["environment"]["processors"]
    ));
    page.text(&format!(
        "All rates are those among {} sessions, the most that were measured, and fall slowly with their number: what is said of 10⁸ \
         and 10⁹ is extrapolated.",
        number(measured.most())
    ));
    demand(&mut page);
    memory(&mut page, &measured);
    sqlite(&mut page, &measured);
    postgres(&mut page, &measured);
    redis(&mut page, &measured);
    page.text(include_str!("scaling/end.md").trim_end());
    page.text
}

/// What the calculations rest on.
struct Measured<'a>(&'a Value);

impl<'a> Measured<'a> {
    fn of(results: &'a Value) -> Self {
        Self(&results["scale"])
    }

    /// Bytes of a small session with an owner, among the most that were measured.
    fn bytes(&self, contender: &str) -> f64 {
        let rows = self.0["bytes"].as_array().into_iter().flatten();
        let mut rows = rows.filter(|row| row["contender"] == contender).filter_map(|row| row["bytes"].as_f64());
        rows.next_back().unwrap_or(f64::NAN)
    }

    /// The most sessions among which operations were measured.
    fn most(&self) -> f64 {
        let line = self.0["operations"]["postgres"].as_array().and_then(|lines| lines.last());
        line.and_then(|line| line["sessions"].as_f64()).unwrap_or(f64::NAN)
    }

    /// How many a second, 64 at a time, among the most sessions that were measured.
    fn rate(&self, store: &str, operation: &str) -> f64 {
        let line = self.0["operations"][store].as_array().and_then(|lines| lines.last());
        line.and_then(|line| line[operation]["64_at_a_time"]["per_second"].as_f64()).unwrap_or(f64::NAN)
    }

    fn creates(&self, store: &str) -> f64 {
        let line = self.0["operations"][store].as_array().and_then(|lines| lines.last());
        line.and_then(|line| line["create"]["many_per_second"].as_f64()).unwrap_or(f64::NAN)
    }

    fn purged(&self, store: &str) -> f64 {
        self.0["purge"][store]["purged_per_second"].as_f64().unwrap_or(f64::NAN)
    }

    /// Bytes of an operation: `sent`, `received`, `log`.
    fn traffic(&self, store: &str, operation: &str, which: &str) -> f64 {
        let lines = self.0["traffic"][store].as_array().into_iter().flatten();
        let line = lines.into_iter().find(|line| line["operation"] == operation);
        line.and_then(|line| line[which].as_f64()).unwrap_or(f64::NAN)
    }

    /// The share of one server of the measured kind that the load takes, each operation by its rate.
    fn servers(&self, store: &str, demand: Demand) -> f64 {
        demand.loads / self.rate(store, "load")
            + demand.updates / self.rate(store, "update")
            + demand.creates / self.creates(store)
    }
}

/// Operations a second.
#[derive(Clone, Copy)]
struct Demand {
    sessions: f64,
    loads: f64,
    updates: f64,
    creates: f64,
}

impl Demand {
    fn of(sessions: f64) -> Self {
        let loads = sessions / BETWEEN_REQUESTS;
        Self { sessions, loads, updates: loads * WRITES, creates: sessions / LIFETIME }
    }

    fn each() -> [(&'static str, Self); 3] {
        [("10⁶", Self::of(1e6)), ("10⁸", Self::of(1e8)), ("10⁹", Self::of(1e9))]
    }
}

/// Seconds; the page says them in words.
const BETWEEN_REQUESTS: f64 = 600.0;
const LIFETIME: f64 = 86_400.0;
const WRITES: f64 = 0.1;
/// How full servers are planned.
const HEADROOM: f64 = 0.5;
const GIB: f64 = 1_073_741_824.0;

fn demand(page: &mut Page) {
    page.text("## The load");
    page.text(
        "Each session sends a request that reads it every ten minutes, and writes with one request in ten; it lives for a day. So \
         with every session a store has to answer:",
    );
    let rows = Demand::each().map(|(name, demand)| {
        let Demand { loads, updates, creates, .. } = demand;
        let cells = [loads, updates, creates, creates].map(short);
        std::iter::once(name.to_owned()).chain(cells).collect()
    });
    page.table(&["sessions", "loads/s", "updates/s", "creates/s", "expired/s"], &rows);
    page.text(
        "Other rates scale the figures below in proportion. An idle timeout adds a touch to a request when a sixteenth of the window \
         has passed since the last one: with a window of 30 minutes every request of this load touches, with one of a day one in \
         nine. Where the expiry is indexed, a touch costs three to four times as much as an update that leaves it alone: their rates \
         are in [benchmarks.md](benchmarks.md), and a window of half an hour adds to the machines below accordingly.",
    );
}

fn memory(page: &mut Page, measured: &Measured<'_>) {
    page.text("## In memory");
    let bytes = measured.bytes("sessions, memory, with owners");
    page.text(&format!(
        "A small session with its owner takes {} bytes: {} for 10⁶ sessions, {} for 10⁸. A load is answered {} times a second on one \
         processor, which no application exhausts. Purging is done beside each create, at {} a second if asked for.",
        number(bytes),
        size(bytes * 1e6),
        size(bytes * 1e8),
        short(measured.rate("memory", "load")),
        short(measured.purged("memory")),
    ));
    page.text(
        "**It stops being right** with the second process, and with the first deployment that may not sign everybody out: not with \
         the number of sessions.",
    );
}

fn sqlite(page: &mut Page, measured: &Measured<'_>) {
    page.text("## SQLite");
    let bytes = measured.bytes("sessions, SQLite, with owners");
    let rows = Demand::each().map(|(name, demand)| {
        let used = measured.servers("sqlite", demand);
        let cells = [
            size(bytes * demand.sessions),
            percent(used),
            percent(demand.creates / measured.purged("sqlite")),
            if used < HEADROOM { "yes" } else { "no" }.to_owned(),
        ];
        std::iter::once(name.to_owned()).chain(cells).collect()
    });
    page.text(
        "One file, written by one connection at a time. Without waiting for the disk, that is with `relaxed_durability` or on a disk \
         that is fast enough:",
    );
    page.table(&["sessions", "file", "of the measured rate", "of the purge rate", "holds"], &rows);
    page.text(
        "**It stops being right** where sessions are shared by machines; and where writes come faster than the disk acknowledges \
         batches of up to 64.",
    );
}

fn postgres(page: &mut Page, measured: &Measured<'_>) {
    page.text("## Postgres");
    let bytes = measured.bytes("sessions, Postgres, with owners");
    let rows = Demand::each().map(|(name, demand)| {
        let data = bytes * demand.sessions;
        let log = demand.creates * measured.traffic("postgres", "create", "log")
            + demand.updates * measured.traffic("postgres", "update", "log")
            + demand.creates * measured.traffic("postgres", "delete", "log");
        let cells = [
            size(data),
            number((measured.servers("postgres", demand) / HEADROOM * 10.0).ceil() / 10.0),
            short(demand.updates + demand.creates),
            format!("{}/s", size(log)),
            percent(demand.creates / measured.purged("postgres")),
            number((data / (8.0 * GIB)).max(1.0).log2().ceil().exp2()),
        ];
        std::iter::once(name.to_owned()).chain(cells).collect()
    });
    page.table(
        &[
            "sessions",
            "table and indexes",
            "machines as measured",
            "dead rows/s",
            "log",
            "of the purge rate",
            "partitions",
        ],
        &rows,
    );
    page.text(include_str!("scaling/postgres.md").trim_end());
}

fn redis(page: &mut Page, measured: &Measured<'_>) {
    page.text("## Redis and Redis Cluster");
    let bytes = measured.bytes("sessions, Redis, with owners");
    let plain = measured.bytes("sessions, Redis");
    page.text(&format!(
        "A small session takes {} bytes, {} with an owner of its own, whose index is a key of its own. Shards are counted by memory, \
         with 16 GiB each and half of it free for fragmentation, replication buffers and a rewrite of the log; and by operations, at \
         half of the measured rates ({} loads, {} updates, {} creates a second on one server).",
        number(plain),
        number(bytes),
        short(measured.rate("redis", "load")),
        short(measured.rate("redis", "update")),
        short(measured.creates("redis")),
    ));
    let rows = Demand::each().map(|(name, demand)| {
        let data = bytes * demand.sessions;
        let by_memory = (data / HEADROOM / (16.0 * GIB)).ceil();
        let by_operations = (measured.servers("redis", demand) / HEADROOM).ceil();
        let traffic = |which: &str| {
            demand.loads * measured.traffic("redis", "load", which)
                + demand.updates * measured.traffic("redis", "update", which)
                + demand.creates * measured.traffic("redis", "create", which)
        };
        let cells = [
            size(data),
            number(by_memory),
            number(by_operations),
            number(by_memory.max(by_operations)),
            format!("{}/s", size(traffic("sent"))),
            format!("{}/s", size(traffic("received"))),
        ];
        std::iter::once(name.to_owned()).chain(cells).collect()
    });
    let heads =
        ["sessions", "data", "shards by memory", "by operations", "shards", "to the servers", "from the servers"];
    page.table(&heads, &rows);
    page.text(include_str!("scaling/redis.md").trim_end());
}

fn short(value: f64) -> String {
    number(rounded(value))
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    format!("{} %", if percent < 10.0 { number((percent * 10.0).round() / 10.0) } else { short(percent) })
}

fn size(bytes: f64) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 1_000.0 && unit + 1 < units.len() {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{} {}", short(value), units[unit])
}
