//! Promise 2: what is over stays over, whatever slow request was still in flight.

use std::time::Duration;

use http::StatusCode;

use crate::http::bench::Bench;
use crate::http::client::{Answer, Browser};

/// Every way of writing that a slow request may end with.
const WRITES: [&str; 7] = [
    "/slow/insert:late=1",
    "/slow/add",
    "/slow/clear",
    "/slow/rotate",
    "/slow/renew",
    "/slow/login:mallory",
    "/slow/persist",
];

/// A request that has loaded the session, and goes on after something else has happened.
async fn overtaken(bench: &Bench, browser: &Browser, slow: &'static str, meanwhile: impl AsyncFnOnce()) -> Answer {
    let late = browser.start(slow);
    bench.gate.reached_by(1).await;
    meanwhile().await;
    bench.gate.admit(1);
    late.await.expect("it ends")
}

/// It is told, and its cookies are left alone.
fn assert_lost(answer: &Answer, slow: &str) {
    assert_eq!(answer.status, StatusCode::CONFLICT, "{slow}");
    assert!(answer.body.is_empty() && answer.cookies().is_empty(), "{slow}: {answer:?}");
}

fn assert_nothing_read(answer: &Answer, slow: &str) {
    assert!(answer.ok().is_empty() && answer.cookies().is_empty(), "{slow}: {answer:?}");
}

pub(crate) async fn over_a_slow_request_does_not_undo_a_logout(bench: Bench) {
    let site = bench.site().await;
    for slow in WRITES {
        let browser = site.visitor("insert:a=1+login:alice").await;
        let old = browser.copy();
        let answer = overtaken(&bench, &browser, slow, async || {
            assert_eq!(browser.get("/do/logout").await.cookies().len(), 1);
        })
        .await;
        assert_lost(&answer, slow);
        assert!(bench.stored(&old.token()).await.is_none(), "{slow}");
        assert_eq!(browser.cookie("__Host-session"), None, "{slow}");
        assert_nothing_read(&old.get("/do/keys+who").await, slow);
    }
    assert_eq!(bench.manager().sessions_of("mallory").await.expect("the store works").len(), 0);
}

/// The same for a session that was ended by its id, from another device.
pub(crate) async fn over_a_slow_request_does_not_undo_a_revocation(bench: Bench) {
    let site = bench.site().await;
    let manager = bench.manager();
    for slow in WRITES {
        let browser = site.visitor("insert:a=1+login:alice").await;
        let answer = overtaken(&bench, &browser, slow, async || {
            assert_eq!(manager.delete_sessions_of("alice", None).await.expect("the store works"), 1, "{slow}");
        })
        .await;
        assert_lost(&answer, slow);
        assert!(bench.stored(&browser.token()).await.is_none(), "{slow}");
    }
}

pub(crate) async fn over_a_slow_request_does_not_undo_a_login(bench: Bench) {
    let site = bench.site().await;
    for slow in WRITES {
        let browser = site.visitor("insert:a=1").await;
        let old = browser.copy();
        let answer = overtaken(&bench, &browser, slow, async || {
            assert_eq!(browser.get("/do/insert:b=2+login:alice").await.cookies().len(), 1);
        })
        .await;
        assert_lost(&answer, slow);
        assert_ne!(browser.token(), old.token(), "the login's cookie stays: {slow}");
        assert_eq!(browser.get("/do/keys").await.ok(), "a,b", "{slow}");
        assert_eq!(browser.get("/do/who").await.ok(), "alice", "{slow}");

        // The old token is over, fresh and when it is taken for a stranger's.
        assert_nothing_read(&old.get("/do/keys").await, slow);
        assert_lost(&old.get("/do/insert:late=1").await, slow);
        bench.clock.advance(Duration::from_secs(31));
        assert_nothing_read(&old.get("/do/keys").await, slow);
        assert_eq!(browser.get("/do/keys").await.ok(), "a,b", "{slow}");
    }
}

pub(crate) async fn over_a_slow_request_does_not_undo_an_expiry(bench: Bench) {
    let site = bench.site().await;
    for slow in WRITES {
        let browser = site.visitor("insert:a=1+login:alice").await;
        let answer =
            overtaken(&bench, &browser, slow, async || bench.clock.advance(Duration::from_secs(24 * 60 * 60))).await;
        assert_lost(&answer, slow);
        assert_nothing_read(&browser.get("/do/keys+who").await, slow);
    }
}

pub(crate) async fn over_a_slow_request_that_only_read_is_answered(bench: Bench) {
    let site = bench.site().await;
    let browser = site.visitor("insert:a=1").await;
    let answer = overtaken(&bench, &browser, "/slow/read:a", async || {
        browser.get("/do/login:alice").await;
    })
    .await;
    assert_eq!(answer.ok(), "1", "what it read was true when it read it");
    let answer = overtaken(&bench, &browser, "/slow/read:a", async || {
        browser.get("/do/logout").await;
    })
    .await;
    assert_eq!(answer.ok(), "1");
}

/// A logout is not lost to a concurrent write, or to a rotation that it did not see.
pub(crate) async fn over_a_slow_logout_wins(bench: Bench) {
    let site = bench.site().await;
    for meanwhile in ["/do/add", "/do/rotate", "/do/renew"] {
        let browser = site.visitor("login:alice").await;
        let answer = overtaken(&bench, &browser, "/slow/logout", async || {
            browser.get(meanwhile).await;
        })
        .await;
        assert!(answer.ok().is_empty() && answer.cookies()[0].contains("Max-Age=0"), "{meanwhile}: {answer:?}");
    }
    assert_eq!(bench.manager().sessions_of("alice").await.expect("the store works").len(), 0);
}

/// No sequence of renewals outlives the absolute timeout (ASVS 7.3.2).
pub(crate) async fn over_the_absolute_timeout_holds_for_a_session_that_is_always_renewed(bench: Bench) {
    let hour = Duration::from_secs(60 * 60);
    let builder = bench.builder().lifetime(hour).rotate_threshold(hour).absolute_timeout(hour * 5);
    let layer = sessions_tower::SessionLayer::new(builder.build().expect("valid settings")).auto_renew(true);
    let site = bench.serve(bench.app().layer(layer)).await;
    let browser = site.visitor("insert:a=1").await;
    for _ in 0..9 {
        bench.clock.advance(hour / 2);
        assert_eq!(browser.get("/do/read:a").await.ok(), "1");
    }
    bench.clock.advance(hour / 2 - Duration::from_millis(1));
    assert_eq!(browser.get("/do/read:a").await.ok(), "1");
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(browser.get("/do/read:a").await.ok(), "");
}
