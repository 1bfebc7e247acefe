//! The pages, as HTML. No template engine: it is one page and a few messages.
//!
//! Invariant: whatever a visitor has typed goes through [`Escaped`].

use std::fmt::{self, Write};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};

use crate::account::{Line, Visitor};
use crate::cart::{Cart, SHELF};
use crate::words;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("back.js");

/// The front page.
pub(crate) fn front(visits: u64, cart: &Cart, visitor: Option<&Visitor>, notice: Option<&str>) -> Html<String> {
    let mut main = String::new();
    if let Some(notice) = notice {
        put(&mut main, format_args!(r#"<p class="notice" role="status">{}</p>"#, Escaped(notice)));
    }
    match visitor {
        Some(visitor) => greeting(&mut main, visitor, visits),
        None => sign_in(&mut main, visits),
    }
    if let Some(visitor) = visitor {
        sessions(&mut main, &visitor.sessions);
    }
    shop(&mut main, cart);
    document("Sessions", &main)
}

/// A page that says one thing and leads back to the front.
pub(crate) fn message(title: &str, text: &str, link: &str) -> Html<String> {
    let (head, text, link) = (Escaped(title), Escaped(text), Escaped(link));
    let main =
        format!(r#"<section><h2>{head}</h2><p>{text}</p><p><a class="button" href="/">{link}</a></p></section>"#);
    document(title, &main)
}

/// The only script: it keeps the back button from showing what is over.
pub(crate) async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript")], SCRIPT)
}

pub(crate) async fn not_found() -> (StatusCode, Html<String>) {
    (StatusCode::NOT_FOUND, message("No such page", "There is nothing here.", "To the front page"))
}

fn greeting(main: &mut String, visitor: &Visitor, visits: u64) {
    put(
        main,
        format_args!(
            r#"<section><h2>Hello, <span id="visitor">{}</span>!</h2>{}
<div class="row"><form method="post" action="/sign-out"><button id="sign-out">Sign out</button></form>
<form method="post" action="/sign-out-elsewhere"><button id="sign-out-elsewhere" class="quiet">Sign out everywhere else</button></form></div></section>"#,
            Escaped(&visitor.name),
            Visits(visits),
        ),
    );
}

fn sign_in(main: &mut String, visits: u64) {
    put(
        main,
        format_args!(
            r#"<section><h2>Hello, stranger!</h2>{}
<form id="sign-in" class="stack" method="post" action="/sign-in">
<label for="name">Your name</label>
<input id="name" name="name" required maxlength="40" autocomplete="username" placeholder="Ada">
<label class="check"><input type="checkbox" id="keep" name="keep" value="yes"> Keep me signed in</label>
<button>Sign in</button></form></section>"#,
            Visits(visits),
        ),
    );
}

fn sessions(main: &mut String, lines: &[Line]) {
    main.push_str(r#"<section><h2>Your sessions</h2><ul id="sessions" class="list">"#);
    for line in lines {
        let Line { id, browser, began, last_used, is_this } = line;
        let (mark, verb) = if *is_this { (r#" <span class="mark">this one</span>"#, "Sign out") } else { ("", "End") };
        put(
            main,
            format_args!(
                r#"<li><div><strong>{}</strong>{mark}<br><small>began {}, last used {}</small></div>
<form method="post" action="/sessions/{id}/end"><button class="quiet">{verb}</button></form></li>"#,
                Escaped(browser),
                Ago(*began),
                Ago(*last_used),
            ),
        );
    }
    main.push_str("</ul></section>");
}

fn shop(main: &mut String, cart: &Cart) {
    main.push_str(r#"<section id="cart"><h2>Your cart</h2><ul class="list">"#);
    for product in SHELF {
        let (name, price, count) = (product.name, Money(product.cents), cart.count(product));
        put(
            main,
            format_args!(
                r#"<li><div><strong>{name}</strong><br><small>{price}</small></div><div class="row">
<form method="post" action="/cart/remove"><input type="hidden" name="product" value="{name}"><button class="quiet" aria-label="One {name} less">−</button></form>
<output data-product="{name}">{count}</output>
<form method="post" action="/cart/add"><input type="hidden" name="product" value="{name}"><button class="quiet" aria-label="One {name} more">+</button></form></div></li>"#,
            ),
        );
    }
    put(
        main,
        format_args!(
            r#"</ul><p class="total">Total <strong id="total">{}</strong></p></section>"#,
            Money(cart.cents())
        ),
    );
}

fn document(title: &str, main: &str) -> Html<String> {
    Html(format!(
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{}</title><link rel="icon" href="data:,"><style>{STYLE}</style><script src="/back.js"></script></head>
<body><header><h1><a href="/">Sessions</a></h1></header><main>{main}</main>
<footer>Everything here lives in a session on the server; your browser holds one cookie.</footer></body></html>
"#,
        Escaped(title),
    ))
}

fn put(page: &mut String, part: fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = page.write_fmt(part);
}

/// Text that cannot be read as HTML, neither between tags nor in a quoted attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

struct Visits(u64);

impl fmt::Display for Visits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<p>Page views in this session: <output id="visits">{}</output></p>"#, self.0)
    }
}

struct Money(u32);

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} €", self.0 / 100, self.0 % 100)
    }
}

struct Ago(Option<Duration>);

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |duration| f.write_str(&words::ago(duration)))
    }
}
