//! Runs the contenders in turn, and writes the results and the page. `cargo xtask bench` calls it.

mod contenders;
mod error;
mod inprocess;
mod instructions;
mod process;
mod stats;

use std::process::ExitCode;

use error::Error;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), Error> {
    match words {
        ["inprocess", rest @ ..] => {
            let only = rest.first().copied().unwrap_or_default();
            let results = inprocess::measure(&|contender| contender.name.contains(only), 60)?;
            inprocess::show(&results);
            Ok(())
        }
        _ => Err(Error::new("usage: inprocess [CONTENDER]")),
    }
}
