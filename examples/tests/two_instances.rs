//! Two instances of the quickstart that share one store, behind a load balancer: the deployment of `docs/stores.md`.

mod support;

use std::time::{SystemTime, UNIX_EPOCH};

use hyper::StatusCode;
use sessions_conformance::servers::{Kind, given};
use support::{Balancer, Client, Program, overlap, signed_in};
use tempfile::TempDir;

const STRANGER: Option<&str> = None;

struct Deployment {
    one: Program,
    two: Program,
    balancer: Balancer,
    folder: TempDir,
    /// A name that nobody else has signed in with: the store is shared with other tests, and perhaps with earlier runs.
    name: String,
}

impl Deployment {
    async fn start(store: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // At the same time: each sets up what is missing.
        let (one, two) =
            tokio::join!(Program::quickstart(store, folder.path()), Program::quickstart(store, folder.path()));
        let balancer = Balancer::start(&[one.address, two.address]).await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970");
        Self { one, two, balancer, folder, name: format!("Ada {:x}", now.as_nanos()) }
    }

    /// A browser that has signed in through the load balancer.
    async fn browser(&self) -> Client {
        signed_in(self.balancer.address, &self.name).await
    }

    /// Who is signed in with this browser, as each instance sees it.
    async fn seen(&self, browser: &Client) -> [Option<String>; 2] {
        [name_at(&self.one, browser).await, name_at(&self.two, browser).await]
    }
}

/// What [`Deployment::seen`] gives where the two agree.
fn both(name: Option<&str>) -> [Option<String>; 2] {
    [(); 2].map(|()| name.map(str::to_owned))
}

async fn name_at(program: &Program, browser: &Client) -> Option<String> {
    browser.at(program.address).get("/").await.text_of(r#"id="visitor""#).map(str::to_owned)
}

/// The sign-in goes to one, the page that follows comes from the other.
async fn a_sign_in_on_one_is_seen_on_the_other(store: &str) {
    let here = Deployment::start(store).await;
    let name = Some(here.name.as_str());
    let mut at_one = signed_in(here.one.address, &here.name).await;
    let at_two = signed_in(here.two.address, &here.name).await;
    for browser in [&at_one, &at_two, &here.browser().await] {
        assert_eq!(here.seen(browser).await, both(name));
        assert_eq!(browser.clone().get("/").await.sessions().len(), 3, "each lists all");
    }
    at_one.submit("/cart/add", &[("product", "Bread")]).await;
    assert_eq!(at_one.at(here.two.address).get("/").await.number_of(r#"data-product="Bread""#), 1);
    assert_eq!(here.balancer.served(), [2, 1], "the load balancer gave work to both");
}

/// ASVS 7.2.4, 7.4.1, 7.4.3, 7.5.2: what is over on one is over on the other, with its next request.
async fn what_is_ended_on_one_is_over_on_the_other(store: &str) {
    let here = Deployment::start(store).await;
    let (laptop, phone, tablet) = (here.browser().await, here.browser().await, here.browser().await);
    let name = Some(here.name.as_str());

    // One of several sessions, by its id.
    let lines = laptop.at(here.one.address).get("/").await.sessions();
    let id = &phone.token().expect("a cookie")[..21];
    let (id, _) = lines.iter().find(|(line, _)| line.starts_with(id)).expect("the phone is listed");
    laptop.at(here.one.address).submit(&format!("/sessions/{id}/end"), &[]).await;
    assert_eq!(here.seen(&phone).await, both(STRANGER));

    // All but this one.
    let page = tablet.at(here.two.address).submit("/sign-out-elsewhere", &[]).await;
    assert!(page.body.contains("1 session ended"), "{}", page.body);
    assert_eq!(here.seen(&laptop).await, both(STRANGER));
    assert_eq!(here.seen(&tablet).await, both(name));

    // This one.
    tablet.at(here.one.address).post("/sign-out", &[]).await;
    assert_eq!(here.seen(&tablet).await, both(STRANGER));

    // A token that was rotated away.
    let mut visitor = Client::new(here.one.address);
    visitor.get("/").await;
    let thief = visitor.clone();
    visitor.submit("/sign-in", &[("name", &here.name)]).await;
    assert_eq!(here.seen(&visitor).await, both(name));
    assert_eq!(here.seen(&thief).await, both(STRANGER));
}

async fn sixty_four_overlapping_requests_over_both_lose_nothing(store: &str) {
    let here = Deployment::start(store).await;
    let mut browser = here.browser().await;
    let before = here.balancer.served();
    overlap(&mut browser).await;
    let served: Vec<_> = here.balancer.served().iter().zip(before).map(|(now, then)| now - then).collect();
    assert_eq!(served, [33, 33], "half each");
}

async fn one_stops_and_the_other_goes_on(store: &str) {
    let Deployment { one, two, balancer, folder, name } = Deployment::start(store).await;
    let mut browser = signed_in(balancer.address, &name).await;
    browser.submit("/cart/add", &[("product", "Coffee")]).await;

    one.stop().await;
    for _ in 0..4 {
        let page = browser.get("/").await;
        assert_eq!(page.text_of(r#"id="visitor""#), Some(name.as_str()));
        assert_eq!(page.number_of(r#"data-product="Coffee""#), 1);
    }

    // Killed, not stopped; a new one finds everything.
    two.signal("KILL").await;
    assert!(!two.ended().await.success());
    assert_eq!(browser.get("/").await.status, StatusCode::BAD_GATEWAY, "the negative control");
    let three = Program::quickstart(store, folder.path()).await;
    let page = browser.at(three.address).submit("/sign-out-elsewhere", &[]).await;
    assert_eq!(page.text_of(r#"id="visitor""#), Some(name.as_str()));
    assert_eq!(page.number_of(r#"data-product="Coffee""#), 1);
    assert_eq!(page.sessions().len(), 1);
    three.stop().await;
}

macro_rules! deployments {
    ($($store:ident: $url:expr;)*) => { $(
        mod $store {
            deployments! { @tests $url;
                a_sign_in_on_one_is_seen_on_the_other
                what_is_ended_on_one_is_over_on_the_other
                sixty_four_overlapping_requests_over_both_lose_nothing
                one_stops_and_the_other_goes_on
            }
        }
    )* };
    (@tests $url:expr; $($test:ident)*) => { $(
        #[tokio::test]
        async fn $test() {
            if let Some(url) = $url {
                super::$test(&url).await;
            }
        }
    )* };
}

deployments! {
    redis: super::given(super::Kind::Redis);
    redis_cluster: super::cluster();
    postgres: super::given(super::Kind::Postgres);
    mysql: super::given(super::Kind::MariaDb);
    // One file, on one machine.
    sqlite: Some("sqlite:shared.db".to_owned());
}

/// The environment names a node; the rest of the Cluster is found through it.
fn cluster() -> Option<String> {
    given(Kind::RedisCluster).map(|url| url.replacen("redis://", "redis+cluster://", 1))
}
