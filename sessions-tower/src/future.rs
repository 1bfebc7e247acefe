//! The response future: what happens to a response on its way out.

use std::any::TypeId;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use sessions_core::{Committed, CookieChange, Error, Outcome, Session};
use tokio::runtime::Handle;

use crate::drain::Commit;
use crate::failure::{Failure, Taken};
use crate::headers;
use crate::layer::Config;
use crate::respond::RespondToError;

pin_project! {
    /// Waits for the handler, then for the commit, and only then gives the response (H3).
    ///
    /// Dropped before the handler has answered, it commits nothing; dropped during the commit, the commit goes on (H9), on the
    /// Tokio runtime that it began on.
    pub struct ResponseFuture<F, B, E> {
        #[pin]
        stage: Stage<F, B>,
        request: Layered<E>,
    }

    impl<F, B, E> PinnedDrop for ResponseFuture<F, B, E> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            match this.stage.as_mut().project() {
                // The handler has not answered: whoever holds on to the session learns that nobody will commit it.
                Here::Handler { .. } => this.request.session.seal(),
                Here::Committing { .. } => {
                    if let Was::Committing { commit, runtime: Some(runtime), .. } =
                        this.stage.project_replace(Stage::Answered)
                    {
                        this.request.config.detached.finish(commit, &runtime);
                    }
                }
                Here::Refused { .. } | Here::Answered => {}
            }
        }
    }
}

pin_project! {
    #[project = Here]
    #[project_replace = Was]
    enum Stage<F, B> {
        Handler { #[pin] handler: F },
        /// To be answered with an error, without a handler.
        Refused { error: Error },
        /// A commit under way, and the response that waits for it.
        Committing {
            commit: Commit,
            response: Response<B>,
            // Where the commit goes on if the client goes away: the runtime that it began on.
            runtime: Option<Handle>,
        },
        Answered,
    }
}

/// What a layer knows of one request.
pub(crate) struct Layered<E> {
    pub(crate) config: Arc<Config>,
    pub(crate) marker: TypeId,
    pub(crate) session: Session,
    pub(crate) errors: E,
}

impl<F, B, E> ResponseFuture<F, B, E> {
    pub(crate) fn new(handler: F, request: Layered<E>) -> Self {
        Self { stage: Stage::Handler { handler }, request }
    }

    /// Answers with an error, without a handler.
    pub(crate) fn refused(error: Error, request: Layered<E>) -> Self {
        Self { stage: Stage::Refused { error }, request }
    }
}

impl<F, B, E, Err> Future for ResponseFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, Err>>,
    E: RespondToError<B>,
{
    type Output = Result<Response<B>, Err>;

    /// One answer from beginning to end, because a response is large: it is changed where it is, not moved.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Here::Handler { handler } = this.stage.as_mut().project() else {
            return poll_rest(this.stage, this.request, cx);
        };
        let mut answer = handler.poll(cx);
        if let Poll::Ready(Ok(response)) = &mut answer {
            this.stage.set(Stage::Answered);
            if let Some(mut commit) = this.request.answered(response) {
                // A store in memory answers at once. Only a commit that waits may lose its client, and is kept for that.
                match commit.as_mut().poll(cx) {
                    Poll::Ready(result) => this.request.committed(result, response),
                    Poll::Pending => {
                        let Poll::Ready(Ok(response)) = std::mem::replace(&mut answer, Poll::Pending) else {
                            unreachable!("it was a response above");
                        };
                        let runtime = Handle::try_current().ok();
                        this.stage.set(Stage::Committing { commit, response, runtime });
                    }
                }
            }
        }
        answer
    }
}

/// After the handler, or without one.
fn poll_rest<F, B, E: RespondToError<B>, Err>(
    mut stage: Pin<&mut Stage<F, B>>,
    request: &Layered<E>,
    cx: &mut Context<'_>,
) -> Poll<Result<Response<B>, Err>> {
    let committed = match stage.as_mut().project() {
        Here::Committing { commit, .. } => Some(ready!(commit.as_mut().poll(cx))),
        Here::Handler { .. } | Here::Refused { .. } | Here::Answered => None,
    };
    match (stage.project_replace(Stage::Answered), committed) {
        (Was::Committing { mut response, .. }, Some(committed)) => {
            request.committed(committed, &mut response);
            Poll::Ready(Ok(response))
        }
        (Was::Refused { error }, _) => Poll::Ready(Ok(request.fail(error, None))),
        _ => panic!("a response future is not polled again once it is ready"),
    }
}

impl<E> Layered<E> {
    /// What the handler's answer needs at once, and the commit that it has to wait for.
    fn answered<B>(&self, response: &mut Response<B>) -> Option<Commit>
    where
        E: RespondToError<B>,
    {
        if let Some(taken) = Failure::take(response.extensions(), self.marker) {
            self.session.seal();
            if let Taken::Answer(error, failure) = taken {
                *response = self.fail(error, Some(response));
                response.extensions_mut().insert(failure);
            }
            return None;
        }
        headers::drop_foreign(response.headers_mut(), self.config.cookie.name());
        // What nobody has asked for ends here, unless it counts as activity all the same. One look at the session says which.
        let asked = if self.config.touch_on_every_request {
            self.session.is_open()
        } else if self.session.seal_unopened() {
            return None;
        } else {
            true
        };
        if asked {
            headers::vary_by_cookie(response.headers_mut());
        }
        self.commit(response, asked)
    }

    /// The commit, if there is anything to do. Otherwise the session is sealed (H4).
    ///
    /// Invariant: where nobody has asked, every request with a token counts as activity; otherwise the caller has ended it.
    fn commit<B>(&self, response: &Response<B>, asked: bool) -> Option<Commit> {
        let Config { manager, commit_when, auto_renew, .. } = &*self.config;
        let (session, auto_renew) = (&self.session, *auto_renew);
        let wanted = commit_when.as_ref().is_none_or(|wanted| wanted(response.status(), response.headers()));
        if !wanted || !(asked || session.has_token()) {
            session.seal();
            return None;
        }
        if asked && auto_renew {
            renew_if_due(session);
        }
        if manager.seal_unless_due(session) {
            return None;
        }
        let (manager, session) = (manager.clone(), session.clone());
        Some(Box::pin(async move {
            if !asked {
                // The handler did not ask, so that an outage must not show either (H11).
                if let Err(error) = manager.open(&session).await {
                    tracing::warn!(target: "sessions", %error, "session.touch_failed");
                    session.seal();
                    return Ok(Committed { outcome: Outcome::Unchanged, cookie: CookieChange::Keep });
                }
                if auto_renew {
                    renew_if_due(&session);
                }
            }
            manager.commit(&session).await
        }))
    }

    /// Says in the response what came of the commit, or puts another one in its place.
    fn committed<B>(&self, result: Result<Committed, Error>, response: &mut Response<B>)
    where
        E: RespondToError<B>,
    {
        let Committed { outcome, cookie } = match result {
            Ok(committed) => committed,
            Err(error) => {
                *response = self.fail(error, Some(response));
                return;
            }
        };
        if outcome == Outcome::Lost {
            *response = self.respond(Error::lost(), Some(response));
            return;
        }
        let config = &self.config.cookie;
        match cookie {
            CookieChange::Keep => {}
            CookieChange::Set { token, persistent, max_age } => {
                headers::set_cookie(response.headers_mut(), config.set(&token, persistent, max_age));
            }
            CookieChange::Remove => headers::set_cookie(response.headers_mut(), config.removal()),
        }
    }

    fn fail<B>(&self, error: Error, replaced: Option<&Response<B>>) -> Response<B>
    where
        E: RespondToError<B>,
    {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(target: "sessions", %error, cause, "session.request_failed");
        self.respond(error, replaced)
    }

    /// The hook's answer, under the same rules as a handler's (H8, H12). What other layers have told the browser in the
    /// response that it replaces stays told: their tokens are in force (H13).
    fn respond<B>(&self, error: Error, replaced: Option<&Response<B>>) -> Response<B>
    where
        E: RespondToError<B>,
    {
        let mut response = self.errors.respond(error);
        headers::drop_foreign(response.headers_mut(), self.config.cookie.name());
        if self.session.is_open() {
            headers::vary_by_cookie(response.headers_mut());
        }
        if let Some(replaced) = replaced {
            headers::keep_session_cookies(replaced.headers(), response.headers_mut());
        }
        response
    }
}

/// A sealed session is not renewed: nothing is lost by that.
fn renew_if_due(session: &Session) {
    if session.should_rotate() {
        session.renew_quietly().unwrap_or_default();
    }
}

impl<F, B, E> fmt::Debug for ResponseFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("session", &self.request.session)
            .field("committing", &matches!(self.stage, Stage::Committing { .. }))
            .finish_non_exhaustive()
    }
}
