//! The command line, good and bad: one line, an exit code, no password.

use std::net::TcpListener;

use crate::support::{Client, Program, Run, refused, run};

const QUICKSTART: &str = env!("CARGO_BIN_EXE_quickstart");

/// Runs it where it is to end by itself.
async fn quickstart(arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let mut all = vec!["--listen", "127.0.0.1:0"];
    all.extend(arguments);
    run(QUICKSTART, &all, folder.path()).await
}

#[tokio::test]
async fn help_is_printed() {
    for option in ["--help", "-h"] {
        let Run { status, out, err } = quickstart(&[option]).await;
        assert_eq!((status.code(), err.as_str()), (Some(0), ""));
        for option in ["--store", "--listen", "--insecure-cookie", "sqlite:PATH"] {
            assert!(out.contains(option), "{out}");
        }
    }
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_is_one_line_and_code_2() {
    refused(2, &["--bogus"], "unknown option --bogus").await;
    refused(2, &["--bogus=hunter2"], "unknown option --bogus").await;
    refused(2, &["redis://:hunter2@localhost"], "only options").await;
    refused(2, &["--store"], "--store needs a URL").await;
    refused(2, &["--listen"], "--listen needs an address").await;
    refused(2, &["--verbose=yes"], "--verbose takes no value").await;
    for address in ["", "here", "127.0.0.1", "127.0.0.1:99999", "example.com:80", ":3000"] {
        refused(2, &["--listen", address], "IP:PORT").await;
    }
    for url in ["", "hunter2", "mongodb://u:hunter2@h", "://", "sqlite", "SQLITE:x", "memory:hunter2"] {
        refused(2, &["--store", url], "--store takes memory, or a URL").await;
    }
    refused(2, &["--store", "sqlite:"], "it names a file").await;
    refused(2, &["--store", "sqlite:x.db?mode=ro"], "has to write").await;
    refused(2, &["--store", "redis://u:hunter2@h:port"], "--store redis://h:port").await;
    refused(2, &["--store", "redis://u:hunter2/@h:1:2"], "--store redis://h:1:2").await;
    refused(2, &["--store", "redis:hunter2"], "--store redis:…: ").await;
}

#[tokio::test]
async fn what_cannot_be_done_is_one_line_and_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    refused(1, &["--listen", &address], "in use").await;
    // An address of the documentation's range: no machine has it.
    refused(1, &["--listen", "192.0.2.1:3000"], "cannot listen on 192.0.2.1:3000").await;

    refused(1, &["--store", "sqlite:no/such/folder/x.db"], "unable to open").await;
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.db");
    std::fs::write(&text, "not a database, and long enough for that to be seen. ".repeat(20)).expect("written");
    refused(1, &["--store", &format!("sqlite:{}", text.display())], "not a database").await;
    refused(1, &["--store", &format!("sqlite:{}", folder.path().display())], "unable to open").await;

    // Port 1 on loopback: nobody listens there.
    refused(1, &["--store", "redis://u:hunter2@127.0.0.1:1/0"], "redis://127.0.0.1:1/0").await;
    refused(1, &["--store", "rediss://u:hunter2@127.0.0.1:1/0"], "rediss://127.0.0.1:1/0").await;
    refused(1, &["--store", "redis+cluster://u:hunter2@127.0.0.1:1,127.0.0.1:1"], "redis+cluster://127.0.0.1:1").await;
    refused(1, &["--store", "postgres://u:hunter2@127.0.0.1:1/shop"], "postgres://127.0.0.1:1/shop").await;
    refused(1, &["--store", "mysql://u:hunter2@127.0.0.1:1/shop"], "mysql://127.0.0.1:1/shop").await;
}

/// Something that takes connections and never says a word.
#[tokio::test]
async fn a_server_that_does_not_answer_is_one_line_and_code_1() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    for scheme in ["redis", "rediss", "redis+cluster", "postgres", "mysql"] {
        refused(1, &["--store", &format!("{scheme}://u:hunter2@127.0.0.1:{port}/0")], "cannot keep sessions in").await;
    }
}

#[tokio::test]
async fn a_cookie_for_browsers_that_want_https_on_localhost_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["--listen", "localhost:0", "--store", "memory", "--insecure-cookie"];
    let program = Program::start(QUICKSTART, &arguments, folder.path()).await;
    assert!(program.said.contains("not Secure"), "{}", program.said);
    let answer = Client::new(program.address).get("/").await;
    let [cookie] = answer.set_cookies()[..] else { panic!("one cookie") };
    assert!(cookie.starts_with("session="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
}
