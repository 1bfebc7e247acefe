//! What a rule works with: a watched store, a clock, and servers on loopback ports.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use http::Request;
use sessions_core::{Clock, ManualClock, SessionId, SessionStore, Stored, SystemClock, Token};
use sessions_tower::{SessionLayer, SessionManager, SessionManagerBuilder};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::app::app;
use super::backend::{Folder, Open};
use super::client::{Answer, Browser, plain, send};
use super::events::Events;
use super::gate::Gate;
use super::watched::Watched;

/// A store that nobody else uses, and the time. A clone is the same bench.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    pub(crate) clock: ManualClock,
    pub(crate) store: Watched<Arc<dyn SessionStore>>,
    /// Where the handlers of `/slow/…` wait.
    pub(crate) gate: Gate,
    pub(crate) events: Events,
    open: Open,
    /// Goes with the bench.
    _folder: Arc<Option<Folder>>,
}

impl Bench {
    pub(crate) async fn new(open: Open, events: Events) -> Self {
        Self::at(ManualClock::at(SystemClock.now()), open, events).await
    }

    /// A bench with another store, at the same time.
    pub(crate) async fn another(&self) -> Self {
        Self::at(self.clock.clone(), self.open, self.events.clone()).await
    }

    async fn at(clock: ManualClock, open: Open, events: Events) -> Self {
        let opened = open(clock.clone()).await;
        let store = Watched::new(opened.store);
        Self { clock, store, gate: Gate::closed(), events, open, _folder: Arc::new(opened.folder) }
    }

    /// A manager on the store, told the time by the clock.
    pub(crate) fn builder(&self) -> SessionManagerBuilder {
        SessionManager::builder(self.store.clone()).clock(self.clock.clone())
    }

    pub(crate) fn manager(&self) -> SessionManager {
        self.builder().build().expect("the defaults are valid")
    }

    /// A layer with every default.
    pub(crate) fn layer(&self) -> SessionLayer {
        SessionLayer::new(self.manager())
    }

    /// The application of [`app`], without a layer.
    pub(crate) fn app(&self) -> Router {
        app(self.gate.clone())
    }

    /// The application of [`app`] under the default layer.
    pub(crate) async fn site(&self) -> Site {
        self.serve(self.app().layer(self.layer())).await
    }

    pub(crate) async fn serve(&self, app: Router) -> Site {
        let listener = listen().await;
        let address = listener.local_addr().expect("a bound socket");
        Site::new(address, tokio::spawn(async move { axum::serve(listener, app).await.expect("axum serves on") }))
    }

    /// What the store holds of the session with this token.
    pub(crate) async fn stored(&self, token: &str) -> Option<Stored> {
        self.store.unwatched().load(&id_of(token)).await.expect("the store itself works")
    }
}

/// A socket on a port that was free.
pub(crate) async fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port on the loopback interface")
}

/// The id in the text of a token.
pub(crate) fn id_of(token: &str) -> SessionId {
    Token::parse(token.as_bytes()).expect("the text of a token").id()
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    server: JoinHandle<()>,
}

impl Site {
    pub(crate) fn new(address: SocketAddr, server: JoinHandle<()>) -> Self {
        Self { address, server }
    }

    /// A browser without cookies.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// A browser that has been to `/do/ACTION`, which gave it a session.
    pub(crate) async fn visitor(&self, action: &str) -> Browser {
        let browser = self.browser();
        assert_eq!(browser.get(&format!("/do/{action}")).await.status, 200);
        browser.token();
        browser
    }

    /// A request without cookies.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(plain(path)).await
    }

    pub(crate) async fn send(&self, request: Request<String>) -> Answer {
        send(self.address, request).await
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}
