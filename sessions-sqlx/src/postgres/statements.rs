//! The statements, put together once. `{table}` is the quoted name, with its schema if there is one; everything else is bound.
//!
//! The clock is the database's, in its own type, which no time zone bends: `clock_timestamp()`, the time at which a row is
//! looked at. A row that another statement changed meanwhile is looked at again.

use crate::config::Name;
use crate::statement::Statement;

/// Ids are 16 bytes, versions the 64 bits of a `u64`. The free part of each page lets an update that moves neither expiry nor
/// owner stay on its page and out of the indexes (a HOT update). Little is enough, for pages are pruned as they are used: of
/// 200 000 updates of 100 000 small sessions 99.99 % were HOT at 95, all at 90 and at 70, which takes 30 % more disk.
const TABLE: &str = "CREATE {unlogged}TABLE IF NOT EXISTS {table} (
    version    bigint      NOT NULL,
    expires_at timestamptz NOT NULL,
    id         bytea       NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
    owner      bytea       CHECK (octet_length(owner) BETWEEN 1 AND 255),
    record     bytea       NOT NULL
) WITH (fillfactor = 95)";
const EXPIRY_INDEX: &str = "CREATE INDEX IF NOT EXISTS {expiry_index} ON {table} (expires_at)";
const OWNER_INDEX: &str = "CREATE INDEX IF NOT EXISTS {owner_index} ON {table} (owner) WHERE owner IS NOT NULL";

/// Asked before anything is created: a role that may not create tables can still call `migrate`, and the indexes' locks are
/// not taken again on every start.
const IS_SET_UP: &str =
    "SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL AND to_regclass($3) IS NOT NULL";

const LOAD: &str =
    "SELECT id, version, expires_at, owner, record FROM {table} WHERE id = $1 AND expires_at > clock_timestamp()";
const LOAD_MANY: &str =
    "SELECT id, version, expires_at, owner, record FROM {table} WHERE id = ANY ($1) AND expires_at > clock_timestamp()";

/// An expired row may be replaced, a live one is not touched (G4): the row count tells which.
const CREATE: &str = "INSERT INTO {table} AS there (id, version, expires_at, owner, record) \
    VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond', $4, $5) \
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, expires_at = excluded.expires_at, \
    owner = excluded.owner, record = excluded.record WHERE there.expires_at <= clock_timestamp()";

/// The four differ in what they leave alone (G5, G8).
const UPDATE: &str = "UPDATE {table} SET version = $3, record = $4 \
    WHERE id = $1 AND version = $2 AND expires_at > clock_timestamp()";
const UPDATE_EXPIRY: &str = "UPDATE {table} SET version = $3, record = $4, \
    expires_at = clock_timestamp() + $5 * interval '1 millisecond' \
    WHERE id = $1 AND version = $2 AND expires_at > clock_timestamp()";
const UPDATE_OWNER: &str = "UPDATE {table} SET version = $3, record = $4, owner = $5 \
    WHERE id = $1 AND version = $2 AND expires_at > clock_timestamp()";
const UPDATE_BOTH: &str = "UPDATE {table} SET version = $3, record = $4, \
    expires_at = clock_timestamp() + $5 * interval '1 millisecond', owner = $6 \
    WHERE id = $1 AND version = $2 AND expires_at > clock_timestamp()";

/// The two frequent ones for many sessions at once. What it returns was written.
const UPDATE_MANY: &str = "UPDATE {table} AS there SET version = new.version, record = new.record \
    FROM unnest($1, $2, $3, $4) AS new (id, expected, version, record) \
    WHERE there.id = new.id AND there.version = new.expected AND there.expires_at > clock_timestamp() \
    RETURNING there.id";
const UPDATE_EXPIRY_MANY: &str = "UPDATE {table} AS there SET version = new.version, record = new.record, \
    expires_at = clock_timestamp() + new.ttl * interval '1 millisecond' \
    FROM unnest($1, $2, $3, $4, $5) AS new (id, expected, version, record, ttl) \
    WHERE there.id = new.id AND there.version = new.expected AND there.expires_at > clock_timestamp() \
    RETURNING there.id";

const TOUCH: &str = "UPDATE {table} SET expires_at = clock_timestamp() + $3 * interval '1 millisecond' \
    WHERE id = $1 AND version = $2 AND expires_at > clock_timestamp()";

/// Expired rows go too; those that were live are counted (G9).
const DELETE: &str = "WITH gone AS (DELETE FROM {table} WHERE id = ANY ($1) RETURNING expires_at) \
    SELECT count(*) FROM gone WHERE expires_at > clock_timestamp()";

const OWNED_BY: &str = "SELECT id FROM {table} WHERE owner = $1 AND expires_at > clock_timestamp()";

/// Rows that another purge has locked are left to it (G16). The time is asked for once, or the index could not be used.
const PURGE: &str = "DELETE FROM {table} WHERE id = ANY (ARRAY (SELECT id FROM {table} \
    WHERE expires_at <= (SELECT clock_timestamp()) ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))";

/// Where the table is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) schema: Option<Name>,
    pub(crate) table: Name,
    pub(crate) unlogged: bool,
}

/// The text of each statement for one table.
#[derive(Debug, Clone)]
pub(crate) struct Statements {
    pub(crate) schema: [Statement; 3],
    pub(crate) is_set_up: Statement,
    /// The names that `is_set_up` takes.
    pub(crate) relations: [String; 3],
    pub(crate) load: Statement,
    pub(crate) load_many: Statement,
    pub(crate) create: Statement,
    pub(crate) update: Statement,
    pub(crate) update_expiry: Statement,
    pub(crate) update_owner: Statement,
    pub(crate) update_both: Statement,
    pub(crate) update_many: Statement,
    pub(crate) update_expiry_many: Statement,
    pub(crate) touch: Statement,
    pub(crate) delete: Statement,
    pub(crate) owned_by: Statement,
    pub(crate) purge: Statement,
}

impl Statements {
    pub(crate) fn new(place: &Place) -> Self {
        let statement = |template: &str| Statement::new(place.expand(template));
        Self {
            schema: [TABLE, EXPIRY_INDEX, OWNER_INDEX].map(statement),
            is_set_up: statement(IS_SET_UP),
            relations: [place.table.quoted(), place.table.quoted_with("expires_at"), place.table.quoted_with("owner")]
                .map(|name| place.qualified(&name)),
            load: statement(LOAD),
            load_many: statement(LOAD_MANY),
            create: statement(CREATE),
            update: statement(UPDATE),
            update_expiry: statement(UPDATE_EXPIRY),
            update_owner: statement(UPDATE_OWNER),
            update_both: statement(UPDATE_BOTH),
            update_many: statement(UPDATE_MANY),
            update_expiry_many: statement(UPDATE_EXPIRY_MANY),
            touch: statement(TOUCH),
            delete: statement(DELETE),
            owned_by: statement(OWNED_BY),
            purge: statement(PURGE),
        }
    }

    /// Each with the operation that runs it.
    pub(crate) fn by_operation(&self) -> Vec<(&'static str, &Statement)> {
        let Self { schema, is_set_up, relations: _, load, load_many, create, update, update_expiry, .. } = self;
        let Self { update_owner, update_both, update_many, update_expiry_many, touch, delete, owned_by, purge, .. } =
            self;
        let mut statements = vec![("is_set_up", is_set_up)];
        statements.extend(schema.iter().map(|statement| ("migrate", statement)));
        statements.extend([
            ("load", load),
            ("load", load_many),
            ("create", create),
            ("update", update),
            ("update", update_expiry),
            ("update", update_owner),
            ("update", update_both),
            ("update", update_many),
            ("update", update_expiry_many),
            ("touch", touch),
            ("delete", delete),
            ("owned_by", owned_by),
            ("purge_expired", purge),
        ]);
        statements
    }
}

impl Place {
    fn expand(&self, template: &str) -> String {
        template
            .replace("{unlogged}", if self.unlogged { "UNLOGGED " } else { "" })
            .replace("{table}", &self.qualified(&self.table.quoted()))
            // An index is in the schema of its table and is named without it.
            .replace("{expiry_index}", &self.table.quoted_with("expires_at"))
            .replace("{owner_index}", &self.table.quoted_with("owner"))
    }

    fn qualified(&self, quoted: &str) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{quoted}", schema.quoted()),
            None => quoted.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_qualified() {
        let name = |name| Name::new("table", name).expect("a valid name");
        let place = Place { schema: Some(name("App")), table: name("web sessions"), unlogged: true };
        let statements = Statements::new(&place);
        assert!(statements.load.text().contains(r#" FROM "App"."web sessions" WHERE "#));
        let schema = crate::statement::schema_sql(&statements.by_operation());
        assert!(schema.starts_with(r#"CREATE UNLOGGED TABLE IF NOT EXISTS "App"."web sessions" ("#), "{schema}");
        assert!(schema.contains(r#"EXISTS "web sessions_owner" ON "App"."web sessions" (owner)"#), "{schema}");
        assert_eq!(statements.relations[1], r#""App"."web sessions_expires_at""#);
    }

    #[test]
    fn the_readme_shows_every_statement() {
        let place =
            Place { schema: None, table: Name::new("table", "sessions").expect("a valid name"), unlogged: false };
        crate::statement::readme_shows(&Statements::new(&place).by_operation(), "\0");
    }
}
