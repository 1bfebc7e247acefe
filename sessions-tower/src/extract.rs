//! Extractors for axum handlers.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;
use sessions_core::{Error, Key, Owner, SessionId, Timestamp};

use crate::failure::Failure;
use crate::respond::status_of;
use crate::slot::{Main, SessionSlot};

/// The request's session.
///
/// Extracting it loads the session, once a request (H1, H2); everything on it is synchronous after that. As `Option<Session>` it
/// is `None` unless the client has a session that the store holds. A second layer's sessions are `Session<M>` with that
/// layer's marker.
///
/// ```
/// use sessions_tower::{Session, SessionRejection};
///
/// async fn count(session: Session) -> Result<String, SessionRejection> {
///     let visits = session.update("visits", |visits: Option<u64>| visits.unwrap_or(0) + 1)?;
///     Ok(format!("visit {visits}"))
/// }
/// ```
pub struct Session<M = Main>(sessions_core::Session, PhantomData<fn() -> M>);

/// The request's session, for handlers that only read: it has no method that changes anything.
///
/// ```
/// use sessions_tower::{SessionReader, SessionRejection};
///
/// async fn greet(session: SessionReader) -> Result<String, SessionRejection> {
///     let name: Option<String> = session.get("name")?;
///     Ok(format!("Hello, {}!", name.as_deref().unwrap_or("stranger")))
/// }
/// ```
pub struct SessionReader<M = Main>(sessions_core::Session, PhantomData<fn() -> M>);

/// Why there is no session.
///
/// As a response it is what the layer's error hook makes of the error; without a layer it is a 500 that says what to do.
/// `?` turns an [`Error`] of the session into it, so that a handler can return it: then the innermost layer answers, and no
/// layer around the handler commits.
#[derive(Debug)]
pub struct SessionRejection(Reason);

#[derive(Debug)]
enum Reason {
    MissingLayer,
    Failed { marker: Option<TypeId>, error: Error },
}

impl<M> Deref for Session<M> {
    type Target = sessions_core::Session;

    fn deref(&self) -> &sessions_core::Session {
        &self.0
    }
}

impl<M> SessionReader<M> {
    /// The value under `key`.
    ///
    /// # Errors
    ///
    /// As [`sessions_core::Session::get`].
    pub fn get<T: DeserializeOwned>(&self, key: impl Into<Key<T>>) -> Result<Option<T>, Error> {
        self.0.get(key)
    }

    /// Whether there is a value under `key`.
    #[must_use]
    pub fn contains(&self, key: impl AsRef<str>) -> bool {
        self.0.contains(key)
    }

    /// The keys that have a value, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.0.keys()
    }

    /// The session's id; `None` for a new one.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        self.0.id()
    }

    /// Whose session it is.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.0.owner()
    }

    /// Whether the client has no session that the store holds.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.0.is_new()
    }

    /// When the session ends, however active it is; `None` for a new one.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.0.deadline()
    }
}

impl<S: Send + Sync, M: 'static> FromRequestParts<S> for Session<M> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        load::<M>(parts).await.map(|session| Self(session, PhantomData))
    }
}

impl<S: Send + Sync, M: 'static> OptionalFromRequestParts<S> for Session<M> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionRejection> {
        let session = load::<M>(parts).await?;
        Ok((!session.is_new()).then_some(Self(session, PhantomData)))
    }
}

impl<S: Send + Sync, M: 'static> FromRequestParts<S> for SessionReader<M> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        load::<M>(parts).await.map(|session| Self(session, PhantomData))
    }
}

impl<S: Send + Sync, M: 'static> OptionalFromRequestParts<S> for SessionReader<M> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionRejection> {
        let session = load::<M>(parts).await?;
        Ok((!session.is_new()).then_some(Self(session, PhantomData)))
    }
}

/// The slot, for handlers that decide later whether they load.
impl<S: Send + Sync, M: 'static> FromRequestParts<S> for SessionSlot<M> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Self::of(&parts.extensions).ok_or(SessionRejection(Reason::MissingLayer))
    }
}

async fn load<M: 'static>(parts: &Parts) -> Result<sessions_core::Session, SessionRejection> {
    let slot = SessionSlot::<M>::of(&parts.extensions).ok_or(SessionRejection(Reason::MissingLayer))?;
    let marker = Some(TypeId::of::<M>());
    slot.load().await.map_err(|error| SessionRejection(Reason::Failed { marker, error }))
}

impl SessionRejection {
    /// The error of the session; `None` when the layer is missing.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match &self.0 {
            Reason::MissingLayer => None,
            Reason::Failed { error, .. } => Some(error),
        }
    }
}

impl From<Error> for SessionRejection {
    fn from(error: Error) -> Self {
        Self(Reason::Failed { marker: None, error })
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        match self.0 {
            Reason::MissingLayer => {
                tracing::error!(target: "sessions", "layer.missing");
                (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
            }
            Reason::Failed { marker, error } => {
                let mut response = status_of(&error).into_response();
                response.extensions_mut().insert(Failure::new(marker, error));
                response
            }
        }
    }
}

impl fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::MissingLayer => f.write_str(
                "no session layer around this handler: add `.layer(SessionLayer::new(manager))` to the router after its \
                 routes, with the marker of this extractor if it has one",
            ),
            Reason::Failed { error, .. } => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for SessionRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error().and_then(std::error::Error::source)
    }
}

impl<M> fmt::Debug for Session<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<M> fmt::Debug for SessionReader<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<M> Clone for Session<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}
