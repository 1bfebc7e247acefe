//! A session that could not be loaded: how the extractor tells the layer.
//!
//! The extractor's rejection is a response like any other; the error travels in its extensions, so that the layer's error
//! hook makes the answer. A handler that takes the rejection as a value answers by itself.

use std::any::TypeId;
use std::sync::{Arc, Mutex, PoisonError};

use http::Response;
use sessions_core::Error;

/// The error of a load, for the layer with this marker.
#[derive(Clone)]
struct LoadFailed {
    marker: TypeId,
    error: Arc<Mutex<Option<Error>>>,
}

/// Hands an error to the layer with this marker.
#[cfg(feature = "axum")]
pub(crate) fn put<B>(response: &mut Response<B>, marker: TypeId, error: Error) {
    let error = Arc::new(Mutex::new(Some(error)));
    response.extensions_mut().insert(LoadFailed { marker, error });
}

/// The error for the layer with this marker, if there is one.
pub(crate) fn take<B>(response: &mut Response<B>, marker: TypeId) -> Option<Error> {
    let failed = response.extensions().get::<LoadFailed>()?;
    if failed.marker != marker {
        return None;
    }
    let error = failed.error.lock().unwrap_or_else(PoisonError::into_inner).take();
    response.extensions_mut().remove::<LoadFailed>();
    error
}
