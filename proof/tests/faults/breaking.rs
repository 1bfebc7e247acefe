//! The faults.

use std::time::Duration;

use sessions_conformance::servers::{Kind, Options, Server};
use sessions_proof::faults::Figures;

use crate::proxy::{Cut, Held, Mode, Proxy};
use crate::scene::Scene;

/// Whether the long version was asked for.
pub(crate) fn is_long() -> bool {
    std::env::var("SESSIONS_PROOF_LONG").is_ok_and(|long| long == "1")
}

/// A server of its own, behind a network of its own, with an application in front.
pub(crate) struct Stage {
    pub(crate) server: Server,
    proxy: Proxy,
    pub(crate) scene: Scene,
}

impl Stage {
    /// Starts all three. `keeps`: whether the server, with these arguments, keeps what it acknowledges.
    pub(crate) async fn set(name: &str, kind: Kind, keeps: bool, arguments: &[&str]) -> Self {
        let (server, proxy, url) = behind_proxy(kind, arguments).await;
        let scene = Scene::of_quickstart(name, keeps, &url).await;
        Self { server, proxy, scene }
    }

    /// Every fault that there is, one after the other.
    pub(crate) async fn every_fault(&mut self) {
        let rounds = if is_long() { 5 } else { 1 };
        for _ in 0..rounds {
            self.kill().await;
            self.pause().await;
            self.cuts().await;
            self.delays().await;
            self.hold().await;
        }
    }

    /// `kill -9`, and a restart when everybody has noticed.
    pub(crate) async fn kill(&mut self) -> Figures {
        let mut phase = self.scene.phase("kill -9 and restart", true).await;
        self.server.kill().await.expect("it runs");
        phase.broken();
        phase.record().refusals(1).await;
        self.server.restart().await.expect("it comes up again");
        phase.whole();
        self.scene.finish(phase).await
    }

    /// The server hangs until everybody has noticed.
    async fn pause(&mut self) {
        let mut phase = self.scene.phase("pause and resume", true).await;
        self.server.pause().await.expect("it runs");
        phase.broken();
        phase.record().refusals(1).await;
        self.server.resume().await.expect("it is paused");
        phase.whole();
        self.scene.finish(phase).await;
    }

    /// Connections end in the middle of things.
    async fn cuts(&mut self) {
        let cuts = if is_long() { 400 } else { 40 };
        for (cut, fault) in [
            (Cut::BeforeTheRequest, "cut before the request arrives"),
            (Cut::BeforeTheAnswer, "cut after it was applied"),
            (Cut::WithinTheAnswer, "cut within the answer"),
        ] {
            let mut phase = self.scene.phase(fault, false).await;
            self.proxy.set(Mode::Cut(cut, 20));
            phase.broken();
            self.proxy.cuts(cuts).await;
            self.proxy.set(Mode::Pass);
            phase.whole();
            self.scene.finish(phase).await;
        }
    }

    /// Every answer takes its time.
    async fn delays(&mut self) {
        for (millis, fault) in [(10, "answers 10 ms late"), (1_000, "answers 1 s late")] {
            let mut phase = self.scene.phase(fault, false).await;
            self.proxy.set(Mode::Delay(Duration::from_millis(millis)));
            phase.broken();
            phase.record().answers(if millis == 10 { 20 } else { 3 }).await;
            self.proxy.set(Mode::Pass);
            phase.whole();
            self.scene.finish(phase).await;
        }
        let mut late = vec![(3, "answers 3 s late")];
        if is_long() {
            late.push((30, "answers 30 s late"));
        }
        for (seconds, fault) in late {
            let mut phase = self.scene.phase(fault, true).await;
            self.proxy.set(Mode::Delay(Duration::from_secs(seconds)));
            phase.broken();
            phase.record().refusals(2 + seconds / 2).await;
            self.proxy.set(Mode::Pass);
            phase.whole();
            self.scene.finish(phase).await;
        }
    }

    /// Nothing comes through until everybody has noticed, and then all of it: also what nobody waits for any more.
    async fn hold(&mut self) {
        for (held, fault) in [
            (Held::Answers, "answers held, then delivered"),
            (Held::Requests, "requests held, then delivered"),
            (Held::Both, "partition, then healed"),
        ] {
            let mut phase = self.scene.phase(fault, true).await;
            self.proxy.set(Mode::Hold(held));
            phase.broken();
            phase.record().refusals(2).await;
            self.proxy.set(Mode::Pass);
            phase.whole();
            self.scene.finish(phase).await;
        }
    }
}

/// A server of one's own, a proxy before it, and the URL that leads through the proxy.
pub(crate) async fn behind_proxy(kind: Kind, arguments: &[&str]) -> (Server, Proxy, String) {
    let options = Options::from_env().expect("a source of servers");
    let options = arguments.iter().fold(options, |options, argument| options.argument(*argument));
    let server = Server::start_with(kind, &options).await.unwrap_or_else(|error| panic!("{error}"));
    let port = port_of(server.url());
    let proxy = Proxy::to(([127, 0, 0, 1], port).into()).await;
    let url = server.url().replace(&format!("{HOST}{port}"), &format!("{HOST}{}", proxy.address.port()));
    (server, proxy, url)
}

/// The port in a URL on loopback.
pub(crate) fn port_of(url: &str) -> u16 {
    let (_, rest) = url.split_once(HOST).expect("a server on loopback");
    rest.split('/').next().unwrap_or_default().parse().expect("a port")
}

const HOST: &str = "@127.0.0.1:";
