//! A table space that fills up.

use std::sync::Arc;

use sessions_conformance::servers::{Kind, Options, Server, is_left_out};
use sessions_core::SessionStore;

use crate::lab::Lab;
use crate::sql::{KEEP, MINUTE, entry, id, reason, version};

#[tokio::test]
async fn a_full_table_space_is_unavailable_and_loses_nothing() {
    if is_left_out(Kind::MariaDb) {
        return;
    }
    let options = ["--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M:autoextend:max:40M"];
    let options = options.into_iter().fold(Options::from_env().expect("a source"), Options::argument);
    let server = Server::start_with(Kind::MariaDb, &options).await.expect("a server of its own");
    let lab = Lab::on(server.url()).await;
    let store = Arc::new(lab.store().await);
    store.create(&id(0), &entry(1, b"kept"), MINUTE).await.expect("create");

    let record: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(1024 * 1024).collect();
    let mut created = 0;
    let error = loop {
        match store.create(&id(created + 1), &entry(1, &record), MINUTE).await {
            Ok(_) => created += 1,
            Err(error) => break error,
        }
        assert!(created < 1_000, "it is not small");
    };
    assert!(error.is_unavailable() && reason(&error).contains("is full"), "{error:?}");
    assert_eq!(store.load(&id(created + 1)).await.expect("load"), None, "all or nothing");
    let error = store.update(&id(1), version(1), &entry(2, &record), KEEP).await.expect_err("no room");
    assert!(error.is_unavailable(), "{error:?}");
    // Whoever is signed in stays so.
    assert_eq!(store.load(&id(0)).await.expect("load").expect("live").record, b"kept"[..]);
    assert!(store.load(&id(1)).await.expect("load").expect("live").record == record);
    // InnoDB needs room to take back a deletion, too. Then it says so, and everything is still there.
    match store.delete(&[id(0), id(1)]).await {
        Ok(count) => assert_eq!(count, 2),
        Err(error) => {
            assert!(error.is_unavailable(), "{error:?}");
            assert!(
                store.load(&id(0)).await.expect("load").is_some() && store.load(&id(1)).await.expect("load").is_some()
            );
        }
    }
    store.stop().await.expect("stop");
}
