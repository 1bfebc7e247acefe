//! Programs of this package, started as processes, a client with a cookie jar, and what goes between the two.

#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

mod balancer;
mod client;
mod program;
mod quickstart;

pub(crate) use balancer::Balancer;
pub(crate) use client::Client;
pub(crate) use program::{Program, Run, run};
pub(crate) use quickstart::{overlap, refused, signed_in};
