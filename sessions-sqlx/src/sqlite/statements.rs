//! The statements, put together once. `{table}` is the quoted name; everything else is bound.
//!
//! SQLite has no clock of its own: parameter 1 of each statement is the time.

use crate::config::Name;
use crate::statement::Statement;

/// Live (G3) is `expires_at > now`. Ids are 16 bytes, versions are the 64 bits of a `u64`, times are milliseconds since
/// the epoch.
///
/// Deliberately not `WITHOUT ROWID`: rows in the order of their creation fill the pages densely and are purged page by page,
/// and records above 1 KB stay on the row's own page. It was measured to be the smaller one.
const SCHEMA: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS {table} (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    version    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at >= 0),
    owner      BLOB    CHECK (length(owner) BETWEEN 1 AND 255),
    record     BLOB    NOT NULL
) STRICT",
    "CREATE INDEX IF NOT EXISTS {expiry_index} ON {table} (expires_at)",
    "CREATE INDEX IF NOT EXISTS {owner_index} ON {table} (owner) WHERE owner IS NOT NULL",
];

const LOAD: &str = "SELECT id, version, expires_at, owner, record FROM {table} WHERE id = ?2 AND expires_at > ?1";
const LOAD_MANY: &str =
    "SELECT id, version, expires_at, owner, record FROM {table} WHERE id IN ({values}) AND expires_at > ?1";

/// An expired row may be replaced, a live one is not touched (G4): the row count tells which.
const CREATE: &str = "INSERT INTO {table} (id, version, expires_at, owner, record) VALUES (?2, ?3, ?4, ?5, ?6) \
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, expires_at = excluded.expires_at, \
    owner = excluded.owner, record = excluded.record WHERE {table}.expires_at <= ?1";

/// The four differ in what they leave alone (G5, G8).
const UPDATE: &str = "UPDATE {table} SET version = ?4, record = ?5 WHERE id = ?2 AND version = ?3 AND expires_at > ?1";
const UPDATE_EXPIRY: &str =
    "UPDATE {table} SET version = ?4, record = ?5, expires_at = ?6 WHERE id = ?2 AND version = ?3 AND expires_at > ?1";
const UPDATE_OWNER: &str =
    "UPDATE {table} SET version = ?4, record = ?5, owner = ?6 WHERE id = ?2 AND version = ?3 AND expires_at > ?1";
const UPDATE_BOTH: &str = "UPDATE {table} SET version = ?4, record = ?5, expires_at = ?6, owner = ?7 \
    WHERE id = ?2 AND version = ?3 AND expires_at > ?1";

/// The two frequent ones for many sessions at once. What it returns was written.
const UPDATE_MANY: &str = "WITH new(id, expected, version, record) AS (VALUES {rows}) \
    UPDATE {table} SET version = new.version, record = new.record FROM new \
    WHERE {table}.id = new.id AND {table}.version = new.expected AND {table}.expires_at > ?1 RETURNING id";
const UPDATE_EXPIRY_MANY: &str = "WITH new(id, expected, version, record, expires_at) AS (VALUES {rows}) \
    UPDATE {table} SET version = new.version, record = new.record, expires_at = new.expires_at FROM new \
    WHERE {table}.id = new.id AND {table}.version = new.expected AND {table}.expires_at > ?1 RETURNING id";

const TOUCH: &str = "UPDATE {table} SET expires_at = ?4 WHERE id = ?2 AND version = ?3 AND expires_at > ?1";

/// Takes all ids in one blob, 16 bytes each: SQLite limits the number of parameters, not their size (G9). Expired rows go too,
/// so that a clock that jumps back does not revive them; each deleted row says whether it was live.
const DELETE: &str = "WITH RECURSIVE at(byte) AS (SELECT 1 UNION ALL SELECT byte + 16 FROM at \
    WHERE byte + 16 < length(?2)) DELETE FROM {table} WHERE id IN (SELECT substr(?2, byte, 16) FROM at) \
    RETURNING expires_at > ?1";

const OWNED_BY: &str = "SELECT id FROM {table} WHERE owner = ?2 AND expires_at > ?1";

const PURGE: &str = "DELETE FROM {table} WHERE rowid IN \
    (SELECT rowid FROM {table} WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

/// How many sessions the statements for many take; a smaller number is filled up with NULLs, which match nothing.
pub(crate) const SIZES: [usize; 3] = [4, 16, 64];

/// The text of each statement for one table.
#[derive(Debug, Clone)]
pub(crate) struct Statements {
    pub(crate) schema: Vec<Statement>,
    pub(crate) load: Statement,
    pub(crate) load_many: [Statement; SIZES.len()],
    pub(crate) create: Statement,
    pub(crate) update: Statement,
    pub(crate) update_owner: Statement,
    pub(crate) update_expiry: Statement,
    pub(crate) update_both: Statement,
    pub(crate) update_many: [Statement; SIZES.len()],
    pub(crate) update_expiry_many: [Statement; SIZES.len()],
    pub(crate) touch: Statement,
    pub(crate) delete: Statement,
    pub(crate) owned_by: Statement,
    pub(crate) purge: Statement,
}

impl Statements {
    pub(crate) fn new(table: &Name) -> Self {
        let statement = |template: &str| Statement::new(expand(template, table));
        let many = |template: &str, columns| {
            SIZES.map(|size| {
                statement(&template.replace("{rows}", &rows(size, columns)).replace("{values}", &row(2, size)))
            })
        };
        Self {
            schema: SCHEMA.iter().map(|template| statement(template)).collect(),
            load: statement(LOAD),
            load_many: many(LOAD_MANY, 1),
            create: statement(CREATE),
            update: statement(UPDATE),
            update_owner: statement(UPDATE_OWNER),
            update_expiry: statement(UPDATE_EXPIRY),
            update_both: statement(UPDATE_BOTH),
            update_many: many(UPDATE_MANY, 4),
            update_expiry_many: many(UPDATE_EXPIRY_MANY, 5),
            touch: statement(TOUCH),
            delete: statement(DELETE),
            owned_by: statement(OWNED_BY),
            purge: statement(PURGE),
        }
    }
}

impl Statements {
    /// Each with the operation that runs it; of those for many sessions, the smallest.
    pub(crate) fn by_operation(&self) -> Vec<(&'static str, &Statement)> {
        let Self { schema, load, load_many, create, update, update_owner, update_expiry, update_both, .. } = self;
        let Self { update_many, update_expiry_many, touch, delete, owned_by, purge, .. } = self;
        let migrate = schema.iter().map(|statement| ("migrate", statement));
        let others = [
            ("load", load),
            ("load", &load_many[0]),
            ("create", create),
            ("update", update),
            ("update", update_expiry),
            ("update", update_owner),
            ("update", update_both),
            ("update", &update_many[0]),
            ("update", &update_expiry_many[0]),
            ("touch", touch),
            ("delete", delete),
            ("owned_by", owned_by),
            ("purge_expired", purge),
        ];
        migrate.chain(others).collect()
    }
}

/// `(?2, ?3), (?4, ?5)` and so on: parameter 1 is the time.
fn rows(count: usize, columns: usize) -> String {
    let rows: Vec<_> = (0..count).map(|at| format!("({})", row(2 + at * columns, columns))).collect();
    rows.join(", ")
}

fn row(first: usize, columns: usize) -> String {
    let parameters: Vec<_> = (first..first + columns).map(|number| format!("?{number}")).collect();
    parameters.join(", ")
}

fn expand(template: &str, table: &Name) -> String {
    template
        .replace("{table}", &table.quoted())
        .replace("{expiry_index}", &table.quoted_with("expires_at"))
        .replace("{owner_index}", &table.quoted_with("owner"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqliteConnection};

    #[tokio::test]
    async fn every_statement_goes_by_an_index() {
        let statements = Statements::new(&Name::new("table", "sessions").expect("a valid name"));
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.expect("connect");
        for statement in &statements.schema {
            connection.execute(sqlx::raw_sql(statement.sql())).await.expect("the schema");
        }
        let by_id = "SEARCH sessions USING INDEX sqlite_autoindex_sessions_1 (id=?)";
        let cases = [
            (&statements.load, by_id),
            (&statements.load_many[1], by_id),
            (&statements.update, by_id),
            (&statements.update_expiry, by_id),
            (&statements.update_owner, by_id),
            (&statements.update_both, by_id),
            (&statements.update_many[1], by_id),
            (&statements.update_expiry_many[1], by_id),
            (&statements.touch, by_id),
            (&statements.delete, "SEARCH sessions USING COVERING INDEX sqlite_autoindex_sessions_1 (id=?)"),
            (&statements.owned_by, "SEARCH sessions USING INDEX sessions_owner (owner=?)"),
            (&statements.purge, "SEARCH sessions USING COVERING INDEX sessions_expires_at (expires_at<?)"),
        ];
        for (statement, expected) in cases {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.text()));
            let rows = connection.fetch_all(sqlx::raw_sql(explain)).await.expect("a plan");
            let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            assert!(plan.iter().any(|step| step == expected), "{statement:?}: {plan:?}");
            assert!(!plan.iter().any(|step| step == "SCAN sessions"), "{statement:?}: {plan:?}");
        }
    }

    #[test]
    fn statements_for_many_number_their_parameters_on() {
        assert_eq!(rows(2, 3), "(?2, ?3, ?4), (?5, ?6, ?7)");
        assert_eq!(row(2, 4), "?2, ?3, ?4, ?5");
    }

    #[test]
    fn the_readme_shows_every_statement() {
        let statements = Statements::new(&Name::new("table", "sessions").expect("a valid name"));
        crate::statement::readme_shows(&statements.by_operation(), "\0");
    }
}
