//! A server in a container.

use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::bollard::models::{Mount, MountType};
use testcontainers::bollard::query_parameters::KillContainerOptions;
use testcontainers::core::IntoContainerPort;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};
use tokio::time::sleep;

use super::endpoint::{Endpoint, random_name};
use super::engine::engine;
use super::error::ServerError;
use super::guard::Guard;
use super::image::Image;
use super::script;

/// A container with one server in it.
pub(super) struct Container {
    #[cfg(test)]
    pub(super) name: String,
    // Dropped before the guard, which then finds nothing to remove.
    inner: Option<ContainerAsync<GenericImage>>,
    docker: Docker,
    _guard: Guard,
}

impl Container {
    /// Starts it; the server in it comes up later.
    pub(super) async fn start(endpoint: &Endpoint, arguments: &[String]) -> Result<(Self, String), ServerError> {
        let docker = engine().await?;
        let image = Image::of(endpoint.kind, &docker).await?;
        let name = random_name()?;
        // First: a container whose start fails, or that is given up half-way, has to go as well.
        let guard = Guard::of_container(&name)?;
        let (repository, tag) = image.parts();
        let request = GenericImage::new(repository, tag)
            .with_entrypoint("sh")
            .with_cmd(
                ["-c", script::server(endpoint.kind), endpoint.kind.name()]
                    .map(str::to_owned)
                    .into_iter()
                    .chain(arguments.iter().cloned()),
            )
            .with_container_name(&name)
            .with_env_var("DATA", DATA)
            .with_env_var("PORT", endpoint.port.to_string())
            .with_env_var("PASSWORD", &endpoint.password)
            .with_env_var("LISTEN", "0.0.0.0")
            .with_host_config_modifier(|host| {
                // On the loopback address only.
                for binding in host.port_bindings.iter_mut().flatten().flat_map(|(_, bindings)| bindings).flatten() {
                    binding.host_ip = Some("127.0.0.1".into());
                }
                // A volume of its own, removed with it: faster than the layers of an image, kept over a restart.
                let volume = Mount { target: Some(DATA.into()), typ: Some(MountType::VOLUME), ..Mount::default() };
                host.mounts = Some(vec![volume]);
            });
        // The same ports inside and outside: a cluster's nodes name them to clients, and they stay over a restart.
        let request = endpoint.ports().fold(request, |request, port| request.with_mapped_port(port, port.tcp()));
        let inner = request
            .start()
            .await
            .map_err(|error| ServerError::during(format!("cannot start a container of {}", image.name))(&error))?;
        let origin = format!("container of {} ({})", image.name, image.origin);
        Ok((
            Self {
                #[cfg(test)]
                name,
                inner: Some(inner),
                docker,
                _guard: guard,
            },
            origin,
        ))
    }

    /// Kills the server without a chance to say goodbye, and returns when it is dead.
    pub(super) async fn kill(&self) -> Result<(), ServerError> {
        let kill = KillContainerOptions { signal: "SIGKILL".into() };
        let id = self.inner()?.id();
        self.docker.kill_container(id, Some(kill)).await.map_err(|error| ServerError::during("kill")(&error))?;
        while !self.has_ended().await {
            sleep(BETWEEN_CHECKS).await;
        }
        Ok(())
    }

    /// Starts the dead container again.
    pub(super) async fn start_again(&self) -> Result<(), ServerError> {
        self.inner()?.start().await.map_err(|error| ServerError::during("restart")(&error))
    }

    pub(super) async fn pause(&self) -> Result<(), ServerError> {
        self.inner()?.pause().await.map_err(|error| ServerError::during("pause")(&error))
    }

    pub(super) async fn resume(&self) -> Result<(), ServerError> {
        self.inner()?.unpause().await.map_err(|error| ServerError::during("resume")(&error))
    }

    pub(super) async fn has_ended(&self) -> bool {
        match self.inner() {
            Ok(inner) => !inner.is_running().await.unwrap_or(false),
            Err(_) => true,
        }
    }

    /// What the server said.
    pub(super) async fn log(&self) -> String {
        let Ok(inner) = self.inner() else { return String::new() };
        let output = [inner.stdout_to_vec().await, inner.stderr_to_vec().await];
        output.into_iter().flatten().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    fn inner(&self) -> Result<&ContainerAsync<GenericImage>, ServerError> {
        self.inner.as_ref().ok_or_else(|| ServerError::new("the container is gone"))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // Its own drop needs a runtime. Without one, the guard alone removes the container.
        if tokio::runtime::Handle::try_current().is_err() {
            std::mem::forget(self.inner.take());
        }
    }
}

const DATA: &str = "/data";
const BETWEEN_CHECKS: Duration = Duration::from_millis(10);
