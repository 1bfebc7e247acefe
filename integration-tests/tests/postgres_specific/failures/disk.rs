//! A disk that fills up under the table.

use std::sync::Arc;

use sessions_conformance::servers::{Kind, Server, Source, is_left_out};
use sessions_core::SessionStore;

use crate::lab::Lab;
use crate::sql::{KEEP, MINUTE, entry, hex, id, reason, version};

/// The small file system that every container has; a process has the machine's own there, which nobody should fill.
const SMALL: &str = "/dev/shm";

#[tokio::test]
async fn a_full_disk_is_unavailable_and_loses_nothing() {
    if is_left_out(Kind::Postgres) {
        return;
    }
    let server = Server::start(Kind::Postgres).await.expect("a server of its own");
    if server.source() != Source::Containers {
        eprintln!("a full disk: only what the server would say is tested here, for this one is not in a container");
        return;
    }
    let lab = Lab::on(server.url()).await;
    lab.sql(&format!("COPY (SELECT 1) TO PROGRAM 'mkdir {SMALL}/small'")).await;
    lab.sql(&format!("CREATE TABLESPACE small LOCATION '{SMALL}/small'")).await;
    lab.sql("ALTER ROLE sessions SET default_tablespace = small").await;
    // Kept free: to take rows back for good, Postgres needs a little room as well.
    let reserve = format!("COPY (SELECT 1) TO PROGRAM 'head -c 2000000 /dev/zero > {SMALL}/reserve'");
    lab.sql(&reserve).await;
    let store = Arc::new(lab.store().await);
    store.create(&id(0), &entry(1, b"kept"), MINUTE).await.expect("create");

    let record: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(1024 * 1024).collect();
    let mut created = 0;
    let error = loop {
        match store.create(&id(created + 1), &entry(1, &record), MINUTE).await {
            Ok(_) => created += 1,
            Err(error) => break error,
        }
        assert!(created < 1_000, "the disk is not small");
    };
    assert!(error.is_unavailable() && reason(&error).contains("could not extend file"), "{error:?}");
    assert_eq!(store.load(&id(created + 1)).await.expect("load"), None, "all or nothing");
    let error = store.update(&id(1), version(1), &entry(2, &record), KEEP).await.expect_err("no room");
    assert!(error.is_unavailable(), "{error:?}");
    // Whoever is signed in stays so, and may leave.
    assert_eq!(store.load(&id(0)).await.expect("load").expect("live").record, b"kept"[..]);
    assert!(store.load(&id(1)).await.expect("load").expect("live").record == record);
    let ids: Vec<_> = (1..=created).map(id).collect();
    assert_eq!(store.delete(&ids).await.expect("delete"), created);
    lab.sql(&format!("COPY (SELECT 1) TO PROGRAM 'rm {SMALL}/reserve'")).await;
    lab.sql("VACUUM {table}").await;
    store.create(&id(1), &entry(1, &record), MINUTE).await.expect("there is room again");
    assert_eq!(lab.value::<i64>(&format!("SELECT count(*) FROM {{table}} WHERE id <> '\\x{}'", hex(&[0]))).await, 2);
    store.stop().await.expect("stop");
    lab.end().await;
}
