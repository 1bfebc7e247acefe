//! The suite's own negative control: each store that is broken in one way fails the tests of the guarantees that it breaks,
//! and passes every other test.

mod broken;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use broken::{Fault, Faulty, MakeFault, deletes, dropped, index, leaks, records, room, sharing, time, writes};
use sessions_conformance::tests;

/// A fault, and the guarantees that it breaks.
struct Case {
    name: &'static str,
    breaks: &'static [u8],
    fault: MakeFault,
}

macro_rules! cases {
    ($($breaks:expr, $name:literal: $fault:expr;)*) => {
        &[$(Case { name: $name, breaks: &$breaks, fault: |_| -> Arc<dyn Fault> { Arc::new($fault) } },)*]
    };
}

const CASES: &[Case] = cases! {
    [], "nothing is broken": broken::Nothing;
    [3, 5, 6, 8], "update is an upsert": writes::Upsert;
    [5, 6], "update ignores the version": writes::LastWriterWins;
    [5], "update checks, then writes": writes::CheckThenWrite;
    [5, 6], "a conflict writes": writes::ConflictWrites;
    [6], "a conflict moves the expiry": writes::ConflictMovesTheExpiry;
    [6], "a conflict returns no bytes": writes::ConflictReturnsNoBytes;
    [3, 8], "update creates what is absent": writes::UpdateCreates;
    [8], "a late update resurrects": writes::LateUpdateResurrects;
    [4], "create overwrites": writes::CreateOverwrites;
    [4], "create checks, then writes": writes::CheckThenCreate;
    [4], "create says that it created": writes::CreateAlwaysSucceeds;
    [3, 4], "create spares the expired": writes::CreateSparesTheDead;
    [3], "load ignores expiry": time::LoadIgnoresExpiry;
    [3], "update ignores expiry": time::UpdateIgnoresExpiry;
    [3], "touch ignores expiry": time::TouchIgnoresExpiry;
    [1, 3, 4, 10, 11, 15, 16, 17], "nothing expires": time::NothingExpires;
    [3], "milliseconds are cut": time::Ttls(time::cut_to_milliseconds);
    [3], "zero is forever": time::Ttls(time::zero_is_forever);
    [3], "long times overflow": time::Ttls(time::long_ones_overflow);
    [3], "short times are shorter": time::Ttls(time::short_ones_are_shorter);
    [1], "keep starts the time anew": time::KeepStartsAnew;
    [1, 3, 10, 11, 15], "after is keep": time::AfterIsKeep;
    [1, 3, 4, 6, 10, 11], "expiry in seconds": time::ExpiryInSeconds;
    [10], "touch ignores the version": time::TouchIgnoresTheVersion;
    [10], "touch checks, then moves": time::CheckThenTouch;
    [3, 10], "touch only extends": time::TouchOnlyExtends;
    [3, 10, 11], "touch only shortens": time::TouchOnlyShortens;
    [10, 11], "touch drops the owner": time::TouchDropsTheOwner;
    [8], "a touch after a delete recreates": time::LateTouchRecreates::default();
    [8], "a late touch resurrects": time::LateTouchResurrects;
    [3, 8], "a touch of nothing succeeds": time::TouchAlwaysSucceeds;
    [12], "records are truncated": records::Written(records::truncated);
    [12], "records are cut to the limit": records::Written(records::cut_to_the_limit);
    [1, 12], "records are text": records::Written(records::lossy);
    [1, 12], "records end at zero": records::Written(records::zero_terminated);
    [1, 15], "owners are cut": records::Written(records::short_owner);
    [7], "versions are signed": records::Written(records::signed_version);
    [12], "an empty record is absent": records::EmptyIsAbsent;
    [12], "too large destroys": records::TooLargeDestroys;
    [7], "versions are floats": records::VersionsAreFloats;
    [7], "versions must rise": records::VersionsMustRise;
    [1, 3, 9], "loads are cached": sharing::CachedLoads::default();
    [13], "one namespace": sharing::OneNamespace;
    [13], "names are cleaned": sharing::CleanedNames;
    [13], "names are cut": sharing::ShortNames;
    [14, 18], "a clone is empty": sharing::CloneForgets;
    [18], "a clone goes on": sharing::CloneGoesOn;
    [2, 8, 9, 11, 12, 13, 14, 15, 18], "no table": sharing::NoTable;
    [2, 8, 9, 11, 14, 15], "tombstones": sharing::Tombstones::default();
    [9], "delete takes a thousand": deletes::FirstThousand;
    [3, 9], "delete counts ids": deletes::CountsIds;
    [3], "delete counts the expired": deletes::CountsTheDead;
    [9], "delete counts, then deletes": deletes::CountThenDelete;
    [2, 9], "nothing to delete is an error": deletes::NothingToDelete;
    [16], "purge takes the live": deletes::PurgesTheLive;
    [16], "purge by the first expiry": deletes::PurgesByTheFirstExpiry::default();
    [16], "purge ignores the limit": deletes::Purge { limit: |_| u32::MAX, count: |count| count };
    [16], "purge zero is all": deletes::Purge { limit: |limit| if limit == 0 { u32::MAX } else { limit }, count: |count| count };
    [16], "purge counts nothing": deletes::Purge { limit: |limit| limit, count: |_| 0 };
    [16], "purge counts, then deletes": deletes::CountThenPurge;
    [11, 15], "the index forgets the updated": index::ForgetsTheUpdated::default();
    [11, 15], "the index keeps the deleted": index::KeepsTheDeleted::default();
    [3, 15], "the index lists the expired": index::ListsTheExpired;
    [15], "the index lists twice": index::Listed(|ids| ids.extend(ids.clone()));
    [15], "the index lists a hundred": index::Listed(|ids| ids.truncate(100));
    [15], "the index folds case": index::FoldsCase;
    [15], "no reindex, no owner": index::NoReindexNoOwner;
    [15], "the index of the loser": index::IndexOfTheLoser::default();
    [17], "the oldest is evicted": room::EvictsTheOldest::default();
    [17], "full evicts": room::FullEvicts;
    [17], "full is read-only": room::FullIsReadOnly::default();
    [17], "the bound counts the expired": room::CountsTheDead::default();
    [17], "the bound is checked, then broken": room::CheckThenCreate::default();
    [17], "the refused take room": room::RefusedTakesRoom::default();
    [18], "stop is ignored": room::StopIgnored;
    [18], "stop works once": room::StopsOnce::default();
    [18], "stop forgets": room::StopForgets;
    [18], "a task goes on": room::TaskGoesOn::default();
    [18], "stopped is full": room::StoppedIsFull;
    [11], "half a record": dropped::HalfRecord;
    [11], "half an expiry": dropped::HalfExpiry;
    [11], "half a load": dropped::HalfLoad;
    [11], "half an owner": dropped::HalfOwner;
    [11], "half a create": dropped::HalfCreate;
    [11], "half a touch": dropped::HalfTouch;
    [11], "half a delete": dropped::HalfDelete;
    [11], "connections leak": dropped::LeaksConnections::default();
    [19], "Debug shows records": leaks::DebugShowsRecords;
    [19], "Debug shows the password": leaks::DebugShowsThePassword;
    [19], "errors show the password": leaks::ErrorsShowThePassword;
    [19], "errors show records": leaks::ErrorsShowRecords;
    [19], "logs show records": leaks::LogsRecords;
    [19], "logs show hexadecimal": leaks::LogsHexadecimal;
};

/// The one fault that needs the time.
const LAST_DEADLINE_WINS: Case = Case {
    name: "the last deadline wins",
    breaks: &[15],
    fault: |clock| -> Arc<dyn Fault> { Arc::new(index::LastDeadlineWins::new(clock)) },
};

/// The names of the tests that a store with this fault fails.
async fn failures(fault: MakeFault, seed: u64) -> BTreeMap<&'static str, u8> {
    let mut failed = BTreeMap::new();
    for test in tests() {
        let (name, guarantee) = (test.name(), test.guarantee());
        let outcome = tokio::spawn(async move { test.run(Faulty::new(fault), seed).await }).await;
        if outcome.is_err() {
            failed.insert(name, guarantee);
        }
    }
    failed
}

#[allow(clippy::print_stdout)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_broken_store_fails_exactly_the_tests_of_its_guarantees() {
    let seed =
        std::env::var("SESSIONS_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().expect("a number"));
    println!("repeat with SESSIONS_SEED={seed}");
    let mut never_failed: BTreeSet<_> = tests().iter().map(sessions_conformance::Test::name).collect();
    let mut wrong = Vec::new();
    // The panics of the tests are what this is about; their messages would bury the table.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    for case in CASES.iter().chain([&LAST_DEADLINE_WINS]) {
        let failed = failures(case.fault, seed).await;
        let broken: BTreeSet<_> = failed.values().copied().collect();
        let expected: BTreeSet<_> = case.breaks.iter().copied().collect();
        println!("{:<34} fails {:<18} {} tests", case.name, format!("{broken:?}"), failed.len());
        if broken != expected {
            wrong.push(format!("{}: expected {expected:?}, fails {failed:#?}", case.name));
        }
        never_failed.retain(|name| !failed.contains_key(name));
    }
    std::panic::set_hook(hook);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(never_failed.is_empty(), "tests that no broken store fails prove nothing: {never_failed:#?}");
}
