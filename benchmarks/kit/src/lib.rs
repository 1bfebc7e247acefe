//! What all contenders are measured with: the same requests, the same loops, the same clocks and counters.

mod case;
mod command;
mod count;
mod hold;
mod looped;
mod parts;
mod runner;
mod service;
mod time;

pub use case::{CASES, Case, Job, Preparation, next_user, text};
pub use command::{Command, Contender};
pub use count::{Counter, Counts, counts};
pub use looped::Side;
pub use parts::{Parts, at_once};
pub use runner::{Runner, cookie_of};
pub use service::{ServiceRunner, WithoutSessions};
pub use time::{Rounds, time};
