//! Programs of this package, started as processes, and a client with a cookie jar.

#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

mod client;
mod program;

pub(crate) use client::Client;
pub(crate) use program::{Program, Run, run};
