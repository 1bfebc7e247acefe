//! The servers themselves, tested from where the environment says: run with `SESSIONS_TEST_SERVERS=processes` and
//! `=containers` to see both.

use std::error::Error;
use std::path::PathBuf;

use super::engine::engine;
use super::ready::{Stage, has_reached};
use super::server::{Backend, Server};
use super::{Kind, Options, Source, redis};

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::test]
async fn redis_can_be_broken_and_mended() -> Outcome {
    break_and_mend(Kind::Redis).await
}

#[tokio::test]
async fn a_redis_cluster_can_be_broken_and_mended() -> Outcome {
    break_and_mend(Kind::RedisCluster).await
}

#[tokio::test]
async fn postgres_can_be_broken_and_mended() -> Outcome {
    break_and_mend(Kind::Postgres).await
}

#[tokio::test]
async fn mariadb_can_be_broken_and_mended() -> Outcome {
    break_and_mend(Kind::MariaDb).await
}

async fn break_and_mend(kind: Kind) -> Outcome {
    let mut server = Server::start(kind).await?;
    let url = server.url().to_owned();
    assert!(answers(&server).await);

    server.pause().await?;
    assert!(!answers(&server).await, "a paused server answers");
    server.resume().await?;
    assert!(answers(&server).await);

    server.kill().await?;
    assert!(!answers(&server).await, "a killed server answers");
    server.restart().await?;
    assert!(answers(&server).await);
    server.restart().await?;
    assert!(answers(&server).await, "a running server does not survive a restart");
    server.pause().await?;
    server.restart().await?;
    assert!(answers(&server).await, "a paused server does not survive a restart");
    assert_eq!(server.url(), url);

    server.pause().await?;
    let traces = Traces::of(&server);
    drop(server);
    assert!(!traces.are_left().await?, "something is left of {kind}");
    Ok(())
}

#[tokio::test]
async fn what_redis_has_answered_survives_its_death() -> Outcome {
    let mut server = Server::start(Kind::Redis).await?;
    let port = server.endpoint.port;
    redis::ask(&server.endpoint, port, &["SET", "key", "value"]).await?;
    server.kill().await?;
    server.restart().await?;
    assert_eq!(redis::ask(&server.endpoint, port, &["GET", "key"]).await?, "value");
    Ok(())
}

#[tokio::test]
async fn a_server_takes_more_options() -> Outcome {
    let options = Options::from_env()?.argument("--maxmemory").argument("1mb");
    let server = Server::start_with(Kind::Redis, &options).await?;
    let info = redis::ask(&server.endpoint, server.endpoint.port, &["INFO", "memory"]).await?;
    assert!(info.contains("maxmemory:1048576"), "{info}");
    Ok(())
}

#[tokio::test]
async fn the_time_zone_of_redis_is_not_utc() -> Outcome {
    let server = Server::start(Kind::Redis).await?;
    let log = server.log().await;
    // NUMBER:ROLE DAY MONTH YEAR HOUR:MINUTE:SECOND.MS LEVEL TEXT
    let line = log.lines().find(|line| line.contains("Ready to accept")).ok_or("it is ready")?;
    let time = line.split(' ').nth(4).ok_or("a time")?;
    let (hour, rest) = time.split_once(':').ok_or("an hour")?;
    let minute = hour.parse::<u64>()? * 60 + rest[..2].parse::<u64>()?;
    let utc = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs() / 60;
    let late = (utc + 5 * 60 + 45 + 1440 - minute) % 1440;
    assert!(late < 5, "{late} minutes after {line}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_does_not_come_up_says_why_and_leaves_nothing() -> Outcome {
    let options = Options::from_env()?.argument("--no-such-option");
    let error = Server::start_with(Kind::Redis, &options).await.expect_err("Redis takes any option");
    assert!(error.to_string().contains("--without redis"), "{error}");
    assert!(error.to_string().contains("no-such-option"), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_address_is_not_in_debug() -> Outcome {
    let server = Server::start(Kind::Redis).await?;
    assert!(!format!("{server:?}").contains(&server.endpoint.password));
    Ok(())
}

#[test]
fn a_source_is_known_by_its_name() {
    for source in [Source::Any, Source::Containers, Source::Processes] {
        assert_eq!(Source::named(source.name()), Some(source));
    }
    assert_eq!(Source::named("clouds"), None);
}

async fn answers(server: &Server) -> bool {
    has_reached(Stage::Ready, &server.endpoint).await
}

/// What would show that a server was not cleared away.
enum Traces {
    Container(String),
    Folder(PathBuf),
}

impl Traces {
    fn of(server: &Server) -> Self {
        match &server.backend {
            Backend::Container(container) => Self::Container(container.name.clone()),
            Backend::Process(process) => Self::Folder(process.folder.clone()),
        }
    }

    async fn are_left(&self) -> Result<bool, Box<dyn Error>> {
        Ok(match self {
            Self::Container(name) => engine().await?.inspect_container(name, None).await.is_ok(),
            Self::Folder(folder) => folder.exists(),
        })
    }
}
