//! Every dependency has a licence that `deny.toml` allows. The list is there, for cargo-deny as well; this check needs
//! nothing but cargo.

use std::collections::BTreeSet;
use std::fs;

use super::spdx::allows;
use super::verdict;
use crate::error::Error;
use crate::metadata::{Metadata, Package};

/// Looks at everything that is not ours.
pub(crate) fn check(metadata: &Metadata) -> Result<(), Error> {
    let path = metadata.root.join("deny.toml");
    let text = fs::read_to_string(&path).map_err(|error| Error::failed(format!("deny.toml: {error}")))?;
    let allowed = allowed(&text).ok_or_else(|| Error::failed("deny.toml has no list of allowed licences"))?;
    let others = metadata.packages.iter().filter(|package| !package.is_member);
    verdict(&others.filter_map(|package| finding(package, &allowed)).collect::<Vec<_>>())
}

fn finding(package: &Package, allowed: &BTreeSet<String>) -> Option<String> {
    let Package { name, version, license, .. } = package;
    match license {
        None => Some(format!("{name} {version} says no licence")),
        Some(license) if !allows(license, &|name| allowed.contains(name)) => {
            Some(format!("{name} {version} is {license}, which deny.toml does not allow"))
        }
        Some(_) => None,
    }
}

/// The quoted words of the list `allow` in the table `licenses`.
fn allowed(text: &str) -> Option<BTreeSet<String>> {
    let (_, table) = text.split_once("\n[licenses]\n")?;
    let (_, list) = table.split_once("\nallow = [")?;
    let (list, _) = list.split_once(']')?;
    Some(list.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_as_it_is_written() {
        let text =
            "# x\n[licenses]\nversion = 2\nallow = [\n    \"MIT\", # a\n    \"ISC\",\n]\n\n[bans]\nallow = [\"no\"]\n";
        assert_eq!(allowed(text), Some(BTreeSet::from(["MIT".into(), "ISC".into()])));
        assert_eq!(allowed("\n[bans]\nallow = []"), None);
    }

    #[test]
    fn what_is_not_allowed_is_found() {
        let allowed = BTreeSet::from(["MIT".to_owned()]);
        let package = |license: Option<&str>| Package {
            name: "name".into(),
            version: "1.0.0".into(),
            license: license.map(Into::into),
            features: Vec::new(),
            dependencies: Vec::new(),
            is_member: false,
            is_published: true,
        };
        assert_eq!(finding(&package(Some("MIT OR GPL-3.0")), &allowed), None);
        assert!(finding(&package(Some("GPL-3.0")), &allowed).is_some());
        assert!(finding(&package(None), &allowed).is_some());
    }
}
