//! Serving, and shutting down without losing a commit.

use std::io;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::Failure;
use crate::app::App;

/// How long requests under way may take to end once the server is to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until `interruption`, then ends in this order: no new connections, requests under way, commits whose clients have
/// gone away, the store.
pub(crate) async fn serve(
    listener: TcpListener,
    app: App,
    interruption: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Failure> {
    let App { router, layer, manager } = app;
    let (stop, stopping) = oneshot::channel();
    let server = axum::serve(listener, router).with_graceful_shutdown(async {
        interruption.await;
        let _ = stop.send(());
    });
    // A client that sends half a request must not keep the program from ending.
    let out_of_patience = async {
        match stopping.await {
            Ok(()) => tokio::time::sleep(PATIENCE).await,
            Err(_) => std::future::pending().await,
        }
    };
    let served = tokio::select! {
        served = server.into_future() => served,
        () = out_of_patience => Ok(()),
    };

    layer.drain().await;
    let stopped = manager.stop().await;
    served.map_err(|error| Failure::Impossible(format!("the server ended: {error}")))?;
    stopped.map_err(|error| Failure::Impossible(format!("the store did not stop cleanly: {error}")))
}

/// Ctrl-C, or the SIGTERM of a service manager; listened for from this call on.
#[cfg(unix)]
pub(crate) fn interruption() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn interruption() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
