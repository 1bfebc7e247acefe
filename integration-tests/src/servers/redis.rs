//! As much of Redis's protocol as it takes to see that a server is up and to make three nodes a cluster.

use std::net::Ipv4Addr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

use super::endpoint::Endpoint;
use super::error::ServerError;

/// Whether the server at this port answers.
pub(super) async fn is_up(endpoint: &Endpoint, port: u16) -> bool {
    matches!(ask(endpoint, port, &["PING"]).await, Ok(answer) if answer == "PONG")
}

/// Whether this node of a cluster sees all of it.
pub(super) async fn sees_cluster(endpoint: &Endpoint, port: u16) -> bool {
    let Ok(info) = ask(endpoint, port, &["CLUSTER", "INFO"]).await else { return false };
    ["cluster_state:ok", "cluster_known_nodes:3", "cluster_size:3"]
        .iter()
        .all(|wanted| info.lines().any(|line| line.trim_end() == *wanted))
}

/// Shares the slots out among the nodes and introduces them to each other. Once: the nodes remember it.
pub(super) async fn form_cluster(endpoint: &Endpoint) -> Result<(), ServerError> {
    let nodes: Vec<u16> = endpoint.ports().collect();
    for (index, port) in nodes.iter().enumerate() {
        let slots = (index * SLOTS / nodes.len()..(index + 1) * SLOTS / nodes.len()).map(|slot| slot.to_string());
        let add: Vec<String> = ["CLUSTER".to_owned(), "ADDSLOTS".to_owned()].into_iter().chain(slots).collect();
        ask(endpoint, *port, &add).await?;
        // Different from the start, so that the nodes need not settle it among themselves.
        ask(endpoint, *port, &["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]).await?;
    }
    for port in &nodes[1..] {
        ask(endpoint, nodes[0], &["CLUSTER", "MEET", "127.0.0.1", &port.to_string()]).await?;
    }
    Ok(())
}

/// Sends one command over a connection of its own.
pub(super) async fn ask(endpoint: &Endpoint, port: u16, command: &[impl AsRef<str>]) -> Result<String, ServerError> {
    let failed = |error: std::io::Error| ServerError::during(format!("{} at port {port}", endpoint.kind))(&error);
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let mut stream = BufStream::new(stream);
    write(&mut stream, &["AUTH", &endpoint.password]).await.map_err(failed)?;
    write(&mut stream, command).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;
    read(&mut stream).await.map_err(failed)?;
    read(&mut stream).await.map_err(failed)
}

async fn write(stream: &mut BufStream<TcpStream>, words: &[impl AsRef<str>]) -> std::io::Result<()> {
    stream.write_all(format!("*{}\r\n", words.len()).as_bytes()).await?;
    for word in words {
        let word = word.as_ref();
        stream.write_all(format!("${}\r\n{word}\r\n", word.len()).as_bytes()).await?;
    }
    Ok(())
}

/// A simple or a bulk string; an error answer is an error.
async fn read(stream: &mut BufStream<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let line = line.trim_end();
    let strange = || std::io::Error::other(format!("answered {line:?}"));
    match line.split_at_checked(1).ok_or_else(strange)? {
        ("+", text) => Ok(text.to_owned()),
        ("$", length) => {
            let mut bytes = vec![0; length.parse::<usize>().map_err(|_| strange())? + 2];
            stream.read_exact(&mut bytes).await?;
            Ok(String::from_utf8_lossy(&bytes[..bytes.len() - 2]).into_owned())
        }
        _ => Err(strange()),
    }
}

const SLOTS: usize = 16_384;
