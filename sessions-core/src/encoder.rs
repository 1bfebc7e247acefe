//! How values become bytes.
//!
//! Every stored value starts with its encoder's one-byte tag. The manager writes with one encoder and reads with all it
//! was given, so that switching encoders is a deployment, not a logout.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Turns values into bytes and back; dyn-compatible through `erased_serde`.
///
/// An implementation must be deterministic enough that what it wrote, it reads; must bound what hostile bytes make it
/// allocate; and must refuse bytes that are left over. It depends on the crate `erased-serde`.
///
/// ```
/// use sessions_core::SessionManager;
/// use sessions_core::encoder::{Encoder, EncoderError, Visit};
/// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
/// # use kit::*;
///
/// /// The plain text of values that have one, as the application wrote them before it used this library.
/// #[derive(Debug)]
/// struct Text;
///
/// impl Encoder for Text {
///     fn tag(&self) -> u8 {
///         128
///     }
///
///     fn encode(&self, value: &dyn erased_serde::Serialize, out: &mut Vec<u8>) -> Result<(), EncoderError> {
///         let text = serde_json::to_value(value)?.as_str().ok_or("not a text")?.to_owned();
///         out.extend_from_slice(text.as_bytes());
///         Ok(())
///     }
///
///     fn decode(&self, bytes: &[u8], visit: Visit<'_>) -> Result<(), EncoderError> {
///         let text = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(std::str::from_utf8(bytes)?);
///         Ok(visit(&mut <dyn erased_serde::Deserializer<'_>>::erase(text))?)
///     }
/// }
///
/// # run(async {
/// let manager = SessionManager::builder(store()).encoder(Text).build()?;
/// let session = manager.new_session();
/// session.insert("name", &"alice")?;
/// assert_eq!(session.get::<String>("name")?.as_deref(), Some("alice"));
/// assert!(session.insert("age", &7).unwrap_err().is_encode());
/// # Ok(()) });
/// ```
pub trait Encoder: fmt::Debug + Send + Sync + 'static {
    /// The byte that marks this encoder's values. 0 to 127 are this library's, 128 to 255 are free for applications.
    fn tag(&self) -> u8;

    /// Appends the bytes of `value` to `out`.
    ///
    /// # Errors
    ///
    /// When the value cannot be represented.
    fn encode(&self, value: &dyn erased_serde::Serialize, out: &mut Vec<u8>) -> Result<(), EncoderError>;

    /// Hands a deserializer over `bytes` to `visit`, once.
    ///
    /// # Errors
    ///
    /// What `visit` returned, or that bytes are left over.
    fn decode(&self, bytes: &[u8], visit: Visit<'_>) -> Result<(), EncoderError>;
}

/// What [`Encoder::decode`] hands its deserializer to.
pub type Visit<'a> = &'a mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> Result<(), erased_serde::Error>;

/// What an encoder says when it fails. It may quote the value: never log it.
pub type EncoderError = Box<dyn std::error::Error + Send + Sync>;

/// `MessagePack` with named fields: the default. Compact and self-describing, so that a value of another type is an error
/// and a field added to a struct with `#[serde(default)]` is no logout. Values are nested at most 128 deep. Tag 1.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sessions_core::{Encoder, Session};
///
/// #[derive(Serialize)]
/// struct Before {
///     theme: String,
/// }
///
/// #[derive(Deserialize)]
/// struct After {
///     theme: String,
///     #[serde(default)]
///     language: Option<String>,
/// }
///
/// let session = Session::detached();
/// session.insert("settings", &Before { theme: "dark".into() })?;
/// let settings: After = session.get("settings")?.expect("it was just set");
/// assert_eq!((settings.theme.as_str(), settings.language), ("dark", None));
/// assert_eq!(sessions_core::MessagePack.tag(), 1);
/// # Ok::<(), sessions_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct MessagePack;

impl Encoder for MessagePack {
    fn tag(&self) -> u8 {
        1
    }

    fn encode(&self, value: &dyn erased_serde::Serialize, out: &mut Vec<u8>) -> Result<(), EncoderError> {
        let mut serializer = rmp_serde::Serializer::new(out).with_struct_map();
        Ok(erased_serde::serialize(value, &mut serializer)?)
    }

    fn decode(&self, bytes: &[u8], visit: Visit<'_>) -> Result<(), EncoderError> {
        let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
        deserializer.set_max_depth(MAX_DEPTH);
        visit(&mut <dyn erased_serde::Deserializer<'_>>::erase(&mut deserializer))?;
        // At the end there is no marker of a further item to be read.
        match IgnoredAny::deserialize(&mut deserializer) {
            Err(rmp_serde::decode::Error::InvalidMarkerRead(_)) => Ok(()),
            _ => Err("bytes are left over".into()),
        }
    }
}

/// JSON: larger, but readable in a database console. Tag 2.
#[cfg(feature = "json")]
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

#[cfg(feature = "json")]
impl Encoder for Json {
    fn tag(&self) -> u8 {
        2
    }

    fn encode(&self, value: &dyn erased_serde::Serialize, out: &mut Vec<u8>) -> Result<(), EncoderError> {
        Ok(erased_serde::serialize(value, &mut serde_json::Serializer::new(out))?)
    }

    fn decode(&self, bytes: &[u8], visit: Visit<'_>) -> Result<(), EncoderError> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        visit(&mut <dyn erased_serde::Deserializer<'_>>::erase(&mut deserializer))?;
        Ok(deserializer.end()?)
    }
}

/// bincode 2, for applications that already hold such values. Tag 3.
///
/// Not the default: it is not self-describing, so that a value read as another type may decode to nonsense, and a changed
/// struct does not decode. Upstream ended in 2025 (RUSTSEC-2025-0141); this feature is pinned to 2.0.1, the last release
/// that works. A value claims at most 16 MiB while decoding; a type that contains itself is decoded as deep as its bytes say,
/// and is not for this encoder.
#[cfg(feature = "bincode")]
#[derive(Debug, Clone, Copy, Default)]
pub struct Bincode;

#[cfg(feature = "bincode")]
impl Encoder for Bincode {
    fn tag(&self) -> u8 {
        3
    }

    fn encode(&self, value: &dyn erased_serde::Serialize, out: &mut Vec<u8>) -> Result<(), EncoderError> {
        bincode::serde::encode_into_std_write(value, out, bincode_config())?;
        Ok(())
    }

    fn decode(&self, bytes: &[u8], visit: Visit<'_>) -> Result<(), EncoderError> {
        let ((), read) = bincode::serde::seed_decode_from_slice(Seed(visit), bytes, bincode_config())?;
        if read == bytes.len() { Ok(()) } else { Err("bytes are left over".into()) }
    }
}

/// How deep values may be nested, as in JSON: no bytes in a store overflow the stack (ASVS 1.5.2).
const MAX_DEPTH: usize = 128;

#[cfg(feature = "bincode")]
fn bincode_config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<{ 16 * 1024 * 1024 }>()
}

/// Lends the visitor to bincode, which wants to know how much of the slice was read.
#[cfg(feature = "bincode")]
struct Seed<'a>(Visit<'a>);

#[cfg(feature = "bincode")]
impl<'de> serde::de::DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut erased = <dyn erased_serde::Deserializer<'_>>::erase(deserializer);
        (self.0)(&mut erased).map_err(serde::de::Error::custom)
    }
}

/// The encoder that writes and those that read.
#[derive(Debug, Clone)]
pub(crate) struct Codecs {
    writer: Arc<dyn Encoder>,
    readers: Vec<Arc<dyn Encoder>>,
}

impl Codecs {
    /// `writer` reads too. Two encoders with one tag are an error.
    pub(crate) fn new(writer: Arc<dyn Encoder>, readers: Vec<Arc<dyn Encoder>>) -> Result<Self, Error> {
        let mut tags: Vec<u8> = readers.iter().map(|reader| reader.tag()).chain([writer.tag()]).collect();
        tags.sort_unstable();
        match tags.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::invalid_encoders(pair[0])),
            None => Ok(Self { writer, readers }),
        }
    }

    /// Tag and bytes of a value.
    pub(crate) fn encode<T: Serialize>(&self, key: &str, value: &T) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(32);
        out.push(self.writer.tag());
        self.writer.encode(value, &mut out).map_err(|source| Error::encode(key, source))?;
        Ok(out)
    }

    /// The value behind its tag.
    pub(crate) fn decode<T: DeserializeOwned>(&self, key: &str, tagged: &[u8]) -> Result<T, Error> {
        let wrong = || Error::decode(key, std::any::type_name::<T>());
        let (&tag, bytes) = tagged.split_first().ok_or_else(wrong)?;
        let reader = std::iter::once(&self.writer)
            .chain(&self.readers)
            .find(|reader| reader.tag() == tag)
            .ok_or_else(|| Error::unknown_encoder(key, tag))?;
        let mut value = None;
        reader
            .decode(bytes, &mut |deserializer| {
                value = Some(erased_serde::deserialize(deserializer)?);
                Ok(())
            })
            .map_err(|_| wrong())?;
        value.ok_or_else(wrong)
    }
}

impl Default for Codecs {
    fn default() -> Self {
        Self { writer: Arc::new(MessagePack), readers: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Arc<dyn Encoder>> {
        vec![
            Arc::new(MessagePack),
            #[cfg(feature = "json")]
            Arc::new(Json),
            #[cfg(feature = "bincode")]
            Arc::new(Bincode),
        ]
    }

    #[test]
    fn what_one_encoder_wrote_is_read_after_a_switch_to_any_other() {
        let value = (7u64, String::from("käse"), vec![Some(1i8), None]);
        for old in all() {
            let before = Codecs::new(old.clone(), vec![]).expect("one encoder");
            let stored = before.encode("k", &value).expect("encodes");
            for new in all().into_iter().filter(|new| new.tag() != old.tag()) {
                let after = Codecs::new(new, vec![old.clone()]).expect("two tags");
                assert_eq!(after.decode::<(u64, String, Vec<Option<i8>>)>("k", &stored).expect("reads"), value);
            }
        }
    }

    #[test]
    fn left_over_bytes_another_type_and_an_unknown_tag_are_errors() {
        for encoder in all() {
            let codecs = Codecs::new(encoder.clone(), vec![]).expect("one encoder");
            let mut stored = codecs.encode("k", &"text").expect("encodes");
            assert!(codecs.decode::<Vec<(u64, u64)>>("k", &stored).expect_err("another type").is_decode());
            assert!(codecs.decode::<String>("k", &[99, 1]).expect_err("unknown tag").is_decode());
            assert!(codecs.decode::<String>("k", &[]).expect_err("no tag").is_decode());
            stored.truncate(stored.len() - 1);
            assert!(codecs.decode::<String>("k", &stored).expect_err("truncated").is_decode());
        }
    }

    /// What a self-describing encoder must notice: a shape that only begins like the one that was asked for.
    #[test]
    fn a_value_of_another_shape_is_an_error() {
        for encoder in all().into_iter().filter(|encoder| encoder.tag() != 3) {
            let codecs = Codecs::new(encoder, vec![]).expect("one encoder");
            let triple = codecs.encode("k", &(1u64, "two", 3u8)).expect("encodes");
            assert!(codecs.decode::<(u64, String)>("k", &triple).expect_err("shorter").is_decode());
            assert!(codecs.decode::<(u64, String, u8, u8)>("k", &triple).expect_err("longer").is_decode());
            assert!(codecs.decode::<(String, String, u8)>("k", &triple).expect_err("another type").is_decode());
            let large = codecs.encode("k", &300u64).expect("encodes");
            assert!(codecs.decode::<u8>("k", &large).expect_err("out of range").is_decode());
            assert!(codecs.decode::<bool>("k", &large).expect_err("no bool").is_decode());
            for extra in [&b"\x01"[..], b"\xd9", b"\xc1", b"\xff\xff"] {
                let extended = [&large, extra].concat();
                assert!(codecs.decode::<u64>("k", &extended).expect_err("left over").is_decode());
            }
        }
    }

    /// ASVS 1.5.2: nesting that would overflow the stack is an error.
    #[test]
    fn asvs_1_5_2_deep_nesting_is_an_error() {
        #[derive(Debug, serde::Deserialize)]
        struct Nested(#[expect(dead_code, reason = "only its depth matters")] Vec<Nested>);
        let mut stored = vec![1];
        stored.extend(std::iter::repeat_n(0x91, 1_000_000));
        assert!(Codecs::default().decode::<Nested>("k", &stored).expect_err("too deep").is_decode());
    }

    #[test]
    fn a_decode_error_never_quotes_the_value() {
        let codecs = Codecs::default();
        let stored = codecs.encode("k", &"hunter2").expect("encodes");
        let error = codecs.decode::<u64>("k", &stored).expect_err("another type");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn one_tag_for_two_encoders_is_refused() {
        let error = Codecs::new(Arc::new(MessagePack), vec![Arc::new(MessagePack)]).expect_err("same tag");
        assert!(error.is_invalid_setting());
    }

    /// They are in every stored record.
    #[test]
    fn tags_stay_what_they_are() {
        for encoder in all() {
            let tag = match format!("{encoder:?}").as_str() {
                "MessagePack" => 1,
                "Json" => 2,
                "Bincode" => 3,
                other => panic!("{other} has no tag yet"),
            };
            assert_eq!(encoder.tag(), tag, "{encoder:?}");
        }
    }

    #[test]
    #[cfg(feature = "bincode")]
    fn asvs_1_5_2_a_claimed_length_does_not_allocate() {
        let codecs = Codecs::new(Arc::new(Bincode), vec![]).expect("one encoder");
        let claims_2_to_the_60 = [3, 253, 0, 0, 0, 0, 0, 0, 0, 16];
        assert!(codecs.decode::<Vec<u8>>("k", &claims_2_to_the_60).expect_err("refused").is_decode());

        let stored = |bytes: usize| codecs.encode("k", &"x".repeat(bytes)).expect("encodes");
        assert_eq!(codecs.decode::<String>("k", &stored(15 << 20)).expect("within the limit").len(), 15 << 20);
        assert!(codecs.decode::<String>("k", &stored(17 << 20)).expect_err("beyond it").is_decode());
    }
}
