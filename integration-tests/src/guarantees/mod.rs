//! The tests, one module for each guarantee.

pub(crate) mod g01;
pub(crate) mod g02;
pub(crate) mod g03;
pub(crate) mod g04;
pub(crate) mod g05;
pub(crate) mod g06;
pub(crate) mod g07;
pub(crate) mod g08;
pub(crate) mod g09;
pub(crate) mod g10;
pub(crate) mod g11;
pub(crate) mod g12;
pub(crate) mod g13;
pub(crate) mod g14;
pub(crate) mod g15;
pub(crate) mod g16;
pub(crate) mod g17;
pub(crate) mod g18;
pub(crate) mod g19;
