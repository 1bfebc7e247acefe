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
pub(crate) const IN_PROCESS: [Contender; 1] = [contender("ours, memory", "bench-ours", "memory")];

const fn contender(name: &'static str, binary: &'static str, store: &'static str) -> Contender {
    Contender { name, binary, store }
}
