//! The value under a session's key in Redis.

#![no_main]

use sessions_proof::hostile::Target;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    Target::RedisValue.throw(bytes);
    Target::RedisValue.throw_forged(bytes);
});
