//! The `Debug` of every public type that is near a token.

use std::fmt::{Debug, Write as _};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use sessions_core::{
    Change, CookieChange, CreateOutcome, Entry, ManualClock, MessagePack, OsRandom, Record, Session, SessionManager,
    SessionStore, Timestamp, Token, Ttl, UpdateOutcome,
};
use sessions_tower::{CookieConfig, SessionLayer, SessionRejection};
use tower::{Layer, Service, service_fn};

use crate::behind::{Bench, Problem};

/// All of them in words.
pub(super) async fn debug(
    manager: &SessionManager,
    layer: &SessionLayer,
    tokens: &[Token],
    bench: &Bench,
) -> Result<String, Problem> {
    let mut told = String::new();
    let mut tell = |what: &dyn Debug| {
        let _ = writeln!(told, "{what:?} {what:#?}");
    };
    tell(&manager);
    tell(&bench.builder());
    tell(&bench.store);
    tell(&layer);
    tell(&CookieConfig::builder());
    tell(&CookieConfig::default());
    tell(&Session::detached());
    tell(&(MessagePack, OsRandom, ManualClock::default()));
    for token in tokens {
        tell(token);
        tell(&token.encode());
        tell(&token.verifier());
        tell(&token.id());
        let persistent = Some(true);
        tell(&CookieChange::Set { token: token.clone(), persistent, max_age: Duration::from_secs(1) });
        tell(&manager.begin(Some(token.clone())));
        let Some(stored) = bench.store.load(&token.id()).await? else { continue };
        tell(&stored);
        if let Ok(record) = Record::parse(token.id(), stored.record.clone()) {
            tell(&record);
        }
        let (version, record, owner) = (stored.version, stored.record.clone(), stored.owner.clone());
        tell(&Entry { version, record, owner, deadline: Timestamp::MAX });
        tell(&Change { ttl: Ttl::Keep, reindex: true });
        tell(&CreateOutcome::Exists(stored.clone()));
        tell(&UpdateOutcome::Conflict(stored));
    }

    // What is on its way: the service, its future before and after the first poll, and a rejection.
    let token = tokens.last().ok_or("no token was given out")?;
    let mut request = Request::new(());
    let cookie = format!("__Host-session={}", token.encode().as_str());
    request.headers_mut().insert("cookie", cookie.parse()?);
    let mut service = layer.layer(service_fn(async |_: Request<()>| Ok::<_, SessionRejection>(Response::new(()))));
    let future = service.call(request);
    tell(&future);
    tell(&future.await);
    let sealed = manager.begin(Some(token.clone()));
    manager.commit(&sealed).await?;
    if let Err(error) = sealed.insert("late", &1) {
        tell(&SessionRejection::from(error));
    }
    let erased: Arc<dyn SessionStore> = Arc::clone(&bench.store);
    tell(&SessionManager::builder(erased).clock(bench.clock.clone()).build()?);
    Ok(told)
}
