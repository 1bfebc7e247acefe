//! H12: a `Set-Cookie` of our name from the handler is replaced and reported.

use axum::response::AppendHeaders;
use axum::routing::get;
use http::header::SET_COOKIE;
use sessions_tower::{Session, SessionRejection};

use crate::http::bench::Bench;

pub(crate) async fn h12_a_handler_cannot_set_the_sessions_cookie(bench: Bench) {
    let cookies = || {
        AppendHeaders([
            (SET_COOKIE, "a=1; Path=/"),
            (SET_COOKIE, "__Host-session=forged; Path=/; Secure"),
            (SET_COOKIE, "__Host-session=; Max-Age=0"),
            (SET_COOKIE, "__Host-session = spaced"),
            (SET_COOKIE, "b=2"),
            (SET_COOKIE, "__Host-session2=another"),
        ])
    };
    let written = async move |session: Session| {
        session.insert("a", &1)?;
        Ok::<_, SessionRejection>(cookies())
    };
    let app = bench.app().route("/idle-cookie", get(async move || cookies())).route("/written", get(written));
    let site = bench.serve(app.layer(bench.layer())).await;
    let others = ["a=1; Path=/", "b=2", "__Host-session2=another"];

    assert_eq!(site.get("/idle-cookie").await.cookies(), others, "also where nobody asked for the session");
    assert_eq!(bench.events.count("cookie.set_by_handler"), 1);
    let answer = site.get("/written").await;
    assert_eq!(answer.cookies()[..3], others);
    let [.., ours] = answer.cookies()[..] else { panic!("ours is the last: {answer:?}") };
    assert_eq!(answer.cookies().len(), 4);
    assert_eq!(site.send(crate::http::client::with_cookie("/do/keys", &ours[..79])).await.ok(), "a");
    assert_eq!(bench.events.count("cookie.set_by_handler"), 2);
}

/// A cookie without a name is sent back as its bare value, in which a server finds a name.
pub(crate) async fn h12_a_nameless_cookie_cannot_pose_as_ours(bench: Bench) {
    let cookies = AppendHeaders([(SET_COOKIE, "=__Host-session=forged"), (SET_COOKIE, "=x=1"), (SET_COOKIE, "plain")]);
    let app = bench.app().route("/nameless", get(async move || cookies));
    let site = bench.serve(app.layer(bench.layer())).await;
    assert_eq!(site.get("/nameless").await.cookies(), ["=x=1", "plain"]);
}
