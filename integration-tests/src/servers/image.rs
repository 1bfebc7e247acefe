//! Which image a container is made from.

use std::time::Duration;

use testcontainers::GenericImage;
use testcontainers::bollard::Docker;
use testcontainers::runners::AsyncRunner;

use super::error::ServerError;
use super::kind::Kind;
use super::script;

/// An image that is on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// Name and tag.
    pub(super) name: String,
    /// Where it comes from, for people.
    pub(super) origin: &'static str,
}

impl Image {
    /// The image for a server: what is there, before what can be pulled, before what can be made.
    pub(super) async fn of(kind: Kind, docker: &Docker) -> Result<Self, ServerError> {
        let named = std::env::var(kind.image_variable()).ok();
        let official = named.clone().unwrap_or_else(|| kind.official_image().to_owned());
        let choice = Choice::from_env()?;
        if choice != Choice::Local && docker.inspect_image(&official).await.is_ok() {
            return Ok(Self { name: official, origin: "official" });
        }
        if choice != Choice::Official
            && named.is_none()
            && let Some(name) = script::find_image().await
        {
            return Ok(Self { name, origin: MADE_HERE });
        }
        if choice != Choice::Local {
            match pull(&official).await {
                Ok(()) => return Ok(Self { name: official, origin: "official" }),
                Err(error) if choice == Choice::Official || named.is_some() => return Err(error),
                Err(_) => {}
            }
        }
        let name = script::make_image().await.map_err(|error| ServerError::during("making the image")(&error))?;
        Ok(Self { name, origin: MADE_HERE })
    }

    /// Its name without the tag, and the tag.
    pub(super) fn parts(&self) -> (&str, &str) {
        // A colon before the last slash belongs to a registry's port.
        match self.name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (&self.name, "latest"),
        }
    }
}

/// What `SESSIONS_TEST_IMAGES` allows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Any,
    Official,
    Local,
}

impl Choice {
    fn from_env() -> Result<Self, ServerError> {
        match std::env::var("SESSIONS_TEST_IMAGES").as_deref() {
            Err(_) | Ok("") => Ok(Self::Any),
            Ok("official") => Ok(Self::Official),
            Ok("local") => Ok(Self::Local),
            Ok(other) => Err(ServerError::new(format!("SESSIONS_TEST_IMAGES={other}: say official or local"))),
        }
    }
}

async fn pull(name: &str) -> Result<(), ServerError> {
    let image = Image { name: name.to_owned(), origin: "" };
    let (repository, tag) = image.parts();
    let pulling = GenericImage::new(repository, tag).pull_image();
    match tokio::time::timeout(PULL, pulling).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(ServerError::during(format!("cannot pull {name}"))(&error)),
        Err(_) => Err(ServerError::new(format!("pulling {name} took more than {PULL:?}"))),
    }
}

const MADE_HERE: &str = "made here";
const PULL: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart() {
        let parts = |name: &str| {
            let image = Image { name: name.to_owned(), origin: "" };
            let (name, tag) = image.parts();
            (name.to_owned(), tag.to_owned())
        };
        let pair = |name: &str, tag: &str| (name.to_owned(), tag.to_owned());
        assert_eq!(parts("redis"), pair("redis", "latest"));
        assert_eq!(parts("redis:7"), pair("redis", "7"));
        assert_eq!(parts("host:5000/redis"), pair("host:5000/redis", "latest"));
        assert_eq!(parts("host:5000/redis:7"), pair("host:5000/redis", "7"));
    }
}
