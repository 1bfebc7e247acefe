//! The values of a session.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Session, State};
use crate::error::Error;
use crate::key::{Key, MAX_KEY_BYTES};

/// The values.
impl Session {
    /// The value under `key`.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// session.insert("theme", &"dark")?;
    /// assert_eq!(session.get::<String>("theme")?.as_deref(), Some("dark"));
    /// assert_eq!(session.get::<String>("language")?, None);
    /// assert!(session.get::<u64>("theme").unwrap_err().is_decode());
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_decode`] when the value is of another type or no encoder reads it, [`Error::is_corrupt`] when it fails
    /// its checksum. Neither changes anything.
    pub fn get<T: DeserializeOwned>(&self, key: impl Into<Key<T>>) -> Result<Option<T>, Error> {
        let key = key.into();
        let raw = self.state().raw(key.name())?;
        raw.map(|raw| self.settings().codecs.decode(key.name(), &raw)).transpose()
    }

    /// Sets the value under `key`. What was there before is replaced without having been read.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// session.insert("theme", &"dark")?;
    /// session.insert("sizes", &vec![1, 2, 3])?;
    /// session.insert("sizes", &vec![4])?;
    /// assert_eq!(session.get("sizes")?, Some(vec![4]));
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_encode`], [`Error::is_too_large`], [`Error::is_invalid_key`], or [`Error::is_sealed`] after the commit.
    /// On an error nothing has changed.
    pub fn insert<T: Serialize>(&self, key: impl Into<Key<T>>, value: &T) -> Result<(), Error> {
        let key = checked(key.into().into_name())?;
        let value = self.settings().encode(&key, value)?;
        self.change(|state| state.delta.set(key, value))
    }

    /// Changes the value under `key` in a way that depends on what is there: counters, lists, carts.
    ///
    /// The closure runs at once, and again at the commit on what is stored then, if a concurrent request has written
    /// meanwhile. It must therefore depend on nothing but its argument, and not hold a clone of the session; the value that
    /// this method returns is provisional. Counters changed this way are exact.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// let visits = session.update("visits", |visits: Option<u64>| visits.unwrap_or(0) + 1)?;
    /// assert_eq!(visits, 1);
    ///
    /// let article = 7u32;
    /// session.update("cart", move |cart: Option<Vec<u32>>| {
    ///     let mut cart = cart.unwrap_or_default();
    ///     cart.push(article);
    ///     cart
    /// })?;
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get`](Session::get) and [`insert`](Session::insert), and [`Error::is_contended`] for a closure that by itself
    /// changes the value it is given. At a commit that runs it again, a failure fails the commit, and nothing is written.
    pub fn update<T, F>(&self, key: impl Into<Key<T>>, update: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        let key = checked(key.into().into_name())?;
        let (name, settings) = (key.clone(), Arc::clone(self.settings()));
        let make = move |raw: Option<&[u8]>| -> Result<(T, Vec<u8>), Error> {
            let value = update(raw.map(|raw| settings.codecs.decode(&name, raw)).transpose()?);
            let encoded = settings.encode(&name, &value)?;
            Ok((value, encoded))
        };
        let make = Arc::new(make);
        let again = Arc::clone(&make);
        self.change_read(
            &key,
            |raw| make(raw),
            |state, (value, encoded)| {
                state.delta.update(key.clone(), Arc::new(move |raw| Ok(again(raw)?.1)), encoded);
                value
            },
        )
    }

    /// Removes the value under `key`, if there is one.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// session.insert("draft", &"…")?;
    /// session.remove("draft")?;
    /// session.remove("draft")?;
    /// assert!(!session.contains("draft"));
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    pub fn remove(&self, key: impl AsRef<str>) -> Result<(), Error> {
        let key = key.as_ref();
        self.change(|state| state.remove(key))
    }

    /// Removes the value under `key` and returns it: for a message that is shown once.
    ///
    /// Of clones of this handle one gets it. Two overlapping requests may both get it; add
    /// [`require_unchanged`](Session::require_unchanged) where they must not.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// session.insert("flash", &"Saved.")?;
    /// assert_eq!(session.take::<String>("flash")?.as_deref(), Some("Saved."));
    /// assert_eq!(session.take::<String>("flash")?, None);
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get`](Session::get), in which case it is not removed, and [`Error::is_sealed`] after the commit.
    pub fn take<T: DeserializeOwned>(&self, key: impl Into<Key<T>>) -> Result<Option<T>, Error> {
        let key = key.into();
        let read = |raw: Option<&[u8]>| raw.map(|raw| self.settings().codecs.decode(key.name(), raw)).transpose();
        self.change_read(key.name(), read, |state, value| {
            if value.is_some() {
                state.remove(key.name());
            }
            value
        })
    }

    /// Whether there is a value under `key`.
    #[must_use]
    pub fn contains(&self, key: impl AsRef<str>) -> bool {
        self.state().contains(key.as_ref())
    }

    /// The keys that have a value, in order.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// session.insert("b", &2)?;
    /// session.insert("a", &1)?;
    /// assert_eq!(session.keys(), ["a", "b"]);
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.state().keys()
    }

    /// Removes every value. The session stays, with its token and owner.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// session.set_owner("user-42")?;
    /// session.insert("cart", &[7])?;
    /// session.clear()?;
    /// assert!(session.keys().is_empty() && session.owner().is_some());
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    #[doc(alias = "flush")]
    pub fn clear(&self) -> Result<(), Error> {
        self.change(|state| {
            let stored = state.base().is_some_and(|base| !base.record.is_empty());
            state.delta.clear(stored);
        })
    }

    /// Makes the commit [`Lost`](crate::Outcome::Lost), with nothing written, if a concurrent request has changed the
    /// value under `key` since this one loaded it: for a decision that was taken from what was read. If there is nothing
    /// else to write, it costs one load more.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// if session.get::<bool>("coupon used")? != Some(true) {
    ///     session.require_unchanged("coupon used")?;
    ///     session.insert("coupon used", &true)?;
    ///     // … grant the discount: of two overlapping requests, one gets a 409.
    /// }
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    pub fn require_unchanged(&self, key: impl AsRef<str>) -> Result<(), Error> {
        let key = key.as_ref().to_owned();
        self.change(|state| state.guards.push(key))
    }

    /// A change that depends on the value under `key`. `make` is the application's: it runs without our lock, and again if a
    /// clone of this handle has changed the value meanwhile.
    fn change_read<M, R>(
        &self,
        key: &str,
        make: impl Fn(Option<&[u8]>) -> Result<M, Error>,
        change: impl FnOnce(&mut State, M) -> R,
    ) -> Result<R, Error> {
        for _ in 0..MAX_RUNS {
            let (raw, revision) = {
                let state = self.state();
                state.writable()?;
                (state.raw(key)?, state.revision)
            };
            let made = make(raw.as_deref())?;
            let mut state = self.state();
            state.writable()?;
            if state.revision == revision || state.raw(key)?.as_deref() == raw.as_deref() {
                state.revision += 1;
                return Ok(change(&mut state, made));
            }
        }
        Err(Error::contended())
    }
}

/// How often a closure runs on one handle before it is taken for one that changes what it is given by itself.
const MAX_RUNS: u32 = 1_000;

fn checked(key: Cow<'static, str>) -> Result<Cow<'static, str>, Error> {
    if key.len() > MAX_KEY_BYTES { Err(Error::invalid_key(key.len())) } else { Ok(key) }
}
