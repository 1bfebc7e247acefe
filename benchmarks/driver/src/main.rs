//! Runs the contenders in turn, and writes the results and the page. `cargo xtask bench` calls it.
//!
//! | command | what it does |
//! |---|---|
//! | `quick [PART…]`, `full [PART…]` | measures everything, or these parts anew, and writes `results/` and the page |
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
        ["quick", parts @ ..] => measure(&folder, &QUICK, parts),
        ["full", parts @ ..] => measure(&folder, &FULL, parts),
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

/// Measures these parts, or all of them. What is measured is kept at once: a run that breaks off has not been for nothing.
fn measure(folder: &Path, effort: &Effort, asked: &[&str]) -> Result<(), Error> {
    let mut progress = Progress::start();
    let backends = Backends::given()?;
    let file = folder.join("results").join(format!("{}.json", effort.name));
    fs::create_dir_all(folder.join("results"))?;
    let mut results = match fs::read_to_string(&file) {
        Ok(text) if !asked.is_empty() => serde_json::from_str(&text)?,
        _ => json!({ "effort": effort.name, "seconds": {} }),
    };
    results["environment"] = environment::read(folder, &backends)?;
    let is_asked = |part: &&str| asked.is_empty() || asked.contains(part);
    for part in PARTS.into_iter().chain(scale::PARTS).filter(is_asked) {
        let start = progress.seconds();
        if scale::PARTS.contains(&part) {
            results["scale"][part] = scale::measure(part, &backends, effort, &mut progress)?;
        } else {
            results[part] = measured(part, &backends, effort, &mut progress)?;
        }
        results["seconds"][part] = json!(progress.seconds() - start);
        fs::write(&file, serde_json::to_string_pretty(&results)? + "\n")?;
    }
    write_page(folder, effort.name)?;
    progress.say(&format!("written: benchmarks/results/{}.json, docs/benchmarks.md, docs/plots", effort.name));
    Ok(())
}

const PARTS: [&str; 5] = ["in_process", "parts", "http", "limits", "durable"];

fn measured(part: &str, backends: &Backends, effort: &Effort, progress: &mut Progress) -> Result<Value, Error> {
    match part {
        "in_process" => inprocess::measure(&|_| true, effort, progress),
        "parts" => inprocess::parts(progress),
        "http" => http::measure(backends, effort, progress),
        "limits" => http::limits(backends, effort, progress),
        "durable" => Ok(json!(http::measure_durable(backends, effort, progress)?)),
        _ => Err(Error::new(format!("no part {part}"))),
    }
}

fn write_page(folder: &Path, name: &str) -> Result<(), Error> {
    let file = format!("results/{name}.json");
    let text = fs::read_to_string(folder.join(&file))
        .map_err(|error| Error::new(format!("{file}: {error}; measure first, with  cargo xtask bench")))?;
    let results: Value = serde_json::from_str(&text)?;
    let docs =
        folder.parent().map(|root| root.join("docs")).ok_or_else(|| Error::new("the benchmarks are in no project"))?;
    page::write(&results, &docs)
}
