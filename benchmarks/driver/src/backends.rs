//! The backends, as the contenders find them in their environment.

use std::env;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::server::pinned_to;

/// Where the backends are, and what was started for it.
#[derive(Debug)]
pub(crate) struct Backends {
    pub(crate) redis: String,
    pub(crate) postgres: String,
    /// A folder in memory, where a disk is not waited for.
    memory: PathBuf,
    /// A folder on the disk.
    disk: PathBuf,
}

impl Backends {
    /// Those that are given in the environment, and folders for SQLite.
    pub(crate) fn given() -> Result<Self, Error> {
        let given = |name: &str| {
            let variable = format!("SESSIONS_TEST_{name}_URL");
            env::var(&variable).map_err(|_| Error::new(format!("{variable} is not set: run  cargo xtask bench")))
        };
        let name = format!("sessions-bench-{}", std::process::id());
        let memory = Path::new("/dev/shm");
        let memory = if memory.is_dir() { memory.join(&name) } else { env::temp_dir().join(&name) };
        let target = env::current_exe()?;
        let disk = target.parent().unwrap_or(Path::new(".")).join(&name);
        for folder in [&memory, &disk] {
            fs::create_dir_all(folder)?;
        }
        Ok(Self { redis: given("REDIS")?, postgres: given("POSTGRES")?, memory, disk })
    }

    /// The environment of a contender: what answers may be lost with the machine, so that no disk is measured.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        self.environment_with(&self.redis)
    }

    /// The same with another Redis.
    pub(crate) fn environment_with(&self, redis: &str) -> Vec<(&'static str, String)> {
        self.with(redis, &self.postgres, &self.memory).into()
    }

    /// The same with databases that nothing else is in. In Redis the tables of a database grow by doubling, in Postgres a table
    /// has room that its dead rows have left: what had been there before would be counted as well.
    pub(crate) fn with_databases(&self, redis: u8, postgres: u8) -> Vec<(&'static str, String)> {
        let [redis_url, postgres_url, sqlite] = self.with(&self.redis, &self.postgres, &self.memory);
        let redis = in_database(&redis_url.1, &redis.to_string());
        let postgres = in_database(&postgres_url.1, &format!("bench_{postgres}"));
        vec![(redis_url.0, redis), (postgres_url.0, postgres), sqlite]
    }

    /// The environment of a contender whose answers are on the disk.
    pub(crate) fn durable(&self, postgres: &OwnServer) -> Vec<(&'static str, String)> {
        self.with(&self.redis, &postgres.url, &self.disk).into()
    }

    fn with(&self, redis: &str, postgres: &str, sqlite: &Path) -> [(&'static str, String); 3] {
        let file = sqlite.join("sessions.db").display().to_string();
        [("BENCH_REDIS", redis.to_owned()), ("BENCH_POSTGRES", postgres.to_owned()), ("BENCH_SQLITE", file)]
    }

    /// Removes the SQLite files, so that the next contender begins with none.
    pub(crate) fn clear_sqlite(&self) -> Result<(), Error> {
        for folder in [&self.memory, &self.disk] {
            for file in fs::read_dir(folder)? {
                fs::remove_file(file?.path())?;
            }
        }
        Ok(())
    }

    /// A Postgres that waits for the disk, if its programs are on this machine.
    pub(crate) fn durable_postgres(&self) -> Result<Option<OwnServer>, Error> {
        let arguments = ["postgres", "-c", "fsync=on", "-c", "full_page_writes=on"];
        let url = |port| format!("postgres://sessions:bench@127.0.0.1:{port}/sessions");
        OwnServer::start(Command::new("sh"), POSTGRES, &arguments, self.disk.with_extension("postgres"), url)
    }

    /// A Redis on the processor of the load, if its programs are on this machine. One that the system puts where it likes stands in
    /// the way of the application in one round and not in the next.
    pub(crate) fn redis_beside_the_load(&self) -> Result<Option<OwnServer>, Error> {
        let url = |port| format!("redis://:bench@127.0.0.1:{port}/");
        OwnServer::start(pinned_to(1, "sh")?, REDIS, &["redis"], self.disk.with_extension("redis"), url)
    }
}

/// The address with another database in the place of its own.
fn in_database(url: &str, database: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let server = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{server}/{database}")
}

impl Drop for Backends {
    fn drop(&mut self) {
        for folder in [&self.memory, &self.disk] {
            fs::remove_dir_all(folder).ok();
        }
    }
}

/// A server of our own, gone when this is dropped.
#[derive(Debug)]
pub(crate) struct OwnServer {
    pub(crate) url: String,
    child: Child,
    folder: PathBuf,
}

impl OwnServer {
    /// Runs one of the scripts that the tests' servers are started with, and waits until somebody listens; `None` when nobody will.
    fn start(
        mut shell: Command,
        script: &str,
        arguments: &[&str],
        folder: PathBuf,
        url: impl Fn(u16) -> String,
    ) -> Result<Option<Self>, Error> {
        fs::create_dir_all(&folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        shell.args(["-c", script]).args(arguments);
        shell.envs([("DATA", folder.as_os_str()), ("LISTEN", "127.0.0.1".as_ref()), ("PASSWORD", "bench".as_ref())]);
        shell.env("PORT", port.to_string()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut own = Self { url: url(port), child: shell.spawn()?, folder };
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if own.child.try_wait()?.is_some() || Instant::now() > deadline {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Some(own))
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // Politely: it takes its children and its shared memory along.
        Command::new("kill").arg(self.child.id().to_string()).stderr(Stdio::null()).status().ok();
        self.child.wait().ok();
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// The scripts that the tests' servers are started with.
macro_rules! script {
    ($name:literal) => {
        concat!(
            include_str!("../../../integration-tests/src/servers/scripts/common.sh"),
            include_str!(concat!("../../../integration-tests/src/servers/scripts/", $name)),
        )
    };
}

const POSTGRES: &str = script!("postgres.sh");
const REDIS: &str = script!("redis.sh");
