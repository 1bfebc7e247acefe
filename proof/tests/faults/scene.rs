//! An application with its visitors, one fault after the other.

use std::net::SocketAddr;
use std::time::Duration;

use http::Method;
use sessions_proof::faults::{Answer, Deadlines, Fault, Figures, Finding, History, Life, judge};
use tokio::time::sleep;

use crate::app::App;
use crate::client::Client;
use crate::load::{Load, Visitor};

/// How long the load goes on after a fault: a little longer than the application may take to be back.
const AFTERWARDS: Duration = Duration::from_millis(2_500);

/// An application under observation.
pub(crate) struct Scene {
    /// The server's name in the table.
    server: String,
    /// Whether that server keeps what it acknowledges.
    keeps: bool,
    pub(crate) address: SocketAddr,
    app: Option<App>,
    pub(crate) visitors: Vec<Visitor>,
}

/// A fault under observation.
pub(crate) struct Phase {
    fault: String,
    is_total: bool,
    load: Load,
    from: Duration,
    back: Duration,
}

impl Scene {
    /// The quickstart on a store. On a server that keeps what it acknowledges, some browsers have two tabs.
    pub(crate) async fn of_quickstart(server: &str, keeps: bool, store: &str) -> Self {
        let app = App::quickstart(store).await;
        let address = app.address;
        let mut scene = Self { app: Some(app), ..Self::of(server, keeps, address) };
        scene.come(if keeps { &[1, 1, 1, 1, 2, 2] } else { &[1; 6] }).await;
        scene
    }

    /// Any application that has the same pages.
    pub(crate) fn of(server: &str, keeps: bool, address: SocketAddr) -> Self {
        Self { server: server.to_owned(), keeps, address, app: None, visitors: Vec::new() }
    }

    /// More browsers come, with so many tabs each.
    pub(crate) async fn come(&mut self, tabs: &[usize]) {
        for tabs in tabs {
            self.visitors.push(Visitor::come(self.address, *tabs).await);
        }
    }

    /// Puts the application under load. `is_total`: the fault will let nothing through.
    pub(crate) async fn phase(&self, fault: &str, is_total: bool) -> Phase {
        let load = Load::start(self.address, &self.visitors);
        load.record.pages(5).await;
        Phase { fault: fault.to_owned(), is_total, load, from: Duration::MAX, back: Duration::MAX }
    }

    /// Looks whether the application is as good as before, and what became of every session; fails if a promise was
    /// broken.
    pub(crate) async fn finish(&mut self, phase: Phase) -> Figures {
        let fault = phase.fault.clone();
        match self.conclude(phase).await {
            Ok(figures) => figures,
            Err((figures, findings)) => {
                let said = self.app.as_ref().map(App::last_words).unwrap_or_default();
                let some = &findings[..findings.len().min(10)];
                panic!("{}, {fault}: {} findings, {some:#?}\n{figures}\n{said}", self.server, findings.len());
            }
        }
    }

    /// The same, for those who expect findings.
    pub(crate) async fn conclude(&mut self, phase: Phase) -> Result<Figures, (Figures, Vec<Finding>)> {
        let Phase { fault, is_total, load, from, back } = phase;
        load.record.pages(5).await;
        sleep((back + AFTERWARDS).saturating_sub(load.record.now())).await;
        let (exchanges, known) = load.stop().await.take();
        let mut sessions = Vec::with_capacity(known.len());
        let mut client = Client::of(self.address);
        for (number, session) in known.iter().enumerate() {
            let seen = client.ask(Method::GET, "/", Some(&session.jar.token())).await;
            let Answer::Page(Some(visits)) = seen.answer else {
                panic!("{}, {fault}: afterwards, a visit is answered by {:?}", self.server, seen.answer);
            };
            sessions.push(Life { before: session.before, after: visits - 1 });
            if let Some(visitor) = self.visitors.get_mut(number) {
                visitor.known.before = visits;
                seen.token.into_iter().for_each(|token| visitor.known.jar.put(token));
            }
        }
        if let Some(app) = &mut self.app {
            app.assert_alive();
        }
        let fault_of = Fault { is_total, from, back };
        let keeps = self.keeps;
        let judged = judge(&History { exchanges, sessions, fault: fault_of, keeps, deadlines: Deadlines::default() });
        if let Ok(figures) = &judged {
            println!("proof: faults: server={}; fault={fault}; {figures}", self.server);
        }
        judged
    }
}

impl Phase {
    pub(crate) fn record(&self) -> &crate::record::Record {
        &self.load.record
    }

    /// From now on it is broken.
    pub(crate) fn broken(&mut self) {
        self.from = self.load.record.now();
    }

    /// From now on it is whole.
    pub(crate) fn whole(&mut self) {
        self.back = self.load.record.now();
    }
}
