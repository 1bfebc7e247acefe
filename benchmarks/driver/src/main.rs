//! Runs the contenders in turn, and writes the results and the page. `cargo xtask bench` calls it.
//!
//! | command | what it does |
//! |---|---|
//! | `quick`, `full` | measures everything, writes `results/` and the page |
//! | `page NAME` | writes the page anew from `results/NAME.json` |
//! | `inprocess [CONTENDER]` | measures in process alone, and prints a table |
//! | `guard`, `guard write` | compares the instructions of ours with `guard.json`, or writes that |

mod backends;
mod budgets;
mod contenders;
mod effort;
mod environment;
mod error;
mod guard;
mod http;
mod inprocess;
mod instructions;
mod page;
mod plot;
mod process;
mod progress;
mod scale;
mod server;
mod stats;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use backends::Backends;
use effort::{Effort, FULL, QUICK};
use error::Error;
use progress::Progress;

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
    let folder = folder()?;
    match words {
        ["quick"] => everything(&folder, &QUICK),
        ["full"] => everything(&folder, &FULL),
        ["page", name] => write_page(&folder, name),
        ["inprocess", rest @ ..] => {
            let only = rest.first().copied().unwrap_or_default();
            let mut progress = Progress::start();
            let results = inprocess::measure(&|contender| contender.name.starts_with(only), &QUICK, &mut progress)?;
            inprocess::show(&results);
            Ok(())
        }
        ["guard"] => guard::run(&folder.join("guard.json"), false),
        ["guard", "write"] => guard::run(&folder.join("guard.json"), true),
        _ => Err(Error::new("usage: quick | full | page NAME | inprocess [CONTENDER] | guard [write]")),
    }
}

/// The folder of the benchmarks: this program is in its target directory.
fn folder() -> Result<PathBuf, Error> {
    let program = std::env::current_exe()?;
    let folder = program.ancestors().find(|folder| folder.join("driver/src/page").is_dir());
    folder.map(Path::to_owned).ok_or_else(|| Error::new("this is not in the target directory of the benchmarks"))
}

fn everything(folder: &Path, effort: &Effort) -> Result<(), Error> {
    let mut progress = Progress::start();
    let backends = Backends::given()?;
    let mut results = json!({ "effort": effort.name });
    results["environment"] = environment::read(folder, &backends)?;
    results["in_process"] = inprocess::measure(&|_| true, effort, &mut progress)?;
    results["parts"] = inprocess::parts(&mut progress)?;
    results["http"] = http::measure(&backends, effort, &mut progress)?;
    results["limits"] = http::limits(&backends, effort, &mut progress)?;
    results["durable"] = json!(http::measure_durable(&backends, effort, &mut progress)?);
    results["scale"] = scale::measure(&backends, effort, &mut progress)?;
    results["seconds"] = json!(progress.seconds());
    let name = effort.name;
    fs::create_dir_all(folder.join("results"))?;
    fs::write(folder.join("results").join(format!("{name}.json")), serde_json::to_string_pretty(&results)? + "\n")?;
    write_page(folder, name)?;
    progress.say(&format!("written: benchmarks/results/{name}.json, docs/benchmarks.md, docs/plots"));
    Ok(())
}

fn write_page(folder: &Path, name: &str) -> Result<(), Error> {
    let text = fs::read_to_string(folder.join("results").join(format!("{name}.json")))?;
    let results: Value = serde_json::from_str(&text)?;
    let docs =
        folder.parent().map(|root| root.join("docs")).ok_or_else(|| Error::new("the benchmarks are in no project"))?;
    page::write(&results, &docs)
}
