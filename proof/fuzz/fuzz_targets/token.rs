//! The text of a token or an id.

#![no_main]

use sessions_proof::hostile::Target;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| Target::Token.throw(bytes));
