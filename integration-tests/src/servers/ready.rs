//! When a server is ready: when it answers in its own protocol. An open port is not enough, as an engine opens a
//! container's ports before anything in it listens.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::kind::Kind;
use super::redis;

/// How far a server has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// Its processes answer, each for itself.
    Up,
    /// It takes connections, and as a cluster every node sees the others.
    Ready,
}

/// Whether it has come as far as this.
pub(super) async fn has_reached(stage: Stage, endpoint: &Endpoint) -> bool {
    for port in endpoint.ports() {
        let check = async {
            match (endpoint.kind, stage) {
                (Kind::RedisCluster, Stage::Ready) => redis::sees_cluster(endpoint, port).await,
                (Kind::Redis | Kind::RedisCluster, _) => redis::is_up(endpoint, port).await,
                (Kind::Postgres, _) => postgres(port).await.unwrap_or(false),
                (Kind::MariaDb, _) => mariadb(port).await.unwrap_or(false),
            }
        };
        if !timeout(ONE_CHECK, check).await.unwrap_or(false) {
            return false;
        }
    }
    true
}

/// A startup message is answered by a request to authenticate (`R`); before that, by an error or by nothing.
async fn postgres(port: u16) -> std::io::Result<bool> {
    let parameters = b"user\0sessions\0database\0sessions\0\0";
    let length = u32::try_from(parameters.len() + 8).unwrap_or(u32::MAX);
    let mut message = Vec::from(length.to_be_bytes());
    message.extend(PROTOCOL_3.to_be_bytes());
    message.extend(parameters);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(&message).await?;
    Ok(stream.read_u8().await? == b'R')
}

/// The server speaks first: a header of four bytes, then the version of the protocol, where an error would be 255.
async fn mariadb(port: u16) -> std::io::Result<bool> {
    let mut greeting = [0; 5];
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?.read_exact(&mut greeting).await?;
    Ok(greeting[4] == 10)
}

const PROTOCOL_3: u32 = 3 << 16;
const ONE_CHECK: Duration = Duration::from_secs(2);
