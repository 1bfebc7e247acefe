//! Sessions of every size: empty, at the limit, one byte above it, and with ten thousand keys.

use sessions_core::{CookieChange, Error, SessionManager, Token};

use crate::behind::{Bench, Problem};

/// The limit that the managers here are set to, which is the default.
const LIMIT: usize = 256 * 1024;

/// A value whose length is encoded in as many bytes as those around it.
const NEAR: usize = 200 * 1024;

const KEYS: usize = 10_000;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The record of a session that holds nothing but its owner.
    pub smallest: usize,
    /// The largest record that was taken.
    pub largest: usize,
    /// The record with ten thousand keys.
    pub many_keys: usize,
}

/// Makes sessions of every size, reads them back and changes them.
///
/// # Errors
///
/// When one is not what it was, or one that is too large is taken, or damages what was there.
pub async fn all(bench: &Bench) -> Result<Report, Problem> {
    let manager = bench.builder().max_record_bytes(LIMIT).build()?;
    Ok(Report {
        smallest: empty(bench, &manager).await?,
        largest: at_the_limit(bench, &manager).await?,
        many_keys: many_keys(bench).await?,
    })
}

/// Nothing but an owner, and values of no bytes at all.
async fn empty(bench: &Bench, manager: &SessionManager) -> Result<usize, Problem> {
    let session = manager.new_session();
    session.set_owner("u")?;
    let token = commit(manager, &session).await?;
    let loaded = load(manager, &token).await?;
    if !loaded.keys().is_empty() || loaded.get::<String>("a")?.is_some() {
        return Err("an empty session holds something".into());
    }
    let smallest = size(bench, &token).await?;
    loaded.insert("", &())?;
    loaded.insert("text", &"")?;
    loaded.insert("list", &Vec::<u8>::new())?;
    manager.commit(&loaded).await?;
    let loaded = load(manager, &token).await?;
    let right = loaded.get::<()>("")? == Some(())
        && loaded.get::<String>("text")?.as_deref() == Some("")
        && loaded.get::<Vec<u8>>("list")? == Some(Vec::new());
    if right { Ok(smallest) } else { Err("empty values have not come back".into()) }
}

/// Exactly as large as is allowed; one byte more is refused, and leaves alone what was there.
async fn at_the_limit(bench: &Bench, manager: &SessionManager) -> Result<usize, Problem> {
    let blob = |len: usize| "x".repeat(len);
    let session = manager.new_session();
    session.insert("blob", &blob(NEAR))?;
    let token = commit(manager, &session).await?;
    let largest = NEAR + LIMIT - size(bench, &token).await?;

    let session = manager.new_session();
    session.insert("blob", &blob(largest))?;
    let token = commit(manager, &session).await?;
    if size(bench, &token).await? != LIMIT {
        return Err("the largest session is not as large as the limit".into());
    }
    let above = load(manager, &token).await?;
    above.insert("blob", &blob(largest + 1))?;
    refused(manager.commit(&above).await.map(drop))?;
    let new = manager.new_session();
    new.insert("blob", &blob(largest + 1))?;
    refused(manager.commit(&new).await.map(drop))?;
    if load(manager, &token).await?.get::<String>("blob")? != Some(blob(largest)) {
        return Err("a write that was refused has changed something".into());
    }
    // It can be used and made smaller.
    let session = load(manager, &token).await?;
    session.insert("blob", &blob(3))?;
    manager.commit(&session).await?;
    if load(manager, &token).await?.get::<String>("blob")? != Some(blob(3)) {
        return Err("the largest session cannot be changed".into());
    }
    Ok(LIMIT)
}

async fn many_keys(bench: &Bench) -> Result<usize, Problem> {
    let manager = bench.builder().max_record_bytes(4 * LIMIT).build()?;
    let key = |number: usize| format!("key {number}");
    let session = manager.new_session();
    for number in 0..KEYS {
        session.insert(key(number), &number)?;
    }
    let token = commit(&manager, &session).await?;
    let session = load(&manager, &token).await?;
    session.update(key(KEYS / 2), |value: Option<usize>| value.unwrap_or(0) + 1)?;
    session.remove(key(0))?;
    manager.commit(&session).await?;
    let session = load(&manager, &token).await?;
    if session.keys().len() != KEYS - 1 {
        return Err("keys are missing".into());
    }
    for number in 1..KEYS {
        let expected = number + usize::from(number == KEYS / 2);
        if session.get::<usize>(key(number))? != Some(expected) {
            return Err(format!("{} is not what it was", key(number)).into());
        }
    }
    size(bench, &token).await
}

async fn commit(manager: &SessionManager, session: &sessions_core::Session) -> Result<Token, Problem> {
    match manager.commit(session).await?.cookie {
        CookieChange::Set { token, .. } => Ok(token),
        CookieChange::Keep | CookieChange::Remove => Err("a new session has no token".into()),
    }
}

async fn load(manager: &SessionManager, token: &Token) -> Result<sessions_core::Session, Problem> {
    manager.load(token).await?.ok_or_else(|| "it is gone".into())
}

async fn size(bench: &Bench, token: &Token) -> Result<usize, Problem> {
    Ok(bench.store.load(&token.id()).await?.ok_or("it is gone")?.record.len())
}

fn refused(result: Result<(), Error>) -> Result<(), Problem> {
    match result {
        Err(error) if error.is_too_large() => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => Err("one byte above the limit is taken".into()),
    }
}
