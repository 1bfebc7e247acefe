//! Running one test, as the macro's tests do.

use std::time::Duration;

use crate::harness::Harness;
use crate::registry::tests;

/// How long a test may take before it counts as hanging. Far beyond what the slowest one needs on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// Runs the test of this name in a runtime of its own: what each test of [`conformance!`](crate::conformance) does.
///
/// # Panics
///
/// When the store breaks its guarantee, when the test does not end within ten minutes, or when no test has the name.
pub fn run(name: &str, harness: impl Future<Output = impl Harness>) {
    let test = tests().into_iter().find(|test| test.name() == name).expect("a test of this suite");
    let seed = seed();
    // The test harness shows this when the test fails.
    eprintln!("{name}: repeat with SESSIONS_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let within = async { tokio::time::timeout(PATIENCE, test.run(harness.await, seed)).await };
    runtime.expect("a tokio runtime").block_on(within).expect("the store does not answer: the test hangs");
}

fn seed() -> u64 {
    match std::env::var("SESSIONS_SEED") {
        Ok(seed) => seed.parse().expect("SESSIONS_SEED is a number"),
        Err(_) => fastrand::u64(..),
    }
}

/// Makes one test of each guarantee for the store of a [`Harness`], and once more for that store as `Arc<dyn SessionStore>`.
///
/// Takes an expression that makes the harness, evaluated in each test; it may await. Generates the modules `direct` and
/// `erased`: put the line into a module of its own to have it twice in one file. The [crate documentation](crate) has an
/// example.
///
/// Tests that may be left out on purpose, and only on purpose, take a condition. Without a match they pass.
///
/// ```
/// # use async_trait::async_trait;
/// # use sessions_conformance::reference::Reference;
/// # use sessions_conformance::{Harness, Problem, Profile, conformance};
/// # struct Server(String);
/// # #[async_trait]
/// # impl Harness for Server {
/// #     type Store = Reference;
/// #     fn profile(&self) -> Profile { Profile::new(Reference::RECORD_LIMIT) }
/// #     async fn open(&self, _: &str) -> Result<Reference, Problem> { Ok(Reference::new(sessions_core::SystemClock)) }
/// # }
/// /// The address of the server, or `None` when someone said to do without; panics when nobody said anything.
/// fn server() -> Option<String> {
///     # Some("localhost".into())
/// }
///
/// conformance!(Server(url), if let Some(url) = server());
/// ```
#[macro_export]
macro_rules! conformance {
    ($harness:expr $(, if let $pattern:pat = $condition:expr)? $(,)?) => {
        #[cfg(test)]
        mod direct {
            #[allow(unused_imports)]
            use super::*;
            $crate::__each_test! { [$crate::__generate] [$harness $(, if let $pattern = $condition)?] }
        }
        #[cfg(test)]
        mod erased {
            #[allow(unused_imports)]
            use super::*;
            $crate::__each_test! {
                [$crate::__generate] [$crate::Erased($harness) $(, if let $pattern = $condition)?]
            }
        }
    };
}

/// Makes a test of each name.
#[doc(hidden)]
#[macro_export]
macro_rules! __generate {
    ([$harness:expr] $($module:ident: $($name:ident)*;)*) => {
        $($(
            #[test]
            fn $name() {
                $crate::run(stringify!($name), async { $harness });
            }
        )*)*
    };
    ([$harness:expr, if let $pattern:pat = $condition:expr] $($module:ident: $($name:ident)*;)*) => {
        $($(
            #[test]
            fn $name() {
                if let $pattern = $condition {
                    $crate::run(stringify!($name), async { $harness });
                }
            }
        )*)*
    };
}
