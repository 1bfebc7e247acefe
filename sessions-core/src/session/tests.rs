use super::*;
use crate::random::OsRandom;
use crate::test_kit::{Kit, increment, secs, token};

mod accessors;
mod concurrency;
mod limits;
mod phases;
mod status;
