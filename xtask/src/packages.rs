//! What the tests need from the distribution.

use std::path::Path;

use crate::command::{run, shell};
use crate::error::Error;

/// Makes sure that there is a Chromium and its driver.
pub(crate) fn browser() -> Result<(), Error> {
    if is_on_path("chromedriver") && ["chromium", "google-chrome"].into_iter().any(is_on_path) {
        return Ok(());
    }
    run(&mut shell(INSTALL, &["chromium", "chromium-driver"])).map_err(|_| {
        Error::failed("no Chromium with chromedriver to test in: install both, or leave it out with --without browser")
    })
}

/// Makes sure that there is a valgrind.
pub(crate) fn valgrind() -> Result<(), Error> {
    if is_on_path("valgrind") {
        return Ok(());
    }
    run(&mut shell(INSTALL, &["valgrind"]))
        .map_err(|_| Error::failed("no valgrind to count instructions with: install it"))
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).exists())
}

/// The same script that installs servers.
const INSTALL: &str =
    concat!(include_str!("../../integration-tests/src/servers/scripts/install.sh"), "install_packages \"$@\"");
