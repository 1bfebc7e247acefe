//! What cargo knows of the workspace.

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::command::{cargo, output};
use crate::error::Error;

/// The workspace and all that it depends on, for every platform and with every feature.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// Without `default`.
    pub(crate) features: Vec<String>,
    /// Name and version requirement of each.
    pub(crate) dependencies: Vec<(String, String)>,
    /// Whether it is ours.
    pub(crate) is_member: bool,
    /// Whether it is for others to depend on.
    pub(crate) is_published: bool,
}

impl Metadata {
    /// Asks cargo.
    pub(crate) fn read() -> Result<Self, Error> {
        let text = output(&mut cargo(&["metadata", "--format-version", "1", "--all-features"]))?;
        Self::parse(&text).ok_or_else(|| Error::failed("cargo metadata printed something unexpected"))
    }

    /// Our own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_member)
    }

    fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let members: HashSet<&str> = value["workspace_members"].as_array()?.iter().filter_map(Value::as_str).collect();
        let packages = value["packages"].as_array()?.iter().map(|value| Package::parse(value, &members));
        Some(Self {
            root: value["workspace_root"].as_str()?.into(),
            target: value["target_directory"].as_str()?.into(),
            packages: packages.collect::<Option<_>>()?,
        })
    }
}

impl Package {
    fn parse(value: &Value, members: &HashSet<&str>) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let dependencies = value["dependencies"].as_array()?.iter();
        Some(Self {
            name: text(&value["name"])?,
            version: text(&value["version"])?,
            license: text(&value["license"]),
            features: value["features"].as_object()?.keys().filter(|name| *name != "default").cloned().collect(),
            dependencies: dependencies
                .map(|value| Some((text(&value["name"])?, text(&value["req"])?)))
                .collect::<Option<_>>()?,
            is_member: members.contains(value["id"].as_str()?),
            // An empty list of registries is what `publish = false` becomes.
            is_published: value["publish"].as_array().is_none_or(|registries| !registries.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_is_understood() -> Result<(), Error> {
        let metadata = Metadata::read()?;
        let xtask = metadata.members().find(|package| package.name == "xtask").expect("this package is a member");
        assert!(!xtask.is_published);
        assert_eq!(xtask.version, env!("CARGO_PKG_VERSION"));
        assert!(xtask.dependencies.iter().any(|(name, _)| name == "serde_json"));
        let serde_json = metadata.packages.iter().find(|package| package.name == "serde_json");
        assert!(serde_json.is_some_and(|package| !package.is_member));
        assert!(metadata.root.join("xtask").exists());
        Ok(())
    }

    #[test]
    fn something_else_is_refused() {
        assert!(Metadata::parse("{}").is_none());
        assert!(Metadata::parse("not JSON").is_none());
    }
}
