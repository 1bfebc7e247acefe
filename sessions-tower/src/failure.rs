//! A session that could not be loaded or used: how the extractor tells the layer.
//!
//! The extractor's rejection is a response like any other; the error travels in its extensions, so that the layer's error
//! hook makes the answer. A handler that takes the rejection as a value answers by itself.

use std::any::TypeId;
use std::sync::{Arc, Mutex, PoisonError};

use http::Extensions;
use sessions_core::Error;

/// An error on its way to the layer that answers it.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// The layer whose session it is. An error that a handler returned carries none: the innermost layer answers it, and no
    /// layer commits.
    marker: Option<TypeId>,
    error: Arc<Mutex<Option<Error>>>,
}

/// What a failure means to a layer.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It answers.
    Answer(Error, Failure),
    /// Another one has answered; this one commits nothing either.
    Abandon,
}

impl Failure {
    #[cfg(feature = "axum")]
    pub(crate) fn new(marker: Option<TypeId>, error: Error) -> Self {
        Self { marker, error: Arc::new(Mutex::new(Some(error))) }
    }

    /// What a response says to the layer with this marker.
    pub(crate) fn take(response: &Extensions, marker: TypeId) -> Option<Taken> {
        let failure = response.get::<Self>().filter(|failure| failure.marker.is_none_or(|of| of == marker))?;
        let error = failure.error.lock().unwrap_or_else(PoisonError::into_inner).take();
        Some(error.map_or(Taken::Abandon, |error| Taken::Answer(error, failure.clone())))
    }
}
