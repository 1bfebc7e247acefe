//! Instructions per request, as callgrind counts them.
//!
//! Two runs differ in nothing but their number of requests; so does what they execute. The processor that callgrind
//! emulates has no instructions for SHA-256. What the compression costs in software is told apart by the name of its
//! function, because a processor with such instructions spends a tenth of it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::process::binary;

/// Per request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instructions {
    /// All of them.
    pub(crate) all: f64,
    /// Those of SHA-256 in software.
    pub(crate) sha256: f64,
}

/// Whether there is a callgrind.
pub(crate) fn are_counted() -> bool {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Those of a loop: `arguments` are what stands before and after its count.
pub(crate) fn per_iteration(name: &str, before: &[&str], after: &[&str]) -> Result<Instructions, Error> {
    let few = run(name, before, FEW, after)?;
    let many = run(name, before, MANY, after)?;
    let each = |many: u64, few: u64| {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let each = (many.saturating_sub(few)) as f64 / f64::from(MANY - FEW);
        each.round()
    };
    Ok(Instructions { all: each(many.0, few.0), sha256: each(many.1, few.1) })
}

/// All instructions of a run, and those of SHA-256.
fn run(name: &str, before: &[&str], count: u32, after: &[&str]) -> Result<(u64, u64), Error> {
    let unique = format!("bench-callgrind-{}-{:?}", std::process::id(), std::thread::current().id());
    let out = std::env::temp_dir().join(unique);
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--quiet", "--compress-strings=no", "--compress-pos=no"]);
    command.arg(format!("--callgrind-out-file={}", out.display())).arg(binary(name)?);
    command.args(before).arg(count.to_string()).args(after);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let counted = read(&out);
    fs::remove_file(&out).ok();
    if status?.success() { counted } else { Err(Error::new(format!("failed: {command:?}"))) }
}

/// Reads callgrind's file: lines `fn=NAME` begin a function, lines `LINE COST` are its own, and the line after `calls=` is
/// what it called.
fn read(path: &Path) -> Result<(u64, u64), Error> {
    let text = fs::read_to_string(path)?;
    let (mut all, mut sha256) = (0, 0);
    let (mut is_sha256, mut is_called) = (false, false);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            is_sha256 = name.contains("sha256") && name.contains("compress");
        } else if line.starts_with("calls=") {
            is_called = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse::<u64>().ok()).unwrap_or(0);
            if !std::mem::take(&mut is_called) {
                all += cost;
                sha256 += if is_sha256 { cost } else { 0 };
            }
        }
    }
    if all == 0 { Err(Error::new("callgrind counted nothing")) } else { Ok((all, sha256)) }
}

const FEW: u32 = 200;
const MANY: u32 = 1_200;
