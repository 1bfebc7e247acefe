//! The figures: lines of the form `proof: HARNESS: FIGURE`, as JSON and as tables.
//!
//! A figure is a sentence, or pairs of the form `name=value; name=value`, which make a row of the harness's own table.

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
            self.0.push(Figure { harness: harness.trim().to_owned(), text: text.trim().to_owned() });
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
        let (rows, sentences): (Vec<&Figure>, Vec<&Figure>) =
            self.0.iter().partition(|figure| figure.pairs().is_some());
        let mut tables = String::new();
        if !sentences.is_empty() {
            tables += "| harness | figure |\n|---|---|\n";
            for Figure { harness, text } in sentences {
                tables += &format!("| {harness} | {} |\n", escaped(text));
            }
            tables += "\n";
        }
        let mut heads: Vec<(&str, String)> = Vec::new();
        for figure in &rows {
            let head = figure.head();
            if !heads.contains(&(&figure.harness, head.clone())) {
                heads.push((&figure.harness, head));
            }
        }
        for (harness, head) in heads {
            let columns = head.matches('|').count() - 1;
            tables += &format!("{harness}:\n\n{head}\n|{}\n", "---|".repeat(columns));
            for figure in rows.iter().filter(|figure| figure.harness == harness && figure.head() == head) {
                tables += &figure.row();
            }
            tables += "\n";
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
            "proof: faults: server=Postgres; lost=1",
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
             faults:\n\n| server | lost |\n|---|---|\n| Redis | 0 |\n| Postgres | 1 |\n\n"
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
        assert!(new.ends_with(&format!("| Postgres | 1 |\n\n{END}\nafter\n")));
        assert!(!new.contains("old"));
        // Written again, it stays the same.
        assert_eq!(figures().written_into(&new, false, Duration::from_secs(61)), Ok(new));
        assert!(figures().written_into("no marks", false, Duration::ZERO).is_err());
    }
}
