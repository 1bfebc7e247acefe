//! The random source fails: an error, no fallback, and nothing is written (ASVS 11.5.1).

use super::*;

#[test]
fn asvs_11_5_1_without_randomness_nothing_is_created() {
    // The token is the first thing that is drawn, the version the second.
    for good in 0..2 {
        let kit = Kit::new();
        let session = kit.manager.new_session();
        increment(&session);
        kit.random.fail_after(good);
        assert!(kit.try_commit(&session).expect_err("no randomness").is_random());
        assert!(kit.store.calls().is_empty());
        kit.random.fail_after(usize::MAX);
        assert!(kit.opens(&token(&kit.commit(&session))), "taken up again");
        assert_eq!(kit.random.tokens(), 1);
    }
}

#[test]
fn asvs_11_5_1_without_randomness_nothing_is_written() {
    for good in 0..2 {
        let kit = Kit::new();
        let old = kit.stored(|_| {});
        let session = kit.open(&old);
        session.set_owner("alice").expect("open");
        let before = kit.store.stored(old.id());
        kit.random.fail_after(good);
        assert!(kit.try_commit(&session).expect_err("no randomness").is_random());
        assert_eq!(kit.store.stored(old.id()), before);
        kit.random.fail_after(usize::MAX);
        let new = token(&kit.commit(&session));
        assert!(kit.opens(&new) && !kit.opens(&old));
    }
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
