//! The statements, put together once. `{table}` is the quoted name, with its database if one was named; `{now}` is the server's
//! clock; everything else is bound.

use crate::config::Name;
use crate::statement::Statement;

/// Ids are 16 bytes, versions a `u64`, times milliseconds since the epoch: neither a `TIMESTAMP`, which ends in 2038, nor a
/// time zone is involved. One statement makes the table with its indexes.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS {table} (
    id         BINARY(16)      NOT NULL PRIMARY KEY,
    version    BIGINT UNSIGNED NOT NULL,
    expires_at BIGINT          NOT NULL,
    owner      VARBINARY(255),
    record     MEDIUMBLOB      NOT NULL,
    KEY expires_at (expires_at),
    KEY owner (owner)
) ENGINE = InnoDB";

/// Asked before anything is created, so that an account that may not create tables can still call `migrate`. The table itself is
/// asked: the catalogue compares names by a collation, to which `séances` and `seances` are the same.
const IS_SET_UP: &str = "SELECT id, version, expires_at, owner, record FROM {table} LIMIT 0";

/// The server's clock, when the statement began, in UTC whatever the session's time zone.
const NOW: &str = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000";

const LOAD: &str = "SELECT id, version, expires_at, owner, record FROM {table} WHERE id = ? AND expires_at > {now}";
const LOAD_MANY: &str =
    "SELECT id, version, expires_at, owner, record FROM {table} WHERE id IN ({values}) AND expires_at > {now}";

/// Deliberately not `ON DUPLICATE KEY`, whose row count cannot tell an insert from an update and both from nothing (G4). On
/// a duplicate key, `CREATE_OVER_EXPIRED` follows.
const CREATE: &str = "INSERT INTO {table} (version, expires_at, owner, record, id) VALUES (?, {now} + ?, ?, ?, ?)";
const CREATE_OVER_EXPIRED: &str = "UPDATE {table} SET version = ?, expires_at = {now} + ?, owner = ?, record = ? \
    WHERE id = ? AND expires_at <= {now}";

/// The four differ in what they leave alone (G5, G8). What counts is the rows that matched, not those that changed.
const UPDATE: &str = "UPDATE {table} SET version = ?, record = ? WHERE id = ? AND version = ? AND expires_at > {now}";
const UPDATE_EXPIRY: &str = "UPDATE {table} SET version = ?, record = ?, expires_at = {now} + ? \
    WHERE id = ? AND version = ? AND expires_at > {now}";
const UPDATE_OWNER: &str = "UPDATE {table} SET version = ?, record = ?, owner = ? \
    WHERE id = ? AND version = ? AND expires_at > {now}";
const UPDATE_BOTH: &str = "UPDATE {table} SET version = ?, record = ?, expires_at = {now} + ?, owner = ? \
    WHERE id = ? AND version = ? AND expires_at > {now}";

const TOUCH: &str = "UPDATE {table} SET expires_at = {now} + ? WHERE id = ? AND version = ? AND expires_at > {now}";

/// The live ones are counted by deleting them first (G9).
const DELETE_LIVE: &str = "DELETE FROM {table} WHERE id IN ({values}) AND expires_at > {now}";
const DELETE_EXPIRED: &str = "DELETE FROM {table} WHERE id IN ({values}) AND expires_at <= {now}";

const OWNED_BY: &str = "SELECT id FROM {table} WHERE owner = ? AND expires_at > {now}";

const PURGE: &str = "DELETE FROM {table} WHERE expires_at <= {now} ORDER BY expires_at LIMIT ?";

/// How many ids the statements for many take; a smaller number is filled up with NULLs, which match nothing.
pub(crate) const SIZES: [usize; 4] = [1, 8, 64, MOST];

/// As many ids a statement takes at most.
pub(crate) const MOST: usize = 512;

/// The text of each statement for one table.
#[derive(Debug, Clone)]
pub(crate) struct Statements {
    pub(crate) schema: Statement,
    pub(crate) is_set_up: Statement,
    pub(crate) load: Statement,
    pub(crate) load_many: [Statement; SIZES.len()],
    pub(crate) create: Statement,
    pub(crate) create_over_expired: Statement,
    pub(crate) update: Statement,
    pub(crate) update_expiry: Statement,
    pub(crate) update_owner: Statement,
    pub(crate) update_both: Statement,
    pub(crate) touch: Statement,
    pub(crate) delete_live: [Statement; SIZES.len()],
    pub(crate) delete_expired: [Statement; SIZES.len()],
    pub(crate) owned_by: Statement,
    pub(crate) purge: Statement,
}

impl Statements {
    pub(crate) fn new(database: Option<&Name>, table: &Name) -> Self {
        let table = match database {
            Some(database) => format!("{}.{}", database.in_backticks(), table.in_backticks()),
            None => table.in_backticks(),
        };
        let statement = |template: &str| Statement::new(template.replace("{table}", &table).replace("{now}", NOW));
        let many = |template: &str| SIZES.map(|size| statement(&template.replace("{values}", &placeholders(size))));
        Self {
            schema: statement(SCHEMA),
            is_set_up: statement(IS_SET_UP),
            load: statement(LOAD),
            load_many: many(LOAD_MANY),
            create: statement(CREATE),
            create_over_expired: statement(CREATE_OVER_EXPIRED),
            update: statement(UPDATE),
            update_expiry: statement(UPDATE_EXPIRY),
            update_owner: statement(UPDATE_OWNER),
            update_both: statement(UPDATE_BOTH),
            touch: statement(TOUCH),
            delete_live: many(DELETE_LIVE),
            delete_expired: many(DELETE_EXPIRED),
            owned_by: statement(OWNED_BY),
            purge: statement(PURGE),
        }
    }
}

impl Statements {
    /// Each with the operation that runs it; of those for many sessions, a small one.
    pub(crate) fn by_operation(&self) -> Vec<(&'static str, &Statement)> {
        let Self { schema, is_set_up, load, load_many, create, create_over_expired, update, update_expiry, .. } = self;
        let Self { update_owner, update_both, touch, delete_live, delete_expired, owned_by, purge, .. } = self;
        vec![
            ("is_set_up", is_set_up),
            ("migrate", schema),
            ("load", load),
            ("load", &load_many[1]),
            ("create", create),
            ("create", create_over_expired),
            ("update", update),
            ("update", update_expiry),
            ("update", update_owner),
            ("update", update_both),
            ("touch", touch),
            ("delete", &delete_live[0]),
            ("delete", &delete_expired[0]),
            ("owned_by", owned_by),
            ("purge_expired", purge),
        ]
    }
}

fn placeholders(count: usize) -> String {
    vec!["?"; count].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_qualified() {
        let name = |name| Name::new("table", name).expect("a valid name");
        let statements = Statements::new(Some(&name("app")), &name("web sessions"));
        assert!(
            statements.load_many[1].text().contains(" FROM `app`.`web sessions` WHERE id IN (?, ?, ?, ?, ?, ?, ?, ?) ")
        );
        assert!(statements.schema.text().starts_with("CREATE TABLE IF NOT EXISTS `app`.`web sessions` ("));
        assert!(Statements::new(None, &name("order")).purge.text().starts_with("DELETE FROM `order` WHERE "));
    }

    #[test]
    fn the_readme_shows_every_statement() {
        let statements = Statements::new(None, &Name::new("table", "sessions").expect("a valid name"));
        crate::statement::readme_shows(&statements.by_operation(), NOW);
    }
}
