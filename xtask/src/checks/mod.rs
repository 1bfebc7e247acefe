//! One file for each kind of rule.

pub(crate) mod arrows;
pub(crate) mod features;
pub(crate) mod licences;
pub(crate) mod sources;
pub(crate) mod tests_named;
pub(crate) mod version;

mod spdx;

use crate::error::Error;

/// Fine if nothing was found, else one line for each finding.
fn verdict(findings: &[String]) -> Result<(), Error> {
    if findings.is_empty() { Ok(()) } else { Err(Error::failed(findings.join("\n"))) }
}
