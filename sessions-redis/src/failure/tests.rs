use super::*;

/// What the client makes of this line from a server.
fn answered(line: &str) -> RedisError {
    let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).expect("well-formed");
    value.extract_error().expect_err("an error")
}

fn of_a_write(error: &RedisError) -> StoreError {
    Cause::of(error).of_a_write().into()
}

#[test]
fn g11_answers_that_say_not_executed_are_unavailable() {
    for (code, advice) in NOT_EXECUTED {
        let error = of_a_write(&answered(&format!("{code} whatever the server says")));
        assert!(error.is_unavailable(), "{code}");
        let text = std::error::Error::source(&error).expect("a source").to_string();
        assert_eq!(text, format!("the server answered {code}: {advice}"));
    }
}

#[test]
fn g11_refusals_inside_of_scripts_are_known_on_redis_6_2() {
    let error = of_a_write(&answered("@user_script: 43: -OOM command not allowed when used memory > 'maxmemory'."));
    assert!(error.is_unavailable());
    assert!(of_a_write(&answered("@user_script: 43: Unknown Redis command called from script")).is_indeterminate());
}

#[test]
fn g11_other_answers_leave_a_write_in_doubt() {
    for line in ["ERR upstream failure", "PROXY timed out", "", "weird", "UNBLOCKED"] {
        assert!(of_a_write(&answered(line)).is_indeterminate(), "{line}");
        // A read changes nothing.
        assert!(StoreError::from(Cause::of(&answered(line)).certain()).is_unavailable(), "{line}");
    }
}

#[test]
fn g11_a_broken_connection_leaves_a_write_in_doubt_unless_it_was_never_made() {
    use std::io::ErrorKind as Io;

    for kind in [Io::BrokenPipe, Io::ConnectionReset, Io::UnexpectedEof, Io::TimedOut, Io::Other] {
        assert!(of_a_write(&std::io::Error::from(kind).into()).is_indeterminate(), "{kind}");
    }
    assert!(of_a_write(&std::io::Error::from(Io::ConnectionRefused).into()).is_unavailable());
}

#[test]
fn g11_what_the_client_finds_before_it_sends_is_unavailable() {
    for kind in [Kind::Client, Kind::InvalidClientConfig, Kind::AuthenticationFailed, Kind::RESP3NotSupported] {
        assert!(of_a_write(&(kind, "a reason").into()).is_unavailable(), "{kind:?}");
    }
    assert!(of_a_write(&(Kind::Parse, "garbage").into()).is_indeterminate());
}

#[test]
fn a_cluster_that_cannot_be_connected_to_says_why() {
    let text = |detail: &str| {
        let error = (Kind::Io, "Failed to create initial connections", detail.to_owned()).into();
        Cause::not_connected(&error).certain().to_string()
    };
    let refused = answered("WRONGPASS invalid username-password pair or user is disabled.").to_string();
    assert_eq!(text(&refused), "no connection to the server: WRONGPASS: wrong user or password");
    let refused = RedisError::from((Kind::AuthenticationFailed, "Password authentication failed")).to_string();
    assert_eq!(text(&refused), "no connection to the server: WRONGPASS: wrong user or password");
    let refused = answered("NOAUTH HELLO must be called with the client already authenticated").to_string();
    assert!(text(&refused).contains("NOAUTH: the server wants a password"), "{}", text(&refused));
    for detail in ["Connection refused (os error 111)", "hunter2", "", "HUNTER2: hunter2"] {
        assert_eq!(text(detail), "no connection to the server: no node of the Cluster can be reached");
    }
}

#[test]
fn g12_too_large_keeps_its_numbers() {
    let error = StoreError::from(Cause::TooLarge { size: 11, limit: 10 }.certain());
    assert!(error.is_too_large());
    assert!(error.to_string().contains("11 bytes"));
}

#[test]
fn g19_no_text_of_the_server_is_passed_on() {
    let lines = [
        "ERR unknown command 'SET', with args beginning with: 'sessions/s/x' 'hunter2' 'PX'",
        "NOPERM this user has no permissions to run 'hunter2'",
        "hunter2 is no code",
        "HUNTER2",
    ];
    for line in lines {
        let error = answered(line);
        for failure in [Cause::of(&error), Cause::not_connected(&error)].map(Cause::of_a_write) {
            let text = format!("{failure} {failure:?}");
            assert!(!text.to_lowercase().contains("hunter2"), "{text}");
        }
    }
}
