//! What a session layer adds to one request, in process: nanoseconds, allocations, bytes, instructions.

use std::process::Command;
use std::sync::Mutex;

use serde_json::{Map, Value, json};

use crate::contenders::{Contender, IN_PROCESS};
use crate::effort::Effort;
use crate::error::Error;
use crate::instructions::{Instructions, are_counted, per_iteration};
use crate::process::{binary, lines};
use crate::progress::Progress;
use crate::stats::{median, quantile};

/// Passes over all contenders, so that none has a bad minute to itself.
const PASSES: usize = 3;

/// Measures every contender that is asked for: `{ contender: { case: { … } } }`.
pub(crate) fn measure(
    is_asked: &dyn Fn(&Contender) -> bool,
    effort: &Effort,
    progress: &mut Progress,
) -> Result<Value, Error> {
    let asked: Vec<Contender> = IN_PROCESS.into_iter().filter(|contender| is_asked(contender)).collect();
    let mut results = Map::new();
    progress.say("in process: allocations");
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
    times(&asked, effort.rounds, &mut results, progress)?;
    if are_counted() {
        progress.say("in process: instructions");
        instructions(&asked, effort.instructions, &mut results)?;
    } else {
        progress.say("no valgrind: instructions are not counted");
    }
    Ok(results)
}

fn times(asked: &[Contender], rounds: usize, results: &mut Value, progress: &mut Progress) -> Result<(), Error> {
    let mut all: Vec<Vec<Value>> = vec![Vec::new(); asked.len()];
    for pass in 1..=PASSES {
        for (contender, lines_so_far) in asked.iter().zip(&mut all) {
            progress.say(&format!("in process: times, pass {pass} of {PASSES}: {}", contender.name));
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

/// What the cases of ours cost, for the guard.
pub(crate) fn instructions_of_ours(cases: &[&'static str]) -> Result<Map<String, Value>, Error> {
    let empty: Map<String, Value> = cases.iter().map(|case| ((*case).to_owned(), json!({}))).collect();
    let mut results = json!({ IN_PROCESS[0].name: empty });
    instructions(&IN_PROCESS[..1], cases, &mut results)?;
    let counted = results[IN_PROCESS[0].name].as_object().cloned().unwrap_or_default();
    Ok(counted.into_iter().map(|(case, counts)| (case, counts["instructions"].clone())).collect())
}

/// On all processors at once: counts do not mind.
fn instructions(asked: &[Contender], cases: &[&str], results: &mut Value) -> Result<(), Error> {
    let mut jobs = Vec::new();
    for contender in asked {
        let all = results[contender.name].as_object().into_iter().flat_map(Map::keys);
        let wanted = all.filter(|case| cases.is_empty() || cases.contains(&case.as_str()));
        jobs.extend(wanted.map(|case| (*contender, case.clone(), "with")));
        // Without sessions nothing but the cookie makes a difference.
        jobs.extend(["anonymous", "untouched"].map(|case| (*contender, case.to_owned(), "without")));
    }
    let counted = count_all(jobs)?;
    for (contender, case, side, with) in &counted {
        if *side == "without" {
            continue;
        }
        let base = if ["anonymous", "new"].contains(&case.as_str()) { "anonymous" } else { "untouched" };
        let without = counted
            .iter()
            .find(|(other, case, side, _)| other.name == contender.name && case == base && *side == "without");
        if let Some((.., without)) = without {
            let result = &mut results[contender.name][case];
            result["instructions"] = json!(with.all - without.all);
            result["instructions_sha256"] = json!(with.sha256 - without.sha256);
        }
    }
    Ok(())
}

type Job = (Contender, String, &'static str);

fn count_all(jobs: Vec<Job>) -> Result<Vec<(Contender, String, &'static str, Instructions)>, Error> {
    let (jobs, done) = (Mutex::new(jobs), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((contender, case, side)) = { jobs.lock().ok().and_then(|mut jobs| jobs.pop()) } {
                    let counted = per_iteration(contender.binary, &[contender.store, "loop", &case], &[side]);
                    if let Ok(mut done) = done.lock() {
                        done.push(counted.map(|counted| (contender, case, side, counted)));
                    }
                }
            });
        }
    });
    done.into_inner().unwrap_or_default().into_iter().collect()
}

/// The parts of a request of ours: `{ part: { ns, allocations, bytes } }`.
pub(crate) fn parts(progress: &mut Progress) -> Result<Value, Error> {
    progress.say("in process: the parts of a request");
    let mut parts = Map::new();
    for line in lines(Command::new(binary("bench-ours")?).args(["parts", "time"]))? {
        let name = line["part"].as_str().unwrap_or_default().to_owned();
        parts.insert(name, json!({ "ns": (median(&numbers(&line["ns"])) * 10.0).round() / 10.0 }));
    }
    for line in lines(Command::new(binary("bench-ours-counted")?).args(["parts", "count"]))? {
        if let Some(part) = parts.get_mut(line["part"].as_str().unwrap_or_default()) {
            part["allocations"] = line["allocations"].clone();
            part["bytes"] = line["bytes"].clone();
        }
    }
    Ok(Value::Object(parts))
}

/// A table for the terminal.
pub(crate) fn show(results: &Value) {
    for (contender, cases) in results.as_object().into_iter().flatten() {
        println!("{contender}");
        let heads = ["ns", "quartiles", "allocs", "bytes", "instr", "of it SHA"];
        let [ns, quartiles, allocs, bytes, instructions, sha] = heads;
        println!("{:16} {ns:>9} {quartiles:>17} {allocs:>7} {bytes:>9} {instructions:>9} {sha:>9}", "");
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
