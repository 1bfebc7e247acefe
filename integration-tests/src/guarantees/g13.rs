//! G13 Namespaces (prefix, table) do not see each other; their names are validated, never spliced.

use sessions_core::{CreateOutcome, SessionStore};

use crate::expect::{Expect, after, assert_absent, assert_holds, load, write};
use crate::trial::{HOUR, Trial};

/// What may be put after the name of a namespace to reach out of it: of quoting, of a statement, of a hash slot, of a
/// pattern, of a path.
const HOSTILE: [&str; 18] = [
    "' or '1'='1",
    "\" or \"1\"=\"1",
    "`; drop table sessions; -- ",
    "; drop table sessions; --",
    "/*",
    " ",
    "\n",
    "\0",
    "{a}",
    "}",
    "*",
    "?",
    "%",
    "\\",
    ":",
    "/../x",
    "é",
    ".x",
];

pub(crate) async fn g13_namespaces_do_not_see_each_other(trial: &Trial) {
    let owner = trial.owner("alice");
    let id = trial.id();
    let stores = [trial.open().await, trial.open_beside("x").await, trial.open_beside("_2").await];
    let mut entries = Vec::new();
    for store in &stores {
        assert_absent(store, &id).await;
        let entry = trial.entry_of(&owner);
        assert_eq!(store.create(&id, &entry, HOUR).await.answer(), CreateOutcome::Created);
        entries.push(entry);
    }
    for (store, entry) in stores.iter().zip(&entries) {
        assert_holds(&load(store, &id).await, entry);
        assert!(store.owned_by(&owner).await.answer().contains(&id));
    }
}

pub(crate) async fn g13_writes_stay_in_their_namespace(trial: &Trial) {
    let (owner, entry) = (trial.owner("alice"), trial.entry_of(&trial.owner("alice")));
    let [store, other] = [trial.open().await, trial.open_beside("x").await];
    let kept = trial.create(&store, &entry).await;
    let before = load(&store, &kept).await;
    // The same version under the same id, so that only the namespace tells them apart.
    assert_eq!(other.create(&kept, &entry, HOUR).await.answer(), CreateOutcome::Created);
    assert!(other.touch(&kept, entry.version, HOUR / 2).await.answer());
    assert_eq!(load(&store, &kept).await, before);
    write(&other, &kept, entry.version, &trial.entry(), after(2 * HOUR)).await;
    assert_eq!(load(&store, &kept).await, before);
    assert_eq!(other.owned_by(&owner).await.answer(), []);
    assert_eq!(other.delete(&[kept]).await.answer(), 1);
    assert_eq!(load(&store, &kept).await, before);
    assert!(store.owned_by(&owner).await.answer().contains(&kept));
}

pub(crate) async fn g13_a_purge_stays_in_its_namespace(trial: &Trial) {
    let [store, other] = [trial.open().await, trial.open_beside("x").await];
    trial.create_expired(&store, &trial.entry()).await;
    assert_eq!(other.purge_expired(10).await.answer(), 0, "the expired session is in another namespace");
}

pub(crate) async fn g13_hostile_names_are_refused_or_kept_apart(trial: &Trial) {
    let owner = trial.owner("alice");
    let store = trial.open().await;
    let id = trial.create(&store, &trial.entry_of(&owner)).await;
    let before = load(&store, &id).await;
    let long = "n".repeat(300);
    let suffixed = HOSTILE.into_iter().chain([&*long]).map(|suffix| format!("{}{suffix}", trial.namespace()));
    let names = suffixed.chain(["", " ", "*", "1", "\"", "select"].map(String::from));
    for name in names {
        let Ok(other) = trial.open_named(&name).await else { continue };
        assert_eq!(other.load(&id).await.answer(), None, "{name:?} reads another namespace");
        assert_eq!(other.owned_by(&owner).await.answer(), [], "{name:?} reads another namespace");
        other.create(&id, &trial.entry_of(&owner), HOUR).await.answer();
        other.delete(&[id]).await.answer();
        assert_eq!(load(&store, &id).await, before, "{name:?} writes to another namespace");
    }
    // Names that a backend may cut to the same length.
    let [first, second] = [format!("{}{long}1", trial.namespace()), format!("{}{long}2", trial.namespace())];
    if let (Ok(first), Ok(second)) = (trial.open_named(&first).await, trial.open_named(&second).await) {
        let id = trial.create(&first, &trial.entry()).await;
        assert_absent(&second, &id).await;
    }
    assert!(store.owned_by(&owner).await.answer().contains(&id));
}
