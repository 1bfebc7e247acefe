//! H2: at most one load and, uncontended, one write a request.

use std::time::Duration;

use sessions_tower::SessionLayer;

use crate::http::bench::Bench;
use crate::http::client::{COOKIE_NAME, with_cookie};
use crate::http::watched::Call::{self, Create, Delete, Load, Touch, Update};

/// The table "Store round trips per request" of DESIGN.md, row by row.
pub(crate) async fn h02_store_round_trips_per_request(bench: Bench) {
    let idle_timeout = Duration::from_secs(1600);
    let manager = bench.builder().idle_timeout(idle_timeout).build().expect("valid settings");
    let site = bench.serve(bench.app().layer(SessionLayer::new(manager))).await;
    let calls = async |what: &str, answer: crate::http::client::Answer, expected: &[Call]| {
        assert_eq!(answer.status, 200, "{what}");
        assert_eq!(bench.store.calls(), expected, "{what}");
    };

    let visitor = site.browser();
    calls("no cookie, session not written", visitor.get("/do/keys").await, &[]).await;
    calls("no cookie, session not asked for", visitor.get("/idle").await, &[]).await;
    let malformed = with_cookie("/do/keys", format!("{COOKIE_NAME}=malformed"));
    calls("malformed cookie", site.send(malformed).await, &[]).await;
    calls("new session with data", visitor.get("/do/insert:a=1").await, &[Create]).await;
    calls("cookie, session not asked for", visitor.get("/idle").await, &[]).await;
    calls("read only", visitor.get("/do/read:a").await, &[Load]).await;
    bench.clock.advance(idle_timeout / 16 - Duration::from_millis(1));
    calls("read only, touch not yet due", visitor.get("/do/read:a").await, &[Load]).await;
    bench.clock.advance(Duration::from_millis(1));
    calls("read only, touch due", visitor.get("/do/read:a").await, &[Load, Touch]).await;
    calls("read only, touched", visitor.get("/do/read:a").await, &[Load]).await;
    calls("write", visitor.get("/do/insert:b=2").await, &[Load, Update]).await;
    bench.clock.advance(idle_timeout / 2);
    calls("write, touch due: it rides on the write", visitor.get("/do/add").await, &[Load, Update]).await;
    calls("and was made", visitor.get("/do/read:a").await, &[Load]).await;
    let login = visitor.get("/do/insert:name=alice+login:alice+rotate").await;
    calls("login: write, owner and rotation together", login, &[Load, Update]).await;
    calls("renewal", visitor.get("/do/renew").await, &[Load, Update]).await;
    calls("destroy", visitor.get("/do/logout").await, &[Load, Delete]).await;
    calls("after it", visitor.get("/do/keys").await, &[]).await;
}

pub(crate) async fn h02_a_write_that_meets_a_concurrent_writer_costs_one_more_call(bench: Bench) {
    let site = bench.site().await;
    let browser = site.visitor("add").await;
    let slow = browser.start("/slow/add+insert:slow=1");
    bench.gate.reached_by(1).await;
    assert_eq!(browser.get("/do/add+insert:fast=1").await.ok(), "");
    bench.store.calls();

    bench.gate.admit(1);
    assert_eq!(slow.await.expect("it ends").status, 200);
    assert_eq!(bench.store.calls(), [Update, Update], "with its load: three");
    assert_eq!(browser.get("/do/count").await.ok(), "3");
    assert_eq!(browser.get("/do/keys").await.ok(), "count,fast,slow");
}

pub(crate) async fn h02_what_comes_to_nothing_is_not_written(bench: Bench) {
    let site = bench.site().await;
    assert_eq!(site.get("/do/insert:a=1+remove:a").await.cookies(), [""; 0]);
    assert_eq!(site.get("/do/persist").await.cookies(), [""; 0], "ASVS 7.6.2: nothing to keep in it");
    assert_eq!(site.get("/do/logout").await.cookies(), [""; 0]);
    assert_eq!(bench.store.calls(), []);
    let browser = site.visitor("insert:a=1").await;
    bench.store.calls();
    assert_eq!(browser.get("/do/insert:b=1+remove:b").await.ok(), "");
    assert_eq!(bench.store.calls(), [Load]);
}
