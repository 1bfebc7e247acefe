//! Every test that SECURITY.md names is there: a table that promises tests must not outlive them.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::verdict;
use crate::command::output;
use crate::error::Error;
use crate::metadata::Metadata;

/// Looks for a function of each name in the sources of the project.
pub(crate) fn check(metadata: &Metadata) -> Result<(), Error> {
    let page =
        fs::read_to_string(metadata.root.join(PAGE)).map_err(|error| Error::failed(format!("{PAGE}: {error}")))?;
    let mut list = Command::new("git");
    list.args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"]).current_dir(&metadata.root);
    let files = output(&mut list)?;
    let sources = files.lines().filter_map(|name| fs::read_to_string(metadata.root.join(name)).ok());
    let known: BTreeSet<String> = sources.flat_map(|text| functions(&text)).collect();
    let named = names(&page);
    if named.is_empty() {
        return Err(Error::failed(format!("{PAGE} names no test")));
    }
    let missing = named.into_iter().filter(|name| !known.contains(name));
    verdict(&missing.map(|name| format!("{PAGE} names {name}, which is no function here")).collect::<Vec<_>>())
}

const PAGE: &str = "SECURITY.md";

/// The names in the last column of the tables: words in backticks that a test could have.
fn names(page: &str) -> BTreeSet<String> {
    let cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.rsplit(" | ").next());
    let words = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    words.filter(|word| word.contains('_') && word.chars().all(is_of_a_name)).map(str::to_owned).collect()
}

fn functions(source: &str) -> Vec<String> {
    let after =
        |line: &str| line.split_once("fn ").map(|(_, rest)| rest.split(|c| !is_of_a_name(c)).next().map(str::to_owned));
    source.lines().filter_map(after).flatten().collect()
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_the_last_column() {
        let page = "| 1 | a_b `not_this` | core `this_one`, `and_that`; `HttpOnly` |\n`nor_this`\n";
        assert_eq!(names(page), BTreeSet::from(["this_one".into(), "and_that".into()]));
    }

    #[test]
    fn functions_are_found_however_they_are_declared() {
        let source = "async fn one() {}\n    pub(crate) async fn two_2(bench: Bench) {\nlet fne = 1;\n";
        assert_eq!(functions(source), ["one", "two_2"]);
    }
}
