//! Dropping whole requests, from the cookie to the response.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::{COOKIE, SET_COOKIE};
use http::{Request, Response, StatusCode};
use sessions_core::{Error, SessionManager};
use sessions_tower::{Main, SessionLayer, SessionSlot};
use tokio::time::timeout;
use tower::{Layer, ServiceExt, service_fn};

use super::cut::Place;
use super::load::Load;
use super::visit::{Act, Visit};
use super::whole::{comes_to_rest, is_usable};
use crate::behind::{Bench, Problem};

/// What stands between the handler and the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    /// [`SessionLayer`].
    Layer,
    /// What one might write by hand: it commits, and waits for it, in the request's own future. The negative control.
    Naive,
}

/// Drops every kind of request everywhere, and counts the places.
pub(crate) async fn drop_all(bench: &Bench, adapter: Adapter, busy: bool) -> Result<u64, Problem> {
    let mut places = 0;
    for act in Act::ALL {
        let load = Load::start(&bench.store, busy);
        places += drop_everywhere(bench, adapter, act).await.map_err(|problem| format!("{act:?} {problem}"))?;
        load.stop().await?;
        comes_to_rest(bench).await.map_err(|problem| format!("{act:?}: {problem}"))?;
    }
    Ok(places)
}

async fn drop_everywhere(bench: &Bench, adapter: Adapter, act: Act) -> Result<u64, Problem> {
    let manager = act.manager(bench)?;
    let layer = SessionLayer::new(manager.clone());
    let (mut places, mut visits) = (0, Vec::new());
    let mut next = Some(Place::FIRST);
    while let Some(place) = next {
        let visit = Visit::begin(bench, act).await?;
        let answered = Arc::new(AtomicBool::new(false));
        let request = request(&visit, adapter, &manager, &layer, Arc::clone(&answered));
        let response = place.drop(request).await.transpose()?;
        places += 1;
        let completed = response.is_some();
        if let Some(response) = response.filter(|_| adapter == Adapter::Layer) {
            is_expected(act, &response)?;
        }
        // What goes on without its client comes to its end, by itself.
        timeout(PATIENCE, layer.drain()).await.map_err(|_| format!("{place}: what had begun does not end"))?;
        // A dropped request commits nothing; a commit that has begun is finished (H9).
        let whole = answered.load(Ordering::SeqCst);
        visit.judge(&manager, whole, 0).await.map_err(|problem| format!("{place}, answered {whole}: {problem}"))?;
        is_usable(&bench.store).await.map_err(|problem| format!("{place}: {problem}"))?;
        visits.push((place, visit, whole));
        next = place.next(completed);
    }
    comes_to_rest(bench).await?;
    for (place, visit, whole) in &visits {
        visit.judge(&manager, *whole, 0).await.map_err(|problem| format!("{place}, at rest: {problem}"))?;
    }
    Ok(places)
}

type Pending = Pin<Box<dyn Future<Output = Result<Response<String>, Error>> + Send>>;

/// The request of a visit.
fn request(
    visit: &Visit,
    adapter: Adapter,
    manager: &SessionManager,
    layer: &SessionLayer,
    answered: Arc<AtomicBool>,
) -> Pending {
    let (visit, manager) = (visit.clone(), manager.clone());
    if adapter == Adapter::Naive {
        return Box::pin(async move {
            let session = manager.begin(visit.token.clone());
            manager.open(&session).await?;
            visit.change(&session)?;
            answered.store(true, Ordering::SeqCst);
            manager.commit(&session).await?;
            Ok(Response::default())
        });
    }
    let mut request = Request::new(());
    if let Some(token) = &visit.token {
        let cookie = format!("__Host-session={}", token.encode().as_str());
        request.headers_mut().insert(COOKIE, cookie.parse().expect("the text of a token"));
    }
    let handler = service_fn(move |request: Request<()>| {
        let (visit, answered) = (visit.clone(), Arc::clone(&answered));
        async move {
            let slot = SessionSlot::<Main>::of(request.extensions()).expect("inside of the layer");
            let session = slot.load().await?;
            visit.change(&session)?;
            // A handler does other things too: what it has changed is not committed before it has answered.
            tokio::task::yield_now().await;
            answered.store(true, Ordering::SeqCst);
            Ok::<_, Error>(Response::<String>::default())
        }
    });
    Box::pin(layer.layer(handler).oneshot(request))
}

/// What a request that nobody drops is answered with.
fn is_expected(act: Act, response: &Response<String>) -> Result<(), Problem> {
    let cookies = response.headers().get_all(SET_COOKIE).iter().count();
    if response.status() != StatusCode::OK || cookies != usize::from(act.sends_a_cookie()) {
        return Err(format!("was answered with {} and {cookies} cookies", response.status()).into());
    }
    Ok(())
}

const PATIENCE: Duration = Duration::from_secs(30);
