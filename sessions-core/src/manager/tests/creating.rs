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

/// Whatever becomes of the first try, there is one session, with the one token that was handed out.
#[test]
fn an_unanswered_create_is_repeated_until_it_is_known() {
    for answer in [Answer::Lost, Answer::Swallowed, Answer::Late] {
        for times in 1..=7 {
            let kit = Kit::new();
            (0..times).for_each(|_| kit.store.answer(Call::Create, answer));
            let committed = kit.commit(&new(&kit));
            assert_eq!(committed.outcome, Outcome::Created);
            assert_eq!(kit.store.calls(), vec![Call::Create; times + 1]);
            let token = token(&committed);
            kit.counts(&token, 1)();
            kit.store.land();
            assert_eq!(kit.store.ids(), [token.id()], "{answer:?}");
            assert_eq!(kit.counter(token.id()), Some(2), "what lands late overwrites nothing");
            assert_eq!(kit.random.tokens(), 1);
        }
    }
}

/// It has landed, and administration has written on top before the repeated try.
#[test]
fn a_create_that_was_written_upon_is_known_by_its_version() {
    let kit = Kit::new();
    let session = new(&kit);
    kit.store.answer(Call::Create, Answer::Lost);
    let other = kit.clone();
    kit.store.before(Call::Create, Answer::Given, move || {
        let id = other.store.ids()[0];
        let found = other.peek(id);
        increment(&found);
        block_on(other.others.set_session(&found)).expect("written");
    });
    let token = token(&kit.commit(&session));
    assert_eq!((kit.store.ids(), kit.counter(token.id())), (vec![token.id()], Some(2)));
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
    let error = kit.try_commit(&session).expect_err("an earlier copy may have landed");
    assert!(error.is_indeterminate() && !error.is_unavailable());
    kit.store.land();
    let token = token(&kit.commit(&session));
    assert_eq!((kit.store.ids(), kit.random.tokens()), (vec![token.id()], 1));
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
