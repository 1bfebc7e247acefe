//! How values become bytes.
//!
//! Every stored value starts with its encoder's one-byte tag. The manager writes with one encoder and reads with all it
//! was given, so that switching encoders is a deployment, not a logout.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Turns values into bytes and back; dyn-compatible through `erased_serde`.
///
/// An implementation must be deterministic enough that what it wrote, it reads; must bound what hostile bytes make it
/// allocate; and must refuse bytes that are left over.
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
/// and a field added to a struct with `#[serde(default)]` is no logout. Tag 1.
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

    /// One `MessagePack` item is as long as it says, and the caller's slice is exactly one item: nothing can be left over.
    fn decode(&self, bytes: &[u8], visit: Visit<'_>) -> Result<(), EncoderError> {
        let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
        Ok(visit(&mut <dyn erased_serde::Deserializer<'_>>::erase(&mut deserializer))?)
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
/// that works. A value claims at most 16 MiB while decoding.
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

    #[test]
    #[cfg(feature = "bincode")]
    fn asvs_1_5_2_a_claimed_length_does_not_allocate() {
        let codecs = Codecs::new(Arc::new(Bincode), vec![]).expect("one encoder");
        let claims_2_to_the_60 = [3, 253, 0, 0, 0, 0, 0, 0, 0, 16];
        assert!(codecs.decode::<Vec<u8>>("k", &claims_2_to_the_60).expect_err("refused").is_decode());
    }
}
