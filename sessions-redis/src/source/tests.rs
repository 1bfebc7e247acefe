use super::*;

fn parse(url: &str) -> Result<Origin, Error> {
    Origin::parse(url, Duration::from_secs(2))
}

#[test]
fn urls_of_one_server() {
    for url in ["redis://localhost", "redis://u:p@[::1]:6380/3", "valkey://h/", "unix:///run/redis.sock?db=2"] {
        let Ok(Origin::Client(client)) = parse(url) else { panic!("{url}") };
        assert_eq!(client.get_connection_info().redis_settings().protocol(), ProtocolVersion::RESP3, "{url}");
    }
    let Ok(Origin::Client(client)) = parse("redis://h/?protocol=resp2") else { panic!("a valid URL") };
    assert_eq!(client.get_connection_info().redis_settings().protocol(), ProtocolVersion::RESP2);
}

#[test]
fn g19_other_urls_are_refused_without_being_quoted() {
    let bad = [
        "",
        "hunter2",
        "http://u:hunter2@h/",
        "redis://u:hunter2@h:99999/",
        "redis://u:hunter2@h/zero",
        "redis://u:hunter2@0.0.0.0/",
        "redis://u:hunter2@h/?protocol=hunter2",
        "redis+cluster://u:hunter2@h:99999",
    ];
    for url in bad {
        let error = parse(url).expect_err(url);
        assert!(error.is_invalid_url(), "{url}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error}");
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn tls_without_its_feature_says_so() {
    assert!(parse("rediss://localhost").expect_err("no TLS here").to_string().contains("feature `tls`"));
}

#[cfg(feature = "cluster")]
#[test]
fn urls_of_a_cluster() {
    for url in ["redis+cluster://a:7000,b:7001,c", "valkey+cluster://u:p@a/", "redis+cluster://:p@a,b?protocol=resp2"] {
        let Ok(Origin::Cluster { ours, .. }) = parse(url) else { panic!("{url}") };
        assert_eq!(ours, !url.contains("protocol"), "{url}");
    }
}

#[test]
fn g19_debug_says_the_kind_alone() {
    let source = Source::from(Client::open("redis://u:hunter2@localhost").expect("a valid URL"));
    assert_eq!(format!("{source:?}"), "Client");
}
