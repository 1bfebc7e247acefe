//! The guide: pages to read, no items. [Life of a request](life_of_a_request) is where to begin.

#[doc = include_str!("../docs/life-of-a-request.md")]
pub mod life_of_a_request {}

#[doc = include_str!("../docs/stores.md")]
pub mod stores {}

#[doc = include_str!("../docs/login.md")]
pub mod login {}

#[doc = include_str!("../docs/expiry.md")]
pub mod expiry {}

#[doc = include_str!("../docs/concurrency.md")]
pub mod concurrency {}

#[doc = include_str!("../docs/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/encoders.md")]
pub mod encoders {}

#[doc = include_str!("../docs/trust.md")]
pub mod trust {}
