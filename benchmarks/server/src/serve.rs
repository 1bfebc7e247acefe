//! The server of all axum applications: one thread, and what `axum::serve` does.

use std::io::Write;

use axum::Router;
use tokio::net::TcpListener;

use crate::Error;

/// Serves until it is killed. The port is printed first.
pub(crate) async fn serve(app: Router) -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?.port())?;
    Ok(axum::serve(listener, app).await?)
}

/// Tells the driver the port.
pub(crate) fn announce(port: u16) -> Result<(), Error> {
    println!("{port}");
    Ok(std::io::stdout().flush()?)
}
