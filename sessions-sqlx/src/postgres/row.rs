//! Between the columns and the contract's values.

use bytes::Bytes;
use sessions_core::{Owner, SessionId, Stored, Timestamp, Version};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, Row};

use crate::error::Failure;

/// 2000-01-01, from which Postgres counts, in milliseconds since the epoch.
const POSTGRES_EPOCH: i64 = 946_684_800_000;

/// Reads `id, version, expires_at, owner, record`.
pub(crate) fn session(row: &PgRow) -> Result<(SessionId, Stored), Failure> {
    let version: i64 = column(row, 1, "version")?;
    // The wire's form of a `timestamptz` is a number of microseconds: the type is not asked for, so that no date library is.
    let micros: i64 = row.try_get_unchecked(2).map_err(|_| Failure::ForeignRow("expires_at"))?;
    let owner: Option<&[u8]> = column(row, 3, "owner")?;
    let record: &[u8] = column(row, 4, "record")?;
    let stored = Stored {
        version: Version::from_u64(version.cast_unsigned()),
        record: Bytes::copy_from_slice(record),
        expires_at: timestamp(micros).ok_or(Failure::ForeignRow("expires_at"))?,
        owner: owner.map(owner_of).transpose()?,
    };
    Ok((id(row)?, stored))
}

/// Reads `id`.
pub(crate) fn id(row: &PgRow) -> Result<SessionId, Failure> {
    let id: &[u8] = column(row, 0, "id")?;
    id.try_into().map(SessionId::from_bytes).map_err(|_| Failure::ForeignRow("id"))
}

fn timestamp(micros: i64) -> Option<Timestamp> {
    let millis = micros.div_euclid(1_000).saturating_add(POSTGRES_EPOCH);
    u64::try_from(millis).ok().map(Timestamp::from_millis)
}

fn owner_of(bytes: &[u8]) -> Result<Owner, Failure> {
    std::str::from_utf8(bytes).ok().and_then(|text| Owner::new(text).ok()).ok_or(Failure::ForeignRow("owner"))
}

/// The source is dropped deliberately: it may quote what the row holds (G19).
fn column<'r, T>(row: &'r PgRow, index: usize, name: &'static str) -> Result<T, Failure>
where
    T: sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
{
    row.try_get(index).map_err(|_| Failure::ForeignRow(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_the_epoch() {
        assert_eq!(timestamp(0), Some(Timestamp::from_millis(946_684_800_000)));
        assert_eq!(timestamp(1_999), Some(Timestamp::from_millis(946_684_800_001)));
        assert_eq!(timestamp(-946_684_800_000_001), None);
        assert!(timestamp(i64::MAX).is_some(), "infinity");
    }
}
