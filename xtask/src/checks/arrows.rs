//! Who may depend on whom: all arrows point at sessions-core, which knows neither a runtime nor HTTP; stores know no HTTP
//! and no sibling; the adapter knows no store.

use super::verdict;
use crate::command::{cargo, output};
use crate::error::Error;

/// Asks cargo for the whole tree below each crate, with every feature and for every platform.
pub(crate) fn check() -> Result<(), Error> {
    let mut findings = Vec::new();
    for (package, forbidden) in RULES {
        let arguments = ["tree", "--package", package, "--all-features", "--target", "all"];
        let tree = output(cargo(&arguments).args(["--edges", "normal", "--prefix", "none", "--format", "{p}"]))?;
        findings.extend(forbidden_in(&tree, &forbidden.concat()).map(|name| format!("{package} pulls in {name}")));
    }
    verdict(&findings)
}

fn forbidden_in<'a>(tree: &'a str, forbidden: &[&str]) -> impl Iterator<Item = &'a str> {
    let mut names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter(|name| forbidden.contains(name))
}

type Names = &'static [&'static str];

const RULES: [(&str, &[Names]); 5] = [
    ("sessions-core", &[RUNTIMES, HTTP, STORES, ADAPTERS]),
    ("sessions-memory", &[HTTP, ADAPTERS, &["sessions-redis", "sessions-sqlx"]]),
    ("sessions-redis", &[HTTP, ADAPTERS, &["sessions-memory", "sessions-sqlx"]]),
    ("sessions-sqlx", &[HTTP, ADAPTERS, &["sessions-memory", "sessions-redis"]]),
    ("sessions-tower", &[STORES]),
];

const RUNTIMES: Names = &["async-std", "mio", "smol", "tokio", "tokio-util"];
const HTTP: Names = &[
    "actix-web",
    "axum",
    "axum-core",
    "cookie",
    "headers",
    "http",
    "http-body",
    "hyper",
    "reqwest",
    "tower",
    "tower-http",
    "tower-layer",
    "tower-service",
    "warp",
];
const STORES: Names = &["sessions-memory", "sessions-redis", "sessions-sqlx"];
const ADAPTERS: Names = &["sessions-tower"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_crate_is_seen_wherever_it_is() {
        let tree = "sessions-core v0.1.0 (/here)\nbytes v1.12.0\nhttp v1.4.0 (*)\nhttpdate v1.0.3\nhttp v1.4.0\n";
        assert_eq!(forbidden_in(tree, HTTP).collect::<Vec<_>>(), ["http"]);
        assert_eq!(forbidden_in(tree, RUNTIMES).count(), 0);
    }
}
