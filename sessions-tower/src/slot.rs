//! Where a request carries its sessions: one entry per layer it has passed, in one extension.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use http::Extensions;
use sessions_core::{Error, Session, SessionManager};

use crate::layer::Config;

/// The marker of an application's only session layer. A second one has a marker type of its own (H13).
#[derive(Debug, Clone, Copy)]
pub enum Main {}

/// A request's place for its session: what plain tower services use where axum handlers use the extractor.
///
/// Nothing is loaded until [`load`](Self::load) asks, and then once a request (H1).
///
/// ```
/// use http::{Request, Response};
/// use sessions_tower::{Error, Main, SessionSlot};
///
/// async fn visits(request: Request<()>) -> Result<Response<String>, Error> {
///     let slot = SessionSlot::<Main>::of(request.extensions()).expect("inside a SessionLayer");
///     let session = slot.load().await?;
///     let visits = session.update("visits", |visits: Option<u64>| visits.unwrap_or(0) + 1)?;
///     Ok(Response::new(format!("visit {visits}")))
/// }
/// ```
pub struct SessionSlot<M = Main> {
    manager: SessionManager,
    session: Session,
    marker: PhantomData<fn() -> M>,
}

impl<M: 'static> SessionSlot<M> {
    /// The slot that the layer with marker `M` has put into a request's extensions; `None` outside such a layer.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<Self> {
        let entry = extensions.get::<Slots>()?.find(TypeId::of::<M>())?;
        let (manager, session) = (entry.config.manager.clone(), entry.session.clone());
        Some(Self { manager, session, marker: PhantomData })
    }

    /// The request's session: loaded by the first call, the same handle afterwards.
    ///
    /// # Errors
    ///
    /// Of the store, in which case another call tries again; [`Error::is_newer_format`]; [`Error::is_sealed`] when the
    /// response has gone out.
    pub async fn load(&self) -> Result<Session, Error> {
        self.manager.open(&self.session).await?;
        Ok(self.session.clone())
    }

    /// The manager behind the layer, for administration.
    #[must_use]
    pub fn manager(&self) -> &SessionManager {
        &self.manager
    }
}

impl<M> Clone for SessionSlot<M> {
    fn clone(&self) -> Self {
        let Self { manager, session, marker } = self;
        Self { manager: manager.clone(), session: session.clone(), marker: *marker }
    }
}

impl<M> fmt::Debug for SessionSlot<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSlot").field("session", &self.session).finish_non_exhaustive()
    }
}

/// The innermost layer's entry, and those of the layers around it.
///
/// One extension for all of them, so that a layer costs one allocation and finds a namesake.
#[derive(Clone)]
pub(crate) struct Slots {
    marker: TypeId,
    config: Arc<Config>,
    session: Session,
    outer: Option<Box<Slots>>,
}

impl Slots {
    /// Puts a layer's entry before those that are there. An error if one of them has its marker or its cookie's name (H13).
    pub(crate) fn push(
        extensions: &mut Extensions,
        marker: TypeId,
        config: &Arc<Config>,
        session: &Session,
    ) -> Result<(), Error> {
        let outer = extensions.remove::<Self>().map(Box::new);
        let mut around = outer.as_deref();
        while let Some(layer) = around {
            if layer.config.cookie.name() == config.cookie.name() {
                return Err(Error::misconfigured(
                    "two session layers with one cookie name: give one of them another CookieConfig, or remove it",
                ));
            }
            if layer.marker == marker {
                return Err(Error::misconfigured(
                    "two session layers with one marker: give one of them a type of its own with SessionLayer::marker",
                ));
            }
            around = layer.outer.as_deref();
        }
        let (config, session) = (Arc::clone(config), session.clone());
        extensions.insert(Self { marker, config, session, outer });
        Ok(())
    }

    fn find(&self, marker: TypeId) -> Option<&Self> {
        if self.marker == marker { Some(self) } else { self.outer.as_deref()?.find(marker) }
    }
}
