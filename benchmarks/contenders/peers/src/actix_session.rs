//! actix-session, on a map: the smallest store that its trait allows.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::rc::Rc;

use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError, generate_session_key};
use actix_session::{Session, SessionExt, SessionMiddleware};
use actix_web::body::MessageBody;
use actix_web::cookie::Key;
use actix_web::cookie::time::Duration;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, web};
use bench_kit::{Contender, Job, Runner, cookie_of, next_user, text};
use http::HeaderValue;

pub(crate) fn on_map() -> impl Contender {
    ActixSession(Map::default(), Key::from(&[7; 64]))
}

struct ActixSession(Map, Key);

impl Contender for ActixSession {
    async fn with(&self, job: Job) -> impl Runner {
        let handler = move |request| application(request, job);
        let middleware = SessionMiddleware::new(self.0.clone(), self.1.clone());
        ActixRunner(init_service(App::new().wrap(middleware).default_service(web::to(handler))).await)
    }

    async fn without(&self) -> impl Runner {
        let job = black_box(Job::Nothing);
        let handler = move |request| application(request, job);
        let unit = |request: actix_web::dev::ServiceRequest, next: &_| {
            request.extensions_mut().insert(Unit);
            Service::call(next, request)
        };
        ActixRunner(init_service(App::new().wrap_fn(unit).default_service(web::to(handler))).await)
    }
}

async fn application(request: HttpRequest, job: Job) -> HttpResponse {
    if job != Job::Nothing {
        handle(&request.get_session(), job).expect("sessions work");
    }
    HttpResponse::Ok().finish()
}

struct Unit;

struct ActixRunner<S>(S);

impl<S, B> Runner for ActixRunner<S>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<B>;

    async fn request(&mut self, cookie: Option<&HeaderValue>) -> ServiceResponse<B> {
        let mut request = TestRequest::default();
        if let Some(cookie) = cookie {
            let cookie = actix_web::http::header::HeaderValue::from_bytes(cookie.as_bytes());
            request = request.insert_header((actix_web::http::header::COOKIE, cookie.expect("a header value")));
        }
        self.0.call(request.to_request()).await.expect("it always answers")
    }

    fn cookie(response: &ServiceResponse<B>) -> Option<HeaderValue> {
        cookie_of(response.headers().get_all(actix_web::http::header::SET_COOKIE).map(|value| value.as_bytes()))
    }
}

fn handle(session: &Session, job: Job) -> Result<(), Box<dyn std::error::Error>> {
    match job {
        Job::Nothing => {}
        Job::Read => assert!(session.get::<u64>("n")?.expect("it is there") > 0),
        Job::Is(number) => assert_eq!(session.get("n")?, number),
        Job::ReadWrite => {
            let number: u64 = session.get("n")?.expect("it is there");
            session.insert("n", number + 1)?;
        }
        Job::Write => session.insert("n", 1_u64)?,
        Job::Login => {
            session.insert("user", "user-42")?;
            session.renew();
        }
        Job::SignUp { .. } => {
            session.insert("user", next_user())?;
            session.insert("token", text(1, 32))?;
        }
        Job::Destroy => session.purge(),
        Job::Fill { texts, bytes } => {
            session.insert("n", 1_u64)?;
            for number in 0..texts {
                session.insert(format!("text {number}"), text(number, bytes / texts))?;
            }
        }
        Job::ReadText(bytes) => assert_eq!(session.get::<String>("text 0")?.expect("it is there").len(), bytes),
    }
    Ok(())
}

type State = HashMap<String, String>;

/// Sessions that never expire.
#[derive(Clone, Default)]
struct Map(Rc<RefCell<HashMap<String, State>>>);

impl SessionStore for Map {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        Ok(self.0.borrow().get(key.as_ref()).cloned())
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        let key = generate_session_key();
        self.0.borrow_mut().insert(key.as_ref().to_owned(), state);
        Ok(key)
    }

    async fn update(&self, key: SessionKey, state: State, _: &Duration) -> Result<SessionKey, UpdateError> {
        self.0.borrow_mut().insert(key.as_ref().to_owned(), state);
        Ok(key)
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        self.0.borrow_mut().remove(key.as_ref());
        Ok(())
    }
}
