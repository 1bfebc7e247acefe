//! TLS: whom the store trusts, and what it says where it does not.
#![cfg(feature = "tls")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use redis::TlsCertificates;
use sessions_core::{SessionId, SessionStore};
use sessions_redis::RedisStore;
use support::Behaviour::Answer;
use support::{FakeServer, HELLO};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const ID: SessionId = SessionId::from_bytes([7; 16]);

/// A server with a certificate for this name, and the certificate.
async fn server(name: &str) -> (FakeServer, Vec<u8>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let script = |command: &str, _| if command == "HELLO" { HELLO } else { Answer("_\r\n") };
    let server = FakeServer::start_with(script, move |stream| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(stream).await.ok() }
    });
    (server.await, cert.pem().into_bytes())
}

fn url(server: &FakeServer, host: &str) -> String {
    format!("rediss://:hunter2@{host}:{}/?protocol=resp3", server.port())
}

fn trusting(certificate: Vec<u8>, url: &str) -> RedisStore {
    let certificates = TlsCertificates { client_tls: None, root_cert: Some(certificate) };
    let client = redis::Client::build_with_tls(url, certificates).expect("a valid URL");
    let builder = RedisStore::builder().deadline(Duration::from_secs(10)).expect("in range");
    builder.with(client)
}

async fn refusal(store: &RedisStore) -> String {
    let error = store.load(&ID).await.expect_err("no trust");
    assert!(error.is_unavailable(), "{error:?}");
    std::error::Error::source(&error).expect("a source").to_string()
}

#[tokio::test]
async fn a_server_with_a_trusted_certificate_is_used() {
    let (server, certificate) = server("localhost").await;
    let store = trusting(certificate, &url(&server, "localhost"));
    assert_eq!(store.load(&ID).await.expect("answered"), None);
    assert_eq!(server.heard("GET"), 1);
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused() {
    let (server, _) = server("localhost").await;
    let error = RedisStore::connect(&url(&server, "localhost")).await.expect_err("not among the system's");
    assert!(error.is_connect());
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(server.heard("HELLO"), 0, "the password stays here");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let (server, certificate) = server("other.example").await;
    let store = trusting(certificate, &url(&server, "localhost"));
    assert!(refusal(&store).await.contains("certificate"));
    assert_eq!(server.heard("HELLO"), 0, "the password stays here");
}

#[tokio::test]
async fn tls_on_one_side_only_is_unavailable() {
    let (secure, _) = server("localhost").await;
    let plain = format!("redis://:hunter2@127.0.0.1:{}/", secure.port());
    let error = RedisStore::connect(&plain).await.expect_err("it wants TLS");
    assert!(error.is_connect(), "{error}");

    let plain = FakeServer::start(|_, _| support::Behaviour::Close).await;
    let builder = RedisStore::builder().deadline(Duration::from_millis(200)).expect("in range");
    let error = builder.connect(&url(&plain, "127.0.0.1")).await.expect_err("it has no TLS");
    assert!(error.is_connect(), "{error}");
}
