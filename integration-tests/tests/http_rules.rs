//! The rules H1 to H14 of the session layer, over HTTP, on each store.

#[macro_use]
mod http;

use std::collections::BTreeSet;

http_rules!(memory, crate::http::backend::memory);
http_rules!(sqlite, crate::http::backend::sqlite);

#[test]
fn every_rule_of_the_layer_has_a_test() {
    let names: &[&str] = every_rule!(rule_names:);
    let numbers = names.iter().filter_map(|name| name.strip_prefix('h')?.get(..2)?.parse::<u8>().ok());
    assert_eq!(numbers.collect::<BTreeSet<_>>(), (1..=14).collect());
}
