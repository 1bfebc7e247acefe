//! The guard of the instruction counts: what a request executes in ours, within a margin of what is written down.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::inprocess;
use crate::instructions::are_counted;

/// Compares with the file, or writes it.
pub(crate) fn run(file: &Path, is_written: bool) -> Result<(), Error> {
    if !are_counted() {
        return Err(Error::new("no valgrind: install it, or leave the guard out on purpose"));
    }
    let counted = inprocess::instructions_of_ours(&CASES)?;
    if is_written {
        return Ok(fs::write(file, serde_json::to_string_pretty(&counted)? + "\n")?);
    }
    let expected: Map<String, Value> = serde_json::from_str(&fs::read_to_string(file)?)?;
    let mut wrong = Vec::new();
    for (case, count) in &counted {
        let (expected, count) = (expected.get(case).and_then(Value::as_f64), count.as_f64().unwrap_or(f64::NAN));
        let share = expected.map_or(f64::NAN, |expected| count / expected);
        println!("{case:16} {count:>8} instructions, {} expected", expected.unwrap_or(f64::NAN));
        if share.is_nan() || share > 1.0 + MARGIN {
            wrong.push(format!("{case}: {count} instructions, more than {}", json!(expected)));
        } else if share < 1.0 - MARGIN {
            println!("{case:16} is faster than it was: write that down with  cargo xtask bench --guard --write");
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::new(wrong.join("\n"))) }
}

/// Other processors and other C libraries copy memory otherwise; another compiler arranges it otherwise.
const MARGIN: f64 = 0.05;
const CASES: [&str; 8] = ["anonymous", "untouched", "read", "read_write", "new", "login", "destroy", "number_of_16k"];
