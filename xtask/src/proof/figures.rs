//! The figures: lines of the form `proof: HARNESS: FIGURE`, as JSON and as tables.
//!
//! A figure is a sentence, or pairs of the form `name=value; name=value`, which make a row of the harness's own table. Tests end
//! in any order and spell servers as code does: rows are sorted, and servers have the names that people give them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::minutes;
use crate::error::Error;

/// What the harnesses have printed, in that order.
#[derive(Debug, Default)]
pub(super) struct Figures(Vec<Figure>);

#[derive(Debug, PartialEq, Eq)]
struct Figure {
    harness: String,
    text: String,
}

impl Figures {
    /// Takes a line, if it is a figure. Something else may stand before it, as the name of the running test does.
    pub(super) fn take(&mut self, line: &str) {
        let figure = line.find(MARK).and_then(|at| line[at + MARK.len()..].split_once(": "));
        if let Some((harness, text)) = figure {
            self.0.push(Figure { harness: harness.trim().to_owned(), text: with_names(text.trim()) });
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of it, for programs.
    pub(super) fn json(&self, long: bool, took: Duration) -> String {
        let figures: Vec<Value> = self.0.iter().map(Figure::json).collect();
        let value = json!({ "command": command(long), "seconds": took.as_secs(), "figures": figures });
        format!("{value:#}\n")
    }

    /// The page with these figures between its marks.
    pub(super) fn written_into(&self, page: &str, long: bool, took: Duration) -> Result<String, Error> {
        let marks = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let (before, after) = marks.ok_or_else(|| Error::failed(format!("the page has no {BEGIN} and {END}")))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let source =
            format!("`{}`, version {}, {} on {cores} cores:", command(long), env!("CARGO_PKG_VERSION"), minutes(took));
        Ok(format!("{before}{BEGIN}\n\n{source}\n\n{}{END}{after}", self.tables()))
    }

    /// One table of sentences, and one for each harness that has rows.
    fn tables(&self) -> String {
        let (rows, mut sentences): (Vec<&Figure>, Vec<&Figure>) =
            self.0.iter().partition(|figure| figure.pairs().is_some());
        sentences.sort_by_key(|figure| (&figure.harness, &figure.text));
        let mut tables = String::new();
        if !sentences.is_empty() {
            tables += "| harness | figure |\n|---|---|\n";
            for Figure { harness, text } in sentences {
                tables += &format!("| {harness} | {} |\n", escaped(text));
            }
            tables += "\n";
        }
        // The tables of one harness stand together, in the order in which they began.
        let mut heads: Vec<(&str, Vec<String>)> = Vec::new();
        for Figure { harness, .. } in &rows {
            if !heads.iter().any(|(known, _)| known == harness) {
                heads.push((harness, Vec::new()));
            }
        }
        for (harness, heads) in &mut heads {
            for figure in rows.iter().filter(|figure| figure.harness == *harness) {
                if !heads.contains(&figure.head()) {
                    heads.push(figure.head());
                }
            }
        }
        for (harness, heads) in heads {
            tables += &format!("{harness}:\n\n");
            for head in heads {
                let columns = head.matches('|').count() - 1;
                tables += &format!("{head}\n|{}\n", "---|".repeat(columns));
                let of_this = rows.iter().filter(|figure| figure.harness == harness && figure.head() == head);
                let mut of_this: Vec<String> = of_this.map(|figure| figure.row()).collect();
                of_this.sort();
                tables += &of_this.concat();
                tables += "\n";
            }
        }
        tables
    }
}

impl Figure {
    /// The names and values, if it is made of nothing else, and of more than one.
    fn pairs(&self) -> Option<Vec<(&str, &str)>> {
        let pairs: Vec<_> = self.text.split("; ").map(|pair| pair.split_once('=')).collect::<Option<_>>()?;
        (pairs.len() > 1).then_some(pairs)
    }

    fn head(&self) -> String {
        let names = self.pairs().unwrap_or_default();
        names.iter().fold("|".to_owned(), |line, (name, _)| line + " " + &escaped(name) + " |")
    }

    fn row(&self) -> String {
        let values = self.pairs().unwrap_or_default();
        values.iter().fold("|".to_owned(), |line, (_, value)| line + " " + &escaped(value) + " |") + "\n"
    }

    fn json(&self) -> Value {
        let Self { harness, text } = self;
        match self.pairs() {
            Some(pairs) => {
                let values: Map<String, Value> =
                    pairs.into_iter().map(|(name, value)| (name.to_owned(), number_or_text(value))).collect();
                json!({ "harness": harness, "values": values })
            }
            None => json!({ "harness": harness, "figure": text }),
        }
    }
}

/// A figure in which servers have the names that people give them.
fn with_names(text: &str) -> String {
    let named = |pair: &str| match pair.split_once('=') {
        Some((of @ ("store" | "server"), code)) => {
            let name = match code {
                "memory" => "Memory",
                "sqlite" | "Sqlite" => "SQLite",
                "redis" => "Redis",
                "redis-cluster" | "RedisCluster" => "Redis Cluster",
                "postgres" => "Postgres",
                "mariadb" | "MariaDb" => "MariaDB",
                "mysql" | "MySql" => "MySQL",
                other => other,
            };
            format!("{of}={name}")
        }
        _ => pair.to_owned(),
    };
    text.split("; ").map(named).collect::<Vec<_>>().join("; ")
}

fn number_or_text(value: &str) -> Value {
    value.parse::<u64>().map_or_else(|_| value.into(), Into::into)
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

fn command(long: bool) -> &'static str {
    if long { "cargo xtask proof --long" } else { "cargo xtask proof" }
}

const MARK: &str = "proof: ";
const BEGIN: &str = "<!-- figures, written by `cargo xtask proof --write` -->";
const END: &str = "<!-- end of the figures -->";

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        let mut figures = Figures::default();
        for line in [
            "proof: interleavings: 12 schedules, a|b",
            "something else: entirely",
            "test faults ... proof: faults: server=Redis; lost=0",
            "proof: faults: server=postgres; lost=1",
            "proof: other: a=1; b=2",
            "proof: faults: server=RedisCluster; cuts=3",
            "proof: model: the difference a=b is caught",
            "proof: nothing",
        ] {
            figures.take(line);
        }
        figures
    }

    #[test]
    fn sentences_and_rows_become_tables() {
        assert_eq!(
            figures().tables(),
            "| harness | figure |\n|---|---|\n| interleavings | 12 schedules, a\\|b |\n| model | the difference a=b is caught |\n\n\
             faults:\n\n| server | lost |\n|---|---|\n| Postgres | 1 |\n| Redis | 0 |\n\n\
             | server | cuts |\n|---|---|\n| Redis Cluster | 3 |\n\nother:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        );
    }

    #[test]
    fn the_json_has_numbers() {
        let value: Value = serde_json::from_str(&figures().json(true, Duration::from_secs(7))).expect("JSON");
        assert_eq!(value["command"], "cargo xtask proof --long");
        assert_eq!(value["seconds"], 7);
        assert_eq!(value["figures"][0]["figure"], "12 schedules, a|b");
        assert_eq!(value["figures"][2]["values"]["lost"], 1);
    }

    #[test]
    fn the_page_is_replaced_between_its_marks() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let new = figures().written_into(&page, false, Duration::from_secs(61)).expect("it has the marks");
        assert!(new.starts_with(&format!("before\n{BEGIN}\n\n`cargo xtask proof`, version ")));
        assert!(new.contains("1 min 1 s"));
        assert!(new.ends_with(&format!("| 1 | 2 |\n\n{END}\nafter\n")));
        assert!(!new.contains("old"));
        // Written again, it stays the same.
        assert_eq!(figures().written_into(&new, false, Duration::from_secs(61)), Ok(new));
        assert!(figures().written_into("no marks", false, Duration::ZERO).is_err());
    }
}
