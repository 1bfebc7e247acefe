//! The project's own commands: `cargo xtask help`.
//!
//! | file | job |
//! |---|---|
//! | `arguments.rs` | the command line |
//! | `test.rs` | every test, on every server |
//! | `proof.rs`, `proof/` | the proof, and its figures |
//! | `bench.rs` | the benchmarks, and the guard of the instructions |
//! | `check.rs`, `checks/` | everything else that has to hold before a change lands |
//! | `images.rs`, `packages.rs` | what is made or installed on the machine |
//! | `steps.rs`, `command.rs`, `metadata.rs` | how steps are shown, commands run, packages known |

mod arguments;
mod bench;
mod check;
mod checks;
mod command;
mod error;
mod images;
mod metadata;
mod packages;
mod proof;
mod steps;
mod test;

use std::process::ExitCode;

use arguments::{Task, USAGE, parse};
use error::Error;

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(task: Task) -> Result<(), Error> {
    match task {
        Task::Help => {
            eprint!("{USAGE}");
            Ok(())
        }
        Task::Test(choice) => test::run(&choice),
        Task::Proof(extent, choice) => proof::run(&extent, &choice),
        Task::Bench(bench) => bench::run(&bench),
        Task::Check => check::check(),
        Task::Ci(choice) => {
            check::check()?;
            test::run(&choice)
        }
        Task::Images => images::make(),
    }
}
