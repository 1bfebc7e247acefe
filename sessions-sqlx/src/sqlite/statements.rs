//! The statements, put together once. `{table}` is the quoted name; everything else is bound.
//!
//! SQLite has no clock of its own that could be asked reliably in milliseconds, so that the time is a parameter.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::config::Name;

/// Live (G3) is `expires_at > now`. Ids are 16 bytes, versions are the 64 bits of a `u64`, times are milliseconds since
/// the epoch.
const SCHEMA: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS {table} (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    version    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at >= 0),
    owner      BLOB    CHECK (length(owner) BETWEEN 1 AND 255),
    record     BLOB    NOT NULL
) STRICT, WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS {expiry_index} ON {table} (expires_at)",
    "CREATE INDEX IF NOT EXISTS {owner_index} ON {table} (owner) WHERE owner IS NOT NULL",
];

const LOAD: &str = "SELECT version, expires_at, owner, record FROM {table} WHERE id = ?1 AND expires_at > ?2";

/// An expired row may be replaced, a live one is not touched (G4): the row count tells which.
const CREATE: &str = "INSERT INTO {table} (id, version, expires_at, owner, record) VALUES (?1, ?2, ?3, ?4, ?5) \
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, expires_at = excluded.expires_at, \
    owner = excluded.owner, record = excluded.record WHERE {table}.expires_at <= ?6";

/// The four updates differ in what they leave alone (G5, G8).
const UPDATE: &str = "UPDATE {table} SET version = ?3, record = ?4 WHERE id = ?1 AND version = ?2 AND expires_at > ?5";
const UPDATE_OWNER: &str =
    "UPDATE {table} SET version = ?3, record = ?4, owner = ?6 WHERE id = ?1 AND version = ?2 AND expires_at > ?5";
const UPDATE_EXPIRY: &str =
    "UPDATE {table} SET version = ?3, record = ?4, expires_at = ?6 WHERE id = ?1 AND version = ?2 AND expires_at > ?5";
const UPDATE_BOTH: &str = "UPDATE {table} SET version = ?3, record = ?4, expires_at = ?6, owner = ?7 \
    WHERE id = ?1 AND version = ?2 AND expires_at > ?5";

const TOUCH: &str = "UPDATE {table} SET expires_at = ?3 WHERE id = ?1 AND version = ?2 AND expires_at > ?4";

/// Takes all ids in one blob, 16 bytes each: SQLite limits the number of parameters, not their size (G9). Expired rows go too,
/// so that a clock that jumps back does not revive them; each deleted row says whether it was live.
const DELETE: &str = "WITH RECURSIVE at(byte) AS (SELECT 1 UNION ALL SELECT byte + 16 FROM at \
    WHERE byte + 16 < length(?1)) DELETE FROM {table} WHERE id IN (SELECT substr(?1, byte, 16) FROM at) \
    RETURNING expires_at > ?2";

const OWNED_BY: &str = "SELECT id FROM {table} WHERE owner = ?1 AND expires_at > ?2";

const PURGE: &str = "DELETE FROM {table} WHERE id IN \
    (SELECT id FROM {table} WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

/// The text of each statement for one table.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) schema: Vec<Statement>,
    pub(crate) load: Statement,
    pub(crate) create: Statement,
    pub(crate) update: Statement,
    pub(crate) update_owner: Statement,
    pub(crate) update_expiry: Statement,
    pub(crate) update_both: Statement,
    pub(crate) touch: Statement,
    pub(crate) delete: Statement,
    pub(crate) owned_by: Statement,
    pub(crate) purge: Statement,
}

impl Statements {
    pub(crate) fn new(table: &Name) -> Self {
        let statement = |template: &str| Statement(expand(template, table).into());
        Self {
            schema: SCHEMA.iter().map(|template| statement(template)).collect(),
            load: statement(LOAD),
            create: statement(CREATE),
            update: statement(UPDATE),
            update_owner: statement(UPDATE_OWNER),
            update_expiry: statement(UPDATE_EXPIRY),
            update_both: statement(UPDATE_BOTH),
            touch: statement(TOUCH),
            delete: statement(DELETE),
            owned_by: statement(OWNED_BY),
            purge: statement(PURGE),
        }
    }
}

/// The schema as text, for migrations that are kept elsewhere.
pub(crate) fn schema(table: &Name) -> String {
    SCHEMA.iter().map(|template| expand(template, table) + ";\n").collect()
}

fn expand(template: &str, table: &Name) -> String {
    template
        .replace("{table}", &table.quoted())
        .replace("{expiry_index}", &table.quoted_with("expires_at"))
        .replace("{owner_index}", &table.quoted_with("owner"))
}

/// One statement's text, shared by all connections.
#[derive(Debug, Clone)]
pub(crate) struct Statement(Arc<str>);

impl Statement {
    /// The text for the client. Safe: a constant of this file with a validated, quoted name in it (G13).
    pub(crate) fn sql(&self) -> SqlStr {
        AssertSqlSafe(Arc::clone(&self.0)).into_sql_str()
    }
}
