//! H13: two layers with two managers in one application, each with its own cookie.

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use http::header::VARY;
use sessions_tower::{CookieConfig, Error, Main, Session, SessionLayer, SessionRejection, status_of};

use crate::http::bench::{Bench, Site};
use crate::http::watched::Call::{Create, Load, Update};
use crate::http::watched::Fate;

/// The marker of the second layer.
#[derive(Debug)]
enum Admin {}

fn named(name: &str) -> CookieConfig {
    CookieConfig::builder().name(name).build().expect("a valid name")
}

type Answered = Result<String, SessionRejection>;

/// Both sessions in one handler, or one of them.
fn both() -> Router {
    let add = |session: &Session<Main>| session.update("count", |n: Option<u64>| n.unwrap_or(0) + 1);
    let add_admin = |session: &Session<Admin>| session.update("count", |n: Option<u64>| n.unwrap_or(0) + 1);
    let both = async move |user: Session, admin: Session<Admin>| -> Answered {
        Ok(format!("{} {}", add(&user)?, add_admin(&admin)?))
    };
    let read = async |user: Session, admin: Option<Session<Admin>>| -> Answered {
        let admin = admin.map(|admin| admin.get::<u64>("count")).transpose()?.flatten();
        Ok(format!("{:?} {admin:?}", user.get::<u64>("count")?))
    };
    Router::new()
        .route("/both", get(both))
        .route("/read", get(read))
        .route("/user", get(async move |user: Session| -> Answered { Ok(add(&user)?.to_string()) }))
        .route("/rotate", get(async |user: Session| -> Answered { Ok(user.rotate().map(|()| String::new())?) }))
        .route("/admin", get(async move |admin: Session<Admin>| -> Answered { Ok(add_admin(&admin)?.to_string()) }))
        .route("/end", get(async |admin: Session<Admin>| -> Answered { Ok(admin.destroy().map(|()| String::new())?) }))
        .route("/neither", get(async || "neither"))
}

fn hook(name: &'static str) -> impl Fn(Error) -> axum::response::Response + Clone {
    move |error| axum::response::IntoResponse::into_response((status_of(&error), name))
}

/// The user's sessions inside, the administrator's around them, or the other way round.
async fn two(bench: &Bench, user_inside: bool) -> (Site, Bench) {
    let other = bench.another().await;
    let user = bench.layer().cookie(named("__Host-user")).on_error(hook("user"));
    let admin = other.layer().cookie(named("__Host-admin")).marker::<Admin>().on_error(hook("admin"));
    let app = if user_inside { both().layer(user).layer(admin) } else { both().layer(admin).layer(user) };
    (bench.serve(app).await, other)
}

pub(crate) async fn h13_two_layers_keep_two_sessions(bench: Bench) {
    for user_inside in [true, false] {
        let (site, other) = two(&bench, user_inside).await;
        let browser = site.browser();
        assert_eq!(browser.get("/user").await.ok(), "1");
        assert_eq!((bench.store.calls(), other.store.calls()), (vec![Create], vec![]));
        let answer = browser.get("/both").await;
        assert_eq!(answer.ok(), "2 1");
        assert_eq!(answer.all(VARY), ["cookie"], "once");
        assert_eq!((bench.store.calls(), other.store.calls()), (vec![Load, Update], vec![Create]));
        assert_eq!(browser.get("/admin").await.ok(), "2");
        assert_eq!((bench.store.calls(), other.store.calls()), (vec![], vec![Load, Update]));
        assert_eq!(browser.get("/neither").await.ok(), "neither");
        assert_eq!((bench.store.calls(), other.store.calls()), (vec![], vec![]));

        let removal = browser.get("/end").await;
        assert!(removal.cookies()[0].starts_with("__Host-admin=;") && removal.cookies().len() == 1, "{removal:?}");
        assert_eq!(browser.get("/read").await.ok(), "Some(2) None", "the other session goes on");
        bench.store.calls();
        other.store.calls();
    }
}

/// Each layer answers for its own session.
pub(crate) async fn h13_a_failure_is_answered_by_the_layer_whose_session_failed(bench: Bench) {
    for user_inside in [true, false] {
        let (site, other) = two(&bench, user_inside).await;
        let browser = site.browser();
        assert_eq!(browser.get("/both").await.ok(), "1 1");
        for (store, name) in [(&bench.store, "user"), (&other.store, "admin")] {
            for call in [Load, Update] {
                store.next(call, Fate::Unavailable);
                let answer = browser.get("/both").await;
                assert_eq!((answer.status, &*answer.body), (StatusCode::SERVICE_UNAVAILABLE, name), "{call:?}");
                assert!(answer.cookies().is_empty());
            }
        }
    }
}

/// A layer that fails takes the response away, but not the token that the other one has just handed out with it: the old one
/// is over.
pub(crate) async fn h13_a_failure_of_one_layer_does_not_lose_the_others_token(bench: Bench) {
    let other = bench.another().await;
    let user = bench.layer().cookie(named("__Host-user"));
    let admin = other.layer().cookie(named("__Host-admin")).marker::<Admin>();
    let both = async |user: Session, admin: Session<Admin>| -> Answered {
        user.rotate()?;
        admin.insert("a", &1)?;
        Ok("done".to_owned())
    };
    let app = self::both().route("/rotate-both", get(both));
    let site = bench.serve(app.layer(user).layer(admin)).await;
    let browser = site.browser();
    assert_eq!(browser.get("/both").await.ok(), "1 1");
    let before = browser.cookie("__Host-user");

    other.store.next(Update, Fate::Unavailable);
    let answer = browser.get("/rotate-both").await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::SERVICE_UNAVAILABLE, ""));
    assert_eq!(answer.cookies().len(), 1, "{answer:?}");
    assert_ne!(browser.cookie("__Host-user"), before);
    assert_eq!(browser.get("/user").await.ok(), "2");
}

/// The error of a session carries no marker through `?`. It is answered, whichever marker the layers have.
pub(crate) async fn h13_an_error_of_a_marked_session_reaches_its_hook(bench: Bench) {
    let handler = async |admin: Session<Admin>| -> Result<String, SessionRejection> {
        admin.insert("half", &"done")?;
        Ok(admin.get::<u64>("text")?.map(|n| n.to_string()).unwrap_or_default())
    };
    let text = async |admin: Session<Admin>| admin.insert("text", &"text").map_err(SessionRejection::from);
    let app = Router::new().route("/number", get(handler)).route("/text", get(text));
    let admin = bench.layer().cookie(named("__Host-admin")).marker::<Admin>().on_error(hook("admin"));
    let site = bench.serve(app.layer(admin)).await;
    let browser = site.browser();
    assert_eq!(browser.get("/text").await.status, 200);
    let answer = browser.get("/number").await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::INTERNAL_SERVER_ERROR, "admin"));
    let stored = bench.stored(&browser.cookie("__Host-admin").expect("a session")).await.expect("it is stored");
    assert!(!stored.record.windows(4).any(|window| window == b"half"), "nothing of it is committed");
}

/// What the first request says, and to whom.
async fn assert_misconfigured(bench: &Bench, app: Router) {
    let site = bench.serve(app).await;
    let events = bench.events.count("session.request_failed");
    let answer = site.get("/user").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.body, "", "what to do is not for the client");
    assert!(answer.cookies().is_empty());
    assert_eq!(bench.events.count("session.request_failed"), events + 1);
    assert_eq!(bench.store.calls(), []);
}

pub(crate) async fn h13_one_cookie_name_for_two_layers_is_an_error_on_the_first_request(bench: Bench) {
    let second = SessionLayer::new(bench.manager()).marker::<Admin>();
    assert_misconfigured(&bench, both().layer(bench.layer()).layer(second)).await;
}

pub(crate) async fn h13_one_marker_for_two_layers_is_an_error_on_the_first_request(bench: Bench) {
    let second = bench.layer().cookie(named("__Host-second"));
    assert_misconfigured(&bench, both().layer(bench.layer()).layer(second)).await;
}

pub(crate) async fn h13_the_same_layer_around_a_nested_router_is_an_error_where_it_is_twice(bench: Bench) {
    let layer = bench.layer();
    let nested = || both().layer(layer.clone());
    assert_misconfigured(&bench, Router::new().merge(nested()).layer(layer.clone())).await;
    // Side by side they are no error.
    let app = Router::new()
        .nest("/a", nested())
        .nest("/b", nested())
        .merge(nested().route_layer(tower::layer::util::Identity::new()));
    let site = bench.serve(app).await;
    let browser = site.browser();
    assert_eq!(browser.get("/a/user").await.ok(), "1");
    assert_eq!(browser.get("/b/user").await.ok(), "2");
    assert_eq!(browser.get("/user").await.ok(), "3");
}
