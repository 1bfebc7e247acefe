//! sessions-sqlx
