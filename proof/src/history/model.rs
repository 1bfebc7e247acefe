//! One session record, as the store's contract has it: what a store that does one thing at a time would answer.

use super::{Answer, Call, Seen};

/// What a call is answered where `state` is stored, and what is stored afterwards.
#[must_use]
pub fn step(state: Option<Seen>, call: Call) -> (Answer, Option<Seen>) {
    match (call, state) {
        (Call::Load | Call::Update { .. } | Call::Delete, None) => (Answer::Absent, None),
        (Call::Touch { .. }, None) => (Answer::Refused, None),
        (Call::Create(seen), None) => (Answer::Done, Some(seen)),
        (Call::Load | Call::Create(_), Some(there)) => (Answer::There(there), state),
        (Call::Update { expected, version, mark }, Some(there)) if there.version == expected => {
            (Answer::Done, Some(Seen { version, mark: mark.unwrap_or(there.mark) }))
        }
        (Call::Update { .. }, Some(there)) => (Answer::There(there), state),
        (Call::Touch { expected, mark }, Some(there)) if there.version == expected => {
            (Answer::Done, Some(Seen { mark, ..there }))
        }
        (Call::Touch { .. }, Some(_)) => (Answer::Refused, state),
        (Call::Delete, Some(_)) => (Answer::Done, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Seen = Seen { version: 1, mark: 1 };

    #[test]
    fn nothing_is_there_until_it_is_created() {
        for call in [Call::Load, Call::Update { expected: 1, version: 2, mark: None }, Call::Delete] {
            assert_eq!(step(None, call), (Answer::Absent, None));
        }
        assert_eq!(step(None, Call::Touch { expected: 1, mark: 2 }), (Answer::Refused, None));
        assert_eq!(step(None, Call::Create(ONE)), (Answer::Done, Some(ONE)));
    }

    #[test]
    fn only_the_expected_version_is_replaced_or_touched() {
        let update = |expected, mark| step(Some(ONE), Call::Update { expected, version: 2, mark });
        assert_eq!(update(1, None), (Answer::Done, Some(Seen { version: 2, mark: 1 })));
        assert_eq!(update(1, Some(9)), (Answer::Done, Some(Seen { version: 2, mark: 9 })));
        assert_eq!(update(3, Some(9)), (Answer::There(ONE), Some(ONE)));
        let touch = |expected| step(Some(ONE), Call::Touch { expected, mark: 9 });
        assert_eq!(touch(1), (Answer::Done, Some(Seen { version: 1, mark: 9 })));
        assert_eq!(touch(3), (Answer::Refused, Some(ONE)));
    }

    #[test]
    fn what_is_there_is_neither_overwritten_nor_deleted_twice() {
        assert_eq!(step(Some(ONE), Call::Load), (Answer::There(ONE), Some(ONE)));
        assert_eq!(step(Some(ONE), Call::Create(Seen { version: 2, mark: 2 })), (Answer::There(ONE), Some(ONE)));
        assert_eq!(step(Some(ONE), Call::Delete), (Answer::Done, None));
        assert_eq!(step(None, Call::Delete), (Answer::Absent, None));
    }
}
