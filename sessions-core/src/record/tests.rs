use bytes::Bytes;

use super::{Head, Previous, Recent, Record, Value, build};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::expiry::Overrides;
use crate::owner::Owner;
use crate::store::Version;
use crate::token::{SessionId, Verifier};

mod damage;
mod hostile;
mod layout;

const ID: SessionId = SessionId::from_bytes([7; 16]);
const LIMIT: usize = 256 * 1024;

/// A record in parts.
#[derive(Debug, Clone)]
struct Sample {
    head: Head,
    owner: Option<Owner>,
    values: Vec<(String, Vec<u8>)>,
}

impl Sample {
    /// As small as records are.
    fn bare() -> Self {
        let head = Head {
            created_at: Timestamp::from_millis(1_000),
            issued_at: Timestamp::from_millis(2_000),
            deadline: Timestamp::from_millis(3_000),
            verifier: Verifier::from_bytes([3; 32]),
            previous: None,
            recent: Recent::default(),
            overrides: Overrides::default(),
        };
        Self { head, owner: None, values: Vec::new() }
    }

    /// With everything that a record can have.
    fn full() -> Self {
        let bare = Self::bare();
        let head = Head {
            previous: Some(Previous {
                verifier: Verifier::from_bytes([5; 32]),
                grace_ends: Timestamp::from_millis(2_500),
            }),
            recent: (1..=4).map(Version::from_u64).fold(Recent::default(), Recent::push),
            overrides: Overrides {
                lifetime: Some(std::time::Duration::from_millis(1_000)),
                idle_timeout: Some(Some(std::time::Duration::from_millis(500))),
                persistent: Some(true),
            },
            ..bare.head
        };
        let owner = Owner::new("user-42").expect("valid");
        let values = [("", "empty key"), ("a", ""), ("cart", "\u{1}three apples"), ("käse", "1234"), ("z", "1234")];
        Self {
            head,
            owner: Some(owner),
            values: values.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec())).into(),
        }
    }

    /// Full ones, of each width of the index.
    fn of_all_widths() -> [Self; 3] {
        [4, 300, 70_000].map(|bytes| {
            let mut sample = Self::full();
            sample.values[4].1.resize(bytes, b'z');
            sample
        })
    }

    fn try_bytes(&self, id: SessionId, limit: usize) -> Result<Bytes, Error> {
        let value = |bytes| Value { bytes, checksum: None };
        let entries: Vec<_> =
            self.values.iter().map(|(key, bytes)| (key.as_bytes(), value(bytes.as_slice()))).collect();
        build(id, &self.head, self.owner.as_ref(), &entries, limit).map(Bytes::from)
    }

    fn bytes(&self) -> Bytes {
        self.try_bytes(ID, LIMIT).expect("within the limit")
    }

    /// Everything but the values' bytes is what was written.
    fn assert_frame(&self, record: &Record) {
        assert_eq!(record.head(), self.head);
        assert_eq!(record.owner(), self.owner.as_ref().map(Owner::as_str));
        assert!(record.keys().eq(self.values.iter().map(|(key, _)| key.as_str())));
    }

    fn assert_reads(&self, record: &Record) {
        self.assert_frame(record);
        for (key, bytes) in &self.values {
            assert_eq!(record.value(ID, key).expect("intact").as_deref(), Some(bytes.as_slice()), "{key:?}");
        }
    }
}

fn parse(bytes: impl Into<Bytes>) -> Result<Record, Error> {
    Record::parse(ID, bytes.into())
}
