//! The `Cookie` fields of a request, with line feeds between them.

#![no_main]

use sessions_proof::hostile::Target;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| Target::Cookie.throw(bytes));
