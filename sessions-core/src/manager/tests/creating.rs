//! The first commit of a session.

use super::*;

fn new(kit: &Kit) -> Session {
    let session = kit.manager.new_session();
    increment(&session);
    session
}

#[test]
fn a_new_session_is_stored_and_its_token_opens_it() {
    let kit = Kit::new();
    let session = new(&kit);
    let committed = kit.commit(&session);
    assert_eq!(committed.outcome, Outcome::Created);
    let CookieChange::Set { token, persistent, max_age } = committed.cookie else { panic!("no token") };
    assert_eq!((persistent, max_age), (None, secs(24 * 60 * 60)));
    assert_eq!(session.id(), Some(token.id()));
    assert!(kit.opens(&token));
    assert_eq!(kit.counter(token.id()), Some(1));
    let create = &kit.store.seen()[0];
    assert_eq!((create.call, create.ttl), (Call::Create, Some(Ttl::After(secs(24 * 60 * 60)))));
}

#[test]
fn first_requests_in_parallel_make_one_session_each() {
    let kit = Kit::new();
    let tokens: Vec<Token> = (0..3).map(|_| new(&kit)).map(|session| token(&kit.commit(&session))).collect();
    assert_eq!(kit.store.ids().len(), 3);
    assert!(tokens.iter().all(|token| kit.opens(token)));
}

/// Whatever becomes of the earlier tries, the token that is handed out is that of the answered one, and opens the only session
/// there is, but for what lands later.
#[test]
fn an_unanswered_create_is_begun_anew_and_cleared_up() {
    for answer in [Answer::Lost, Answer::Swallowed, Answer::Late] {
        for times in 1..=7 {
            let kit = Kit::new();
            (0..times).for_each(|_| kit.store.answer(Call::Create, answer));
            let session = new(&kit);
            let committed = kit.commit(&session);
            assert_eq!(committed.outcome, Outcome::Created);
            assert_eq!(kit.store.calls(), [vec![Call::Create; times + 1], vec![Call::Delete]].concat());
            let token = token(&committed);
            assert_eq!((kit.store.ids(), session.id()), (vec![token.id()], Some(token.id())), "{answer:?}");
            assert_eq!(kit.counter(token.id()), Some(1));
        }
    }
}

/// What is over stays over, also when the create that began it lands again, or another one for the first time.
#[test]
fn a_create_that_lands_late_brings_nothing_back() {
    let kit = Kit::new();
    kit.store.answer(Call::Create, Answer::Late);
    let token = token(&kit.commit(&new(&kit)));
    let session = kit.open(&token);
    session.destroy().expect("open");
    kit.commit(&session);
    kit.store.land();
    assert!(!kit.opens(&token));
    let late = kit.store.ids();
    assert_eq!(late.len(), 1, "a session whose token nobody has");
    assert_ne!(late[0], token.id());
}

#[test]
fn what_cannot_be_cleared_up_does_not_fail_the_commit() {
    for answer in [Answer::Refused, Answer::Swallowed] {
        let kit = Kit::new();
        kit.store.answer(Call::Create, Answer::Lost);
        kit.store.answer(Call::Delete, answer);
        let token = token(&kit.commit(&new(&kit)));
        assert!(kit.opens(&token));
        assert_eq!(kit.store.ids().len(), 2);
    }
    // Nor does it take longer than a commit may.
    let kit = Kit::new();
    let clock = kit.clock.clone();
    kit.store.before(Call::Create, Answer::Lost, move || clock.advance(secs(2)));
    let clock = kit.clock.clone();
    kit.store.before(Call::Create, Answer::Given, move || clock.advance(secs(2)));
    kit.commit(&new(&kit));
    assert_eq!(kit.store.calls(), [Call::Create, Call::Create]);
}

/// A store may repeat a create by itself, and then finds its own.
#[test]
fn a_create_that_finds_its_own_version_has_landed() {
    let kit = Kit::new();
    kit.store.create_twice();
    let token = token(&kit.commit(&new(&kit)));
    assert_eq!((kit.store.ids(), kit.store.calls()), (vec![token.id()], vec![Call::Create]));
    assert!(kit.opens(&token));
}

#[test]
fn an_id_that_is_taken_is_left_alone_and_another_one_is_used() {
    let kit = Kit::new();
    let taken = kit.stored(increment);
    let before = kit.store.stored(taken.id());
    kit.random.repeat(&taken);
    let session = new(&kit);
    let token = token(&kit.commit(&session));
    assert_ne!(token.id(), taken.id());
    assert_eq!(kit.store.stored(taken.id()), before, "G4");
    assert!(kit.opens(&token) && kit.opens(&taken));
    assert_eq!(kit.store.calls(), [Call::Create, Call::Create]);
}

#[test]
fn a_store_that_refuses_is_an_error_and_nothing_is_stored() {
    for (answer, is_expected) in
        [(Answer::Refused, Error::is_unavailable as fn(&Error) -> bool), (Answer::Full, Error::is_full)]
    {
        let kit = Kit::new();
        let session = new(&kit);
        kit.store.answer(Call::Create, answer);
        assert!(is_expected(&kit.try_commit(&session).expect_err("refused")), "{answer:?}");
        assert!(kit.store.ids().is_empty());
        // Taken up again, it is the same token.
        let token = token(&kit.commit(&session));
        assert!(kit.opens(&token));
        assert_eq!(kit.random.tokens(), 1);
    }
}

#[test]
fn a_store_that_never_answers_is_indeterminate_and_the_commit_can_be_taken_up_again() {
    let kit = Kit::new();
    let session = new(&kit);
    kit.store.always(Call::Create, Answer::Late);
    assert!(kit.try_commit(&session).expect_err("no answer").is_indeterminate());
    assert!(kit.try_commit(&session).expect_err("no answer").is_indeterminate());
    kit.store.recover();
    kit.store.answer(Call::Create, Answer::Refused);
    let error = kit.try_commit(&session).expect_err("an earlier one may have landed");
    assert!(error.is_indeterminate() && !error.is_unavailable());
    kit.store.land();
    let token = token(&kit.commit(&session));
    assert_eq!(kit.store.ids(), [token.id()]);
    assert!(kit.opens(&token));
}

#[test]
fn the_commit_deadline_ends_the_repeating() {
    let kit = Kit::new();
    let session = new(&kit);
    for _ in 0..8 {
        let clock = kit.clock.clone();
        kit.store.before(Call::Create, Answer::Swallowed, move || clock.advance(secs(2)));
    }
    assert!(kit.try_commit(&session).expect_err("out of time").is_indeterminate());
    assert_eq!(kit.store.calls().len(), 2, "two store deadlines and a reserve: a third would be late");
}
