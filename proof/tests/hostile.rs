//! Hostile bytes: seeded fuzzing of everything that is parsed, the cookie grammar exhaustively, and damage at rest.
//!
//! `SESSIONS_SEED` gives a run again; `SESSIONS_PROOF_LONG=1` throws a hundred times as much.
//! `SESSIONS_PROOF_WRITE_CORPUS=1` writes the corpus anew, for a new format.

#![allow(clippy::print_stdout, reason = "the figures are the result")]

use std::time::{SystemTime, UNIX_EPOCH};

use sessions_proof::behind::{Bench, Kind, Problem};
use sessions_proof::hostile::controls::{Control, Sloppy, a_record_without_checksums_is_noticed};
use sessions_proof::hostile::mutate::Mutator;
use sessions_proof::hostile::{Target, at_rest, cookie, corpus};

fn is_long() -> bool {
    std::env::var_os("SESSIONS_PROOF_LONG").is_some()
}

/// A seed that is printed; `SESSIONS_SEED` gives it again.
fn seed() -> u64 {
    let given = std::env::var("SESSIONS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::from(now.subsec_nanos()) << 20)
    });
    println!("SESSIONS_SEED={seed}");
    seed
}

fn fuzz(target: Target) {
    // A round trip through a client of Redis takes longer than everything else.
    let quick = if target == Target::RedisValue { 20_000 } else { 100_000 };
    let executions = if is_long() { quick * 100 } else { quick };
    let well_formed = target.fuzz(seed(), executions);
    println!(
        "proof: hostile: target={target:?}; executions={executions}; well-formed={well_formed}; promises broken=0"
    );
    assert!(well_formed > executions / 1_000, "hardly anything got through: the mutator is too wild");
    assert!(well_formed < executions, "everything got through: the mutator is too tame");
}

#[test]
fn mutated_records() {
    fuzz(Target::Record);
}

#[test]
fn mutated_cookies() {
    fuzz(Target::Cookie);
}

#[test]
fn mutated_tokens() {
    fuzz(Target::Token);
}

#[test]
fn mutated_redis_values() {
    fuzz(Target::RedisValue);
}

/// The files are what this version writes: a change of a format is noticed here.
#[test]
fn the_corpus_is_what_is_written_and_is_survived() -> Result<(), Problem> {
    for target in Target::ALL {
        if std::env::var_os("SESSIONS_PROOF_WRITE_CORPUS").is_some() {
            corpus::write(target)?;
        }
        let stored = corpus::stored(target)?;
        for seed in corpus::made(target) {
            let file = stored.iter().find(|file| file.name == seed.name);
            assert_eq!(file.map(|file| &file.bytes), Some(&seed.bytes), "{target:?}/{}", seed.name);
        }
        for seed in &stored {
            target.throw(&seed.bytes);
        }
        println!("proof: hostile: {} inputs in the corpus of {target:?}", stored.len());
    }
    Ok(())
}

/// All strings of a few letters, some of which are whole words: every way in which cookies can be strung together.
#[test]
fn every_small_cookie() {
    let [good, other] = cookie::tokens();
    let (ours, others) = (format!("s={good}"), format!("s={other}"));
    let letters: [&[u8]; 13] = [
        ours.as_bytes(),
        others.as_bytes(),
        good.as_bytes(),
        b"s",
        b"=",
        b";",
        b" ",
        b"\t",
        b"\n",
        b"\"",
        b"x",
        b"\x80",
        b",",
    ];
    let longest = if is_long() { 6 } else { 4 };
    let mut count: u64 = 0;
    for length in 0..=longest {
        let mut word = vec![0; length];
        loop {
            let string: Vec<u8> = word.iter().flat_map(|letter: &usize| letters[*letter]).copied().collect();
            cookie::throw(&string);
            count += 1;
            let Some(at) = word.iter().rposition(|letter| *letter + 1 < letters.len()) else { break };
            word[at] += 1;
            word[at + 1..].fill(0);
        }
    }
    println!("proof: hostile: {count} cookies of at most {longest} letters, each read as the grammar says");
}

/// Every byte at every place of a token, and every length.
#[test]
fn every_token_with_one_byte_changed() {
    let [good, _] = cookie::tokens();
    let mut count = 0;
    for at in 0..good.len() {
        for byte in 0..=255 {
            let mut text = good.clone().into_bytes();
            text[at] = byte;
            Target::Token.throw(&text);
            Target::Token.throw(&text[..22.min(at + 1)]);
            count += 2;
        }
    }
    for length in 0..200 {
        Target::Token.throw(&good.repeat(4).into_bytes()[..length]);
        count += 1;
    }
    println!("proof: hostile: {count} texts of tokens and ids, each read as RFC 4648 says");
}

/// Parsers that trim what Unicode calls space, take off quotes, take the last of two…: the mutator finds what they read wrongly.
#[test]
fn each_sloppy_parser_is_caught() {
    let seed = seed();
    for sloppy in Sloppy::ALL {
        let mut mutator = Mutator::new(Target::Cookie, seed);
        let caught = (1..=100_000).find(|_| {
            let bytes = mutator.make().bytes;
            !sloppy.reads_rightly(&bytes.split(|byte| *byte == b'\n').collect::<Vec<_>>())
        });
        let caught = caught.unwrap_or_else(|| panic!("{sloppy:?} goes unnoticed"));
        println!("proof: hostile: control: a cookie parser that is {sloppy:?} is caught by execution {caught}");
    }
    assert!(a_record_without_checksums_is_noticed());
}

#[tokio::test]
async fn each_meddling_store_is_caught() -> Result<(), Problem> {
    for control in Control::ALL {
        let caught = control.caught().await?.unwrap_or_else(|| panic!("{control:?} goes unnoticed"));
        println!("proof: hostile: control: a store that {control:?} is caught: {caught}");
    }
    assert_eq!(Control::Mixes.caught().await?, None, "a store that mixes sessions up opens nobody's");
    Ok(())
}

async fn damage(kind: Kind) -> Result<(), Problem> {
    let Some(bench) = Bench::open(kind).await? else { return Ok(()) };
    println!("proof: hostile: store={kind:?}; {}", at_rest::damage(&bench, is_long()).await?);
    let flips = at_rest::damage_under_a_request(&bench).await?;
    println!(
        "proof: hostile: {flips} records damaged in {kind:?} under a request that had loaded them, none overwritten"
    );
    bench.store.stop().await?;
    Ok(())
}

macro_rules! damaged {
    ($($name:ident: $kind:ident;)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() -> Result<(), Problem> {
            damage(Kind::$kind).await
        }
    )* };
}

damaged! {
    damage_in_the_memory_store: Memory;
    damage_in_sqlite: Sqlite;
}

#[cfg(feature = "servers")]
damaged! {
    damage_in_redis: Redis;
    damage_in_a_redis_cluster: RedisCluster;
    damage_in_postgres: Postgres;
    damage_in_mariadb: MariaDb;
}
