//! Two layers with two cookies in one application (H13).

mod support;

use hyper::StatusCode;
use support::{Client, Program};

const ADMIN: &str = "__Host-admin";

#[tokio::test]
async fn h13_each_layer_has_its_own_sessions_and_cookie() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::start(env!("CARGO_BIN_EXE_two_layers"), &["127.0.0.1:0"], folder.path()).await;
    let mut client = Client::new(program.address);
    assert_eq!(client.get("/").await.body, "visit 1\n");
    assert_eq!(client.cookie(ADMIN), None, "visitors are no administrators");
    assert_eq!(client.get("/admin").await.status, StatusCode::FORBIDDEN);

    let answer = client.post("/admin/sign-in", &[]).await;
    let [cookie] = answer.set_cookies()[..] else { panic!("one cookie: {:?}", answer.set_cookies()) };
    assert!(cookie.starts_with("__Host-admin=") && cookie.ends_with("SameSite=Strict"), "{cookie}");
    assert_eq!(client.get("/admin").await.body, "administrator, with 1 visits as a visitor\n");
    assert_eq!(client.get("/").await.body, "visit 2\n");

    // Neither token is worth anything in the other's cookie.
    let (visitor, admin) =
        (client.token().expect("a cookie").to_owned(), client.cookie(ADMIN).expect("one").to_owned());
    let mut swapped = client.clone();
    swapped.set_cookie(ADMIN, &visitor);
    swapped.set_cookie("__Host-session", &admin);
    assert_eq!(swapped.get("/admin").await.status, StatusCode::FORBIDDEN);
    assert_eq!(swapped.get("/").await.body, "visit 1\n");
    program.stop().await;
}
