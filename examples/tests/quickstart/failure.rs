//! The pages for failures. For the 409 see `account`.

use hyper::StatusCode;
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};

use crate::support::{Client, Program};

/// An outage is not an empty session: it says so, and afterwards everything is as it was.
#[tokio::test]
async fn asvs_16_5_3_a_store_that_fails_is_a_page_that_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::quickstart("sqlite:failing.db", folder.path()).await;
    let mut client = Client::new(program.address);
    client.submit("/sign-in", &[("name", "Ada")]).await;

    rename(folder.path(), "ALTER TABLE sessions RENAME TO away").await;
    let answer = client.get("/").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    assert_eq!(answer.headers["retry-after"], "1");
    assert!(answer.body.contains("One moment, please"), "{}", answer.body);
    assert_eq!(answer.set_cookies(), Vec::<&str>::new());
    assert!(!answer.body.contains("no such table"), "errors are not for visitors");
    assert_eq!(client.get("/signed-out").await.status, StatusCode::OK, "a page without a session does not notice");

    rename(folder.path(), "ALTER TABLE away RENAME TO sessions").await;
    assert_eq!(client.get("/").await.text_of(r#"id="visitor""#), Some("Ada"));
    program.stop().await;
}

#[tokio::test]
async fn other_pages_are_not_found_and_cost_no_session() {
    let (_program, mut client, _folder) = crate::start().await;
    let answer = client.get("/nothing").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.set_cookies(), Vec::<&str>::new());
}

async fn rename(folder: &std::path::Path, statement: &'static str) {
    let options = SqliteConnectOptions::new().filename(folder.join("failing.db"));
    let mut connection = options.connect().await.expect("the file is there");
    sqlx::raw_sql(statement).execute(&mut connection).await.expect("the table is there");
}
