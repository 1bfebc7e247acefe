//! G15 against a model, over random sequences of operations.

use std::collections::BTreeMap;

use sessions_core::{Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, Version};

use super::assert_owns;
use crate::expect::{Expect, KEEP, after, write};
use crate::trial::{HOUR, SHORT, Trial};

const STEPS: usize = 300;
const SESSIONS: usize = 12;

pub(crate) async fn g15_any_sequence_of_operations(trial: &Trial) {
    let stores = trial.open_twice().await;
    let owners = [None, Some(trial.owner("alice")), Some(trial.owner("bob")), Some(trial.owner("carol"))];
    let ids: Vec<_> = (0..SESSIONS).map(|_| trial.id()).collect();
    let mut model = Model::new();
    for step in 0..STEPS {
        let store = &stores[step % 2];
        let pick = |from: usize| trial.random(|random| random.usize(..from));
        let (id, owner) = (ids[pick(SESSIONS)], owners[pick(owners.len())].clone());
        let next = Entry { owner: owner.clone(), ..trial.entry() };
        match (model.get(&id).cloned(), pick(100)) {
            (None, _) => {
                // Whether the id of an expired session is free is for G4 to test.
                if store.create(&id, &next, HOUR).await.answer() == CreateOutcome::Created {
                    model.insert(id, (next.version, owner));
                }
            }
            (Some((version, before)), 0..70) => {
                // An owner that stays may be promised to stay.
                let reindex = before != owner || pick(2) == 0;
                let ttl = if pick(2) == 0 { KEEP.ttl } else { after(HOUR).ttl };
                write(store, &id, version, &next, Change { ttl, reindex }).await;
                model.insert(id, (next.version, owner));
            }
            (Some((version, _)), 70..75) => {
                write(store, &id, version, &next, after(SHORT)).await;
                trial.outlast(SHORT).await;
                model.remove(&id);
            }
            (Some(_), _) => {
                store.delete(&[id]).await.answer();
                model.remove(&id);
            }
        }
        if step % 10 == 9 {
            assert_agrees(store, &model, &owners).await;
        }
    }
}

/// The live sessions: all that the index depends on.
type Model = BTreeMap<SessionId, (Version, Option<Owner>)>;

async fn assert_agrees(store: &impl SessionStore, model: &Model, owners: &[Option<Owner>]) {
    for owner in owners.iter().flatten() {
        let theirs = model.iter().filter(|(_, (_, other))| other.as_ref() == Some(owner));
        assert_owns(store, owner, &theirs.map(|(id, _)| *id).collect::<Vec<_>>()).await;
    }
}
