//! Running the contenders' binaries.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::error::Error;

/// A binary that lies beside this one.
pub(crate) fn binary(name: &str) -> Result<PathBuf, Error> {
    let path = std::env::current_exe()?.with_file_name(name);
    if path.exists() { Ok(path) } else { Err(Error::new(format!("{name} is not there: build the whole workspace"))) }
}

/// What it prints, a JSON value on each line.
pub(crate) fn lines(command: &mut Command) -> Result<Vec<Value>, Error> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(Error::new(format!("failed: {command:?}")));
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}
