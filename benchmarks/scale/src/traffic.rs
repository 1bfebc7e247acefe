//! The bytes that operations send and receive, counted between the store and its server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::json;
use sessions_core::{Change, Ttl};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::Error;
use crate::stores::{DAY, Store, VERSION, connect_to, entry, fill, id};

/// Prints one line: `operation` on so many sessions, one after the other, with small records.
pub(crate) async fn run(name: &str, operation: &str, count: u64) -> Result<(), Error> {
    let url = std::env::var(format!("BENCH_{}", name.to_uppercase()))?;
    let (before, rest) = url.split_once('@').map_or(("", url.as_str()), |(before, rest)| (before, rest));
    let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
    let traffic = Arc::new(Traffic::default());
    let port = forward(address.to_owned(), Arc::clone(&traffic)).await?;
    let store = connect_to(name, &format!("{before}@127.0.0.1:{port}/{path}")).await?;

    let first = if operation == "create" { count } else { 0 };
    fill(&store, first..count + 64, RECORD, DAY).await?;
    // The connection is there, and statements are prepared.
    perform(&store, operation, count..count + 32).await?;
    let (sent, received) = traffic.so_far();
    perform(&store, operation, 0..count).await?;
    let (sent, received) = (traffic.so_far().0 - sent, traffic.so_far().1 - received);
    let each = |bytes: u64| bytes.checked_div(count).unwrap_or(0);
    println!("{}", json!({ "operation": operation, "sent": each(sent), "received": each(received) }));
    Ok(())
}

async fn perform(store: &Store, operation: &str, numbers: std::ops::Range<u64>) -> Result<(), Error> {
    let entry = entry(RECORD);
    let change = Change { ttl: Ttl::Keep, reindex: false };
    for number in numbers {
        let id = id(number);
        match operation {
            "create" => drop(store.create(&id, &entry, DAY).await?),
            "load" => drop(store.load(&id).await?),
            "update" => drop(store.update(&id, VERSION, &entry, change).await?),
            "touch" => drop(store.touch(&id, VERSION, DAY).await?),
            "delete" => drop(store.delete(&[id]).await?),
            _ => return Err(format!("no operation {operation}").into()),
        }
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Traffic {
    fn so_far(&self) -> (u64, u64) {
        (self.sent.load(Relaxed), self.received.load(Relaxed))
    }
}

/// Listens, and passes everything on to `address`.
async fn forward(address: String, traffic: Arc<Traffic>) -> Result<u16, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(&address).await else { return };
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            let (there, back) = (Arc::clone(&traffic), Arc::clone(&traffic));
            tokio::spawn(async move { pass(from_client, to_server, &there.sent).await });
            tokio::spawn(async move { pass(from_server, to_client, &back.received).await });
        }
    });
    Ok(port)
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, count: &AtomicU64) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        count.fetch_add(length as u64, Relaxed);
        to.write_all(&buffer[..length]).await?;
    }
}

const RECORD: usize = 175;
