//! What a session layer adds to one request, in process: nanoseconds, allocations, bytes, instructions.

use std::process::Command;
use std::sync::Mutex;

use serde_json::{Map, Value, json};

use crate::contenders::{Contender, IN_PROCESS};
use crate::error::Error;
use crate::instructions::{Instructions, are_counted, per_iteration};
use crate::process::{binary, lines};
use crate::stats::{median, quantile};

/// Passes over all contenders, so that none has a bad minute to itself.
const PASSES: usize = 3;

/// Measures every contender that is asked for: `{ contender: { case: { … } } }`.
pub(crate) fn measure(is_asked: &dyn Fn(&Contender) -> bool, rounds: usize) -> Result<Value, Error> {
    let asked: Vec<Contender> = IN_PROCESS.into_iter().filter(|contender| is_asked(contender)).collect();
    let mut results = Map::new();
    for contender in &asked {
        let mut cases = Map::new();
        let counted = format!("{}-counted", contender.binary);
        for line in lines(Command::new(binary(&counted)?).args([contender.store, "count"]))? {
            let name = line["case"].as_str().unwrap_or_default().to_owned();
            cases.insert(name, json!({ "allocations": line["allocations"], "bytes": line["bytes"] }));
        }
        results.insert(contender.name.into(), Value::Object(cases));
    }
    let mut results = Value::Object(results);
    times(&asked, rounds, &mut results)?;
    if are_counted() {
        instructions(&asked, &mut results)?;
    } else {
        eprintln!("no valgrind: instructions are not counted");
    }
    Ok(results)
}

fn times(asked: &[Contender], rounds: usize, results: &mut Value) -> Result<(), Error> {
    let mut all: Vec<Vec<Value>> = vec![Vec::new(); asked.len()];
    for _ in 0..PASSES {
        for (contender, lines_so_far) in asked.iter().zip(&mut all) {
            let rounds = rounds.div_ceil(PASSES).to_string();
            let command = &mut Command::new(binary(contender.binary)?);
            lines_so_far.extend(lines(command.args([contender.store, "time", &rounds]))?);
        }
    }
    for (contender, lines) in asked.iter().zip(all) {
        let Some(cases) = results[contender.name].as_object_mut() else { continue };
        for (name, case) in cases {
            let of_case = || lines.iter().filter(|line| line["case"] == name.as_str());
            let numbers = |key| of_case().flat_map(|line| numbers(&line[key])).collect::<Vec<f64>>();
            let (with, without) = (numbers("with_ns"), numbers("without_ns"));
            let added: Vec<f64> = with.iter().zip(&without).map(|(with, without)| with - without).collect();
            case["added_ns"] = json!(median(&added).round());
            case["added_ns_quartiles"] = json!([quantile(&added, 0.25).round(), quantile(&added, 0.75).round()]);
            case["without_ns"] = json!(median(&without).round());
        }
    }
    Ok(())
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// On all processors at once: counts do not mind.
fn instructions(asked: &[Contender], results: &mut Value) -> Result<(), Error> {
    let mut jobs = Vec::new();
    for contender in asked {
        let cases = results[contender.name].as_object().into_iter().flat_map(Map::keys);
        jobs.extend(cases.map(|case| (*contender, case.clone())));
    }
    let (jobs, done) = (Mutex::new(jobs), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((contender, case)) = { jobs.lock().ok().and_then(|mut jobs| jobs.pop()) } {
                    let added = added(contender, &case);
                    if let Ok(mut done) = done.lock() {
                        done.push((contender, case, added));
                    }
                }
            });
        }
    });
    for (contender, case, added) in done.into_inner().unwrap_or_default() {
        let Instructions { all, sha256 } = added?;
        let case = &mut results[contender.name][case];
        case["instructions"] = json!(all);
        case["instructions_sha256"] = json!(sha256);
    }
    Ok(())
}

fn added(contender: Contender, case: &str) -> Result<Instructions, Error> {
    let before = [contender.store, "loop", case];
    let with = per_iteration(contender.binary, &before, &["with"])?;
    let without = per_iteration(contender.binary, &before, &["without"])?;
    Ok(Instructions { all: with.all - without.all, sha256: with.sha256 - without.sha256 })
}

/// A table for the terminal.
pub(crate) fn show(results: &Value) {
    for (contender, cases) in results.as_object().into_iter().flatten() {
        println!("{contender}");
        println!(
            "{:16} {:>9} {:>17} {:>7} {:>9} {:>9} {:>9}",
            "", "ns", "quartiles", "allocs", "bytes", "instr", "of it SHA"
        );
        for (name, case) in cases.as_object().into_iter().flatten() {
            let number = |value: &Value| value.as_f64().map_or("–".to_owned(), |number| number.to_string());
            let quartiles = &case["added_ns_quartiles"];
            let quartiles = format!("{} … {}", number(&quartiles[0]), number(&quartiles[1]));
            println!(
                "{name:16} {:>9} {quartiles:>17} {:>7} {:>9} {:>9} {:>9}",
                number(&case["added_ns"]),
                number(&case["allocations"]),
                number(&case["bytes"]),
                number(&case["instructions"]),
                number(&case["instructions_sha256"]),
            );
        }
    }
}
