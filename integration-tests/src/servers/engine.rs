//! The container engine of this machine.

use std::path::Path;
use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::core::client::docker_client_instance;

use super::error::ServerError;

/// The engine, if one on this very machine answers. Published ports of any other one are not on our loopback address.
pub(super) async fn engine() -> Result<Docker, ServerError> {
    if let Ok(host) = std::env::var("DOCKER_HOST")
        && !host.starts_with("unix:")
    {
        return Err(ServerError::new("the container engine is on another machine"));
    }
    if Path::new("/.dockerenv").exists() {
        return Err(ServerError::new("this is a container, and its engine is outside"));
    }
    let docker = docker_client_instance().await.map_err(|error| ServerError::during("no container engine")(&error))?;
    match tokio::time::timeout(PATIENCE, docker.ping()).await {
        Ok(Ok(_)) => Ok(docker),
        Ok(Err(error)) => Err(ServerError::during("no container engine answers")(&error)),
        Err(_) => Err(ServerError::new("the container engine does not answer")),
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
