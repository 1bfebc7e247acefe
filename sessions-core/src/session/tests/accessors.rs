//! What a request reads and writes on the handle, before anything is stored and on top of what is.

use serde::Deserialize;

use super::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Cart {
    items: Vec<(String, u32)>,
    coupon: Option<String>,
}

const CART: Key<Cart> = Key::new("cart");

#[test]
fn values_of_every_kind_come_back_as_they_were() {
    let session = Session::detached();
    session.insert("text", &"käse").expect("fits");
    session.insert("owned", &String::from("käse")).expect("fits");
    session.insert("number", &u64::MAX).expect("fits");
    session.insert("negative", &i128::MIN).expect("fits");
    session.insert("nothing", &()).expect("fits");
    session.insert("none", &None::<u8>).expect("fits");
    session.insert("bytes", &vec![0u8; 300]).expect("fits");
    session.insert("", &'x').expect("fits");
    assert_eq!(session.get::<String>("text").expect("a text").as_deref(), Some("käse"));
    assert_eq!(session.get::<String>(String::from("owned")).expect("a text").as_deref(), Some("käse"));
    assert_eq!(session.get::<u64>("number").expect("a number"), Some(u64::MAX));
    assert_eq!(session.get::<i128>("negative").expect("a number"), Some(i128::MIN));
    assert_eq!(session.get::<()>("nothing").expect("nothing"), Some(()));
    assert_eq!(session.get::<Option<u8>>("none").expect("an option"), Some(None));
    assert_eq!(session.get::<Vec<u8>>("bytes").expect("bytes").map(|bytes| bytes.len()), Some(300));
    assert_eq!(session.get::<char>("").expect("a character"), Some('x'));
    assert_eq!(session.get::<u8>("missing").expect("no error"), None);
    assert_eq!(session.keys(), ["", "bytes", "negative", "none", "nothing", "number", "owned", "text"]);
}

#[test]
fn a_typed_key_is_the_plain_key_of_its_name() {
    let session = Session::detached();
    let cart = Cart { items: vec![("apple".into(), 3)], coupon: None };
    session.insert(&CART, &cart).expect("fits");
    assert!(session.contains(&CART) && session.contains("cart"));
    assert_eq!(session.get(CART).expect("a cart"), Some(cart.clone()));
    assert_eq!(session.get::<Cart>("cart").expect("a cart"), Some(cart.clone()));
    let bought = session.update(&CART, |cart| Cart { coupon: Some("SPRING".into()), ..cart.expect("it is there") });
    assert_eq!(bought.expect("a cart").coupon.as_deref(), Some("SPRING"));
    assert_eq!(session.take(&CART).expect("a cart").map(|cart| cart.items), Some(cart.items));
    session.remove(&CART).expect("open");
    assert!(!session.contains(&CART));
}

#[test]
fn a_value_of_another_type_is_an_error_that_changes_nothing() {
    let session = Session::detached();
    session.insert("n", &"text").expect("fits");
    assert!(session.get::<u64>("n").expect_err("another type").is_decode());
    assert!(session.get::<(String, String)>("n").expect_err("another type").is_decode());
    assert!(session.take::<u64>("n").expect_err("another type").is_decode());
    assert!(session.update("n", |n: Option<u64>| n.unwrap_or(0)).expect_err("another type").is_decode());
    assert_eq!(session.get::<String>("n").expect("still a text").as_deref(), Some("text"));
}

#[test]
fn changes_are_read_on_top_of_what_is_stored() {
    let kit = Kit::new();
    let token = kit.stored(|session| {
        for key in ["a", "b", "c"] {
            session.insert(key, &1).expect("fits");
        }
    });
    let session = kit.open(&token);
    session.insert("b", &2).expect("open");
    session.remove("c").expect("open");
    session.insert("d", &2).expect("open");
    session.update("a", |a: Option<i32>| a.unwrap_or(0) + 5).expect("a number");
    assert_eq!(session.keys(), ["a", "b", "d", "stored"]);
    assert_eq!(session.get::<i32>("a").expect("a number"), Some(6));
    assert_eq!(session.get::<i32>("b").expect("a number"), Some(2));
    assert_eq!(session.get::<i32>("c").expect("no error"), None);
    assert!(!session.contains("c") && session.contains("d"));
    session.clear().expect("open");
    assert_eq!(session.keys(), [""; 0]);
    session.insert("c", &3).expect("open");
    assert_eq!(session.get::<i32>("c").expect("a number"), Some(3));
    assert_eq!(session.keys(), ["c"]);
}

#[test]
fn taking_removes_what_it_gives() {
    let kit = Kit::new();
    let token = kit.stored(|session| session.insert("flash", &"saved").expect("fits"));
    let session = kit.open(&token);
    assert_eq!(session.take::<String>("flash").expect("a text").as_deref(), Some("saved"));
    assert_eq!(session.take::<String>("flash").expect("no error"), None);
    kit.commit(&session);
    assert!(!kit.peek(token.id()).contains("flash"));
}

#[test]
fn what_a_session_says_of_itself() {
    let kit = Kit::with(|builder| builder.idle_timeout(secs(600)));
    let new = kit.manager.new_session();
    assert!(new.is_new() && new.is_open() && !new.has_token() && !new.is_superseded() && !new.is_changed());
    assert_eq!((new.id(), new.created_at(), new.issued_at(), new.deadline()), (None, None, None, None));
    assert_eq!((new.expires_at(), new.last_active(), new.owner()), (None, None, None));

    new.set_owner("user-42").expect("valid");
    let began = kit.now();
    let token = token(&kit.commit(&new));
    assert_eq!(new.id(), Some(token.id()), "a new session has an id after its first commit");
    kit.advance(60);
    let session = kit.open(&token);
    assert!(!session.is_new() && session.has_token());
    assert_eq!(session.id(), Some(token.id()));
    assert_eq!((session.created_at(), session.issued_at()), (Some(began), Some(began)));
    assert_eq!(session.deadline(), Some(began.after(secs(24 * 60 * 60))));
    assert_eq!(session.expires_at(), Some(began.after(secs(600))));
    assert_eq!(session.last_active(), Some(began));
    assert_eq!(session.owner().as_ref().map(Owner::as_str), Some("user-42"));

    session.clear_owner().expect("open");
    assert_eq!(session.owner(), None, "with this request's change taken into account");
    session.destroy().expect("open");
    assert!(session.is_new());
    assert_eq!((session.created_at(), session.owner()), (None, None));
}

#[test]
fn clones_are_the_same_session() {
    let session = Session::detached();
    let clone = session.clone();
    clone.insert("a", &1).expect("open");
    assert_eq!(session.get::<i32>("a").expect("a number"), Some(1));
    session.seal();
    assert!(clone.insert("a", &2).expect_err("sealed").is_sealed());
}

#[test]
fn nothing_that_was_cleared_is_read() {
    let kit = Kit::new();
    let session = kit.open(&kit.stored(|session| session.insert("a", &1).expect("fits")));
    session.clear().expect("open");
    assert_eq!(session.get::<i32>("a").expect("nothing to be decoded"), None);
    assert_eq!(session.update("a", |a: Option<i32>| a.unwrap_or(10) + 1).expect("open"), 11);
    assert_eq!(session.keys(), ["a"]);
}

/// ASVS 16.2.5: neither the handle, nor its manager, nor an error shows a secret or a value.
#[test]
fn asvs_16_2_5_debug_shows_no_values_and_no_tokens() {
    let kit = Kit::new();
    let token = kit.stored(|session| {
        session.insert("password", &"hunter2").expect("fits");
        session.set_owner("alice@example.org").expect("valid");
    });
    let session = kit.open(&token);
    session.insert("pin", &"hunter3").expect("open");
    session.update("word", |_: Option<String>| "hunter4".to_owned()).expect("open");
    let delta = format!("{:?}", session.state().delta);
    let shown = format!(
        "{session:?} {session:#?} {delta} {:?} {:?} {:?}",
        kit.manager,
        session.get::<u64>("password").expect_err("another type"),
        session.owner(),
    );
    assert!(shown.starts_with("Session { id: "), "{shown}");
    let text = token.encode();
    let secret = &text.as_str()[22..];
    for hidden in ["hunter", "alice", secret] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    let committed = kit.request(&token, |session| session.rotate().expect("open"));
    let (shown, text) = (format!("{committed:?}"), super::token(&committed).encode());
    assert!(!shown.contains(&text.as_str()[22..]), "{shown}");
}

#[test]
fn a_value_reads_the_same_however_long_it_is_and_wherever_it_comes_from() {
    let kit = Kit::new();
    let texts: Vec<String> = (0..2 * SHORT).map(|len| "x".repeat(len)).collect();
    let all = |session: &Session| {
        for text in &texts {
            assert_eq!(session.get::<String>(text.len().to_string()).expect("a text").as_ref(), Some(text));
        }
    };
    let token = kit.stored(|session| {
        for text in &texts {
            session.insert(text.len().to_string(), text).expect("open");
        }
        all(session);
    });
    all(&kit.open(&token));
}
