//! A Postgres that restarts, is killed and falls silent under the store.

use std::sync::Arc;

use sessions_conformance::servers::{Kind, Server, is_left_out};
use sessions_core::SessionStore;
use sessions_sqlx::PostgresStore;

use crate::sql::outages;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_loses_nothing() {
    if is_left_out(Kind::Postgres) {
        return;
    }
    let mut server = Server::start(Kind::Postgres).await.expect("a server of its own");
    let builder = PostgresStore::builder().no_purge().connections(4).expect("a valid number");
    let builder = builder.deadline(outages::DEADLINE).expect("a valid deadline");
    let store = builder.connect(server.url()).await.expect("connect");
    store.migrate().await.expect("migrate");
    let store: Arc<dyn SessionStore> = Arc::new(store);
    outages::restart_between_load_and_commit(&mut server, Arc::clone(&store)).await;
    outages::down_between_load_and_commit(&mut server, Arc::clone(&store)).await;
    outages::silence_while_committing(&mut server, Arc::clone(&store)).await;
    outages::killed_while_many_commit(&mut server, Arc::clone(&store)).await;
    store.stop().await.expect("stop");
}
