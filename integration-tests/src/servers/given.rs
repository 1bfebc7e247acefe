//! What a test reads from its environment.

use super::kind::Kind;

/// The environment variable with the names that are left out on purpose.
pub(super) const WITHOUT: &str = "SESSIONS_TEST_WITHOUT";

/// The address of the server that this test run was given, or `None` when this kind was left out on purpose, which is
/// printed.
///
/// # Panics
///
/// When there is no address and the server was not left out: a missing server is a failure, never a silent pass.
#[must_use]
pub fn given(kind: Kind) -> Option<String> {
    let variable = kind.url_variable();
    if is_left_out(kind) {
        eprintln!("left out on purpose: {kind}");
        return None;
    }
    match std::env::var(variable) {
        Ok(url) if !url.is_empty() => Some(url),
        _ => {
            panic!("no {kind} server: run `cargo xtask test`, or set {variable}, or leave it out with {WITHOUT}={kind}")
        }
    }
}

/// Whether this kind was left out on purpose.
#[must_use]
pub fn is_left_out(kind: Kind) -> bool {
    std::env::var(WITHOUT).is_ok_and(|names| names.split(',').any(|name| Kind::named(name.trim()) == Some(kind)))
}
