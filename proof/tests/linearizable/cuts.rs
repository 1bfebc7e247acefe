//! A way to a server for each process on which connections are cut.

use std::time::Duration;

use sessions_conformance::servers::{Kind, Server};
use sessions_proof::history::backend::{Backend, Place};
use sessions_proof::history::proxy::{Cuts, Proxy, through, upstream};

/// Proxies before a server.
pub(crate) struct Troubled {
    proxies: Vec<Proxy>,
    /// The ways through them.
    pub(crate) places: [Place; 2],
    /// The way around them.
    pub(crate) direct: Place,
    /// A server that is ours alone.
    _server: Option<Server>,
}

impl Troubled {
    /// Proxies before the server of this test run; `None` when it was left out on purpose.
    pub(crate) async fn start(backend: Backend, seed: u64) -> Option<Self> {
        let direct = Place::given(backend, std::path::Path::new(""))?;
        // Silence is waited for until the deadline.
        let direct = Place { deadline: Duration::from_millis(500), ..direct };
        if backend == Backend::RedisCluster {
            return Some(Self::before_a_cluster(direct, seed).await);
        }
        let proxies = [
            Proxy::start(upstream(&direct.url), seed).await,
            Proxy::start(upstream(&direct.url), seed.wrapping_add(1)).await,
        ];
        let way = |proxy: &Proxy| Place { url: through(&direct.url, &[proxy.address()]), ..direct.clone() };
        let places = [way(&proxies[0]), way(&proxies[1])];
        Some(Self { proxies: proxies.into(), places, direct, _server: None })
    }

    /// Clients of a Cluster go where its nodes tell them to: a Cluster of our own is told to name the proxies.
    async fn before_a_cluster(direct: Place, seed: u64) -> Self {
        let server = Server::start(Kind::RedisCluster).await.unwrap_or_else(|error| panic!("{error}"));
        let (host, port) =
            upstream(server.url()).rsplit_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).expect("a port");
        let first: u16 = port.parse().expect("a port");
        let mut proxies = Vec::new();
        let mut nodes = Vec::new();
        for node in 0..3 {
            let upstream = format!("{host}:{}", first + node);
            let url = server.url().replacen(&format!("{host}:{first}"), &upstream, 1);
            let client = redis::Client::open(url).expect("a URL");
            let mut connection = client.get_multiplexed_async_connection().await.expect("a node answers");
            let proxy = Proxy::start(upstream, seed.wrapping_add(node.into())).await;
            let _: () = redis::cmd("CONFIG")
                .arg(&["SET", "cluster-announce-port", &proxy.address().port().to_string()])
                .query_async(&mut connection)
                .await
                .expect("a node can announce another port");
            proxies.push(proxy);
            nodes.push(connection);
        }
        for node in &mut nodes {
            // Until every node has heard it from every other.
            loop {
                let known: String = redis::cmd("CLUSTER").arg("NODES").query_async(node).await.expect("it answers");
                if proxies.iter().all(|proxy| known.contains(&format!(":{}@", proxy.address().port()))) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        let addresses: Vec<_> = proxies.iter().map(Proxy::address).collect();
        let place = Place { url: through(server.url(), &addresses), ..direct };
        Self { proxies, places: [place.clone(), place.clone()], direct: place, _server: Some(server) }
    }

    pub(crate) fn cut(&self) {
        self.proxies.iter().for_each(Proxy::cut);
    }

    pub(crate) async fn calm_down(&self) {
        for proxy in &self.proxies {
            proxy.calm_down().await;
        }
    }

    pub(crate) fn cuts(&self) -> Cuts {
        let mut sum = Cuts::default();
        self.proxies.iter().for_each(|proxy| sum += proxy.cuts());
        sum
    }
}
