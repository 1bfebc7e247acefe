//! Each package that others depend on by itself, without features and with each of its features alone: a feature must not
//! need another one that happens to be on whenever the whole workspace is compiled.

use crate::command::{cargo, run};
use crate::error::Error;
use crate::metadata::{Metadata, Package};
use crate::steps::Steps;

/// Lints the library and the binaries; tests use what they like.
pub(crate) fn check(metadata: &Metadata) -> Result<(), Error> {
    let mut steps = Steps::default();
    for (package, feature) in metadata.members().filter(|package| package.is_published).flat_map(alone) {
        let name = format!("{package} with {}", feature.unwrap_or("no feature"));
        let mut arguments = vec!["clippy", "--quiet", "--package", package, "--no-default-features"];
        arguments.extend(feature.iter().flat_map(|feature| ["--features", feature]));
        arguments.extend(["--", "-D", "warnings"]);
        steps.step(&name, || run(&mut cargo(&arguments)));
    }
    steps.finish()
}

/// What to lint of a package: it without features, and with each.
fn alone(package: &Package) -> impl Iterator<Item = (&str, Option<&str>)> {
    let features = package.features.iter().map(|feature| Some(feature.as_str()));
    std::iter::once(None).chain(features).map(|feature| (package.name.as_str(), feature))
}
