//! Operations by key, in order. Most requests change one key, which needs no allocation.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Op;

type Key = Cow<'static, str>;

/// Invariant: when there is `one`, there are no `others`.
#[derive(Debug, Clone, Default)]
pub(super) struct Ops {
    one: Option<(Key, Op)>,
    others: BTreeMap<Key, Op>,
}

impl Ops {
    pub(super) fn len(&self) -> usize {
        usize::from(self.one.is_some()) + self.others.len()
    }

    pub(super) fn get(&self, key: &str) -> Option<&Op> {
        match &self.one {
            Some((one, op)) => (one == key).then_some(op),
            None => self.others.get(key),
        }
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Op> {
        match &mut self.one {
            Some((one, op)) => (one == key).then_some(op),
            None => self.others.get_mut(key),
        }
    }

    pub(super) fn insert(&mut self, key: Key, op: Op) {
        match self.one.take() {
            None if self.others.is_empty() => self.one = Some((key, op)),
            Some((one, _)) if one == key => self.one = Some((key, op)),
            one => {
                self.others.extend(one);
                self.others.insert(key, op);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Op)> {
        self.one.iter().map(|(key, op)| (key, op)).chain(&self.others)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Op)> {
        self.one.iter_mut().map(|(key, op)| (&*key, op)).chain(&mut self.others)
    }
}
