#![doc = include_str!("../docs/from-go.md")]
