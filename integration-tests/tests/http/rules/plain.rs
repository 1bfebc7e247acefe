//! The layer without axum: a tower service on a bare hyper server.

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use sessions_tower::{Error, SessionLayer, SessionSlot, status_of};
use tower::{ServiceBuilder, service_fn};

use crate::http::bench::{Bench, Site, listen};
use crate::http::watched::Call::{Create, Load, Update};
use crate::http::watched::Fate;

/// Counts visits; `/idle` does not ask for the session.
async fn visits(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = async {
        if request.uri().path() == "/idle" {
            return Ok("idle".to_owned());
        }
        let slot: SessionSlot = SessionSlot::of(request.extensions()).expect("inside of a SessionLayer");
        let session = slot.load().await?;
        if request.uri().path() == "/end" {
            session.destroy()?;
        }
        Ok(session.update("visits", |visits: Option<u64>| visits.unwrap_or(0) + 1)?.to_string())
    };
    Ok(match answer.await {
        Ok(text) => Response::new(Full::from(text)),
        Err(error) => failed(&error),
    })
}

fn failed(error: &Error) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from("failed"));
    *response.status_mut() = status_of(error);
    response
}

async fn serve(layer: SessionLayer) -> Site {
    let listener = listen().await;
    let address = listener.local_addr().expect("a bound socket");
    let service = ServiceBuilder::new().layer(layer).service(service_fn(visits));
    Site::new(
        address,
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("it accepts");
                let service = TowerToHyperService::new(service.clone());
                tokio::spawn(async move {
                    // A client that has gone away is none of the server's business.
                    let _ =
                        auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }),
    )
}

pub(crate) async fn plain_tower_on_hyper_keeps_sessions(bench: Bench) {
    let site = serve(bench.layer()).await;
    let browser = site.browser();
    assert_eq!(browser.get("/idle").await.ok(), "idle");
    assert_eq!(browser.get("/").await.ok(), "1");
    assert_eq!(browser.get("/").await.ok(), "2");
    assert_eq!(browser.get("/idle").await.ok(), "idle");
    assert_eq!(bench.store.calls(), [Create, Load, Update]);
    let old = browser.token();
    assert_eq!(browser.get("/end").await.ok(), "1");
    assert!(bench.stored(&old).await.is_none());

    bench.store.next(Load, Fate::Unavailable);
    let answer = browser.get("/").await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::SERVICE_UNAVAILABLE, "failed"), "the service's own");
    bench.store.next(Update, Fate::Unavailable);
    let answer = browser.get("/").await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::SERVICE_UNAVAILABLE, ""), "the layer's");
    assert_eq!(browser.get("/").await.ok(), "2");
}
