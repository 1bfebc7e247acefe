//! Several processes that purge one table at once (G16).

use sessions_core::SessionStore;
use sessions_sqlx::PostgresStore;

use crate::lab::Lab;
use crate::sql::{MINUTE, PATIENCE, entry, id, processes};

const EXPIRED: u64 = 5_000;
const LIMIT: u32 = 100;

/// A process in the test below: purges until nothing is left, and creates sessions all the while.
#[tokio::test]
async fn child_purges() {
    let Some((number, words)) = processes::task() else { return };
    let [url, table] = &words[..] else { panic!("{words:?}") };
    let builder = PostgresStore::builder().table(table).expect("a valid name").no_purge();
    let builder = builder.deadline(PATIENCE).expect("a valid deadline").connections(2).expect("a valid number");
    let store = builder.connect(url).await.expect("connect");
    let (mut purged, mut rounds) = (0, 0);
    loop {
        let key = id((number + 1) * 1_000_000 + rounds);
        let new = entry(1, b"x");
        let (count, created) = tokio::join!(store.purge_expired(LIMIT), store.create(&key, &new, MINUTE));
        created.expect("create");
        let count = count.expect("purge");
        assert!(count <= u64::from(LIMIT), "{count} at once");
        (purged, rounds) = (purged + count, rounds + 1);
        if count == 0 {
            break;
        }
    }
    store.stop().await.expect("stop");
    processes::report(&[purged, rounds]);
}

#[tokio::test]
async fn g16_processes_purge_together_and_each_row_once() {
    let Some(lab) = Lab::given().await else { return };
    lab.store().await.stop().await.expect("stop");
    let insert = |from: u64, to: u64, seconds: i64| {
        format!(
            "INSERT INTO {{table}} SELECT 1, clock_timestamp() + {seconds} * interval '1 second', \
             decode(lpad(to_hex(n), 32, '0'), 'hex'), NULL, '\\xab' FROM generate_series({from}, {to}) AS n"
        )
    };
    lab.sql(&insert(1, EXPIRED, -1)).await;
    lab.sql(&insert(EXPIRED + 1, EXPIRED + 500, 600)).await;
    let reports = processes::run("purges::child_purges", 3, &[&lab.url, &lab.table]);
    assert_eq!(reports.iter().map(|report| report[0]).sum::<u64>(), EXPIRED, "{reports:?}");
    let created: u64 = reports.iter().map(|report| report[1]).sum();
    let left = u64::try_from(lab.value::<i64>("SELECT count(*) FROM {table}").await).expect("not negative");
    assert_eq!(left, 500 + created, "only what had expired is gone");
    lab.end().await;
}
