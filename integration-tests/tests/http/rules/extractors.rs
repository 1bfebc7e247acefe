//! The extractors, and what they say where they cannot work.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use sessions_tower::{Key, Owner, Session, SessionReader, SessionRejection, SessionSlot};

use crate::http::bench::Bench;
use crate::http::client::plain;
use crate::http::watched::Call::Load;

pub(crate) async fn extractors_say_what_to_do_where_the_layer_is_missing(bench: Bench) {
    let app = Router::new()
        .route("/session", get(async |_: Session| ()))
        .route("/optional", get(async |_: Option<Session>| ()))
        .route("/reader", get(async |_: SessionReader| ()))
        .route("/slot", get(async |_: SessionSlot| ()));
    let site = bench.serve(app).await;
    for path in ["/session", "/optional", "/reader", "/slot"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert!(answer.body.contains(".layer(SessionLayer::new(manager))"), "{path}: {}", answer.body);
    }
    assert_eq!(bench.events.count("layer.missing"), 4);
}

/// Also with a layer, for a session of another marker; and where somebody has emptied the request's extensions.
pub(crate) async fn extractors_find_only_their_own_layer(bench: Bench) {
    #[derive(Debug)]
    enum Other {}
    let empty = async |mut request: Request, next: Next| {
        request.extensions_mut().clear();
        next.run(request).await
    };
    let app = Router::new()
        .route("/other", get(async |_: Session<Other>| ()))
        .route("/emptied", get(async |_: Session| ()).layer(from_fn(empty)));
    let site = bench.serve(app.layer(bench.layer())).await;
    for path in ["/other", "/emptied"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert!(answer.body.contains("with the marker of this extractor"), "{path}: {}", answer.body);
    }
}

/// A session that was taken before the extensions were emptied is committed all the same.
pub(crate) async fn extractors_a_session_is_committed_without_the_extensions(bench: Bench) {
    let take = async |session: Session, mut request: Request, next: Next| -> Result<Response, SessionRejection> {
        session.insert("early", &1)?;
        request.extensions_mut().clear();
        Ok(next.run(request).await)
    };
    let app = Router::new().route("/", get(async || "done")).layer(from_fn(take));
    let site = bench.serve(app.layer(bench.layer())).await;
    let browser = site.browser();
    assert_eq!(browser.get("/").await.ok(), "done");
    assert!(bench.stored(&browser.token()).await.is_some());
}

pub(crate) async fn extractors_an_optional_session_is_one_that_the_store_holds(bench: Bench) {
    let describe = async |session: Option<Session>, reader: Option<SessionReader>| {
        assert_eq!(session.is_some(), reader.is_some());
        if session.is_some() { "somebody" } else { "nobody" }
    };
    let site = bench.serve(bench.app().route("/who", get(describe)).layer(bench.layer())).await;
    let browser = site.browser();
    assert_eq!(browser.get("/who").await.ok(), "nobody");
    browser.get("/do/insert:a=1").await;
    assert_eq!(browser.get("/who").await.ok(), "somebody");
    let old = browser.copy();
    browser.get("/do/login:alice").await;
    assert_eq!(old.get("/who").await.ok(), "nobody", "superseded");
    let gone = browser.copy();
    browser.get("/do/logout").await;
    assert_eq!(gone.get("/who").await.ok(), "nobody", "destroyed");
}

pub(crate) async fn extractors_a_reader_reads(bench: Bench) {
    const NAME: Key<String> = Key::new("name");
    let read = async |session: SessionReader| -> Result<String, SessionRejection> {
        let (name, text) = (session.get(&NAME)?, session.get::<String>("name")?);
        assert_eq!(name, text);
        let facts = (session.is_new(), session.id().is_some(), session.deadline().is_some(), session.contains(&NAME));
        let owner = session.owner();
        Ok(format!("{name:?} {:?} {facts:?} {:?}", owner.as_ref().map(Owner::as_str), session.keys()))
    };
    let site = bench.serve(bench.app().route("/read", get(read)).layer(bench.layer())).await;
    assert_eq!(site.get("/read").await.ok(), "None None (true, false, false, false) []");
    let browser = site.visitor("insert:name=Al+login:alice").await;
    bench.store.calls();
    let facts = r#"Some("Al") Some("alice") (false, true, true, true) ["name"]"#;
    assert_eq!(browser.get("/read").await.ok(), facts);
    assert_eq!(bench.store.calls(), [Load]);
}

/// State, other extractors, `route_layer` and nested routers are no obstacle.
pub(crate) async fn extractors_work_in_any_router(bench: Bench) {
    let handler = async |State(name): State<&'static str>, session: Session, request: Request| {
        session.insert("name", &name)?;
        Ok::<_, SessionRejection>(request.uri().path().to_owned())
    };
    let inner = Router::new().route("/in", get(handler)).with_state("state");
    let app = Router::new().nest("/nested", inner).route_layer(bench.layer()).fallback(async || "fallback");
    let site = bench.serve(app).await;
    let browser = site.browser();
    assert_eq!(browser.get("/nested/in").await.ok(), "/in");
    assert!(browser.cookie("__Host-session").is_some());
    assert_eq!(site.send(plain("/elsewhere")).await.ok(), "fallback");
}
