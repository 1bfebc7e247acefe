//! Switching the encoder is a deployment, not a logout.

use super::*;
use crate::encoder::{EncoderError, MessagePack, Visit};
use crate::{Encoder, SessionManagerBuilder};

/// An application's own encoder: `MessagePack` behind a byte of its own.
#[derive(Debug)]
struct Own;

impl Encoder for Own {
    fn tag(&self) -> u8 {
        200
    }

    fn encode(&self, value: &dyn erased_serde::Serialize, out: &mut Vec<u8>) -> Result<(), EncoderError> {
        out.push(b'!');
        MessagePack.encode(value, out)
    }

    fn decode(&self, bytes: &[u8], visit: Visit<'_>) -> Result<(), EncoderError> {
        MessagePack.decode(bytes.strip_prefix(b"!").ok_or("not ours")?, visit)
    }
}

fn own(builder: SessionManagerBuilder) -> SessionManagerBuilder {
    builder.encoder(Own)
}

fn own_and_before(builder: SessionManagerBuilder) -> SessionManagerBuilder {
    builder.encoder(Own).also_read(MessagePack)
}

#[test]
fn what_was_written_before_a_switch_is_read_after_it_and_back() {
    let before = Kit::new();
    let token = before.stored(|session| {
        session.insert("name", &"alice").expect("fits");
        session.insert("counter", &1u64).expect("fits");
    });
    let after = before.deployed(own_and_before);
    let session = after.open(&token);
    assert_eq!(session.get::<String>("name").expect("read").as_deref(), Some("alice"));
    increment(&session);
    assert_eq!(after.commit(&session).outcome, Outcome::Written);
    // Both encoders' values now live in one record, and a deployment that is rolled back reads both.
    let rolled_back = before.deployed(|builder| builder.also_read(Own));
    let session = rolled_back.open(&token);
    assert_eq!(session.get::<u64>("counter").expect("read"), Some(2));
    assert_eq!(session.get::<String>("name").expect("read").as_deref(), Some("alice"));
    increment(&session);
    rolled_back.commit(&session);
    assert_eq!(before.counter(token.id()), Some(3), "an update writes anew");
}

#[test]
fn without_the_earlier_encoder_its_values_are_errors_and_stay() {
    let before = Kit::new();
    let token = before.stored(|session| session.insert("name", &"alice").expect("fits"));
    let after = before.deployed(own);
    let session = after.open(&token);
    let error = session.get::<String>("name").expect_err("no encoder reads it");
    assert!(error.is_decode() && error.to_string().contains("also_read"), "{error}");
    increment(&session);
    after.commit(&session);
    assert_eq!(before.peek(token.id()).get::<String>("name").expect("intact").as_deref(), Some("alice"));
}

#[test]
#[cfg(feature = "json")]
fn json_and_message_pack_read_each_other_through_the_manager() {
    use crate::encoder::Json;
    let before = Kit::with(|builder| builder.encoder(Json));
    let token = before.stored(|session| session.insert("counter", &7u64).expect("fits"));
    let after = before.deployed(|builder| builder.also_read(Json));
    after.counts(&token, 1)();
    assert_eq!(after.counter(token.id()), Some(8));
}

#[test]
fn two_encoders_with_one_tag_are_refused() {
    let kit = Kit::new();
    let builder = SessionManager::builder(kit.store).also_read(MessagePack);
    assert!(builder.build().expect_err("one tag").is_invalid_setting());
}
