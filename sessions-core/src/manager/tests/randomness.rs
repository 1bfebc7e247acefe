//! The random source fails: an error, no fallback, and nothing is written (ASVS 11.5.1).

use super::*;

#[test]
fn asvs_11_5_1_without_randomness_nothing_is_created() {
    let kit = Kit::new();
    let session = kit.manager.new_session();
    increment(&session);
    kit.random.fail_after(0);
    assert!(kit.try_commit(&session).expect_err("no randomness").is_random());
    assert!(kit.store.calls().is_empty());
    // Token and version are drawn at once.
    kit.random.fail_after(1);
    assert!(kit.opens(&token(&kit.commit(&session))), "taken up again");
    assert_eq!(kit.random.tokens(), 1);
}

#[test]
fn asvs_11_5_1_without_randomness_nothing_is_written() {
    let kit = Kit::new();
    let old = kit.stored(|_| {});
    let session = kit.open(&old);
    session.set_owner("alice").expect("open");
    let before = kit.store.stored(old.id());
    kit.random.fail_after(0);
    assert!(kit.try_commit(&session).expect_err("no randomness").is_random());
    assert_eq!(kit.store.stored(old.id()), before);
    kit.random.fail_after(1);
    let new = token(&kit.commit(&session));
    assert!(kit.opens(&new) && !kit.opens(&old));

    // Without a new token the version is all that is drawn.
    let session = kit.open(&new);
    increment(&session);
    let before = kit.store.stored(old.id());
    kit.random.fail_after(0);
    assert!(kit.try_commit(&session).expect_err("no randomness").is_random());
    assert_eq!(kit.store.stored(old.id()), before);
    kit.random.fail_after(1);
    assert_eq!(kit.commit(&session).outcome, Outcome::Written);
}

/// The version that was drawn with a token names one write: the next try draws another.
#[test]
fn every_try_of_a_rotation_has_a_version_of_its_own() {
    let kit = Kit::new();
    let old = kit.stored(increment);
    let session = kit.open(&old);
    session.rotate().expect("open");
    kit.request(&old, increment);
    kit.random.forget();
    kit.random.fail_after(1);
    assert!(kit.try_commit(&session).expect_err("nothing left for the second try").is_random());
    kit.random.fail_after(2);
    assert!(kit.opens(&token(&kit.commit(&session))));
    assert_eq!(kit.random.tokens(), 1, "one token for all tries");
}

#[test]
fn reading_touching_and_destroying_need_no_randomness() {
    let kit = Kit::with(|builder| builder.idle_timeout(secs(100)));
    let token = kit.stored(|_| {});
    kit.random.fail_after(0);
    kit.advance(50);
    let session = kit.open(&token);
    assert_eq!(kit.commit(&session).outcome, Outcome::Touched);
    assert_eq!(kit.request(&token, |session| session.destroy().expect("open")).outcome, Outcome::Deleted);
}

/// Its writes are counted. What is secret is drawn all the same.
#[test]
fn a_store_in_this_process_needs_randomness_for_tokens_alone() {
    let kit = Kit::new();
    let token = kit.stored(increment);
    let manager = |store: &Arc<dyn SessionStore>| {
        let builder = SessionManager::builder(Arc::clone(store)).clock(kit.clock.clone()).random(kit.random.clone());
        builder.build().expect("valid settings")
    };
    let try_commit = |store: &Arc<dyn SessionStore>, change: fn(&Session)| {
        let manager = manager(store);
        let session = block_on(manager.load(&token)).expect("it answers").expect("it is live");
        change(&session);
        kit.random.fail_after(0);
        block_on(manager.commit(&session))
    };
    let [local, shared]: [Arc<dyn SessionStore>; 2] =
        [Arc::new(kit.store.process_local()), Arc::new(kit.store.clone())];
    let before = kit.store.stored(token.id()).expect("it is live").version;
    assert_eq!(try_commit(&local, increment).expect("nothing is drawn").outcome, Outcome::Written);
    assert_ne!(kit.store.stored(token.id()).expect("it is live").version, before);
    assert!(try_commit(&shared, increment).expect_err("a version is drawn").is_random());
    assert!(try_commit(&local, |session| session.rotate().expect("open")).expect_err("a token is").is_random());
}
