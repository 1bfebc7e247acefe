//! No number of the contract lacks a test, and no test lacks a number of the contract.

use std::collections::BTreeSet;

use sessions_conformance::tests;

/// The numbers in the documentation of the trait: `/// - **G1** Round trip…`.
fn contract() -> BTreeSet<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../sessions-core/src/store.rs");
    let source = std::fs::read_to_string(path).expect("the source of the contract");
    let numbers = source.lines().filter_map(|line| line.strip_prefix("/// - **G")?.split_once("**"));
    numbers.map(|(number, _)| number.parse().expect("the number of a guarantee")).collect()
}

#[test]
fn every_guarantee_of_the_contract_has_a_test() {
    let tested: BTreeSet<_> = tests().iter().map(sessions_conformance::Test::guarantee).collect();
    assert_eq!(tested, contract());
    assert_eq!(tested, (1..=19).collect());
}

#[test]
fn every_name_begins_with_its_number_and_is_there_once() {
    let mut seen = BTreeSet::new();
    for test in tests() {
        assert!(test.name().starts_with(&format!("g{:02}_", test.guarantee())), "{}", test.name());
        assert!(seen.insert(test.name()), "{} is there twice", test.name());
    }
}
