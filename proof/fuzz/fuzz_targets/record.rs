//! A session's record.

#![no_main]

use sessions_proof::hostile::Target;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    Target::Record.throw(bytes);
    Target::Record.throw_forged(bytes);
});
