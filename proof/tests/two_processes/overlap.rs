//! Promise 1 over HTTP, through two servers: nothing a handler committed is lost.

use std::collections::BTreeSet;

use crate::client::Browser;
use crate::pair::{Pair, times};

const REQUESTS: usize = 64;

/// 64 requests, half through each server, which have all loaded the session before any of them commits: each writes a key of its
/// own, and increments one counter.
pub(crate) async fn keeps_64_keys_and_counts_to_64(mut pair: Pair) {
    let [a, b] = pair.serve().await;
    for round in 0..times() {
        let mut browser = Browser::default();
        browser.visit(if round % 2 == 0 { a } else { b }, "/do/insert:before").await;
        let mut requests = tokio::task::JoinSet::new();
        for n in 0..REQUESTS {
            let (browser, server) = (browser.clone(), if n % 2 == 0 { a } else { b });
            requests.spawn(async move { browser.ask(server, &format!("/slow/insert:key{n:02}+add")).await });
        }
        for worker in [&mut pair.a, &mut pair.b] {
            for _ in 0..REQUESTS / 2 {
                assert_eq!(worker.hear().await, "arrived");
            }
        }
        for worker in [&mut pair.a, &mut pair.b] {
            worker.tell(format_args!("admit {}", REQUESTS / 2)).await;
        }
        for answer in requests.join_all().await {
            answer.quiet().parse::<u64>().expect("a number");
        }
        let expected: BTreeSet<_> = (0..REQUESTS).map(|n| format!("key{n:02}")).collect();
        for server in [a, b] {
            let keys = browser.ask(server, "/do/keys").await;
            let found: BTreeSet<_> = keys.quiet().split(',').map(str::to_owned).collect();
            assert_eq!(found.intersection(&expected).count(), REQUESTS, "every key is there");
            assert_eq!(found.len(), REQUESTS + 2, "and `before` and `count`: {found:?}");
            assert_eq!(browser.ask(server, "/do/count").await.quiet(), REQUESTS.to_string());
        }
    }
    let backend = pair.place.backend.name();
    println!(
        "proof: two processes, over HTTP: server={backend}; requests={}; overlapping={REQUESTS}; keys kept=all; counted=all",
        REQUESTS * times()
    );
    pair.stop().await;
}
