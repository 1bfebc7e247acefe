//! The command line.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};

use crate::Failure;
use crate::store_url::StoreUrl;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
A small web application with sessions.

Usage: quickstart [OPTIONS]

  --store URL        where sessions are kept (default sqlite:sessions.db):
                       memory
                       sqlite:PATH
                       redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]
                       rediss://…                          Redis with TLS
                       redis+cluster://HOST:PORT,HOST:PORT,…
                       postgres://[USER:PASSWORD@]HOST[:PORT]/DATABASE
                       mysql://[USER:PASSWORD@]HOST[:PORT]/DATABASE
  --listen ADDRESS   IP:PORT to serve on (default 127.0.0.1:3000; port 0 takes a free one)
  --insecure-cookie  a cookie without Secure and __Host-, for browsers that refuse those on
                     http://localhost, as Safari does; never for the open network
  --verbose          print every step of every session's life
  --help             print this

Ctrl-C stops it. Sessions stay where they are kept.";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Serve(Options),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) store: StoreUrl,
    pub(crate) listen: SocketAddr,
    pub(crate) insecure_cookie: bool,
    pub(crate) verbose: bool,
}

/// Reads the arguments, without the program's name. Both `--store URL` and `--store=URL` are understood.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let mut options = Options {
        store: StoreUrl::default(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)),
        insecure_cookie: false,
        verbose: false,
    };
    let mut arguments = arguments.into_iter().map(|argument| {
        argument.into_string().map_err(|argument| usage(format!("not UTF-8: {}", argument.to_string_lossy())))
    });
    while let Some(argument) = arguments.next().transpose()? {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value = |what| match inline.clone() {
            Some(value) => Ok(value),
            None => arguments.next().transpose()?.ok_or_else(|| usage(format!("{name} needs {what}"))),
        };
        match name {
            "--store" => options.store = value("a URL")?.parse()?,
            "--listen" => options.listen = address(&value("an address")?)?,
            "--insecure-cookie" if inline.is_none() => options.insecure_cookie = true,
            "--verbose" if inline.is_none() => options.verbose = true,
            "--help" | "-h" if inline.is_none() => return Ok(Command::Help),
            "--insecure-cookie" | "--verbose" | "--help" => return Err(usage(format!("{name} takes no value"))),
            // Only a name is repeated: anything else may be a URL with a password.
            _ if name.starts_with('-') => return Err(usage(format!("unknown option {name}"))),
            _ => return Err(usage("only options are understood".to_owned())),
        }
    }
    Ok(Command::Serve(options))
}

fn address(text: &str) -> Result<SocketAddr, Failure> {
    let numeric = text.replacen("localhost:", "127.0.0.1:", 1);
    numeric.parse().map_err(|_| usage(format!("--listen {text} is not IP:PORT, as in 127.0.0.1:3000")))
}

fn usage(line: String) -> Failure {
    Failure::Usage(line)
}
