//! One version in the family: of every package, wherever one of ours names another, and in the changelog.

use std::fs;

use super::verdict;
use crate::error::Error;
use crate::metadata::{Metadata, Package};

/// Compares them all with our own.
pub(crate) fn check(metadata: &Metadata) -> Result<(), Error> {
    let members: Vec<&Package> = metadata.members().collect();
    let mut findings = findings(&members, VERSION);
    let changelog = fs::read_to_string(metadata.root.join("CHANGELOG.md")).unwrap_or_default();
    if !changelog.lines().any(|line| line.starts_with("## ") && line.contains(VERSION)) {
        findings.push(format!("CHANGELOG.md has no heading for {VERSION}"));
    }
    verdict(&findings)
}

fn findings(members: &[&Package], version: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for package in members {
        if package.version != version {
            findings.push(format!("{} is {}, the family is {version}", package.name, package.version));
        }
        for (name, requirement) in &package.dependencies {
            let is_ours = members.iter().any(|member| member.name == *name);
            if is_ours && requirement.trim_start_matches(['^', '=']) != version {
                findings.push(format!("{} wants {name} {requirement}, the family is {version}", package.name));
            }
        }
    }
    findings
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, dependencies: &[(&str, &str)]) -> Package {
        Package {
            name: name.into(),
            version: version.into(),
            license: None,
            features: Vec::new(),
            dependencies: dependencies.iter().map(|(name, version)| ((*name).into(), (*version).into())).collect(),
            is_member: true,
            is_published: true,
        }
    }

    #[test]
    fn one_version_is_fine() {
        let core = package("core", "0.2.0", &[("bytes", "^1.10")]);
        let tower = package("tower", "0.2.0", &[("core", "^0.2.0")]);
        assert!(findings(&[&core, &tower], "0.2.0").is_empty());
    }

    #[test]
    fn another_version_is_seen_in_a_package_and_in_a_dependency() {
        let core = package("core", "0.1.0", &[]);
        let tower = package("tower", "0.2.0", &[("core", "^0.1.0")]);
        assert_eq!(findings(&[&core, &tower], "0.2.0").len(), 2);
    }
}
