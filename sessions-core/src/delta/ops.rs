//! Operations by key, in order. Most requests change one key, which needs no allocation.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Op;

type Key = Cow<'static, str>;

#[derive(Debug, Clone, Default)]
pub(super) enum Ops {
    #[default]
    None,
    One(Key, Op),
    Many(BTreeMap<Key, Op>),
}

impl Ops {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(..) => 1,
            Self::Many(ops) => ops.len(),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Op> {
        match self {
            Self::None => None,
            Self::One(one, op) => (one == key).then_some(op),
            Self::Many(ops) => ops.get(key),
        }
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Op> {
        match self {
            Self::None => None,
            Self::One(one, op) => (one == key).then_some(op),
            Self::Many(ops) => ops.get_mut(key),
        }
    }

    pub(super) fn insert(&mut self, key: Key, op: Op) {
        // In place: what is replaced is the application's to drop.
        if let Self::Many(ops) = self {
            ops.insert(key, op);
            return;
        }
        *self = match std::mem::take(self) {
            Self::One(one, first) if one != key => Self::Many(BTreeMap::from([(one, first), (key, op)])),
            _ => Self::One(key, op),
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::None;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Op)> {
        let (one, many) = match self {
            Self::None => (None, None),
            Self::One(key, op) => (Some((key, op)), None),
            Self::Many(ops) => (None, Some(ops)),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Op)> {
        let (one, many) = match self {
            Self::None => (None, None),
            Self::One(key, op) => (Some((&*key, op)), None),
            Self::Many(ops) => (None, Some(ops)),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}
