//! Between the contract's values and the columns.

use bytes::Bytes;
use sessions_core::{Owner, SessionId, Stored, Timestamp, Version};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, Row, Sqlite};

use crate::error::Failure;

/// Reads `id, version, expires_at, owner, record`.
pub(crate) fn session(row: &SqliteRow) -> Result<(SessionId, Stored), Failure> {
    let version: i64 = column(row, 1, "version")?;
    let expires_at: i64 = column(row, 2, "expires_at")?;
    let owner: Option<&[u8]> = nullable(row, 3, "owner")?;
    let record: Vec<u8> = column(row, 4, "record")?;
    let stored = Stored {
        version: Version::from_u64(version.cast_unsigned()),
        record: Bytes::from(record),
        expires_at: Timestamp::from_millis(u64::try_from(expires_at).map_err(|_| Failure::ForeignRow("expires_at"))?),
        owner: owner.map(owner_of).transpose()?,
    };
    Ok((id(row)?, stored))
}

/// Reads `id`.
pub(crate) fn id(row: &SqliteRow) -> Result<SessionId, Failure> {
    let id: &[u8] = column(row, 0, "id")?;
    id.try_into().map(SessionId::from_bytes).map_err(|_| Failure::ForeignRow("id"))
}

/// Reads the condition that [`Statements::delete`](super::statements::Statements) returns.
pub(crate) fn was_live(row: &SqliteRow) -> Result<bool, Failure> {
    column(row, 0, "expires_at")
}

/// A point in time as the column holds it; the far end of time is its highest number.
fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn owner_of(bytes: &[u8]) -> Result<Owner, Failure> {
    std::str::from_utf8(bytes).ok().and_then(|text| Owner::new(text).ok()).ok_or(Failure::ForeignRow("owner"))
}

fn column<'r, T>(row: &'r SqliteRow, index: usize, name: &'static str) -> Result<T, Failure>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    // A NULL would decode to a zero or to nothing.
    nullable(row, index, name)?.ok_or(Failure::ForeignRow(name))
}

/// The source is dropped deliberately: it may quote what the row holds (G19).
fn nullable<'r, T>(row: &'r SqliteRow, index: usize, name: &'static str) -> Result<Option<T>, Failure>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(index).map_err(|_| Failure::ForeignRow(name))
}

/// The parameters of a statement, in order.
pub(crate) struct Bound(pub(crate) SqliteArguments);

impl Bound {
    pub(crate) fn with_capacity(parameters: usize) -> Self {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(parameters, 0);
        Self(arguments)
    }

    pub(crate) fn id(&mut self, id: &SessionId) -> &mut Self {
        self.bytes(id.as_bytes())
    }

    pub(crate) fn version(&mut self, version: Version) -> &mut Self {
        self.number(version.as_u64().cast_signed())
    }

    pub(crate) fn time(&mut self, time: Timestamp) -> &mut Self {
        self.number(millis(time))
    }

    pub(crate) fn owner(&mut self, owner: Option<&Owner>) -> &mut Self {
        self.add(owner.map(|owner| owner.as_str().as_bytes()))
    }

    pub(crate) fn null(&mut self) -> &mut Self {
        self.add(None::<i64>)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.add(bytes)
    }

    pub(crate) fn number(&mut self, number: i64) -> &mut Self {
        self.add(number)
    }

    fn add<'q, T: sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        self.0.add(value).expect("numbers and bytes can always be bound");
        self
    }
}
