//! Who is measured.

/// One library on one store, in process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contender {
    /// In the results.
    pub(crate) name: &'static str,
    /// The binary that it is in.
    pub(crate) binary: &'static str,
    /// What that calls the store.
    pub(crate) store: &'static str,
}

/// All of them; ours is the first.
pub(crate) const IN_PROCESS: [Contender; 6] = [
    contender("sessions, memory", "bench-ours", "memory"),
    contender("tower-sessions, memory", "bench-peers", "tower-sessions-memory"),
    contender("tower-sessions, moka", "bench-peers", "tower-sessions-moka"),
    contender("axum_session, memory", "bench-peers", "axum-session-memory"),
    contender("actix-session, a map", "bench-peers", "actix-session-map"),
    contender(BARE, "bench-ours", "bare"),
];

/// The names in the results, and those of the applications.
pub(crate) const OVER_HTTP: [(&str, &str); 21] = [
    ("axum without sessions", "axum/none"),
    (BARE, "axum/blocks"),
    ("sessions, memory", "sessions/memory"),
    ("tower-sessions, memory", "tower-sessions/memory"),
    ("tower-sessions, moka", "tower-sessions/moka"),
    ("axum_session, memory", "axum_session/memory"),
    ("sessions, Redis", "sessions/redis"),
    ("tower-sessions, Redis", "tower-sessions/redis"),
    ("axum_session, Redis", "axum_session/redis"),
    ("actix-session, Redis", "actix/redis"),
    ("bare handlers, Redis", "axum/redis"),
    ("bare handlers that compare, Redis", "axum/redis-compared"),
    ("sessions, Postgres", "sessions/postgres"),
    ("tower-sessions, Postgres", "tower-sessions/postgres"),
    ("axum_session, Postgres", "axum_session/postgres"),
    ("bare handlers, Postgres", "axum/postgres"),
    ("sessions, SQLite", "sessions/sqlite"),
    ("tower-sessions, SQLite", "tower-sessions/sqlite"),
    ("axum_session, SQLite", "axum_session/sqlite"),
    ("actix-web without sessions", "actix/none"),
    // Again at the end of the round: how much the machine has changed meanwhile.
    ("axum without sessions, again", "axum/none"),
];

/// The least that a session in moka with a hashed token comes to.
pub(crate) const BARE: &str = "bare blocks, moka";

const fn contender(name: &'static str, binary: &'static str, store: &'static str) -> Contender {
    Contender { name, binary, store }
}
