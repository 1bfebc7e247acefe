//! H5: what the client presents and what the store holds may be anything. None of it is a session that it should not be, and
//! none of it moves the client's cookie.

use std::time::Duration;

use http::StatusCode;
use http::header::RETRY_AFTER;
use sessions_core::{Change, Entry, SessionStore, Timestamp, Ttl, UpdateOutcome};

use crate::http::bench::{Bench, Site, id_of};
use crate::http::client::{Answer, COOKIE_NAME, with_cookie};
use crate::http::watched::Call::{Create, Load};

async fn present(site: &Site, path: &str, token: &str) -> Answer {
    site.send(with_cookie(path, format!("{COOKIE_NAME}={token}"))).await
}

/// Reading finds nothing, moves no cookie, and costs these calls.
async fn assert_reads_as_nobody(bench: &Bench, site: &Site, token: &str, what: &str) {
    for path in ["/do/keys", "/do/who"] {
        let answer = present(site, path, token).await;
        assert_eq!(answer.ok(), "", "{what}");
        assert!(answer.cookies().is_empty(), "{what}: {answer:?}");
    }
    bench.store.calls();
}

/// A write makes a new session, under an id that the client has not chosen.
async fn assert_writes_anew(site: &Site, token: &str, what: &str) {
    let answer = present(site, "/do/insert:mine=1", token).await;
    assert_eq!(answer.status, 200, "{what}");
    let [cookie] = answer.cookies()[..] else { panic!("{what}: one cookie: {answer:?}") };
    let given = &cookie[COOKIE_NAME.len() + 1..][..64];
    assert_ne!(id_of(given), id_of(token), "{what}");
    assert_eq!(present(site, "/do/keys", given).await.ok(), "mine", "{what}");
}

/// Another character of the alphabet in this place.
fn altered(token: &str, at: usize) -> String {
    let mut text = token.as_bytes().to_vec();
    text[at] = if text[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(text).expect("ASCII")
}

pub(crate) async fn h05_a_malformed_token_is_no_session_and_no_store_call(bench: Bench) {
    let site = bench.site().await;
    let token = site.visitor("insert:a=1").await.token();
    bench.store.calls();
    let malformed =
        ["", "x", &token[1..], &format!("{token}A"), &format!("{token}="), &token.replace(&token[5..6], "+")];
    for value in malformed {
        let answer = present(&site, "/do/keys", value).await;
        assert_eq!(answer.ok(), "", "{value}");
        assert!(answer.cookies().is_empty(), "{value}");
        assert_eq!(bench.store.calls(), [], "{value}");
    }
    assert_eq!(bench.events.count("cookie.malformed"), malformed.len());
}

pub(crate) async fn h05_an_unknown_token_is_not_adopted(bench: Bench) {
    let site = bench.site().await;
    let chosen = "A".repeat(64);
    assert_eq!(present(&site, "/do/keys", &chosen).await.ok(), "");
    assert_eq!(bench.store.calls(), [Load]);
    assert_reads_as_nobody(&bench, &site, &chosen, "unknown").await;
    assert_writes_anew(&site, &chosen, "unknown").await;
    assert!(bench.stored(&chosen).await.is_none());
}

pub(crate) async fn h05_an_expired_token_is_like_an_unknown_one(bench: Bench) {
    let site = bench.site().await;
    let token = site.visitor("insert:a=1+login:alice").await.token();
    bench.clock.advance(Duration::from_millis(24 * 60 * 60 * 1000 - 1));
    assert_eq!(present(&site, "/do/who", &token).await.ok(), "alice");
    bench.clock.advance(Duration::from_millis(1));
    assert_reads_as_nobody(&bench, &site, &token, "expired").await;
    assert_writes_anew(&site, &token, "expired").await;
}

/// A right id is worth nothing without its secret, whichever byte of it is wrong.
pub(crate) async fn h05_the_right_id_with_a_wrong_secret_opens_nothing(bench: Bench) {
    let site = bench.site().await;
    let token = site.visitor("insert:a=1+login:alice").await.token();
    let before = bench.stored(&token).await.expect("it is stored");

    // The session's token is young: the request is taken for one that a rotation has overtaken.
    for at in [22, 40, 63] {
        let wrong = altered(&token, at);
        assert_reads_as_nobody(&bench, &site, &wrong, "fresh").await;
        let answer = present(&site, "/do/insert:mine=1", &wrong).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "fresh");
        assert!(answer.cookies().is_empty(), "fresh: {answer:?}");
        assert_eq!(present(&site, "/do/logout", &wrong).await.status, StatusCode::CONFLICT);
        assert_eq!(bench.store.calls(), [Load, Load], "fresh: nothing is written");
    }
    bench.clock.advance(Duration::from_secs(30));
    for at in [22, 40, 63] {
        let wrong = altered(&token, at);
        assert_reads_as_nobody(&bench, &site, &wrong, "old").await;
        assert_writes_anew(&site, &wrong, "old").await;
        let answer = present(&site, "/do/logout", &wrong).await;
        assert!(answer.ok().is_empty() && answer.cookies().is_empty(), "old: {answer:?}");
    }
    assert!(bench.events.count("session.refused") > 0);
    assert_eq!(bench.stored(&token).await.expect("it is stored"), before);
    assert_eq!(present(&site, "/do/who", &token).await.ok(), "alice");
}

/// Replaces the bytes of a record behind the library's back.
async fn plant(bench: &Bench, token: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let (id, stored) = (id_of(token), bench.stored(token).await.expect("it is stored"));
    let mut record = stored.record.to_vec();
    change(&mut record);
    let entry = Entry { version: stored.version, record: record.into(), owner: stored.owner, deadline: Timestamp::MAX };
    let change = Change { ttl: Ttl::Keep, reindex: false };
    let planted = bench.store.unwatched().update(&id, stored.version, &entry, change).await;
    assert_eq!(planted.expect("the store itself works"), UpdateOutcome::Written);
}

/// What happens to the bytes of a record.
type Corruption<'a> = dyn Fn(&mut Vec<u8>) + 'a;

pub(crate) async fn h05_a_corrupt_record_is_an_event_and_no_session(bench: Bench) {
    let site = bench.site().await;
    let other = site.visitor("insert:other=1").await.token();
    let others = bench.stored(&other).await.expect("it is stored").record;
    let corruptions: [(&str, &Corruption<'_>); 7] = [
        ("empty", &Vec::clear),
        ("one byte", &|record| record.truncate(1)),
        ("half", &|record| record.truncate(record.len() / 2)),
        ("without its last byte", &|record| record.truncate(record.len() - 1)),
        ("with a byte more", &|record| record.push(0)),
        ("zeros after the format", &|record| record[1..].fill(0)),
        ("another session's", &|record| *record = others.to_vec()),
    ];
    for (what, corrupt) in corruptions {
        let token = site.visitor("insert:a=1+login:alice").await.token();
        plant(&bench, &token, corrupt).await;
        let planted = bench.stored(&token).await;
        let events = bench.events.count("session.corrupt");
        assert_reads_as_nobody(&bench, &site, &token, what).await;
        assert_eq!(bench.events.count("session.corrupt"), events + 2, "{what}");
        assert_writes_anew(&site, &token, what).await;
        assert_eq!(bench.stored(&token).await, planted, "{what}: it is left for who looks into it");
    }
}

/// No flipped bit yields other data, or the session of somebody else.
pub(crate) async fn h05_a_flipped_bit_anywhere_is_noticed(bench: Bench) {
    let site = bench.site().await;
    let token = site.visitor("insert:a=secret").await.token();
    let length = bench.stored(&token).await.expect("it is stored").record.len();
    for at in 1..length {
        let flip = |record: &mut Vec<u8>| record[at] ^= 1 << (at % 8);
        plant(&bench, &token, flip).await;
        let answer = present(&site, "/do/read:a", &token).await;
        assert!(answer.body.is_empty() && answer.cookies().is_empty(), "byte {at}: {answer:?}");
        assert!([200, 500].contains(&answer.status.as_u16()), "byte {at}: {answer:?}");
        plant(&bench, &token, flip).await;
    }
    assert_eq!(present(&site, "/do/read:a", &token).await.ok(), "secret");
}

pub(crate) async fn h05_a_record_of_a_newer_format_is_left_alone(bench: Bench) {
    let site = bench.site().await;
    let token = site.visitor("insert:a=1").await.token();
    plant(&bench, &token, |record| record[0] += 1).await;
    let planted = bench.stored(&token).await;
    bench.store.calls();
    for path in ["/do/read:a", "/do/insert:a=2", "/do/logout", "/do/rotate"] {
        let answer = present(&site, path, &token).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.all(RETRY_AFTER), ["1"]);
        assert!(answer.cookies().is_empty(), "{path}: {answer:?}");
        assert_eq!(bench.store.calls(), [Load], "{path}");
    }
    assert_eq!(bench.stored(&token).await, planted);
    plant(&bench, &token, |record| record[0] -= 1).await;
    assert_eq!(present(&site, "/do/read:a", &token).await.ok(), "1", "after the deployment");
}

/// ASVS 7.6.2: a flood of clients without a session leaves nothing behind.
pub(crate) async fn h05_visits_without_a_write_store_nothing(bench: Bench) {
    let site = bench.site().await;
    for token in 0..20 {
        present(&site, "/do/keys", &format!("{token:064}")).await;
        site.get("/do/keys").await;
    }
    assert!(!bench.store.calls().contains(&Create));
}
