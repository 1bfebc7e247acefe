//! Strict rotation: with the commit every earlier token is over.

use super::*;

type Wish = fn(&Session);

const LOST: Committed = Committed::quiet(Outcome::Lost);

fn kit() -> (Kit, Token) {
    let kit = Kit::new();
    let token = kit.stored(increment);
    (kit, token)
}

fn rotate(session: &Session) {
    session.rotate().expect("open");
}

fn log_in(session: &Session) {
    session.set_owner("alice").expect("open");
}

#[test]
fn rotation_replaces_the_secret_and_nothing_else() {
    let (kit, old) = kit();
    let before = kit.peek(old.id());
    kit.advance(1_000);
    let committed = kit.request(&old, rotate);
    assert_eq!(committed.outcome, Outcome::Written);
    let new = token(&committed);
    assert_eq!(new.id(), old.id());
    assert!(kit.opens(&new) && !kit.opens(&old));
    let after = kit.peek(new.id());
    assert_eq!((after.created_at(), after.keys()), (before.created_at(), before.keys()));
    assert_eq!(after.issued_at(), Some(kit.now()));
    assert_eq!(after.deadline(), Some(kit.now().after(secs(24 * 60 * 60))), "the lifetime starts anew");
}

/// ASVS 7.2.4: every change of the owner is a change of privilege.
#[test]
fn asvs_7_2_4_setting_or_clearing_the_owner_rotates_by_itself() {
    let changes: [Wish; 3] = [
        log_in,
        |s| s.clear_owner().expect("open"),
        |s| {
            log_in(s);
            s.renew().expect("open");
        },
    ];
    for change in changes {
        let (kit, old) = kit();
        let new = token(&kit.request(&old, change));
        assert!(kit.opens(&new) && !kit.opens(&old));
    }
}

#[test]
fn logging_in_again_as_the_same_owner_rotates_too() {
    let (kit, old) = kit();
    let first = token(&kit.request(&old, log_in));
    let second = token(&kit.request(&first, log_in));
    assert!(kit.opens(&second) && !kit.opens(&first));
}

/// A slow request that was loaded before: its changes are refused, the new token stays intact, and no cookie disturbs it.
#[test]
fn a_slow_request_with_the_old_token_is_lost() {
    let wishes: [Wish; 6] = [
        increment,
        rotate,
        log_in,
        |s| s.renew().expect("open"),
        |s| {
            s.set_persistent(true).expect("open");
        },
        |s| s.clear().expect("open"),
    ];
    for change in [rotate as Wish, log_in] {
        for wish in wishes {
            let (kit, old) = kit();
            let slow = kit.open(&old);
            wish(&slow);
            let new = token(&kit.request(&old, change));
            let before = kit.store.stored(new.id());
            assert_eq!(kit.commit(&slow), LOST);
            assert_eq!(kit.store.stored(new.id()), before, "nothing was written");
            assert!(kit.opens(&new) && !kit.opens(&old));
        }
    }
}

#[test]
fn a_slow_request_that_only_renews_by_itself_does_not_fail() {
    let (kit, old) = kit();
    let slow = kit.open(&old);
    slow.renew_quietly().expect("open");
    kit.request(&old, rotate);
    assert_eq!(kit.commit(&slow), Committed::quiet(Outcome::Unchanged));
}

#[test]
fn of_two_logins_at_once_one_wins() {
    let (kit, old) = kit();
    let (first, second) = (kit.open(&old), kit.open(&old));
    log_in(&first);
    second.set_owner("bob").expect("open");
    let new = token(&kit.commit(&second));
    assert_eq!(kit.commit(&first), LOST);
    assert_eq!(kit.peek(new.id()).owner().expect("owned").as_str(), "bob");
    assert!(kit.opens(&new));
}

#[test]
fn a_commit_mints_one_secret_however_often_it_is_tried() {
    let (kit, old) = kit();
    let session = kit.open(&old);
    log_in(&session);
    rotate(&session);
    for _ in 0..5 {
        kit.store.before(Call::Update, Answer::Given, kit.counts(&old, 1));
    }
    kit.store.before(Call::Update, Answer::Lost, || {});
    let new = token(&kit.commit(&session));
    assert_eq!(kit.random.tokens(), 1);
    assert!(kit.opens(&new) && !kit.opens(&old));
    assert_eq!(kit.counter(new.id()), Some(6), "what the others wrote is there");
}

#[test]
fn superseded_is_a_refused_token_within_30_s_of_the_rotation() {
    let (kit, old) = kit();
    kit.request(&old, rotate);
    kit.clock.advance(Duration::from_millis(29_999));
    let session = kit.open(&old);
    assert!(session.is_superseded() && session.is_new() && session.is_open());
    assert_eq!((session.keys(), session.id(), session.owner()), (vec![], None, None));
    assert!(block_on(kit.manager.load(&old)).expect("the store answers").is_some_and(|s| s.is_superseded()));
    kit.clock.advance(Duration::from_millis(1));
    let session = kit.open(&old);
    assert!(!session.is_superseded() && session.is_new());
    assert!(block_on(kit.manager.load(&old)).expect("the store answers").is_none());
}

/// It creates nothing and sends no cookie, so that it cannot replace the one that the rotation has set.
#[test]
fn a_superseded_request_writes_nothing_and_sends_no_cookie() {
    let wishes: [(Wish, Outcome); 8] = [
        (|_| {}, Outcome::Unchanged),
        (|s| s.renew_quietly().expect("open"), Outcome::Unchanged),
        (increment, Outcome::Lost),
        (log_in, Outcome::Lost),
        (rotate, Outcome::Lost),
        (|s| s.renew().expect("open"), Outcome::Lost),
        (|s| s.destroy().expect("open"), Outcome::Lost),
        (
            |s| {
                s.destroy().expect("open");
                increment(s);
            },
            Outcome::Lost,
        ),
    ];
    for (wish, outcome) in wishes {
        let (kit, old) = kit();
        let new = token(&kit.request(&old, rotate));
        let session = kit.open(&old);
        kit.store.calls();
        wish(&session);
        assert_eq!(kit.commit(&session), Committed::quiet(outcome));
        assert!(kit.store.calls().is_empty());
        assert_eq!(kit.store.ids(), [new.id()]);
        assert!(kit.opens(&new));
    }
}

#[test]
fn a_destroy_by_an_overtaken_request_ends_the_session_for_all() {
    let (kit, old) = kit();
    let slow = kit.open(&old);
    slow.destroy().expect("open");
    let new = token(&kit.request(&old, rotate));
    assert_eq!(kit.commit(&slow).outcome, Outcome::Deleted);
    assert!(!kit.opens(&new), "a logout is a logout");
}
