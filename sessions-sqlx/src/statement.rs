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
