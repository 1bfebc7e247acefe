//! The application: the session manager, the session layer, the routes.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use sessions_tower::{
    CookieConfig, Error, Key, Main, Session, SessionLayer, SessionManager, SessionRejection, SessionStore,
};

use crate::{account, cart, failure, page, protect};

/// What the server serves, and what is to be ended after it.
pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) layer: SessionLayer<Main, fn(Error) -> Response>,
    pub(crate) manager: SessionManager,
}

const HOUR: Duration = Duration::from_secs(60 * 60);

/// How often the front page was shown in this session.
const VISITS: Key<u64> = Key::new("visits");

/// Puts everything together.
pub(crate) fn build(store: Arc<dyn SessionStore>, cookie: CookieConfig) -> Result<App, Error> {
    let manager = SessionManager::builder(store)
        .lifetime(24 * HOUR)
        .idle_timeout(2 * HOUR)
        // The front page writes its counter at every visit, and a touch rides on a write: the list of sessions knows the
        // last use to the second, for no extra call of the store.
        .touch_fraction(0)
        .build()?;
    let layer = SessionLayer::new(manager.clone()).cookie(cookie).on_error(failure::answer as fn(Error) -> Response);

    let router = Router::new()
        .route("/", get(front))
        .route("/sign-in", post(account::sign_in))
        .route("/sign-out", post(account::sign_out))
        .route("/sign-out-elsewhere", post(account::sign_out_elsewhere))
        .route("/sessions/{id}/end", post(account::end_session))
        .route("/signed-out", get(account::signed_out))
        .route("/cart/add", post(cart::add))
        .route("/cart/remove", post(cart::remove))
        .route("/back.js", get(page::script))
        .fallback(page::not_found)
        .with_state(manager.clone())
        .layer(layer.clone())
        // Around the session layer: what comes from another site does not cause as much as a look at the store.
        .layer(middleware::from_fn(protect::same_origin_only))
        .layer(middleware::from_fn(protect::add_headers))
        .layer(DefaultBodyLimit::max(16 * 1024));
    Ok(App { router, layer, manager })
}

/// The front page. It counts with `update`, so that two visits at once count as two.
async fn front(session: Session, State(manager): State<SessionManager>) -> Result<Html<String>, SessionRejection> {
    let visits = session.update(&VISITS, |visits| visits.unwrap_or(0) + 1)?;
    let cart = session.get(&cart::CART)?.unwrap_or_default();
    let notice = session.take(&account::NOTICE)?;
    let visitor = account::visitor(&session, &manager).await?;
    Ok(page::front(visits, &cart, visitor.as_ref(), notice.as_deref()))
}
