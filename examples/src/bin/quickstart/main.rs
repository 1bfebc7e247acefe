//! A web application with sessions: sign-in, a list of one's sessions, a cart. The place to start reading.
//!
//! | file | what it shows |
//! |---|---|
//! | `app.rs` | the session manager, the session layer and the routes |
//! | `account.rs` | signing in and out, "keep me signed in", listing and ending sessions |
//! | `cart.rs` | a typed value that overlapping requests change |
//! | `failure.rs` | what the visitor sees when a session cannot be loaded or committed |
//! | `store.rs` | opening a store by URL |
//! | `serve.rs` | shutting down without losing a commit |
//! | `protect.rs`, `back.js` | what an application with forms needs besides sessions |
//!
//! The rest (`options.rs`, `page.rs`, `words.rs`) has little to do with sessions.

mod account;
mod app;
mod cart;
mod failure;
mod options;
mod page;
mod protect;
mod serve;
mod store;
mod store_url;
mod words;

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use sessions_tower::CookieConfig;
use tokio::net::TcpListener;

use crate::options::{Command, Options};
use crate::store_url::StoreUrl;

/// What ends the program before its time.
pub(crate) enum Failure {
    /// The command line asks for something that there is not: exit code 2.
    Usage(String),
    /// It cannot be done: exit code 1.
    Impossible(String),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(line)) => {
            say(&mut io::stderr(), &format!("quickstart: {line} (--help shows the options)"));
            ExitCode::from(2)
        }
        Err(Failure::Impossible(line)) => {
            say(&mut io::stderr(), &format!("quickstart: {line}"));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let options = match options::parse(std::env::args_os().skip(1))? {
        Command::Help => {
            say(&mut io::stdout(), options::HELP);
            return Ok(());
        }
        Command::Serve(options) => options,
    };
    let Options { store, listen, insecure_cookie, verbose } = options;

    // Before the store: a second start on a port that is taken should not touch the sessions of the first.
    let unusable = |error| Failure::Impossible(format!("cannot listen on {listen}: {error}"));
    let listener = TcpListener::bind(listen).await.map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;

    let opened = store::open(&store).await?;
    for warning in &opened.warnings {
        say(&mut io::stderr(), &format!("quickstart: warning: {warning}"));
    }
    let cookie = if insecure_cookie { CookieConfig::insecure_development() } else { CookieConfig::default() };
    let app = app::build(opened.store, cookie).map_err(|error| Failure::Impossible(error.to_string()))?;

    let interruption =
        serve::interruption().map_err(|error| Failure::Impossible(format!("cannot listen for signals: {error}")))?;

    show_events(verbose);
    say(&mut io::stdout(), &welcome(&address, &store, insecure_cookie));
    serve::serve(listener, app, interruption).await
}

/// Where to open the browser. `localhost` rather than 127.0.0.1: browsers keep `Secure` cookies from it over plain http.
fn welcome(address: &SocketAddr, store: &StoreUrl, insecure_cookie: bool) -> String {
    let port = address.port();
    let host = if address.ip().is_loopback() || address.ip().is_unspecified() {
        "localhost".to_owned()
    } else {
        address.ip().to_canonical().to_string()
    };
    let hint = if insecure_cookie {
        "The cookie is not Secure: for development only."
    } else {
        "In Safari, start with --insecure-cookie: it keeps no Secure cookie over plain http."
    };
    format!("Open http://{host}:{port} in a browser. {hint}\nSessions are kept in {store}. Ctrl-C stops.")
}

/// The library tells what it does in `tracing` events; an application decides who hears them.
fn show_events(verbose: bool) {
    let level = if verbose { tracing::Level::DEBUG } else { tracing::Level::WARN };
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_max_level(level).with_ansi(colours).with_writer(io::stderr).init();
}

/// Nobody may be listening, which is no reason to end.
fn say(out: &mut impl Write, line: &str) {
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
