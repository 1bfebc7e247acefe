use std::time::Duration;

use pollster::block_on;

use super::*;
use crate::session::SessionStatus;
use crate::store::{Ttl, Version};
use crate::test_kit::{Kit, START, increment, poll_at_most, secs, seeded, token};
use crate::test_store::{Answer, Call};

mod administration;
mod chaos;
mod creating;
mod damaged;
mod destroying;
mod dropped;
mod encoders;
mod events;
mod expiry;
mod guards;
mod opening;
mod overlap;
mod overrides;
mod randomness;
mod renewal;
mod rotation;
mod round_trips;
mod settings;
mod settling;
mod touching;
