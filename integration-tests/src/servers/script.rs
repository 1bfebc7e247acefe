//! The shell scripts, each of which is commented itself, and how the helpers among them are run.

use std::process::Stdio;

use tokio::process::Command;

use super::error::ServerError;
use super::kind::Kind;

/// Starts a server; the same in a container and as a process.
pub(super) const fn server(kind: Kind) -> &'static str {
    match kind {
        Kind::Redis => concat!(include_str!("scripts/common.sh"), include_str!("scripts/redis.sh")),
        Kind::RedisCluster => concat!(include_str!("scripts/common.sh"), include_str!("scripts/redis-cluster.sh")),
        Kind::Postgres => concat!(include_str!("scripts/common.sh"), include_str!("scripts/postgres.sh")),
        Kind::MariaDb => concat!(include_str!("scripts/common.sh"), include_str!("scripts/mariadb.sh")),
    }
}

/// Holds the processes of one server.
pub(super) const GUARD: &str = include_str!("scripts/guard.sh");

/// Holds one container.
pub(super) const GUARD_CONTAINER: &str = include_str!("scripts/guard-container.sh");

/// Installs the packages of a server, if some are missing.
pub(super) async fn install(kind: Kind) -> Result<(), ServerError> {
    const INSTALL: &str = concat!(include_str!("scripts/install.sh"), "install_packages \"$@\"");
    run(INSTALL, kind.packages()).await.map(drop)
}

/// Makes the container image, if it is not there, and returns its name.
pub(super) async fn make_image() -> Result<String, ServerError> {
    run(IMAGES, &[]).await
}

/// The name of the container image, if it is there.
pub(super) async fn find_image() -> Option<String> {
    run(IMAGES, &["--check"]).await.ok()
}

/// `cargo xtask images` runs this text, too.
const IMAGES: &str = concat!(include_str!("scripts/install.sh"), include_str!("scripts/images.sh"));

/// Runs a script to its end. What it says of its progress goes through; what it prints is the result.
async fn run(text: &str, arguments: &[&str]) -> Result<String, ServerError> {
    let cannot = |error| ServerError::during("cannot run sh")(&error);
    let running = Command::new("sh")
        .args(["-c", text, "sh"])
        .args(arguments)
        .env("RECIPE", IMAGES)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(cannot)?;
    let output = running.wait_with_output().await.map_err(cannot)?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(ServerError::new("failed, for the reason above"))
    }
}
