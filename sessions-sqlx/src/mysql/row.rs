//! Between the columns and the contract's values.

use bytes::Bytes;
use sessions_core::{Owner, SessionId, Stored, Timestamp, Version};
use sqlx::mysql::MySqlRow;
use sqlx::{MySql, Row};

use crate::error::Failure;

/// Reads `id, version, expires_at, owner, record`.
pub(crate) fn session(row: &MySqlRow) -> Result<(SessionId, Stored), Failure> {
    let expires_at: i64 = column(row, 2, "expires_at")?;
    let owner: Option<&[u8]> = column(row, 3, "owner")?;
    let record: &[u8] = column(row, 4, "record")?;
    let stored = Stored {
        version: Version::from_u64(column(row, 1, "version")?),
        record: Bytes::copy_from_slice(record),
        expires_at: Timestamp::from_millis(u64::try_from(expires_at).map_err(|_| Failure::ForeignRow("expires_at"))?),
        owner: owner.map(owner_of).transpose()?,
    };
    Ok((id(row)?, stored))
}

/// Reads `id`.
pub(crate) fn id(row: &MySqlRow) -> Result<SessionId, Failure> {
    let id: &[u8] = column(row, 0, "id")?;
    id.try_into().map(SessionId::from_bytes).map_err(|_| Failure::ForeignRow("id"))
}

fn owner_of(bytes: &[u8]) -> Result<Owner, Failure> {
    std::str::from_utf8(bytes).ok().and_then(|text| Owner::new(text).ok()).ok_or(Failure::ForeignRow("owner"))
}

/// The source is dropped deliberately: it may quote what the row holds (G19).
fn column<'r, T>(row: &'r MySqlRow, index: usize, name: &'static str) -> Result<T, Failure>
where
    T: sqlx::Decode<'r, MySql> + sqlx::Type<MySql>,
{
    row.try_get(index).map_err(|_| Failure::ForeignRow(name))
}
