//! The scripts: one file and one job each, one key each, so that they work on a Cluster.
//!
//! They run by digest (`EVALSHA`). A server that does not know a digest, because it restarted, failed over or was told to
//! forget (`SCRIPT FLUSH`), gets the text once with the same key and arguments (`EVAL`), which also teaches it the digest.

use std::sync::LazyLock;

use redis::Cmd;

use crate::connection::command;
use crate::keys::Key;

/// A script and its digest.
#[derive(Debug)]
pub(crate) struct Script {
    text: &'static str,
    digest: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self { text, digest: redis::Script::new(text).get_hash().to_owned() }
    }

    /// A call by digest, to be completed with the arguments.
    pub(crate) fn by_digest(&self, key: Key<'_>) -> Cmd {
        let mut cmd = command("EVALSHA");
        cmd.arg(&self.digest).arg(1).arg(key);
        cmd
    }

    /// The same call by text.
    pub(crate) fn by_text(&self, key: Key<'_>) -> Cmd {
        let mut cmd = command("EVAL");
        cmd.arg(self.text).arg(1).arg(key);
        cmd
    }
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$doc])* pub(crate) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(include_str!(concat!("scripts/", $file))));)*

        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$(($file, include_str!(concat!("scripts/", $file)))),*];
    };
}

scripts! {
    /// Compare-and-swap of a session (G5).
    UPDATE = "update.lua";
    /// Create, not after a given moment (G4, G15).
    CREATE = "create.lua";
    /// Moves the expiry (G10).
    TOUCH = "touch.lua";
    /// Enters a session in an owner's index (G15).
    INDEX_ADD = "index_add.lua";
    /// Reads an owner's index (G15).
    INDEX_READ = "index_read.lua";
    /// Removes dead entries from an owner's index (G15).
    INDEX_TRIM = "index_trim.lua";
}

#[cfg(test)]
mod tests {
    use sessions_core::SessionId;

    use super::*;
    use crate::connection::key_of;
    use crate::keys::Prefix;
    use crate::value::{EXPIRY, HEAD};

    /// A script without its comments.
    fn code(text: &str) -> String {
        text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn digests_are_sha_1_of_the_text() {
        // `printf 'return 1' | sha1sum`
        assert_eq!(Script::new("return 1").digest, "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    }

    #[test]
    fn a_call_says_its_key() {
        let (prefix, id) = (Prefix::default(), SessionId::from_bytes([7; 16]));
        let key = prefix.session(&id);
        for cmd in [UPDATE.by_digest(key), UPDATE.by_text(key)] {
            assert_eq!(key_of(&cmd), key.to_vec());
        }
    }

    #[test]
    fn every_command_in_a_script_is_on_its_one_key() {
        for (file, text) in ALL {
            let code = code(text);
            assert!(!code.contains("KEYS[2]"), "{file}");
            let calls: Vec<_> = code.split("call('").skip(1).collect();
            assert!(!calls.is_empty(), "{file}");
            for call in calls {
                let (command, rest) = call.split_once('\'').expect("a quoted command");
                assert!(command == "TIME" || rest.starts_with(", KEYS[1]"), "{file}: {command}");
            }
        }
    }

    #[test]
    fn offsets_are_those_of_the_value() {
        let head_and_expiry = format!("'GETRANGE', KEYS[1], '0', '{}'", HEAD + EXPIRY - 1);
        assert!(code(UPDATE.text).contains(&head_and_expiry));
        let head = format!("'GETRANGE', KEYS[1], '0', '{}'", HEAD - 1);
        assert!(code(TOUCH.text).contains(&head));
        let expiry = format!("'SETRANGE', KEYS[1], '{HEAD}'");
        assert!(code(TOUCH.text).contains(&expiry));
    }

    #[test]
    fn every_argument_is_documented_and_the_job_is_said_first() {
        for (file, text) in ALL {
            let (comments, code): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with("--"));
            assert!(text.starts_with("-- "), "{file}");
            for number in 1..10 {
                let argument = format!("ARGV[{number}]");
                if code.iter().any(|line| line.contains(&argument)) {
                    assert!(comments.iter().any(|line| line.contains(&argument)), "{file}: {argument}");
                }
            }
        }
    }

    #[test]
    fn no_script_is_left_out() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scripts");
        let files = std::fs::read_dir(directory).expect("the scripts").count();
        assert_eq!(files, ALL.len());
    }
}
