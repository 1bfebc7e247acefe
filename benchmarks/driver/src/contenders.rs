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
pub(crate) const IN_PROCESS: [Contender; 5] = [
    contender("sessions, memory", "bench-ours", "memory"),
    contender("tower-sessions, memory", "bench-peers", "tower-sessions-memory"),
    contender("tower-sessions, moka", "bench-peers", "tower-sessions-moka"),
    contender("axum_session, memory", "bench-peers", "axum-session-memory"),
    contender("actix-session, a map", "bench-peers", "actix-session-map"),
];

const fn contender(name: &'static str, binary: &'static str, store: &'static str) -> Contender {
    Contender { name, binary, store }
}
