//! The peers on stores in memory.

mod actix_session;
mod axum_session;
mod tower_sessions;

use std::process::ExitCode;

use bench_kit::{Command, Counter};

/// One command line, with or without a counting allocator.
#[must_use]
pub fn main(counter: Option<Counter>) -> ExitCode {
    let command = Command::read(counter);
    match command.store() {
        "tower-sessions-memory" => command.run(tower_sessions::on_memory),
        "tower-sessions-moka" => command.run(tower_sessions::on_moka),
        "axum-session-memory" => command.run(axum_session::on_memory),
        "actix-session-map" => command.run(actix_session::on_map),
        other => {
            eprintln!("no store {other}");
            ExitCode::from(2)
        }
    }
}
