//! What can go wrong: one opaque error for the library, one for the stores, both with predicates.

use std::fmt;

use crate::random::RandomError;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// An error of a store. It says what may have happened to the operation.
///
/// ```
/// use sessions_core::StoreError;
///
/// let error = StoreError::indeterminate("no answer within 2 s");
/// assert!(error.is_indeterminate());
/// assert_eq!(error.to_string(), "the store did not answer: the operation may have been applied, or may yet be");
/// ```
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Source>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StoreErrorKind {
    Unavailable,
    Indeterminate,
    Full,
    TooLarge { size: usize, limit: usize },
}

impl StoreError {
    /// The operation was surely not applied: not connected, refused, stopped, or the entry there is not the store's.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, source: Some(source.into()) }
    }

    /// The operation may have been applied, or may yet be: sent, and no answer.
    pub fn indeterminate(source: impl Into<Source>) -> Self {
        Self { kind: StoreErrorKind::Indeterminate, source: Some(source.into()) }
    }

    /// A bounded store refuses a newcomer rather than evicting a live session (G17). Nothing was applied.
    #[must_use]
    pub const fn full() -> Self {
        Self { kind: StoreErrorKind::Full, source: None }
    }

    /// The record has more bytes than this store takes (G12). Nothing was applied.
    #[must_use]
    pub const fn too_large(size: usize, limit: usize) -> Self {
        Self { kind: StoreErrorKind::TooLarge { size, limit }, source: None }
    }

    /// Whether the operation was surely not applied because the store could not be used.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.kind == StoreErrorKind::Unavailable
    }

    /// Whether the operation may have been applied.
    #[must_use]
    pub fn is_indeterminate(&self) -> bool {
        self.kind == StoreErrorKind::Indeterminate
    }

    /// Whether a bounded store is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.kind == StoreErrorKind::Full
    }

    /// Whether the record is too large for this store.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self.kind, StoreErrorKind::TooLarge { .. })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            StoreErrorKind::Unavailable => f.write_str("the store is unavailable: the operation was not applied"),
            StoreErrorKind::Indeterminate => {
                f.write_str("the store did not answer: the operation may have been applied, or may yet be")
            }
            StoreErrorKind::Full => {
                f.write_str("the store is full: raise its bounds or shorten the sessions' lifetime")
            }
            StoreErrorKind::TooLarge { size, limit } => {
                write!(f, "the record has {size} bytes, the store takes {limit}: keep large data elsewhere")
            }
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// An error of this library: opaque, with predicates, and with its source kept.
///
/// The text says what to do next. It never contains a token, a value or a key's value.
///
/// ```
/// use sessions_core::Owner;
///
/// let error = Owner::new("").unwrap_err();
/// assert!(error.is_invalid_owner());
/// assert_eq!(error.to_string(), "an owner has 1 to 255 bytes, this one has 0");
/// ```
pub struct Error(Box<Kind>);

#[derive(Debug)]
enum Kind {
    Store(StoreError),
    Random(RandomError),
    MalformedId,
    InvalidOwner { len: usize },
    InvalidKey { len: usize },
    InvalidSetting { name: &'static str, reason: &'static str },
    InvalidEncoders { tag: u8 },
    Encode { key: String, source: Source },
    Decode { key: String, expected: &'static str },
    UnknownEncoder { key: String, tag: u8 },
    CorruptValue { key: String },
    CorruptRecord { reason: &'static str },
    NewerFormat { format: u8 },
    TooLarge { size: usize, limit: usize },
    Misconfigured { reason: &'static str },
    Unopened,
    Sealed,
    Contended,
    Lost,
}

macro_rules! predicates {
    ($($(#[$doc:meta])* $name:ident: $pattern:pat,)*) => {
        $($(#[$doc])* #[must_use] pub fn $name(&self) -> bool { matches!(&*self.0, $pattern) })*
    };
}

impl Error {
    predicates! {
        /// Whether the store was unavailable: nothing was applied. Answer 503 and let the client try again.
        is_unavailable: Kind::Store(StoreError { kind: StoreErrorKind::Unavailable, .. }),
        /// Whether the store did not answer: the change may have been applied, or may yet be.
        is_indeterminate: Kind::Store(StoreError { kind: StoreErrorKind::Indeterminate, .. }),
        /// Whether a bounded store refused a new session.
        is_full: Kind::Store(StoreError { kind: StoreErrorKind::Full, .. }),
        /// Whether a value or the record is over a limit. What was stored before is intact.
        is_too_large: Kind::TooLarge { .. } | Kind::Store(StoreError { kind: StoreErrorKind::TooLarge { .. }, .. }),
        /// Whether the operating system had no randomness for a secret.
        is_random: Kind::Random(_),
        /// Whether the text is not that of a session id.
        is_malformed_id: Kind::MalformedId,
        /// Whether an owner is empty or too long.
        is_invalid_owner: Kind::InvalidOwner { .. },
        /// Whether a key is too long.
        is_invalid_key: Kind::InvalidKey { .. },
        /// Whether a setting of the manager or of a session is out of its range.
        is_invalid_setting: Kind::InvalidSetting { .. } | Kind::InvalidEncoders { .. },
        /// Whether a value could not be encoded.
        is_encode: Kind::Encode { .. },
        /// Whether the stored value is not of the type that was asked for, or no encoder here reads it.
        is_decode: Kind::Decode { .. } | Kind::UnknownEncoder { .. },
        /// Whether a stored record or value fails its checksum.
        is_corrupt: Kind::CorruptRecord { .. } | Kind::CorruptValue { .. },
        /// Whether a newer version of this library wrote the record. It is left untouched.
        is_newer_format: Kind::NewerFormat { .. },
        /// Whether the adapter is set up wrongly: the text says how to mend it.
        is_misconfigured: Kind::Misconfigured { .. },
        /// Whether the session was used before it was opened: an adapter must call `open` first.
        is_unopened: Kind::Unopened,
        /// Whether the session was used after its commit.
        is_sealed: Kind::Sealed,
        /// Whether the commit met other writers until its deadline. Nothing was applied.
        is_contended: Kind::Contended,
        /// Whether the session ended, or its token was replaced, while the request ran: its changes were not applied.
        is_lost: Kind::Lost,
    }

    pub(crate) fn random(error: RandomError) -> Self {
        Kind::Random(error).into()
    }
    pub(crate) fn malformed_id() -> Self {
        Kind::MalformedId.into()
    }
    pub(crate) fn invalid_owner(len: usize) -> Self {
        Kind::InvalidOwner { len }.into()
    }
    pub(crate) fn invalid_key(len: usize) -> Self {
        Kind::InvalidKey { len }.into()
    }
    pub(crate) fn invalid_setting(name: &'static str, reason: &'static str) -> Self {
        Kind::InvalidSetting { name, reason }.into()
    }
    pub(crate) fn invalid_encoders(tag: u8) -> Self {
        Kind::InvalidEncoders { tag }.into()
    }
    pub(crate) fn encode(key: &str, source: Source) -> Self {
        Kind::Encode { key: key.to_owned(), source }.into()
    }
    /// Deliberately without the decoder's own words: they quote the value.
    pub(crate) fn decode(key: &str, expected: &'static str) -> Self {
        Kind::Decode { key: key.to_owned(), expected }.into()
    }
    pub(crate) fn unknown_encoder(key: &str, tag: u8) -> Self {
        Kind::UnknownEncoder { key: key.to_owned(), tag }.into()
    }
    pub(crate) fn corrupt_value(key: &str) -> Self {
        Kind::CorruptValue { key: key.to_owned() }.into()
    }
    pub(crate) fn corrupt_record(reason: &'static str) -> Self {
        Kind::CorruptRecord { reason }.into()
    }
    pub(crate) fn newer_format(format: u8) -> Self {
        Kind::NewerFormat { format }.into()
    }
    pub(crate) fn too_large(size: usize, limit: usize) -> Self {
        Kind::TooLarge { size, limit }.into()
    }
    pub(crate) fn unopened() -> Self {
        Kind::Unopened.into()
    }
    pub(crate) fn sealed() -> Self {
        Kind::Sealed.into()
    }
    pub(crate) fn contended() -> Self {
        Kind::Contended.into()
    }
    /// An error of an adapter that is set up wrongly. `reason` says how to mend it.
    #[must_use]
    pub fn misconfigured(reason: &'static str) -> Self {
        Kind::Misconfigured { reason }.into()
    }
    /// The error that adapters hand to their error handler for a commit whose outcome is
    /// [`Lost`](crate::Outcome::Lost).
    #[must_use]
    pub fn lost() -> Self {
        Kind::Lost.into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Store(error) => fmt::Display::fmt(error, f),
            Kind::Random(_) => f.write_str("the operating system gave no randomness for a secret"),
            Kind::MalformedId => f.write_str("not the text of a session id: 22 characters of base64url are"),
            Kind::InvalidOwner { len } => write!(f, "an owner has 1 to 255 bytes, this one has {len}"),
            Kind::InvalidKey { len } => write!(f, "a key has at most 1024 bytes, this one has {len}"),
            Kind::InvalidSetting { name, reason } => write!(f, "{name} {reason}"),
            Kind::InvalidEncoders { tag } => {
                write!(f, "two different encoders have the tag {tag}: give each its own, 128 and up are free")
            }
            Kind::Encode { key, .. } => write!(f, "the value for {key:?} cannot be encoded"),
            Kind::Decode { key, expected } => write!(f, "the value of {key:?} is not a {expected}, as was asked for"),
            Kind::UnknownEncoder { key, tag } => {
                write!(f, "the value of {key:?} was written by the encoder with tag {tag}: add it with `also_read`")
            }
            Kind::CorruptValue { key } => write!(f, "the stored value of {key:?} fails its checksum: write it anew"),
            Kind::CorruptRecord { reason } => write!(f, "the stored record is corrupt ({reason})"),
            Kind::NewerFormat { format } => {
                write!(f, "the record has format {format}, which a newer version wrote: finish the deployment")
            }
            Kind::TooLarge { size, limit } => {
                write!(f, "the session would take {size} bytes of {limit}: keep large data elsewhere")
            }
            Kind::Misconfigured { reason } => f.write_str(reason),
            Kind::Unopened => f.write_str("the session is not open yet: call `SessionManager::open` first"),
            Kind::Sealed => f.write_str("the session was committed already: change it before the response is returned"),
            Kind::Contended => f.write_str("the session is being written by others: try again"),
            Kind::Lost => f.write_str("the session ended or its token was replaced while this request ran"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Store(error) => std::error::Error::source(error),
            Kind::Random(error) => Some(error),
            Kind::Encode { source, .. } => Some(&**source),
            _ => None,
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Kind::Store(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn an_error_of_a_store_is_one_thing() {
        let errors = [
            StoreError::unavailable("refused"),
            StoreError::indeterminate("no answer"),
            StoreError::full(),
            StoreError::too_large(2, 1),
        ];
        type Predicate = fn(&StoreError) -> bool;
        let predicates: [Predicate; 4] =
            [StoreError::is_unavailable, StoreError::is_indeterminate, StoreError::is_full, StoreError::is_too_large];
        for (at, error) in errors.iter().enumerate() {
            let is: Vec<usize> = (0..predicates.len()).filter(|&predicate| predicates[predicate](error)).collect();
            assert_eq!(is, [at], "{error}");
        }
        assert_eq!(errors[3].to_string(), "the record has 2 bytes, the store takes 1: keep large data elsewhere");
        let sources = errors.iter().map(|error| error.source().map(ToString::to_string));
        assert_eq!(sources.collect::<Vec<_>>(), [Some("refused".into()), Some("no answer".into()), None, None]);
    }

    #[test]
    fn an_error_keeps_its_source_and_shows_its_kind() {
        let of_store = Error::from(StoreError::unavailable("refused"));
        assert_eq!(
            of_store.source().map(ToString::to_string).as_deref(),
            Some("refused"),
            "the store's own text is ours"
        );
        let of_random = Error::from(Kind::Random(RandomError::new("none")));
        assert!(of_random.source().is_some());
        let of_encoder = Error::encode("k", "recursive".into());
        assert_eq!(of_encoder.source().map(ToString::to_string).as_deref(), Some("recursive"));
        assert!(Error::lost().source().is_none());
        assert_eq!(format!("{:?}", Error::lost()), "Lost");
    }
}
