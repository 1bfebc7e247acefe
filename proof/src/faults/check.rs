//! The comparison.

use std::fmt;
use std::time::Duration;

use super::history::{Answer, Cookie, Exchange, History, Life, Role};

/// How much longer than its deadline an answer may take, and how soon after its server an application is back: what is
/// promised, on a machine that has time for us. What the slowest request without a session took comes on top: it waits for
/// the machine alone.
const GRACE: Duration = Duration::from_millis(250);
const RECOVERY: Duration = Duration::from_secs(2);

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Acknowledged visits are not there.
    Lost {
        /// The session.
        session: usize,
        /// What it has to count to at least.
        acknowledged: u64,
        /// What it counts to.
        found: u64,
    },
    /// More visits are there than were made.
    CountedTwice {
        /// The session.
        session: usize,
        /// What it can count to at most.
        made: u64,
        /// What it counts to.
        found: u64,
    },
    /// A tab was shown a number that it had been shown before, or a lower one.
    WentBack {
        /// The session.
        session: usize,
        /// What it was shown first.
        from: u64,
        /// What it was shown then.
        to: u64,
    },
    /// A session that was signed out of is there.
    Revived {
        /// The session.
        session: usize,
    },
    /// An answer that is neither the handler's nor a 503 with `Retry-After`.
    Strange(String),
    /// A request that needs no session was not served, or not as ever.
    Affected(String),
    /// A cookie was taken away, given or replaced where none should be.
    Cookie(Role, Cookie),
    /// An answer came too late.
    Late {
        /// The kind of request.
        role: Role,
        /// How long it took beyond its deadline.
        over: Duration,
        /// What the slowest request without a session took.
        noise: Duration,
    },
    /// The server was back, and the application was not.
    NotBack {
        /// How long after the server's return the refused request began.
        after: Duration,
    },
}

/// What was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Requests on sessions that the handler answered.
    pub answered: u64,
    /// Requests on sessions that were refused with 503.
    pub refused: u64,
    /// Requests that needed no session; all were served.
    pub others: u64,
    /// The longest that an answer took.
    pub longest: Duration,
    /// The most by which an answer came after its deadline.
    pub over: Duration,
    /// The slowest request that needed no session.
    pub noise: Duration,
    /// After the server's return: when the last tab had its first page again.
    pub back: Duration,
    /// Visits that were acknowledged.
    pub acknowledged: u64,
    /// Acknowledged visits that are not there.
    pub lost: u64,
    /// Sessions that were signed out of and are there.
    pub revived: u64,
}

/// Compares what was seen with what is promised.
///
/// # Errors
///
/// All that was not kept, with the figures.
#[expect(clippy::result_large_err, reason = "it is made once a run")]
pub fn judge(history: &History) -> Result<Figures, (Figures, Vec<Finding>)> {
    let mut check = Check { history, figures: Figures::default(), findings: Vec::new() };
    check.others();
    check.answers();
    check.deadlines();
    check.recovery();
    for (session, life) in history.sessions.iter().enumerate() {
        check.session(session, *life);
    }
    let Check { figures, findings, .. } = check;
    if findings.is_empty() { Ok(figures) } else { Err((figures, findings)) }
}

struct Check<'a> {
    history: &'a History,
    figures: Figures,
    findings: Vec<Finding>,
}

impl<'a> Check<'a> {
    fn with<F: Fn(&Exchange) -> bool>(&self, wanted: F) -> impl Iterator<Item = &'a Exchange> + use<'a, F> {
        self.history.exchanges.iter().filter(move |exchange| wanted(exchange))
    }

    /// Those that need no session are served, without a word about cookies and without waiting for a server.
    fn others(&mut self) {
        let mut took: Vec<Duration> = Vec::new();
        for exchange in self.with(|exchange| !exchange.role.needs_store()) {
            took.push(exchange.took());
            if exchange.answer != Answer::Page(None) {
                self.findings.push(Finding::Affected(format!("{:?}", exchange.answer)));
            }
        }
        took.sort_unstable();
        self.figures.others = took.len() as u64;
        self.figures.noise = took.last().copied().unwrap_or_default();
        if took.get(took.len() / 2).is_some_and(|median| *median > GRACE) {
            self.findings.push(Finding::Affected(format!("half of them took {:?} or more", took[took.len() / 2])));
        }
    }

    /// Status and cookie of every answer.
    fn answers(&mut self) {
        let keeps = self.history.keeps;
        for Exchange { role, answer, cookie, .. } in &self.history.exchanges {
            match answer {
                Answer::Page(_) => self.figures.answered += u64::from(role.needs_store()),
                Answer::Unavailable => self.figures.refused += 1,
                Answer::Other(text) => self.findings.push(Finding::Strange(text.clone())),
            }
            let served = matches!(answer, Answer::Page(_));
            let fits = match (role, cookie) {
                (Role::Comes, cookie) => served == (*cookie == Cookie::Set),
                // A repeated sign-out finds nothing to end, and clears nothing.
                (Role::Leaves, Cookie::Cleared) => served,
                // A server that forgot the session leads to a new one.
                (Role::Counts, Cookie::Set) => served && !keeps,
                (_, Cookie::Kept) => true,
                (_, Cookie::Set | Cookie::Cleared) => false,
            };
            if !fits {
                self.findings.push(Finding::Cookie(*role, *cookie));
            }
        }
    }

    fn deadlines(&mut self) {
        let noise = self.figures.noise;
        for exchange in self.with(|exchange| exchange.role.needs_store()) {
            let over = self.history.over(exchange);
            self.figures.longest = self.figures.longest.max(exchange.took());
            self.figures.over = self.figures.over.max(over);
            if over > GRACE + noise {
                self.findings.push(Finding::Late { role: exchange.role, over, noise });
            }
        }
    }

    fn recovery(&mut self) {
        let (back, noise) = (self.history.fault.back, self.figures.noise);
        for exchange in self.with(|exchange| exchange.role.needs_store() && exchange.answer == Answer::Unavailable) {
            let after = exchange.begun.saturating_sub(back);
            if after > RECOVERY + noise {
                self.findings.push(Finding::NotBack { after });
            }
        }
        let mut firsts: Vec<(usize, Duration)> = Vec::new();
        for Exchange { tab, ended, .. } in
            self.with(|e| e.role == Role::Counts && e.ended > back && matches!(e.answer, Answer::Page(_)))
        {
            match firsts.iter_mut().find(|(known, _)| known == tab) {
                Some((_, first)) => *first = (*first).min(*ended),
                None => firsts.push((*tab, *ended)),
            }
        }
        self.figures.back = firsts.into_iter().map(|(_, first)| first - back).max().unwrap_or_default();
    }

    fn session(&mut self, session: usize, Life { before, after }: Life) {
        let of = |role: Role, answered: fn(&Answer) -> bool| {
            self.with(move |e| e.session == Some(session) && e.role == role && answered(&e.answer)).count() as u64
        };
        let is_page: fn(&Answer) -> bool = |answer| matches!(answer, Answer::Page(_));
        let is_other: fn(&Answer) -> bool = |answer| !matches!(answer, Answer::Page(_));
        let visits = of(Role::Counts, is_page) + of(Role::Comes, is_page);
        let (acknowledged, made) = (before + visits, before + visits + of(Role::Counts, is_other));
        let (left, may_have_left) = (of(Role::Leaves, is_page) > 0, of(Role::Leaves, is_other) > 0);
        self.figures.acknowledged += visits;
        match () {
            () if left => {
                self.figures.revived += u64::from(after > 0);
                if after > 0 && self.history.keeps {
                    self.findings.push(Finding::Revived { session });
                }
            }
            () if may_have_left => {}
            () => {
                self.figures.lost += acknowledged.saturating_sub(after);
                if after < acknowledged && self.history.keeps {
                    self.findings.push(Finding::Lost { session, acknowledged, found: after });
                }
                if after > made {
                    self.findings.push(Finding::CountedTwice { session, made, found: after });
                }
            }
        }
        if self.history.keeps {
            self.sequence(session);
        }
    }

    /// What the only tab of a session is shown grows. With several, a number is shown before the commit has settled it.
    fn sequence(&mut self, session: usize) {
        let mut seen: Vec<(usize, Duration, u64)> = self
            .with(move |e| e.session == Some(session) && e.role == Role::Counts)
            .filter_map(
                |e| if let Answer::Page(Some(visits)) = e.answer { Some((e.tab, e.begun, visits)) } else { None },
            )
            .collect();
        seen.sort_unstable();
        if seen.first().map(|first| first.0) != seen.last().map(|last| last.0) {
            return;
        }
        for pair in seen.windows(2) {
            let (from, to) = (pair[0].2, pair[1].2);
            if to <= from {
                self.findings.push(Finding::WentBack { session, from, to });
            }
        }
    }
}

impl Exchange {
    fn took(&self) -> Duration {
        self.ended.saturating_sub(self.begun)
    }
}

impl History {
    /// By how much an answer came after its deadline.
    ///
    /// A request that finds its server gone waits for one load, or with no cookie for one commit. One that was under way
    /// when the server went has a commit to wait for, from then on. When some things get through, each of both steps may
    /// take its time.
    fn over(&self, exchange: &Exchange) -> Duration {
        let Self { fault, deadlines, .. } = self;
        let since = if fault.is_total { exchange.begun.max(fault.from.min(exchange.ended)) } else { exchange.begun };
        let allowed = match (fault.is_total, exchange.begun >= fault.from, exchange.role) {
            (true, true, Role::Counts | Role::Leaves) => deadlines.store,
            (true, _, _) => deadlines.commit,
            (false, _, _) => deadlines.store + deadlines.commit,
        };
        (exchange.ended - since).saturating_sub(allowed)
    }
}

impl fmt::Display for Figures {
    /// As pairs of names and numbers, which make a row of a table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answered, refused, others, longest, over, noise, back, acknowledged, lost, revived: _ } = self;
        write!(
            f,
            "answered={answered}; 503={refused}; others={others}; longest ms={}; over ms={}; noise ms={}; back ms={}; \
             acknowledged={acknowledged}; lost={lost}",
            longest.as_millis(),
            over.as_millis(),
            noise.as_millis(),
            back.as_millis(),
        )
    }
}

#[cfg(test)]
mod tests;
