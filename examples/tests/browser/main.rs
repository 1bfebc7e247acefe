//! The quickstart in a real browser: a Chromium without a window, driven through WebDriver.
//!
//! `cargo xtask test` installs it. Without one these tests fail, unless `SESSIONS_TEST_WITHOUT` names `browser`.

#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

mod account;
mod cookie;
mod driver;
mod gone;
mod page;
mod profile;

use driver::Driver;
use support::Program;
use tempfile::TempDir;

/// A quickstart and what it takes to open browsers on it.
struct Site {
    driver: Driver,
    program: Program,
    /// As a visitor types it. `localhost` and not a number: browsers trust it as they trust https.
    address: String,
    folder: TempDir,
}

impl Site {
    /// `None` when the browser was left out on purpose.
    async fn start() -> Option<Self> {
        Self::start_with(&[]).await
    }

    async fn start_with(more: &[&str]) -> Option<Self> {
        let driver = Driver::given()?;
        let folder = tempfile::tempdir().expect("a folder");
        let arguments = [&["--listen", "127.0.0.1:0", "--store", "sqlite:browser.db"], more].concat();
        let program = Program::start(env!("CARGO_BIN_EXE_quickstart"), &arguments, folder.path()).await;
        let address = format!("http://localhost:{}", program.address.port());
        Some(Self { driver, program, address, folder })
    }

    /// A browser that nobody has used before, on the front page.
    async fn browser(&self) -> profile::Browser {
        let browser = self.driver.browser().await;
        browser.go(&self.address).await;
        browser
    }

    async fn signed_in(&self, name: &str) -> profile::Browser {
        let browser = self.browser().await;
        browser.sign_in(name, false).await;
        browser
    }
}
