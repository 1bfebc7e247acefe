//! Requests whose handlers tell whatever they can tell.

use std::fmt::Write as _;

use http::header::COOKIE;
use http::{Request, Response};
use sessions_core::{Error, Session};
use sessions_tower::{Main, SessionSlot, status_of};

use crate::behind::Problem;

/// What the handler of a request does.
pub(super) type Act = dyn Fn(&Session) -> Result<(), Error> + Send + Sync;

/// A handler that tells whatever it can tell, in its body.
pub(super) async fn handle(request: &Request<()>, act: &Act) -> Response<String> {
    let slot = SessionSlot::<Main>::of(request.extensions()).expect("inside of the layer");
    let mut told = format!("{slot:?}\n");
    let result = match slot.load().await {
        Ok(session) => {
            let result = act(&session);
            let _ = writeln!(told, "{session:?} {session:#?} {slot:#?}");
            result
        }
        Err(error) => Err(error),
    };
    let mut response = Response::default();
    if let Err(error) = result {
        tell_error(&mut told, &error);
        *response.status_mut() = status_of(&error);
    }
    *response.body_mut() = told;
    response
}

/// All that an error says, and what it says of its sources.
pub(super) fn tell_error(told: &mut String, error: &(dyn std::error::Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        let _ = writeln!(told, "{error} {error:?} {error:#?}");
        next = error.source();
    }
}

/// A request that carries this cookie.
pub(super) fn cookie_request(cookie: Option<String>) -> Result<Request<()>, Problem> {
    let mut request = Request::new(());
    if let Some(cookie) = cookie {
        request.headers_mut().insert(COOKIE, cookie.parse()?);
    }
    Ok(request)
}
