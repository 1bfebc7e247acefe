//! The settings that all stores of this crate share.

use std::time::Duration;

use sessions_core::store::DEFAULT_DEADLINE;

use crate::error::Error;

/// What the shared builder methods set.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) table: Name,
    pub(crate) deadline: Duration,
    /// `None`: no purge task.
    pub(crate) purge_interval: Option<Duration>,
    pub(crate) max_record_bytes: usize,
}

impl Settings {
    /// Large enough for the manager's default limit of 256 KiB four times over.
    const DEFAULT_MAX_RECORD_BYTES: usize = 1024 * 1024;
    /// Half of the smallest default packet of the databases (16 MiB).
    const HIGHEST_MAX_RECORD_BYTES: usize = 8 * 1024 * 1024;
    /// Longer ones hold neither disk nor index small.
    const DEFAULT_PURGE_INTERVAL: Duration = Duration::from_secs(60);

    pub(crate) fn set_deadline(&mut self, deadline: Duration) -> Result<(), Error> {
        if !(Duration::from_millis(10)..=Duration::from_secs(600)).contains(&deadline) {
            return Err(Error::setting("deadline", "is between 10 ms and 10 min"));
        }
        self.deadline = deadline;
        Ok(())
    }

    pub(crate) fn set_purge_interval(&mut self, interval: Duration) -> Result<(), Error> {
        if !(Duration::from_millis(100)..=Duration::from_secs(24 * 60 * 60)).contains(&interval) {
            return Err(Error::setting("purge_interval", "is between 100 ms and a day; `no_purge` turns it off"));
        }
        self.purge_interval = Some(interval);
        Ok(())
    }

    pub(crate) fn set_max_record_bytes(&mut self, limit: usize) -> Result<(), Error> {
        if !(1..=Self::HIGHEST_MAX_RECORD_BYTES).contains(&limit) {
            return Err(Error::setting("max_record_bytes", "is between 1 and 8 MiB"));
        }
        self.max_record_bytes = limit;
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            table: Name("sessions".to_owned()),
            deadline: DEFAULT_DEADLINE,
            purge_interval: Some(Self::DEFAULT_PURGE_INTERVAL),
            max_record_bytes: Self::DEFAULT_MAX_RECORD_BYTES,
        }
    }
}

/// The name of a table or schema: validated once, quoted wherever it is used (G13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// The shortest limit among the databases is 63 bytes, and an index is named after its table.
    const MAX_BYTES: usize = 48;

    pub(crate) fn new(setting: &'static str, name: &str) -> Result<Self, Error> {
        if name.is_empty() || name.len() > Self::MAX_BYTES {
            return Err(Error::setting(setting, "has 1 to 48 bytes"));
        }
        if name.contains('.') {
            return Err(Error::setting(setting, "takes one name without a dot: a schema is set on its own"));
        }
        if name.trim() != name || !name.chars().all(|c| c.is_alphanumeric() || "_-$ ".contains(c)) {
            return Err(Error::setting(setting, "takes letters, digits, `_`, `-`, `$` and inner spaces"));
        }
        if name.to_ascii_lowercase().starts_with("sqlite_") {
            return Err(Error::setting(setting, "must not begin with `sqlite_`, which SQLite keeps for itself"));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name in the quotes of standard SQL. No valid name contains a quote.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }

    /// The name in the quotes of MySQL, which work in all of its modes.
    #[cfg(feature = "mysql")]
    pub(crate) fn in_backticks(&self) -> String {
        format!("`{}`", self.0)
    }

    /// The name of something that belongs to this table, such as an index, in the same quotes.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn quoted_with(&self, suffix: &str) -> String {
        format!("\"{}_{suffix}\"", self.0)
    }
}

/// The builder methods that all stores share, for a builder with a field `settings`.
macro_rules! shared_builder_methods {
    () => {
        /// The table's name (default `sessions`): 1 to 48 bytes of letters, digits, `_`, `-`, `$` and inner spaces. It is
        /// always quoted.
        ///
        /// # Errors
        ///
        /// [`Error::is_invalid_setting`] for other names.
        pub fn table(mut self, name: &str) -> Result<Self, Error> {
            self.settings.table = crate::config::Name::new("table", name)?;
            Ok(self)
        }

        /// How long one operation may take (default 2 s): 10 ms to 10 min. Waiting for a connection counts.
        ///
        /// An operation that runs into it is unavailable when nothing was sent, and indeterminate when a write was.
        ///
        /// # Errors
        ///
        /// [`Error::is_invalid_setting`] outside of that range.
        pub fn deadline(mut self, deadline: Duration) -> Result<Self, Error> {
            self.settings.set_deadline(deadline)?;
            Ok(self)
        }

        /// How often expired sessions are deleted in the background (default 1 min): 100 ms to a day, each time moved by up to
        /// a quarter, so that many processes do not purge at the same moment.
        ///
        /// # Errors
        ///
        /// [`Error::is_invalid_setting`] outside of that range.
        pub fn purge_interval(mut self, interval: Duration) -> Result<Self, Error> {
            self.settings.set_purge_interval(interval)?;
            Ok(self)
        }

        /// No purge task: something else calls [`purge_expired`](sessions_core::SessionStore::purge_expired).
        pub fn no_purge(mut self) -> Self {
            self.settings.purge_interval = None;
            self
        }

        /// The largest record this store takes (default 1 MiB): 1 byte to 8 MiB (G12).
        ///
        /// # Errors
        ///
        /// [`Error::is_invalid_setting`] outside of that range.
        pub fn max_record_bytes(mut self, limit: usize) -> Result<Self, Error> {
            self.settings.set_max_record_bytes(limit)?;
            Ok(self)
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    #[test]
    fn g13_names_that_need_quoting_are_quoted() {
        for name in ["sessions", "order", "Login Sessions", "web-sessions", "séances", "$1", "1"] {
            assert_eq!(Name::new("table", name).expect(name).quoted(), format!("\"{name}\""));
        }
    }

    #[test]
    fn g13_other_names_are_refused() {
        let long = "x".repeat(49);
        let names = [
            "", " ", " a", "a ", "a.b", "a\"b", "a'b", "a`b", "a;b", "a\0b", "a\nb", "a\\b", "sqlite_x", "SQLITE_x",
            &long,
        ];
        for name in names {
            let error = Name::new("table", name).expect_err(name);
            assert!(error.is_invalid_setting(), "{name:?}");
        }
    }

    #[test]
    fn out_of_range_settings_are_errors() {
        let mut settings = Settings::default();
        assert!(settings.set_deadline(Duration::ZERO).is_err());
        assert!(settings.set_deadline(Duration::MAX).is_err());
        assert!(settings.set_purge_interval(Duration::ZERO).is_err());
        assert!(settings.set_purge_interval(Duration::MAX).is_err());
        assert!(settings.set_max_record_bytes(0).is_err());
        assert!(settings.set_max_record_bytes(usize::MAX).is_err());
    }
}
