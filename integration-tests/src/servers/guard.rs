//! The guard processes that clear up after a server, however the program that started it ends.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::error::ServerError;
use super::script;

/// A running guard. Dropping it closes its standard input, which is its sign to clear up, and waits until it has.
#[derive(Debug)]
pub(super) struct Guard {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Guard {
    /// Guards every process that works inside `folder`, and the folder.
    pub(super) fn of_folder(folder: &Path) -> Result<Self, ServerError> {
        Self::spawn(Command::new("sh").args(["-c", script::GUARD, "guard"]).arg(folder))
    }

    /// Guards the container of this name.
    pub(super) fn of_container(name: &str) -> Result<Self, ServerError> {
        Self::spawn(Command::new("sh").args(["-c", script::GUARD_CONTAINER, "guard", name]))
    }

    /// Sends a signal (`STOP`, `CONT`, `KILL`) to every process, and returns when it is done.
    pub(super) fn signal(&mut self, name: &str) -> Result<(), ServerError> {
        let mut answer = String::new();
        let mut exchange = || -> std::io::Result<()> {
            let input = self.input.as_mut().ok_or(std::io::ErrorKind::BrokenPipe)?;
            writeln!(input, "{name}")?;
            self.output.read_line(&mut answer)?;
            Ok(())
        };
        exchange().map_err(|error| ServerError::during(format!("cannot send {name} to the server"))(&error))?;
        if answer.is_empty() {
            return Err(ServerError::new(format!("cannot send {name} to the server: its guard is gone")));
        }
        Ok(())
    }

    fn spawn(command: &mut Command) -> Result<Self, ServerError> {
        let mut child = command
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal goes to the whole process group; the guard has to outlive the others.
            .process_group(0)
            .spawn()
            .map_err(|error| ServerError::during("cannot run sh")(&error))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self { child, input: Some(input), output: BufReader::new(output) }),
            _ => Err(ServerError::new("cannot talk to sh")),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.input.take());
        // Nobody could be told of an error.
        let _ = self.child.wait();
    }
}
