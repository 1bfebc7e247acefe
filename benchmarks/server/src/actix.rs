//! actix-session, and actix-web without it.

use actix_session::storage::RedisSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::web::{ServiceConfig, get};
use actix_web::{App, HttpServer, Responder};

use crate::{Error, address, serve};

pub(crate) fn run(store: &str) -> Result<(), Error> {
    actix_web::rt::System::new().block_on(async {
        match store {
            "none" => {
                let server = HttpServer::new(|| App::new().default_service(get().to(untouched)));
                let server = server.workers(1).bind("127.0.0.1:0")?;
                announce(server.addrs().first())?;
                Ok(server.run().await?)
            }
            "redis" => {
                let store = RedisSessionStore::new(address::of("REDIS")?).await?;
                let key = Key::from(&[7; 64]);
                let server = HttpServer::new(move || {
                    App::new().wrap(SessionMiddleware::new(store.clone(), key.clone())).configure(routes)
                });
                let server = server.workers(1).bind("127.0.0.1:0")?;
                announce(server.addrs().first())?;
                Ok(server.run().await?)
            }
            _ => Err(format!("no store {store}").into()),
        }
    })
}

fn announce(address: Option<&std::net::SocketAddr>) -> Result<(), Error> {
    serve::announce(address.ok_or("it is not bound")?.port())
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/untouched", get().to(untouched))
        .route("/read", get().to(read))
        .route("/read_write", get().to(read_write))
        .route("/new", get().to(new))
        .route("/login", get().to(login))
        .route("/destroy", get().to(destroy))
        .route("/sign_up", get().to(sign_up));
}

async fn untouched() -> impl Responder {
    "ok"
}

async fn read(session: Session) -> impl Responder {
    session.get::<u64>("n").expect("sessions work").unwrap_or(0).to_string()
}

async fn read_write(session: Session) -> impl Responder {
    let number = session.get::<u64>("n").expect("sessions work").unwrap_or(0) + 1;
    session.insert("n", number).expect("sessions work");
    number.to_string()
}

async fn new(session: Session) -> impl Responder {
    session.insert("n", 1_u64).expect("sessions work");
    session.insert("text", bench_kit::text(1, 32)).expect("sessions work");
    "1"
}

async fn login(session: Session) -> impl Responder {
    session.insert("user", bench_kit::next_user()).expect("sessions work");
    session.renew();
    "ok"
}

async fn destroy(session: Session) -> impl Responder {
    session.purge();
    "ok"
}

async fn sign_up(session: Session) -> impl Responder {
    session.insert("user", bench_kit::next_user()).expect("sessions work");
    session.insert("token", bench_kit::text(1, 32)).expect("sessions work");
    "ok"
}
