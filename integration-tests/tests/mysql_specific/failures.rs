//! What can be wrong with an address, a server or a statement: each has one typed error, and loses nothing.

mod connecting;
mod disk;
mod locks;
mod statements;
