//! A whole life of sessions, with everything that can go wrong in it.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use http::header::SET_COOKIE;
use http::{Request, Response};
use sessions_core::{CookieChange, Error, Session, SessionId, SessionManager, Token};
use sessions_tower::{Main, SessionLayer, SessionSlot};
use tower::{Layer, ServiceExt, service_fn};

use super::moody::{Mood, Moody};
use super::told::{Act, cookie_request, handle, tell_error};
use super::types;
use crate::behind::{Bench, Problem};

/// What a life has left.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// Every token that was given out.
    pub(crate) tokens: Vec<Token>,
    pub(crate) ids: Vec<SessionId>,
    /// Every error and every `Debug`.
    pub(crate) said: String,
    /// The store, at several moments.
    pub(crate) stored: Vec<u8>,
}

/// Lives.
pub(crate) async fn live(bench: &Bench) -> Result<Life, Problem> {
    let mut living = Living::begin(bench)?;
    let (first, second) = living.grows_up().await?;
    living.is_confused(&first, &second).await?;
    living.is_refused(&second).await?;
    living.is_damaged(&second).await?;
    living.is_administered().await?;
    living.ends().await?;
    Ok(living.life)
}

/// Puts the text of a token into a session, as an application must not.
pub(crate) async fn leak_into_the_store(bench: &Bench, token: &Token) -> Result<(), Problem> {
    let manager = bench.builder().build()?;
    // Under an id that the memory store, too, is asked for.
    let session = manager.get_session(&token.id()).await?.unwrap_or_else(|| manager.new_session());
    session.insert("leak", &token.encode().as_str())?;
    manager.set_session(&session).await?;
    Ok(())
}

/// An act that fails, or that the commit refuses.
type Errs = fn(&Session) -> Result<(), Error>;

const HOUR: Duration = Duration::from_secs(60 * 60);

struct Living<'a> {
    bench: &'a Bench,
    store: Moody,
    manager: SessionManager,
    layer: SessionLayer,
    life: Life,
}

impl<'a> Living<'a> {
    fn begin(bench: &'a Bench) -> Result<Self, Problem> {
        let store = Moody::new(Arc::clone(&bench.store));
        let builder = SessionManager::builder(store.clone()).clock(bench.clock.clone());
        let manager = builder.idle_timeout(HOUR).touch_fraction(0).max_record_bytes(4_096).build()?;
        let layer = SessionLayer::new(manager.clone()).auto_renew(true);
        Ok(Self { bench, store, manager, layer, life: Life::default() })
    }

    /// From the first visit to the second login. Gives the session's first token and its last one.
    async fn grows_up(&mut self) -> Result<(Token, Token), Problem> {
        self.visit(None, |session| session.get::<u64>("count").map(drop)).await?;
        let first = self.visit(None, |session| session.insert("name", &"alice")).await?.ok_or("no token")?;
        self.visit(Some(&first), |session| session.get::<String>("name").map(drop)).await?;
        self.bench.clock.advance(Duration::from_secs(1));
        self.visit(Some(&first), |session| session.get::<String>("name").map(drop)).await?;
        self.visit(Some(&first), |session| session.update("count", |n: Option<u64>| n.unwrap_or(0) + 1).map(drop))
            .await?;
        let renewed = self.visit(Some(&first), Session::renew).await?.ok_or("no token")?;
        self.visit(Some(&first), |session| session.insert("grace", &true)).await?;
        self.dump().await?;
        let login = |session: &Session| session.set_owner("alice").and_then(|()| session.set_persistent(true));
        let second = self.visit(Some(&renewed), login).await?.ok_or("no token")?;
        // Sent before the login was answered, arrives after it.
        self.visit(Some(&renewed), |session| session.get::<u64>("count").map(drop)).await?;
        self.visit(Some(&renewed), |session| session.insert("late", &1)).await?;
        let second = self.visit(Some(&second), Session::rotate).await?.ok_or("no token")?;
        self.overlap(&second).await?;
        self.dump().await?;
        Ok((first, second))
    }

    /// Two requests on one session: the second to commit merges; one whose decision is overtaken is lost.
    async fn overlap(&mut self, token: &Token) -> Result<(), Problem> {
        for guarded in [false, true] {
            let slow = self.manager.load(token).await?.ok_or("it is live")?;
            self.visit(Some(token), |session| session.insert("count", &7)).await?;
            if guarded {
                slow.require_unchanged("count")?;
            }
            slow.update("count", |count: Option<u64>| count.unwrap_or(0) + 1)?;
            let committed = self.manager.commit(&slow).await;
            self.say_result(&committed);
            self.say(&slow);
        }
        Ok(())
    }

    /// Cookies that are wrong in every way, made of good ones.
    async fn is_confused(&mut self, old: &Token, good: &Token) -> Result<(), Problem> {
        let (old, good) = (old.encode(), good.encode());
        let (old, good) = (old.as_str(), good.as_str());
        for cookie in [
            format!("__Host-session={good}x"),
            format!("__Host-session=\"{good}\""),
            format!("__Host-session={good}; __Host-session={old}"),
            format!("__Host-session={}{}", &good[..22], &old[22..]),
            format!("__Host-session={good}; theme=dark"),
        ] {
            self.send(Some(cookie), |session| session.get::<u64>("count").map(drop)).await?;
        }
        // Much later: who sends the old token now is a stranger.
        self.bench.clock.advance(Duration::from_secs(60));
        self.send(Some(format!("__Host-session={old}")), |session| session.insert("stranger", &1)).await?;
        Ok(())
    }

    /// A store that fails, an application that errs, a handler that panics.
    async fn is_refused(&mut self, token: &Token) -> Result<(), Problem> {
        for mood in [Mood::Unavailable, Mood::Silent, Mood::Full] {
            self.store.set(mood);
            self.visit(Some(token), |session| session.get::<u64>("count").map(drop)).await?;
            self.visit(Some(token), |session| session.insert("mood", &1)).await?;
            self.visit(Some(token), Session::rotate).await?;
            self.visit(None, |session| session.insert("mood", &1)).await?;
            self.visit(Some(token), Session::destroy).await?;
            let error = self.manager.delete_session(&token.id()).await;
            self.say_result(&error);
        }
        self.store.set(Mood::Good);
        self.visit(Some(token), |session| session.insert("mood", &1)).await?;
        let errs: [Errs; 6] = [
            |session| session.get::<Vec<String>>("name").map(drop),
            |session| session.insert("huge", &"x".repeat(10_000)),
            |session| session.insert("k".repeat(1_000), &1),
            |session| session.set_owner(""),
            |session| session.set_lifetime(Duration::ZERO),
            |session| session.insert("large", &"x".repeat(4_000)),
        ];
        for act in errs {
            self.visit(Some(token), act).await?;
        }
        let session = self.manager.load(token).await?.ok_or("it is live")?;
        self.manager.commit(&session).await?;
        let sealed = session.insert("late", &1);
        self.say_result(&sealed);
        let unopened = self.manager.begin(Some(token.clone()));
        let error = unopened.insert("early", &1);
        self.say_result(&error);
        self.say(&unopened);
        let panicking = service_fn(async |request: Request<()>| -> Result<Response<String>, Error> {
            let slot = SessionSlot::<Main>::of(request.extensions()).expect("inside of the layer");
            let session = slot.load().await?;
            session.rotate()?;
            panic!("on purpose, with {session:?} and {slot:?}");
        });
        let request = cookie_request(Some(format!("__Host-session={}", token.encode().as_str())))?;
        let ended = tokio::spawn(self.layer.layer(panicking).oneshot(request)).await;
        ended.expect_err("it has panicked");
        Ok(())
    }

    /// Bytes at rest that nobody wrote.
    async fn is_damaged(&mut self, token: &Token) -> Result<(), Problem> {
        let bytes = self.bench.at_rest(&token.id()).await?.ok_or("it is there")?;
        for at in [0, bytes.len() / 3, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            self.bench.replace(&token.id(), &damaged).await?;
            self.visit(Some(token), |session| {
                session.keys().into_iter().try_for_each(|key| session.get::<u64>(key).map(drop))
            })
            .await?;
            let administered = self.manager.get_session(&token.id()).await.map(drop);
            self.say_result(&administered);
        }
        // The first byte of the record itself, wherever the store has put it: a format of the future.
        let record = self.bench.store.load(&token.id()).await.ok().flatten().map(|stored| stored.record);
        let tail = record.map_or(0, |record| record.len());
        let mut newer = bytes.clone();
        if let Some(format) = newer.len().checked_sub(tail).and_then(|at| newer.get_mut(at)) {
            *format = 99;
        }
        self.bench.replace(&token.id(), &newer).await?;
        self.visit(Some(token), |session| session.insert("new", &1)).await?;
        self.bench.replace(&token.id(), &bytes).await?;
        Ok(())
    }

    async fn is_administered(&mut self) -> Result<(), Problem> {
        for owner in ["bob", "bob", "carol"] {
            self.visit(None, move |session| session.set_owner(owner)).await?;
        }
        let sessions = self.manager.sessions_of("bob").await?;
        self.say(&sessions);
        let session = sessions.into_iter().next().ok_or("bob has two")?;
        session.insert("notice", &"changed")?;
        session.rotate()?;
        let committed = self.manager.set_session(&session).await?;
        if let CookieChange::Set { token, .. } = &committed.cookie {
            self.life.tokens.push(token.clone());
        }
        self.say(&committed);
        self.dump().await?;
        let texts = types::debug(&self.manager, &self.layer, &self.life.tokens, self.bench).await?;
        self.life.said.push_str(&texts);
        self.manager.delete_sessions_of("bob", session.id()).await?;
        self.manager.purge_expired(10).await?;
        Ok(())
    }

    async fn ends(&mut self) -> Result<(), Problem> {
        let token = self.visit(None, |session| session.set_owner("dora")).await?.ok_or("no token")?;
        let again = |session: &Session| session.destroy().and_then(|()| session.insert("again", &1));
        let other = self.visit(Some(&token), again).await?.ok_or("no token")?;
        self.visit(Some(&token), |session| session.insert("late", &1)).await?;
        self.visit(Some(&other), Session::destroy).await?;
        self.visit(Some(&other), |session| session.get::<u64>("count").map(drop)).await?;
        self.dump().await
    }

    async fn visit(
        &mut self,
        token: Option<&Token>,
        act: impl Fn(&Session) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<Option<Token>, Problem> {
        let cookie = token.map(|token| format!("__Host-session={}", token.encode().as_str()));
        self.send(cookie, act).await
    }

    /// One request. Whatever can be told about it is told. Gives the token of its `Set-Cookie`.
    async fn send(
        &mut self,
        cookie: Option<String>,
        act: impl Fn(&Session) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<Option<Token>, Problem> {
        let act: Arc<Act> = Arc::new(act);
        let handler = service_fn(move |request: Request<()>| {
            let act = Arc::clone(&act);
            async move { Ok::<_, Error>(handle(&request, &*act).await) }
        });
        let response = self.layer.layer(handler).oneshot(cookie_request(cookie)?).await?;
        self.say(&response);
        self.life.said.push_str(response.body());
        let token = response.headers().get(SET_COOKIE).and_then(|cookie| {
            let (_, value) = cookie.to_str().ok()?.split(';').next()?.split_once('=')?;
            Token::parse(value.as_bytes())
        });
        if let Some(token) = &token {
            self.life.tokens.push(token.clone());
            self.life.ids.push(token.id());
        }
        Ok(token)
    }

    fn say(&mut self, what: &impl fmt::Debug) {
        let _ = writeln!(self.life.said, "{what:?} {what:#?}");
    }

    fn say_result<T: fmt::Debug>(&mut self, result: &Result<T, Error>) {
        match result {
            Ok(value) => self.say(value),
            Err(error) => tell_error(&mut self.life.said, error),
        }
    }

    async fn dump(&mut self) -> Result<(), Problem> {
        let dump = self.bench.dump(&self.life.ids).await?;
        self.life.stored.extend(dump);
        Ok(())
    }
}
