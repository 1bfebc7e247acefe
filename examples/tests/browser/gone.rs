//! What is left after signing out: nothing.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row};

use crate::Site;
use crate::support::Client;

const STRANGER: &str = "Hello, stranger!";
/// A name that nothing else in a profile could contain by chance.
const NAME: &str = "Ada of Ockham Park";

#[tokio::test]
async fn asvs_7_4_1_signing_out_leaves_nothing_in_the_browser_and_in_the_store() {
    let Some(site) = Site::start().await else { return };
    let browser = site.browser().await;
    browser.sign_in(NAME, true).await;
    let token = browser.cookie().await["value"].as_str().expect("text").to_owned();
    assert_eq!(stored(site.folder.path()).await, 1, "the negative control");

    browser.click("#sign-out").await;
    browser.see_heading("You are signed out").await;
    assert_eq!(browser.cookies().await, Vec::<Value>::new());
    let kept = "return [localStorage.length, sessionStorage.length, document.cookie.length]";
    assert_eq!(browser.script(kept).await, serde_json::json!([0, 0, 0]));
    assert_eq!(stored(site.folder.path()).await, 0);

    let mut thief = Client::new(site.program.address);
    thief.set_cookie("__Host-session", &token);
    assert_eq!(thief.get("/").await.text_of(r#"id="visitor""#), None, "a copy of the cookie opens nothing");

    let profile = browser.close().await;
    // The negative control: what is on the disk is found.
    assert!(!files_with(profile.path(), site.address.as_bytes()).is_empty(), "the history is there");
    let mut cached = files_with(profile.path(), NAME.as_bytes());
    // Where the browser remembers what its user types into forms.
    cached.retain(|path| !path.contains("/Web Data"));
    assert_eq!(cached, Vec::<String>::new(), "no page is on the disk");
}

#[tokio::test]
async fn asvs_14_3_2_the_back_button_shows_nothing_private_once_signed_out() {
    let Some(site) = Site::start().await else { return };
    let browser = site.signed_in(NAME).await;
    // The negative control: as long as somebody is signed in, it does.
    browser.go(&format!("{}/signed-out", site.address)).await;
    browser.back().await;
    browser.see_text("visits", "3").await;
    browser.see_text("visitor", NAME).await;

    browser.click("#sign-out").await;
    browser.see_heading("You are signed out").await;
    browser.back().await;
    browser.see_heading(STRANGER).await;
    assert!(!browser.text("body").await.contains(NAME));
}

#[tokio::test]
async fn asvs_14_3_2_the_back_button_shows_nothing_private_once_ended_elsewhere() {
    let Some(site) = Site::start().await else { return };
    let (browser, other) = (site.signed_in(NAME).await, site.signed_in(NAME).await);
    browser.go(&format!("{}/nothing", site.address)).await;
    browser.see_heading("No such page").await;
    other.click("#sign-out-elsewhere").await;
    other.see_notice("1 session ended.").await;
    browser.back().await;
    browser.see_heading(STRANGER).await;
    assert!(!browser.text("body").await.contains(NAME));
}

/// How many sessions there are in the quickstart's file.
async fn stored(folder: &Path) -> i64 {
    let options = SqliteConnectOptions::new().filename(folder.join("browser.db")).read_only(true);
    let mut connection = options.connect().await.expect("the file is there");
    let row =
        sqlx::query("SELECT count(*) FROM sessions").fetch_one(&mut connection).await.expect("the table is there");
    row.get(0)
}

/// The files below a folder that have these bytes in them.
fn files_with(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there").map_while(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes));
        } else if fs::read(&path).is_ok_and(|content| content.windows(bytes.len()).any(|window| window == bytes)) {
            found.push(path.display().to_string());
        }
    }
    found
}
