//! One small executable model of sessions, and a random life to compare it with a real manager on a real store.
//!
//! The model knows what a session *is*: absent; live with a token, perhaps a renewed one in its grace, values, an owner and
//! its times; dead. It knows nothing of records, versions, conflicts or bytes. [`live`] drives the same random operations
//! through both and compares every answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use sessions_core::{
    Committed, CookieChange, ManualClock, Outcome, Session, SessionId, SessionManager, SessionStore, Timestamp, Token,
};

/// The limits that the model and the manager share.
const LIFETIME: Duration = Duration::from_secs(1_000);
const IDLE: Duration = Duration::from_secs(300);
const ABSOLUTE: Duration = Duration::from_secs(3_000);
const GRACE: Duration = Duration::from_secs(30);
const SUPERSEDED: Duration = Duration::from_secs(30);

/// A live session.
#[derive(Debug, Clone)]
struct Live {
    token: String,
    renewed: Option<(String, Timestamp)>,
    values: BTreeMap<String, u64>,
    owner: Option<String>,
    created_at: Timestamp,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

/// All sessions that were ever stored, by id. A dead one is removed, and never comes back.
#[derive(Debug, Default)]
struct Model {
    live: BTreeMap<SessionId, Live>,
    /// Every token ever issued, with its session: also the dead ones, which must open nothing.
    issued: Vec<Token>,
}

/// What a token is worth.
#[derive(Debug, PartialEq, Eq)]
enum Worth {
    Opens,
    Superseded,
    Nothing,
}

impl Live {
    fn deadline(&self) -> Timestamp {
        self.issued_at.after(LIFETIME).min(self.created_at.after(ABSOLUTE))
    }

    fn used(&mut self, now: Timestamp) {
        self.expires_at = now.after(IDLE).min(self.deadline());
    }
}

impl Model {
    fn forget_expired(&mut self, now: Timestamp) {
        self.live.retain(|_, session| now < session.expires_at && now < session.deadline());
    }

    fn worth(&self, token: &Token, now: Timestamp) -> Worth {
        let text = text(token);
        match self.live.get(&token.id()) {
            None => Worth::Nothing,
            Some(live) if live.token == text => Worth::Opens,
            Some(Live { renewed: Some((renewed, ends)), .. }) if *renewed == text && now < *ends => Worth::Opens,
            Some(live) if now.since(live.issued_at) < SUPERSEDED => Worth::Superseded,
            Some(_) => Worth::Nothing,
        }
    }
}

/// Whether time passes in a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// On a store that has the manager's clock.
    Passes,
    /// On a server, which has its own.
    StandsStill,
}

/// A random life of so many operations on a store, from a seed. Where time [passes](Time::Passes), `clock` must be the store's too.
///
/// # Errors
///
/// What differed, with the operations that led there.
///
/// # Panics
///
/// When the store panics.
pub async fn live(
    store: impl SessionStore,
    (clock, time): (&ManualClock, Time),
    operations: usize,
    seed: u64,
) -> Result<(), String> {
    let manager = SessionManager::builder(store)
        .clock(clock.clone())
        .lifetime(LIFETIME)
        .idle_timeout(IDLE)
        .absolute_timeout(ABSOLUTE)
        .renew_grace(GRACE)
        .touch_fraction(0)
        .build()
        .expect("valid settings");
    let random = fastrand::Rng::with_seed(seed);
    let mut life = Life { manager, clock, time, model: Model::default(), random, told: String::new() };
    for _ in 0..operations {
        if let Err(difference) = life.step().await {
            return Err(format!("seed {seed}: {difference}\n{}", life.told));
        }
    }
    Ok(())
}

struct Life<'a> {
    manager: SessionManager,
    clock: &'a ManualClock,
    time: Time,
    model: Model,
    random: fastrand::Rng,
    told: String,
}

impl Life<'_> {
    async fn step(&mut self) -> Result<(), String> {
        use sessions_core::Clock as _;
        let now = self.clock.now();
        self.model.forget_expired(now);
        match self.random.u8(..20) {
            0..=1 if self.time == Time::Passes => self.pass_time(),
            0..=2 => self.purge().await,
            3 => self.delete_some().await,
            4 => self.delete_by_owner().await,
            5 => self.list().await,
            6..=8 => self.first_request(now).await,
            _ => self.request(now).await,
        }
    }

    fn tell(&mut self, what: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.told, "    {what}");
    }

    fn pass_time(&mut self) -> Result<(), String> {
        // Around every limit, and to its very millisecond.
        let seconds = *self.random.choice(&[1, 10, 29, 30, 31, 150, 299, 300, 301, 700]).expect("not empty");
        self.tell(format_args!("{seconds} s pass"));
        self.clock.advance(Duration::from_secs(seconds));
        Ok(())
    }

    async fn purge(&mut self) -> Result<(), String> {
        self.tell(format_args!("purge"));
        self.manager.purge_expired(1_000).await.map(drop).map_err(|error| error.to_string())
    }

    fn owner(&mut self) -> &'static str {
        self.random.choice(&["alice", "bob"]).expect("not empty")
    }

    async fn delete_some(&mut self) -> Result<(), String> {
        let count = self.random.usize(..3);
        let ids: Vec<_> = (0..count).filter_map(|_| self.random.choice(&self.model.issued).map(Token::id)).collect();
        self.tell(format_args!("delete {ids:?}"));
        let mut expected = 0;
        for id in &ids {
            expected += u64::from(self.model.live.remove(id).is_some());
        }
        let found = self.manager.delete_sessions(&ids).await.map_err(|error| error.to_string())?;
        same("deleted", &expected, &found)
    }

    async fn delete_by_owner(&mut self) -> Result<(), String> {
        let owner = self.owner();
        let except = self.random.bool().then(|| self.random.choice(&self.model.issued).map(Token::id)).flatten();
        self.tell(format_args!("delete sessions of {owner} except {except:?}"));
        let before = self.model.live.len();
        self.model.live.retain(|id, live| live.owner.as_deref() != Some(owner) || Some(*id) == except);
        let found = self.manager.delete_sessions_of(owner, except).await.map_err(|error| error.to_string())?;
        same("deleted by owner", &u64::try_from(before - self.model.live.len()).unwrap_or(u64::MAX), &found)
    }

    async fn list(&mut self) -> Result<(), String> {
        let owner = self.owner();
        self.tell(format_args!("list sessions of {owner}"));
        let of_owner = self.model.live.iter().filter(|(_, live)| live.owner.as_deref() == Some(owner));
        let expected: Vec<_> = of_owner.map(|(id, _)| *id).collect();
        let found = self.manager.sessions_of(owner).await.map_err(|error| error.to_string())?;
        let mut found: Vec<_> = found.iter().filter_map(Session::id).collect();
        found.sort_unstable();
        same("sessions of an owner", &expected, &found)
    }

    /// Without a cookie.
    async fn first_request(&mut self, now: Timestamp) -> Result<(), String> {
        let session = self.manager.begin(None);
        self.manager.open(&session).await.map_err(|error| error.to_string())?;
        self.change_and_commit(session, None, now).await
    }

    /// With any cookie that was ever issued.
    async fn request(&mut self, now: Timestamp) -> Result<(), String> {
        let Some(token) = self.random.choice(&self.model.issued).cloned() else { return Ok(()) };
        let worth = self.model.worth(&token, now);
        self.tell(format_args!("request for {}, {worth:?}", token.id()));
        let session = self.manager.begin(Some(token.clone()));
        self.manager.open(&session).await.map_err(|error| error.to_string())?;
        same("superseded", &(worth == Worth::Superseded), &session.is_superseded())?;
        same("opens", &(worth == Worth::Opens), &!session.is_new())?;
        let expected = match worth {
            Worth::Opens => self.model.live[&token.id()].values.clone(),
            Worth::Superseded | Worth::Nothing => BTreeMap::new(),
        };
        let mut found = BTreeMap::new();
        for key in session.keys() {
            let value = session.get::<u64>(key.clone()).map_err(|error| error.to_string())?;
            found.insert(key, value.unwrap_or_default());
        }
        same("values", &expected, &found)?;
        self.change_and_commit(session, Some((token, worth)), now).await
    }

    async fn change_and_commit(
        &mut self,
        session: Session,
        from: Option<(Token, Worth)>,
        now: Timestamp,
    ) -> Result<(), String> {
        let opened = from.as_ref().filter(|(_, worth)| *worth == Worth::Opens).map(|(token, _)| token.clone());
        let superseded = matches!(from, Some((_, Worth::Superseded)));
        let mut next = opened.as_ref().map(|token| self.model.live[&token.id()].clone());
        let mut values = next.as_ref().map(|live| live.values.clone()).unwrap_or_default();
        let mut owner = next.as_ref().and_then(|live| live.owner.clone());
        // Keys that differ from what is stored: setting and removing a new one is nothing.
        let mut changed = BTreeSet::new();
        let (mut owned, mut rotate, mut renew, mut destroyed) = (false, false, false, false);
        for _ in 0..self.random.usize(..4) {
            let key = (*self.random.choice(&["a", "b", "c"]).expect("not empty")).to_owned();
            let act = self.random.u8(..9);
            self.tell(format_args!("    act {act} on {key}"));
            let done = match act {
                0 | 1 => {
                    let value = self.random.u64(..1_000);
                    changed.insert(key.clone());
                    values.insert(key.clone(), value);
                    session.insert(key, &value)
                }
                2 | 3 => {
                    changed.insert(key.clone());
                    *values.entry(key.clone()).or_default() += 1;
                    session.update(key, |n: Option<u64>| n.unwrap_or(0) + 1).map(drop)
                }
                4 => {
                    let stored = next.as_ref().is_some_and(|live| !destroyed && live.values.contains_key(&key));
                    if stored {
                        changed.insert(key.clone())
                    } else {
                        changed.remove(&key)
                    };
                    values.remove(&key);
                    session.remove(&key)
                }
                5 => {
                    rotate = true;
                    session.rotate()
                }
                6 => {
                    renew = true;
                    session.renew()
                }
                7 => {
                    let name = self.owner();
                    (owner, owned, rotate) = (Some(name.to_owned()), true, true);
                    session.set_owner(name)
                }
                _ => {
                    (destroyed, owned, rotate, renew) = (true, false, false, false);
                    changed.clear();
                    values.clear();
                    owner = None;
                    session.destroy()
                }
            };
            done.map_err(|error| error.to_string())?;
        }
        let written = owned || !changed.is_empty();
        let has_contents = !values.is_empty() || owner.is_some();
        let committed = self.manager.commit(&session).await.map_err(|error| error.to_string())?;
        let Committed { outcome, cookie } = committed;
        let removed = cookie == CookieChange::Remove;
        let token = match cookie {
            CookieChange::Set { token, .. } => Some(token),
            CookieChange::Keep | CookieChange::Remove => None,
        };
        // Only a session that was there takes its cookie along, and only with nothing in its place.
        same("removed cookie", &(destroyed && opened.is_some() && !has_contents), &removed)?;
        if superseded {
            let expected = if written || rotate || renew || destroyed { Outcome::Lost } else { Outcome::Unchanged };
            same("cookie", &None, &token)?;
            return same("superseded outcome", &expected, &outcome);
        }
        if destroyed || next.is_none() {
            if let Some(token) = &opened {
                self.model.live.remove(&token.id());
            }
            let expected = match (has_contents, opened.is_some()) {
                (true, _) => Outcome::Created,
                (false, true) => Outcome::Deleted,
                (false, false) => Outcome::Unchanged,
            };
            same("outcome", &expected, &outcome)?;
            same("new cookie", &has_contents, &token.is_some())?;
            if has_contents {
                let token = token.ok_or("a new session without a cookie")?;
                let mut live = Live {
                    token: text(&token),
                    renewed: None,
                    values,
                    owner,
                    created_at: now,
                    issued_at: now,
                    expires_at: now,
                };
                live.used(now);
                self.model.live.insert(token.id(), live);
                self.model.issued.push(token);
            }
            return Ok(());
        }
        let (Some(mut live), Some(presented)) = (next.take(), opened) else { return Err("an open session".to_owned()) };
        let by_grace = live.token != text(&presented);
        let grace_runs = live.renewed.as_ref().is_some_and(|(_, ends)| now < *ends);
        let issues = rotate || renew && !by_grace && !grace_runs;
        (live.values, live.owner) = (values, owner);
        match (issues, token) {
            (true, Some(token)) => {
                live.renewed = (!rotate).then(|| (live.token.clone(), now.after(GRACE)));
                (live.token, live.issued_at) = (text(&token), now);
                same("id", &presented.id(), &token.id())?;
                self.model.issued.push(token);
            }
            (false, None) => {}
            (issues, token) => return Err(format!("issues {issues}, but the cookie is {token:?}")),
        }
        live.used(now);
        let is_quiet = matches!(outcome, Outcome::Unchanged | Outcome::Touched);
        if written || issues {
            same("outcome", &Outcome::Written, &outcome)?;
        } else if !is_quiet {
            return Err(format!("a request that wrote nothing has the outcome {outcome:?}"));
        }
        self.model.live.insert(presented.id(), live);
        Ok(())
    }
}

fn text(token: &Token) -> String {
    token.encode().as_str().to_owned()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("{what}: the model says {expected:?}, the manager {found:?}")) }
}
