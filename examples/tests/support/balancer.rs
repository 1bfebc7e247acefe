//! A load balancer: each request goes to the next instance, whoever asks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running load balancer. It ends when this is dropped.
pub(crate) struct Balancer {
    pub(crate) address: SocketAddr,
    pool: Arc<Pool>,
    task: JoinHandle<()>,
}

struct Pool {
    instances: Vec<Instance>,
    next: AtomicUsize,
}

struct Instance {
    address: SocketAddr,
    served: AtomicUsize,
}

impl Balancer {
    pub(crate) async fn start(instances: &[SocketAddr]) -> Self {
        let instances = instances.iter().map(|&address| Instance { address, served: AtomicUsize::new(0) }).collect();
        let pool = Arc::new(Pool { instances, next: AtomicUsize::new(0) });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let app = Router::new().fallback(pass).with_state(Arc::clone(&pool));
        let task = tokio::spawn(async { axum::serve(listener, app).await.expect("it serves") });
        Self { address, pool, task }
    }

    /// How many requests each instance was given.
    pub(crate) fn served(&self) -> Vec<usize> {
        self.pool.instances.iter().map(|instance| instance.served.load(Ordering::Relaxed)).collect()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An instance that takes no connection is passed over. A request that was sent is never sent again: it may have been acted
/// upon.
async fn pass(State(pool): State<Arc<Pool>>, request: Request) -> Response {
    let (first, count) = (pool.next.fetch_add(1, Ordering::Relaxed), pool.instances.len());
    for turn in first..first + count {
        let instance = &pool.instances[turn % count];
        if let Ok(stream) = TcpStream::connect(instance.address).await {
            instance.served.fetch_add(1, Ordering::Relaxed);
            return ask(stream, request).await.unwrap_or_else(|_| StatusCode::BAD_GATEWAY.into_response());
        }
    }
    StatusCode::BAD_GATEWAY.into_response()
}

async fn ask(stream: TcpStream, request: Request) -> hyper::Result<Response> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?.map(Body::new))
}
