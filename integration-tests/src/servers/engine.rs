//! The container engine of this machine.

use std::path::Path;
use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::core::client::docker_client_instance;
use tokio::time::timeout;

use super::error::ServerError;

/// The engine, if one on this very machine answers. Published ports of any other one are not on our loopback address.
pub(super) async fn engine() -> Result<Docker, ServerError> {
    if let Ok(host) = std::env::var("DOCKER_HOST")
        && !host.starts_with("unix:")
    {
        return Err(ServerError::new("the container engine is on another machine"));
    }
    let docker = docker_client_instance().await.map_err(|error| ServerError::during("no container engine")(&error))?;
    let info = match timeout(PATIENCE, docker.info()).await {
        Ok(Ok(info)) => info,
        Ok(Err(_)) => {
            return Err(ServerError::new("no container engine answers; there is none, or it is not for this user"));
        }
        Err(_) => return Err(ServerError::new("the container engine does not answer in time")),
    };
    // From within a container, through a socket that was handed in, the engine is outside, and so are its ports.
    if Path::new("/.dockerenv").exists() && info.name.as_deref() != host_name().as_deref().map(str::trim) {
        return Err(ServerError::new("this is a container, and its engine is outside"));
    }
    Ok(docker)
}

fn host_name() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/hostname").ok()
}

const PATIENCE: Duration = Duration::from_secs(5);
