//! Where a command goes on a Cluster, also while its slot is on the move.
//!
//! The client follows redirects by itself. But it sends `ASKING`, which permits the next command of a connection to meet a slot
//! that is still arriving, and that command one after the other: on a connection that many share, somebody else's command
//! comes between them and takes the permission. The node then answers `MOVED`, the old one `ASK` again, and after some
//! rounds the client gives up. A command that comes back like this was not executed. It is sent once more, with its permission
//! in one piece.

use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value};

use crate::connection::key_of;

/// Sends a command to the primary that has its key.
pub(crate) async fn send(connection: &mut ClusterConnection, cmd: &Cmd) -> RedisResult<Value> {
    let key = key_of(cmd);
    let mut answer = connection.route_command(cmd.clone(), to_primary_of(key)).await.and_then(Value::extract_error);
    for _ in 0..ROUNDS {
        let Err(error) = &answer else { break };
        answer = match (error.kind(), address(error)) {
            (ErrorKind::Server(ServerErrorKind::Ask), Some(node)) => send_asking(connection, node, cmd).await,
            // The permission went astray; from the beginning, where the slot was.
            (ErrorKind::Server(ServerErrorKind::Moved), _) => {
                connection.route_command(cmd.clone(), to_primary_of(key)).await
            }
            _ => break,
        }
        .and_then(Value::extract_error);
    }
    answer
}

async fn send_asking(connection: &mut ClusterConnection, node: SingleNodeRoutingInfo, cmd: &Cmd) -> RedisResult<Value> {
    let mut pipeline = Pipeline::with_capacity(2);
    pipeline.cmd("ASKING").add_command(cmd.clone());
    let mut answers = connection.route_pipeline(pipeline, 0, 2, node).await?;
    answers.pop().ok_or_else(|| (ErrorKind::UnexpectedReturnType, "no answer in a pipeline").into())
}

/// Always the primary, whatever the client was told about reading from replicas: a replica may not know yet what is over.
fn to_primary_of(key: &[u8]) -> RoutingInfo {
    RoutingInfo::SingleNode(SingleNodeRoutingInfo::SpecificNode(Route::with_key(key, SlotAddr::Master)))
}

/// The node that a redirect names.
fn address(error: &RedisError) -> Option<SingleNodeRoutingInfo> {
    let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
    Some(SingleNodeRoutingInfo::ByAddress { host: host.to_owned(), port: port.parse().ok()? })
}

/// Each of them is a few round trips, and none is needed unless somebody else's command came between.
const ROUNDS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn named_by(line: &str) -> Option<(String, u16)> {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).expect("well-formed");
        match address(&value.extract_error().expect_err("an error"))? {
            SingleNodeRoutingInfo::ByAddress { host, port } => Some((host, port)),
            _ => None,
        }
    }

    #[test]
    fn a_redirect_names_a_node() {
        assert_eq!(named_by("ASK 42 127.0.0.1:7001"), Some(("127.0.0.1".to_owned(), 7001)));
        assert_eq!(named_by("ASK 42 ::1:7001"), Some(("::1".to_owned(), 7001)));
        assert_eq!(named_by("MOVED 42 node.example:7001"), Some(("node.example".to_owned(), 7001)));
        for none in ["ASK 42", "ASK", "ASK 42 host", "ASK 42 host:port", "OOM 42 127.0.0.1:7001"] {
            assert_eq!(named_by(none), None, "{none}");
        }
    }
}
