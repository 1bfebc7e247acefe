//! The corpus: well-formed inputs that this library wrote, as files.

use std::io;
use std::path::PathBuf;

use super::samples::{Sample, samples};
use super::{Target, redis_value};

/// An input with the name of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeds {
    /// The file's name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What the files of a target hold, if nobody has touched them.
#[must_use]
pub fn made(target: Target) -> Vec<Seeds> {
    let of = |sample: &Sample, bytes: Vec<u8>| Seeds { name: sample.name.to_owned(), bytes };
    let samples = samples();
    match target {
        Target::Record => samples.iter().map(|sample| of(sample, sample.bytes.to_vec())).collect(),
        Target::RedisValue => samples.iter().map(|sample| of(sample, redis_value::written(sample))).collect(),
        Target::Token => {
            samples.iter().map(|sample| of(sample, sample.token.encode().as_str().as_bytes().to_vec())).collect()
        }
        Target::Cookie => cookies(),
    }
}

/// The files of a target.
///
/// # Errors
///
/// When they cannot be read.
pub fn stored(target: Target) -> io::Result<Vec<Seeds>> {
    let mut seeds = Vec::new();
    for entry in std::fs::read_dir(folder(target))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        seeds.push(Seeds { name, bytes: std::fs::read(entry.path())? });
    }
    seeds.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(seeds)
}

/// Writes the files of a target anew.
///
/// # Errors
///
/// When they cannot be written.
pub fn write(target: Target) -> io::Result<()> {
    std::fs::create_dir_all(folder(target))?;
    made(target).into_iter().try_for_each(|Seeds { name, bytes }| std::fs::write(folder(target).join(name), bytes))
}

fn folder(target: Target) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name())
}

/// `Cookie` fields as browsers and others send them.
fn cookies() -> Vec<Seeds> {
    let [good, other] = super::cookie::tokens();
    let fields = [
        ("ours", format!("s={good}")),
        ("among-others", format!("a=1; s={good}; b=\"2\"")),
        ("twice", format!("s={good}; s={good}")),
        ("two", format!("s={good}; s={other}")),
        ("two-fields", format!("a=1\ns={other}\nb=2")),
        ("two-differ", format!("s={good}\ns={other}")),
        ("quoted", format!("s=\"{good}\"")),
        ("spaces", format!(" \t;; s={good} \t; =; s")),
        ("names", format!("S={good}; $s={good}; ss={good}; s s={good}")),
        ("empty", "s=".to_owned()),
        ("bytes", "\u{a0}s=\u{feff}; \u{2003}s=x".to_owned()),
    ];
    let seed = |(name, field): (&str, String)| Seeds { name: name.to_owned(), bytes: field.into_bytes() };
    fields.into_iter().map(seed).collect()
}
