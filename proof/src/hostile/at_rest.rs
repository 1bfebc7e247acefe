//! Damage at rest: every bit flipped, every length cut, and records put in each other's place, where each store keeps them.
//!
//! Whatever is there then: a client's token opens its own session with its own values, or nothing. A damaged value is an error
//! for that value alone. A request that writes makes a session of its own beside what is damaged, or is refused; the damaged
//! bytes stay what they are, for whoever examines them.

use std::collections::BTreeMap;
use std::fmt;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, Request, Response, StatusCode};
use sessions_core::{CookieChange, Error, Outcome, Session, SessionId, SessionManager, Token};
use sessions_tower::{Main, SessionLayer, SessionSlot};
use tower::{Layer, ServiceExt, service_fn};

use crate::behind::{Bench, Problem};

/// How much was damaged, and what it was read as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Single bits that were flipped.
    pub flips: u64,
    /// Lengths to which a record was cut or grown.
    pub lengths: u64,
    /// Records that were put in another's place.
    pub swaps: u64,
    /// Of all these: sessions that counted as absent.
    pub absent: u64,
    /// Refused with an error.
    pub refused: u64,
    /// Opened, with one value damaged and every other one whole.
    pub opened: u64,
}

/// Damages one record in every way, or all if it is to be thorough, and each by the others.
///
/// # Errors
///
/// When anything is read that nobody wrote, or overwritten that nobody meant, and when the store fails.
pub async fn damage(bench: &Bench, thorough: bool) -> Result<Report, Problem> {
    let manager = bench.builder().build()?;
    let layer = SessionLayer::new(manager.clone());
    let mut report = Report::default();
    let large: Vec<(String, String)> = (0..30).map(|n| (format!("key {n:02}"), "value ".repeat(n))).collect();
    let large: Vec<(&str, &str)> = large.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let victims = [
        Victim::new(bench, &manager, "alice", &[("cart", "one apple"), ("name", "Alice")]).await?,
        Victim::new(bench, &manager, "alice", &[("cart", "two pears"), ("name", "Alice B")]).await?,
        Victim::new(bench, &manager, "bob", &[("cart", "three figs"), ("name", "Bob")]).await?,
        Victim::new(bench, &manager, "eve", &[("admin", "no")]).await?,
        Victim::new(bench, &manager, "carol", &large).await?,
    ];
    for victim in if thorough { &victims[..] } else { &victims[..1] } {
        for bit in 0..victim.bytes.len() * 8 {
            let mut bytes = victim.bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let place = format!("bit {} of byte {}", bit % 8, bit / 8);
            victim.suffer(bench, &manager, &layer, &bytes, &mut report).await.map_err(|p| format!("{place}: {p}"))?;
            report.flips += 1;
        }
        for len in 0..victim.bytes.len() + 9 {
            let mut bytes = victim.bytes.clone();
            bytes.resize(len + usize::from(len >= victim.bytes.len()), 0);
            victim
                .suffer(bench, &manager, &layer, &bytes, &mut report)
                .await
                .map_err(|p| format!("{len} bytes: {p}"))?;
            report.lengths += 1;
        }
    }
    for victim in &victims {
        for other in victims.iter().filter(|other| other.id() != victim.id()) {
            let opened = report.opened;
            victim.suffer(bench, &manager, &layer, &other.bytes, &mut report).await?;
            if report.opened != opened {
                return Err("a record in another's place was opened".into());
            }
            report.swaps += 1;
        }
    }
    Ok(report)
}

/// A session, and all that is known of it.
struct Victim {
    token: Token,
    owner: String,
    values: BTreeMap<String, String>,
    /// What is at rest while it is whole.
    bytes: Vec<u8>,
}

/// What a damaged session is found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Absent,
    Refused,
    /// With so many values that are damaged.
    Opened(usize),
}

impl Victim {
    async fn new(
        bench: &Bench,
        manager: &SessionManager,
        owner: &str,
        values: &[(&str, &str)],
    ) -> Result<Self, Problem> {
        let session = manager.new_session();
        session.set_owner(owner)?;
        for (key, value) in values {
            session.insert((*key).to_owned(), value)?;
        }
        let CookieChange::Set { token, .. } = manager.commit(&session).await?.cookie else {
            return Err("a new session has no token".into());
        };
        let bytes = bench.at_rest(&token.id()).await?.ok_or("a new session is not at rest")?;
        let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Ok(Self { token, owner: owner.to_owned(), values, bytes })
    }

    fn id(&self) -> SessionId {
        self.token.id()
    }

    /// Lies damaged like this for one reader, one writer and one that had been reading before; then it is whole again.
    async fn suffer(
        &self,
        bench: &Bench,
        manager: &SessionManager,
        layer: &SessionLayer,
        bytes: &[u8],
        report: &mut Report,
    ) -> Result<(), Problem> {
        bench.replace(&self.id(), bytes).await?;
        let found = self.read(manager).await?;
        match found {
            Found::Absent => report.absent += 1,
            Found::Refused => report.refused += 1,
            Found::Opened(_) => report.opened += 1,
        }
        let response = self.write(layer).await?;
        let cookies = response.headers().get_all(SET_COOKIE).iter().count();
        match found {
            Found::Absent if response.status() == StatusCode::OK && cookies == 1 => {
                self.is_other(manager, &response).await?;
            }
            Found::Refused if response.status() == StatusCode::SERVICE_UNAVAILABLE && cookies == 0 => {}
            Found::Opened(_) if response.status() == StatusCode::OK && cookies == 0 => {
                // A write that was meant: it has carried along what it did not change, damaged as it was.
                if self.read(manager).await? != found {
                    return Err("damage has spread, or was made to look whole".into());
                }
            }
            _ => {
                return Err(format!(
                    "{found:?}, and a writer was answered {} and {cookies} cookies",
                    response.status()
                )
                .into());
            }
        }
        if !matches!(found, Found::Opened(_)) && bench.at_rest(&self.id()).await?.as_deref() != Some(bytes) {
            return Err(format!("{found:?}, and it was overwritten").into());
        }
        bench.replace(&self.id(), &self.bytes).await?;
        Ok(())
    }

    /// Opens it and reads everything, which is as it was written or an error.
    async fn read(&self, manager: &SessionManager) -> Result<Found, Problem> {
        let session = match manager.load(&self.token).await {
            Ok(Some(session)) => session,
            Ok(None) => return Ok(Found::Absent),
            // A record of a newer version, and what a store refuses by itself.
            Err(error) if error.is_newer_format() || error.is_unavailable() => return Ok(Found::Refused),
            Err(error) => return Err(error.into()),
        };
        let keys: Vec<String> = session.keys().into_iter().filter(|key| key != NEW).collect();
        if session.is_superseded()
            || session.owner().is_none_or(|owner| owner.as_str() != self.owner)
            || !keys.iter().eq(self.values.keys())
        {
            return Err("it opened as another session".into());
        }
        match self.read_values(&session)? {
            0 => Err("the damage goes unnoticed".into()),
            damaged => Ok(Found::Opened(damaged)),
        }
    }

    fn read_values(&self, session: &Session) -> Result<usize, Problem> {
        let mut damaged = 0;
        for (key, value) in &self.values {
            match session.get::<String>(key.clone()) {
                Ok(found) if found.as_ref() == Some(value) => {}
                Err(error) if error.is_corrupt() => damaged += 1,
                Ok(_) => return Err(format!("{key} has become other data").into()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(damaged)
    }

    /// A request with its token that writes.
    async fn write(&self, layer: &SessionLayer) -> Result<Response<()>, Problem> {
        let mut request = Request::new(());
        let cookie = format!("__Host-session={}", self.token.encode().as_str());
        request.headers_mut().insert(COOKIE, cookie.parse()?);
        let handler = service_fn(async |request: Request<()>| {
            let slot = SessionSlot::<Main>::of(request.extensions()).expect("inside of the layer");
            // As an extractor answers: by the status for the error.
            match slot.load().await.and_then(|session| session.insert(NEW, &"there")) {
                Ok(()) => Ok::<_, Error>(Response::new(())),
                Err(error) => {
                    let mut response = Response::new(());
                    *response.status_mut() = sessions_tower::status_of(&error);
                    Ok(response)
                }
            }
        });
        Ok(layer.layer(handler).oneshot(request).await?)
    }

    /// The session that a writer was given in place of the damaged one has another id, and nothing of anybody.
    async fn is_other(&self, manager: &SessionManager, response: &Response<()>) -> Result<(), Problem> {
        let token = token_of(response.headers()).ok_or("a cookie without a token")?;
        let session = manager.load(&token).await?.ok_or("a new session is not there")?;
        if token.id() == self.id() || session.keys() != [NEW] || session.owner().is_some() {
            return Err("a new session holds something else".into());
        }
        let session_is_gone = manager.delete_session(&token.id()).await?;
        if session_is_gone { Ok(()) } else { Err("a new session was not deleted".into()) }
    }
}

fn token_of(headers: &HeaderMap) -> Option<Token> {
    let cookie = headers.get(SET_COOKIE)?.to_str().ok()?;
    let (_, value) = cookie.split(';').next()?.split_once('=')?;
    Token::parse(value.as_bytes())
}

/// Damages the record of a session between the load and the commit of a request that meets a concurrent writer. Gives the
/// number of bits.
///
/// # Errors
///
/// When the damaged record was overwritten, or a damaged value lost its mark, and when the store fails.
pub async fn damage_under_a_request(bench: &Bench) -> Result<u64, Problem> {
    let manager = bench.builder().build()?;
    let mut victim = Victim::new(bench, &manager, "alice", &[("cart", "one apple"), ("name", "Alice")]).await?;
    let mut flips = 0;
    // Each byte once: which of its bits makes no difference to who notices.
    for byte in 0..victim.bytes.len() {
        let slow = manager.load(&victim.token).await?.ok_or("it was whole")?;
        slow.insert(NEW, &"slow")?;
        let quick = manager.load(&victim.token).await?.ok_or("it was whole")?;
        quick.insert("name", &"Alice")?;
        manager.commit(&quick).await?;
        victim.bytes = bench.at_rest(&victim.id()).await?.ok_or("it is there")?;
        let Some(flipped) = victim.bytes.get(byte).map(|old| old ^ 1 << (byte % 8)) else { break };
        let mut bytes = victim.bytes.clone();
        bytes[byte] = flipped;
        bench.replace(&victim.id(), &bytes).await?;
        let written = match manager.commit(&slow).await {
            Ok(committed) => committed.outcome == Outcome::Written,
            Err(error) if error.is_newer_format() || error.is_unavailable() => false,
            Err(error) => return Err(format!("byte {byte}: {error}").into()),
        };
        let at_rest = bench.at_rest(&victim.id()).await?.ok_or("it was deleted")?;
        if written {
            let session = manager.load(&victim.token).await?.ok_or("a write has damaged it")?;
            if victim.read_values(&session)? > 1 {
                return Err(format!("byte {byte}: damage has spread").into());
            }
        } else if at_rest != bytes {
            return Err(format!("byte {byte}: what is damaged was overwritten").into());
        }
        bench.replace(&victim.id(), &victim.bytes).await?;
        flips += 1;
    }
    Ok(flips)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flips, lengths, swaps, absent, refused, opened } = self;
        write!(
            f,
            "bits flipped={flips}; lengths={lengths}; swaps={swaps}; absent={absent}; refused={refused}; opened but for one \
             value={opened}; read as other data=0; overwritten=0"
        )
    }
}

/// The key that a request writes to a damaged session.
const NEW: &str = "new";
