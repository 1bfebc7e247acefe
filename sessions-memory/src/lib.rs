//! sessions-memory
