//! The text of a statement.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// One statement, put together once and shared by all connections.
#[derive(Debug, Clone)]
pub(crate) struct Statement(Arc<str>);

impl Statement {
    /// Takes a constant of this crate in which validated, quoted names (G13) have taken their places, and nothing else.
    pub(crate) fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The text for the client.
    pub(crate) fn sql(&self) -> SqlStr {
        AssertSqlSafe(Arc::clone(&self.0)).into_sql_str()
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// The schema as text, for migrations that are kept elsewhere.
pub(crate) fn schema_sql(statements: &[(&'static str, &Statement)]) -> String {
    let schema = statements.iter().filter(|(operation, _)| *operation == "migrate");
    schema.map(|(_, statement)| format!("{};\n", statement.text())).collect()
}

/// The methods of a store that show its statements; for a store with a method `by_operation`.
macro_rules! shown_statements {
    () => {
        /// What [`migrate`](Self::migrate) runs, for people with their own migrations.
        #[must_use]
        pub fn schema_sql(&self) -> String {
            crate::statement::schema_sql(&self.by_operation())
        }

        /// All statements, each with the operation that runs it: for those who review them, `EXPLAIN` them or grant privileges.
        ///
        /// Statements for many sessions come in several lengths, of which a short one is shown.
        #[must_use]
        pub fn statements(&self) -> Vec<(&'static str, String)> {
            let owned =
                |(operation, statement): (_, &crate::statement::Statement)| (operation, statement.text().to_owned());
            self.by_operation().into_iter().map(owned).collect()
        }
    };
}

/// Fails unless the README shows every statement, but for line breaks; `now` is what it abbreviates.
#[cfg(test)]
pub(crate) fn readme_shows(statements: &[(&'static str, &Statement)], now: &str) {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let readme = words(include_str!("../README.md"));
    for (operation, statement) in statements.iter().filter(|(operation, _)| *operation != "is_set_up") {
        let text = words(statement.text()).replace(now, "{now}");
        assert!(readme.contains(&format!("{text};")), "{operation}: {text}");
    }
}
