//! What a failed statement means: may a write have been applied, and is it worth another try?
//!
//! Reviewed case by case, database by database; whatever is not listed was refused by the database, and is not retried, when
//! the database said so, and is unknown when nobody said anything.

use sqlx::error::DatabaseError;

/// The meaning of one failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) may_have_been_applied: bool,
    /// Whether it may be on its way still: nobody but the database knows that a connection has ended.
    pub(crate) may_arrive_late: bool,
    pub(crate) remedy: Remedy,
}

/// What may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    None,
    /// The same statement again, on the same connection.
    Again,
    /// The same statement again, on another connection.
    Reconnect,
}

impl Verdict {
    /// The database refused the statement, and rolled it back.
    const REFUSED: Self = Self::known(false, Remedy::None);
    /// The statement lost against another one, and was rolled back.
    const IN_THE_WAY: Self = Self::known(false, Remedy::Again);
    /// Refused, and this connection is of no more use; another one may be.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    const STALE: Self = Self::known(false, Remedy::Reconnect);
    /// The database said that it has ended the connection, before the statement or at any point of it.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    const ENDED: Self = Self::known(true, Remedy::Reconnect);
    /// The connection broke, at an unknown point.
    const BROKEN: Self = Self { may_arrive_late: true, ..Self::known(true, Remedy::Reconnect) };
    /// The database answered, but does not know what will be found.
    pub(crate) const UNCERTAIN: Self = Self::known(true, Remedy::None);

    /// In the database's own words: whatever became of the statement, that is over.
    pub(crate) const fn known(may_have_been_applied: bool, remedy: Remedy) -> Self {
        Self { may_have_been_applied, may_arrive_late: false, remedy }
    }

    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(answer) => Self::of_answer(&**answer),
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Configuration(_)
            | sqlx::Error::InvalidArgument(_)
            | sqlx::Error::Encode(_) => Self::REFUSED,
            // The connection, or the thread that serves it, broke, or what came over it makes no sense.
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
                Self::BROKEN
            }
            _ => Self::UNCERTAIN,
        }
    }

    fn of_answer(answer: &dyn DatabaseError) -> Self {
        #[cfg(feature = "sqlite")]
        if let Some(error) = answer.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
            // The low byte is the kind, the rest its details.
            return Self::of_sqlite(error.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(1) & 0xff);
        }
        #[cfg(feature = "postgres")]
        if let Some(error) = answer.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
            return Self::of_postgres(error.code());
        }
        #[cfg(feature = "mysql")]
        if let Some(error) = answer.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
            return Self::of_mysql(error.number());
        }
        Self::UNCERTAIN
    }

    /// By error number, whose SQLSTATE is mostly `HY000`.
    #[cfg(feature = "mysql")]
    fn of_mysql(number: u16) -> Self {
        match number {
            // Deadlock, and MariaDB's "record has changed since last read". A lock that was waited for in vain (1205) is none: the
            // server has spent our time.
            // A member of a group lost against another at the commit, and was rolled back (3101).
            1213 | 1020 | 3101 => Self::IN_THE_WAY,
            // Read-only by option, by mode, by transaction; a prepared statement that the server forgot or has to prepare anew; a
            // cluster's node that is not ready; a connection that the server closed because it was idle.
            1290 | 1836 | 1792 | 1243 | 1615 | 1047 | 4031 => Self::STALE,
            // Shutdown, connection or session killed, the network failed on the server's side.
            1053 | 1077 | 1079 | 1158..=1161 | 1927 | 3169 => Self::ENDED,
            // The storage engine failed, at commit, at a rollback or elsewhere; a file could not be written, such as the binary log at
            // the commit; something that has no name.
            1180 | 1181 | 1030 | 1026 | 1105 => Self::UNCERTAIN,
            // Among them interrupted statements (1317, 1969, 3024), missing table (1146) and privilege (1142), a full disk (1021) or
            // table (1114).
            _ => Self::REFUSED,
        }
    }

    /// By SQLSTATE.
    #[cfg(feature = "postgres")]
    fn of_postgres(state: &str) -> Self {
        match state {
            // Serialization failure (the role's default isolation is a high one), deadlock.
            "40001" | "40P01" => Self::IN_THE_WAY,
            // The server has become a replica; a cached plan was outlived by a migration; a connection pooler in between gave us
            // another server connection, which does not know our statement; the session was ended because it was idle.
            "25006" | "0A000" | "26000" | "42P05" | "57P05" => Self::STALE,
            // Shut down by the administrator, crashed, dropped: while we were idle, or while the statement ran.
            "57P01" | "57P02" | "57P03" => Self::ENDED,
            state if state.starts_with("08") => Self::BROKEN,
            // The completion is unknown; the system below failed (class 58).
            "40003" => Self::UNCERTAIN,
            state if state.starts_with("58") => Self::UNCERTAIN,
            // Among them statement and lock timeouts (57014, 55P03), missing table (42P01) and privilege (42501), a full disk (53100).
            _ => Self::REFUSED,
        }
    }

    #[cfg(feature = "sqlite")]
    fn of_sqlite(kind: u32) -> Self {
        match kind {
            // BUSY, LOCKED: another connection has the lock.
            5 | 6 => Self::IN_THE_WAY,
            // IOERR: when the last sync fails, the log holds a complete write, which a recovery may find.
            10 => Self::UNCERTAIN,
            // Among them READONLY, CORRUPT, FULL, CANTOPEN, TOOBIG, CONSTRAINT, NOTADB, and ERROR for a missing table.
            _ => Self::REFUSED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_uncertain_and_a_refusal_is_not() {
        let broken = sqlx::Error::Io(std::io::ErrorKind::UnexpectedEof.into());
        assert_eq!(Verdict::of(&broken), Verdict::BROKEN);
        assert_eq!(Verdict::of(&sqlx::Error::PoolTimedOut), Verdict::REFUSED);
        assert_eq!(Verdict::of(&sqlx::Error::RowNotFound), Verdict::UNCERTAIN);
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn sqlite_knows_what_it_rolled_back() {
        assert_eq!(Verdict::of_sqlite(5), Verdict::IN_THE_WAY);
        assert_eq!(Verdict::of_sqlite(8), Verdict::REFUSED);
        assert_eq!(Verdict::of_sqlite(10), Verdict::UNCERTAIN);
        assert_eq!(Verdict::of_sqlite(13), Verdict::REFUSED);
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn postgres_knows_what_it_rolled_back() {
        for (state, verdict) in [
            ("40P01", Verdict::IN_THE_WAY),
            ("25006", Verdict::STALE),
            ("57014", Verdict::REFUSED),
            ("42P01", Verdict::REFUSED),
            ("57P01", Verdict::ENDED),
            ("57P05", Verdict::STALE),
            ("08006", Verdict::BROKEN),
            ("40003", Verdict::UNCERTAIN),
            ("58030", Verdict::UNCERTAIN),
        ] {
            assert_eq!(Verdict::of_postgres(state), verdict, "{state}");
        }
    }

    #[cfg(feature = "mysql")]
    #[test]
    fn mysql_knows_what_it_rolled_back() {
        for (number, verdict) in [
            (1213, Verdict::IN_THE_WAY),
            (1205, Verdict::REFUSED),
            (1290, Verdict::STALE),
            (1146, Verdict::REFUSED),
            (1053, Verdict::ENDED),
            (1160, Verdict::ENDED),
            (4031, Verdict::STALE),
            (3101, Verdict::IN_THE_WAY),
            (1180, Verdict::UNCERTAIN),
        ] {
            assert_eq!(Verdict::of_mysql(number), verdict, "{number}");
        }
    }
}
