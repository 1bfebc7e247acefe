//! A file of sessions outlives a change of its encoder.

use std::path::Path;

use sessions_core::{Bincode, CookieChange, Encoder, Json, MessagePack, Session, SessionManager, Token};
use sessions_sqlx::SqliteStore;

/// One deployment of an application on the file: it writes with one encoder and reads others.
async fn deployed<E: Encoder>(file: &Path, encoder: E, also: &[&str]) -> SessionManager {
    let store = SqliteStore::builder().no_purge();
    let store = store.connect(&format!("sqlite:{}", file.display())).await.expect("a file");
    store.migrate().await.expect("a table");
    let builder = SessionManager::builder(store).encoder(encoder);
    let builder = also.iter().fold(builder, |builder, name| match *name {
        "MessagePack" => builder.also_read(MessagePack),
        "JSON" => builder.also_read(Json),
        "bincode" => builder.also_read(Bincode),
        other => panic!("no encoder {other}"),
    });
    builder.build().expect("valid settings")
}

async fn commit(manager: &SessionManager, session: &Session) -> Option<Token> {
    match manager.commit(session).await.expect("the store works").cookie {
        CookieChange::Set { token, .. } => Some(token),
        CookieChange::Keep | CookieChange::Remove => None,
    }
}

#[tokio::test]
async fn a_file_written_by_one_encoder_is_read_after_a_switch_to_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sessions.db");

    let before = deployed(&file, MessagePack, &[]).await;
    let session = before.new_session();
    session.insert("cart", &vec![("bread".to_owned(), 2_u32)]).expect("open");
    session.insert("visits", &1_u64).expect("open");
    let token = commit(&before, &session).await.expect("a new session");
    before.stop().await.expect("it stops");

    // The switch: what is there is read, and what is written is written anew.
    let after = deployed(&file, Json, &["MessagePack"]).await;
    let session = after.load(&token).await.expect("the store works").expect("a live session");
    assert_eq!(session.get::<Vec<(String, u32)>>("cart").expect("readable"), Some(vec![("bread".to_owned(), 2)]));
    session.update("visits", |visits: Option<u64>| visits.unwrap_or(0) + 1).expect("open");
    commit(&after, &session).await;
    after.stop().await.expect("it stops");

    // Both kinds of values are in one record now, and a third deployment reads both.
    let last = deployed(&file, Bincode, &["JSON", "MessagePack"]).await;
    let session = last.load(&token).await.expect("the store works").expect("a live session");
    assert_eq!(session.get::<u64>("visits").expect("JSON"), Some(2));
    assert_eq!(session.get::<Vec<(String, u32)>>("cart").expect("MessagePack").map(|cart| cart.len()), Some(1));
    last.stop().await.expect("it stops");

    // One that does not know the encoder says so, and loses nothing.
    let stranger = deployed(&file, Bincode, &["JSON"]).await;
    let session = stranger.load(&token).await.expect("the store works").expect("a live session");
    let error = session.get::<Vec<(String, u32)>>("cart").expect_err("MessagePack is not among its encoders");
    assert!(error.is_decode(), "{error}");
    session.insert("theme", &"dark").expect("open");
    commit(&stranger, &session).await;
    stranger.stop().await.expect("it stops");
    let last = deployed(&file, Json, &["MessagePack", "bincode"]).await;
    let session = last.load(&token).await.expect("the store works").expect("a live session");
    assert_eq!(session.keys(), ["cart", "theme", "visits"]);
    assert_eq!(session.get::<String>("theme").expect("bincode").as_deref(), Some("dark"));
    assert_eq!(session.get::<Vec<(String, u32)>>("cart").expect("untouched").map(|cart| cart.len()), Some(1));
}
