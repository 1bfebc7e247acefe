//! Running other programs.

use std::process::{Command, Stdio};

use crate::error::Error;

/// A command of the cargo that runs us.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// A shell script given as text.
pub(crate) fn shell(text: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", text, "sh"]).args(arguments);
    command
}

/// Runs it to its end, its output going where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| cannot_run(command, &error))?;
    if status.success() { Ok(()) } else { Err(failed(command)) }
}

/// Runs it to its end and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let output =
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(|error| cannot_run(command, &error))?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(|error| Error::failed(format!("{}: {error}", line(command))))
    } else {
        Err(failed(command))
    }
}

/// The command as one would type it, up to the first long or many-lined word.
pub(crate) fn line(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default();
    let words = command.get_args().map(|word| word.to_string_lossy()).take_while(|word| !word.contains('\n'));
    words.fold(program.to_owned(), |line, word| line + " " + &word)
}

fn cannot_run(command: &Command, error: &std::io::Error) -> Error {
    Error::failed(format!("cannot run {}: {error}", line(command)))
}

fn failed(command: &Command) -> Error {
    Error::failed(format!("failed: {}", line(command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_returned_and_failure_named() {
        assert_eq!(output(&mut shell("echo \"$1\"", &["hello"])), Ok("hello\n".into()));
        let error = run(Command::new("false").arg("--really")).expect_err("false succeeds");
        assert_eq!(error.to_string(), "failed: false --really");
    }

    #[test]
    fn a_script_is_not_part_of_the_line() {
        assert_eq!(line(&shell("one\ntwo", &[])), "sh -c");
    }
}
