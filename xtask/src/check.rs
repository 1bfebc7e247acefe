//! Everything that has to hold besides the tests. The quick ones come first.

use crate::checks::{arrows, features, licences, sources, tests_named, version};
use crate::command::{cargo, run};
use crate::error::Error;
use crate::metadata::Metadata;
use crate::steps::{Steps, step};

/// Runs every check and says which failed.
pub(crate) fn check() -> Result<(), Error> {
    let metadata = step("read the workspace", Metadata::read)?;
    let mut steps = Steps::default();
    steps.step("format", || run_cargo(&["fmt", "--all", "--", "--check"]));
    steps.step("house rules of the sources", || sources::check(&metadata));
    steps.step("one version", || version::check(&metadata));
    steps.step("tests that SECURITY.md names", || tests_named::check(&metadata));
    steps.step("licences", || licences::check(&metadata));
    steps.step("arrows between crates", arrows::check);
    steps.step("lints on all targets", || {
        run_cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])
    });
    steps.step("lints with each feature alone", || features::check(&metadata));
    steps.step("documentation", || {
        let documentation = ["doc", "--workspace", "--all-features", "--no-deps"];
        run(cargo(&documentation).env("RUSTDOCFLAGS", "-D warnings"))
    });
    steps.finish()
}

fn run_cargo(arguments: &[&str]) -> Result<(), Error> {
    run(&mut cargo(arguments))
}
