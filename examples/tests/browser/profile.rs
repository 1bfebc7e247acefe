//! A Chromium with a profile of its own.

use std::os::unix::fs::MetadataExt;

use fantoccini::elements::Element;
use fantoccini::error::{CmdError, NewSessionError};
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;
use url::{ParseError, Url};

use crate::driver::FOREVER;

/// One browser. Everything in it waits for the page, and fails the test when what it waits for does not come.
pub(crate) struct Browser {
    client: Client,
    profile: TempDir,
}

impl Browser {
    pub(crate) async fn open(driver: &str, profile: TempDir) -> Result<Self, NewSessionError> {
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities(&profile)).connect(driver).await?;
        Ok(Self { client, profile })
    }

    /// Ends it, and gives back its profile, with what is in it on the disk.
    pub(crate) async fn close(self) -> TempDir {
        self.client.close().await.expect("it closes");
        self.profile
    }

    pub(crate) async fn go(&self, address: &str) {
        self.client.goto(address).await.unwrap_or_else(|error| panic!("{address}: {error}"));
    }

    pub(crate) async fn reload(&self) {
        self.client.refresh().await.expect("it reloads");
    }

    /// The back button.
    pub(crate) async fn back(&self) {
        self.client.back().await.expect("there is a page before this one");
    }

    /// Waits until the page has an element.
    pub(crate) async fn see(&self, css: &str) -> Element {
        self.wait_for(Locator::Css(css)).await
    }

    /// Waits until an element that is named by its id says this and nothing else.
    pub(crate) async fn see_text(&self, id: &str, text: &str) {
        self.wait_for(Locator::XPath(&format!("//*[@id='{id}'][normalize-space()='{text}']"))).await;
    }

    /// Waits until there are so many of a product in the cart.
    pub(crate) async fn see_in_cart(&self, product: &str, count: &str) {
        self.wait_for(Locator::XPath(&format!("//*[@data-product='{product}'][normalize-space()='{count}']"))).await;
    }

    /// Waits until there is a heading that says this.
    pub(crate) async fn see_heading(&self, text: &str) {
        self.wait_for(Locator::XPath(&format!("//h2[normalize-space()='{text}']"))).await;
    }

    /// Waits until the page says that something was done.
    pub(crate) async fn see_notice(&self, text: &str) {
        self.wait_for(Locator::XPath(&format!("//*[@role='status'][normalize-space()='{text}']"))).await;
    }

    pub(crate) async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.expect("the page is there").len()
    }

    /// What a reader sees of an element.
    pub(crate) async fn text(&self, css: &str) -> String {
        self.see(css).await.text().await.expect("it is there")
    }

    pub(crate) async fn click(&self, css: &str) {
        self.see(css).await.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    pub(crate) async fn write(&self, css: &str, text: &str) {
        self.see(css).await.send_keys(text).await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Signs in on the page that is open.
    pub(crate) async fn sign_in(&self, name: &str, keep: bool) {
        self.write("#name", name).await;
        if keep {
            self.click("#keep").await;
        }
        self.click("#sign-in button").await;
        self.see_text("visitor", name).await;
    }

    /// Every cookie that the browser keeps, of any site, as it keeps it.
    pub(crate) async fn cookies(&self) -> Vec<Value> {
        match self.devtools("Storage.getCookies", json!({})).await["cookies"].take() {
            Value::Array(cookies) => cookies,
            other => panic!("no cookies but {other}"),
        }
    }

    /// The one cookie that there is.
    pub(crate) async fn cookie(&self) -> Value {
        let mut cookies = self.cookies().await;
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        cookies.remove(0)
    }

    /// What a script of the page says. Our pages forbid scripts of their own; this one comes from outside.
    pub(crate) async fn script(&self, text: &str) -> Value {
        self.client.execute(text, Vec::new()).await.unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Shows pages in a window of this width, in the light or the dark scheme.
    pub(crate) async fn show(&self, width: u32, scheme: &str) {
        let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", scheme).await;
    }

    /// What the browser had to complain about, and that was not asked for yet.
    pub(crate) async fn complaints(&self) -> Vec<Value> {
        match self.command("se/log", json!({ "type": "browser" })).await {
            Value::Array(complaints) => complaints,
            other => panic!("no log but {other}"),
        }
    }

    /// Waits until the browser has something to complain about.
    pub(crate) async fn hear_complaints(&self) -> Vec<Value> {
        let heard = async {
            loop {
                let complaints = self.complaints().await;
                if !complaints.is_empty() {
                    return complaints;
                }
            }
        };
        timeout(FOREVER, heard).await.expect("it complains")
    }

    async fn wait_for(&self, what: Locator<'_>) -> Element {
        match self.client.wait().at_most(FOREVER).for_element(what).await {
            Ok(element) => element,
            Err(CmdError::WaitTimeout) => {
                let page = self.client.source().await.unwrap_or_default();
                panic!("{what:?} does not come; the page is {page}")
            }
            Err(error) => panic!("{what:?}: {error}"),
        }
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.command("goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    async fn command(&self, path: &'static str, body: Value) -> Value {
        let command = Command { path, body: body.to_string() };
        self.client.issue_cmd(command).await.unwrap_or_else(|error| panic!("{path} {body}: {error}"))
    }
}

/// A command of this driver that the standard does not have.
#[derive(Debug)]
struct Command {
    path: &'static str,
    body: String,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _address: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.clone()))
    }
}

fn capabilities(profile: &TempDir) -> Capabilities {
    let profile = profile.path().to_str().expect("text");
    let mut arguments = vec![
        "--headless=new".to_owned(),
        // The browser ends when its driver does, also when that was killed.
        "--remote-debugging-pipe".to_owned(),
        // Containers have a small /dev/shm.
        "--disable-dev-shm-usage".to_owned(),
        format!("--user-data-dir={profile}"),
    ];
    // Chromium refuses to run as root with its sandbox.
    if std::fs::metadata(profile).expect("the folder").uid() == 0 {
        arguments.push("--no-sandbox".to_owned());
    }
    let Value::Object(capabilities) = json!({
        "goog:chromeOptions": { "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL" },
    }) else {
        unreachable!("it is an object")
    };
    capabilities
}
