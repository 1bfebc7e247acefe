//! sessions-redis
