use std::time::Duration;

use serde::Serialize;

use super::*;
use crate::key::{Key, MAX_KEY_BYTES};
use crate::random::OsRandom;
use crate::test_kit::{Kit, increment, secs, token};

mod accessors;
mod concurrency;
mod limits;
mod phases;
mod status;
