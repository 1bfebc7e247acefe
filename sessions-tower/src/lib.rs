//! sessions-tower
