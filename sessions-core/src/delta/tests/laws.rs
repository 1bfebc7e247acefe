//! What holds for all of them: random acts of two requests, from a printed seed.

use super::*;

const ROUNDS: usize = 5_000;

fn some_key(rng: &mut fastrand::Rng) -> String {
    ["", "a", "b", "c", "dd"][rng.usize(..5)].to_owned()
}

fn some_values(rng: &mut fastrand::Rng) -> Values {
    (0..rng.usize(..5)).map(|_| (some_key(rng), vec![rng.u8(b'A'..=b'Z')])).collect()
}

fn some_acts(rng: &mut fastrand::Rng) -> Vec<Act> {
    let one = |rng: &mut fastrand::Rng| match rng.u8(..10) {
        0..3 => Act::Set(some_key(rng), vec![rng.u8(b'0'..=b'9')]),
        3..6 => Act::Remove(some_key(rng)),
        6..9 => Act::Update(some_key(rng), rng.u8(b'a'..=b'z')),
        _ => Act::Clear,
    };
    (0..rng.usize(..8)).map(|_| one(rng)).collect()
}

/// `merge(merge(r, a), b) == merge(r, a.then(b))`, and both are what a handler that runs alone makes of it.
#[test]
fn merging_twice_is_merging_both() {
    let mut rng = seeded("merging_twice_is_merging_both");
    for round in 0..ROUNDS {
        let (loaded, first, second) = (some_values(&mut rng), some_acts(&mut rng), some_acts(&mut rng));
        let between = on_loaded(&loaded, &delta(&loaded, &first));
        let one_by_one = on_loaded(&between, &delta(&between, &second));
        let both = [first.clone(), second.clone()].concat();
        let together = on_loaded(&loaded, &delta(&loaded, &both));
        assert_eq!(one_by_one, together, "round {round}: {loaded:?} {first:?} then {second:?}");
        assert_eq!(together, alone(&loaded, &both), "round {round}");
    }
}

#[test]
fn running_again_on_what_was_loaded_changes_nothing() {
    let mut rng = seeded("running_again_on_what_was_loaded_changes_nothing");
    for round in 0..ROUNDS {
        let (loaded, acts) = (some_values(&mut rng), some_acts(&mut rng));
        let delta = delta(&loaded, &acts);
        assert_eq!(on_newer(&loaded, &delta), on_loaded(&loaded, &delta), "round {round}: {loaded:?} {acts:?}");
    }
}

#[test]
fn an_empty_delta_need_not_be_written() {
    let mut rng = seeded("an_empty_delta_need_not_be_written");
    let mut empty = 0;
    for _ in 0..ROUNDS {
        let (loaded, acts) = (some_values(&mut rng), some_acts(&mut rng));
        if delta(&loaded, &acts).is_empty() {
            empty += 1;
            assert_eq!(alone(&loaded, &acts), loaded);
        }
    }
    assert!(empty > ROUNDS / 20, "hardly any delta was empty");
}

/// A commit that met another's writes: all is as if this request had run alone after them.
#[test]
fn overlapping_requests_are_serializable() {
    let mut rng = seeded("overlapping_requests_are_serializable");
    for round in 0..ROUNDS {
        let (loaded, acts, others) = (some_values(&mut rng), some_acts(&mut rng), some_acts(&mut rng));
        let newer = alone(&loaded, &others);
        let found = on_newer(&newer, &delta(&loaded, &acts));
        assert_eq!(found, alone(&newer, &acts), "round {round}: {loaded:?}, {acts:?} over {others:?}");
    }
}
