//! The MySQL store on a real server: what the conformance suite cannot know about plans, statements, privileges and failures.

#[path = "../sql/mod.rs"]
mod sql;

mod commands;
mod environment;
mod failures;
mod foreign;
mod lab;
mod outages;
mod plans;
mod privileges;
mod purges;
mod sizes;
