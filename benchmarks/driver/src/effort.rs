//! How much is measured.

/// The quick form ends within ten minutes, the full one takes an hour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// The name of the results.
    pub(crate) name: &'static str,
    /// Rounds of each case in process.
    pub(crate) rounds: usize,
    /// The cases whose instructions are counted; all, if there are none.
    pub(crate) instructions: &'static [&'static str],
    /// Interleaved rounds over HTTP.
    pub(crate) http_rounds: usize,
    /// Seconds of each request type in a round.
    pub(crate) http_seconds: f64,
    /// The request types over HTTP.
    pub(crate) http_paths: &'static [&'static str],
    /// Sessions whose bytes are counted in each contender's stores.
    pub(crate) held: u32,
    /// Those in ours besides.
    pub(crate) held_by_ours: &'static [u32],
    /// Numbers of sessions among which operations are measured.
    pub(crate) counts: &'static str,
    /// Sizes of records.
    pub(crate) records: &'static [&'static str],
    /// Numbers of writers on one session.
    pub(crate) writers: &'static str,
    /// Seconds of each measurement at scale.
    pub(crate) scale_seconds: f64,
    /// Expired sessions to purge.
    pub(crate) expired: u32,
}

pub(crate) const QUICK: Effort = Effort {
    name: "quick",
    rounds: 21,
    instructions: &["untouched", "read", "read_write", "new", "login", "destroy", "number_of_1k", "number_of_16k"],
    http_rounds: 3,
    http_seconds: 0.5,
    http_paths: &["untouched", "read", "read_write", "login"],
    held: 100_000,
    held_by_ours: &[],
    counts: "1000,10000,100000",
    records: &["175", "4096", "65536"],
    writers: "1,4,16,64",
    scale_seconds: 0.3,
    expired: 100_000,
};

pub(crate) const FULL: Effort = Effort {
    name: "full",
    rounds: 90,
    instructions: &[],
    http_rounds: 5,
    http_seconds: 2.0,
    http_paths: &["untouched", "read", "read_write", "new", "login", "destroy"],
    held: 100_000,
    held_by_ours: &[1_000_000],
    counts: "1000,10000,100000,1000000",
    records: &["175", "1024", "4096", "16384", "65536", "262144"],
    writers: "1,2,4,8,16,32,64",
    scale_seconds: 1.0,
    expired: 1_000_000,
};
