//! The page: text, tables and plots from the results of one run.

mod introduction;
mod requests;
mod scale;
mod scaling;
mod short;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::budgets::{self, Verdict};
use crate::error::Error;
use crate::plot::{Bar, bars};
use crate::stats::rounded;

/// Writes the page and its plots, and what follows for larger numbers, into `docs`.
pub(crate) fn write(results: &Value, docs: &Path) -> Result<(), Error> {
    let plots = docs.join("plots");
    fs::create_dir_all(&plots)?;
    let mut page = Page::default();
    introduction::write(&mut page, results);
    short::write(&mut page, results);
    budget_table(&mut page, results);
    requests::in_process(&mut page, results);
    requests::parts(&mut page, results);
    requests::over_http(&mut page, results);
    requests::limits(&mut page, results);
    requests::durable(&mut page, results);
    scale::write(&mut page, results);
    for (name, svg) in &page.plots {
        fs::write(plots.join(format!("{name}.svg")), svg)?;
    }
    fs::write(docs.join("scaling.md"), scaling::write(results))?;
    Ok(fs::write(docs.join("benchmarks.md"), page.text)?)
}

/// What has been written so far.
#[derive(Default)]
pub(crate) struct Page {
    text: String,
    plots: Vec<(String, String)>,
}

impl Page {
    /// A paragraph, a heading, or a list.
    pub(crate) fn text(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A table; numbers are to the right, the first column is not.
    pub(crate) fn table(&mut self, heads: &[&str], rows: &[Vec<String>]) {
        if rows.is_empty() {
            return;
        }
        let line = |cells: &mut dyn Iterator<Item = String>| format!("| {} |", cells.collect::<Vec<_>>().join(" | "));
        let rule = std::iter::once("---".to_owned()).chain(std::iter::repeat_n("--:".to_owned(), heads.len() - 1));
        let mut table = vec![line(&mut heads.iter().map(|head| (*head).to_owned())), line(&mut rule.into_iter())];
        table.extend(rows.iter().map(|row| line(&mut row.iter().cloned())));
        self.text(&table.join("\n"));
    }

    /// A plot.
    pub(crate) fn plot(&mut self, name: &str, title: &str, svg: String) {
        self.text(&format!("![{title}](plots/{name}.svg)"));
        self.plots.push((name.to_owned(), svg));
    }

    /// Bars, ours first in color.
    pub(crate) fn bars(&mut self, name: &str, title: &str, values: impl Iterator<Item = (String, f64)>) {
        let values: Vec<Bar> =
            values.map(|(name, value)| Bar { is_ours: name.starts_with("sessions,"), name, value }).collect();
        if !values.is_empty() {
            self.plot(name, title, bars(title, &values));
        }
    }
}

fn budget_table(page: &mut Page, results: &Value) {
    page.text("## Budgets");
    page.text(
        "Each budget, with what ours reached, the best of the others and the limit, from the same run. A budget that is not met \
         says so. In process the limit is what the bare blocks cost, which are described below: some of the budgets are under it. \
         Over HTTP it is again the bare blocks where no session is asked for, else what the client of the store reaches without \
         sessions and without a cookie in the request; and there are two figures: the ratio of the requests a second, and that of \
         the processor time that the application takes for one, which moves less with whatever else the machine does. Shares of \
         the base say something of the machine, too: the base does little but system calls, and where those cost less, it gains \
         more than what does other work, so that all shares are smaller.",
    );
    let rows = budgets::all(results).into_iter().map(|row| {
        let verdict = match row.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "**not met**",
            Verdict::Divided { by_rate: true } => "met by rate, **not** by processor time",
            Verdict::Divided { by_rate: false } => "met by processor time, **not** by rate",
            Verdict::NotMeasured => "not measured",
        };
        vec![row.what, row.budget, row.ours, verdict.to_owned(), row.peer, row.limit]
    });
    page.table(&["", "budget", "ours", "", "best of the others", "limit"], &rows.collect::<Vec<_>>());
}

/// With spaces between the thousands, and digits as far as they matter.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let digits = if value.abs() >= 100.0 || value.fract() == 0.0 { 0 } else { 1 };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |rest| ("-", rest));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    sign.to_owned() + &grouped + &fraction.map_or_else(String::new, |fraction| format!(".{fraction}"))
}

/// To three digits: a rate is not repeated better than that.
pub(crate) fn rate(value: &Value) -> String {
    value.as_f64().map_or_else(|| "–".to_owned(), |value| number(rounded(value)))
}

/// A number, or a dash where there is none.
pub(crate) fn cell(value: &Value) -> String {
    value.as_f64().map_or_else(|| "–".to_owned(), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (value, text) in [
            (0.0, "0"),
            (7.25, "7.2"),
            (99.95, "100.0"),
            (1234.5, "1 234"),
            (1_000_000.0, "1 000 000"),
            (-1234.0, "-1 234"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
