//! A connection on which whole answers are read.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Error;

/// Sends requests and reads answers, one at a time.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn to(address: &str) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 << 10) })
    }

    /// Sends `request`, and returns the answer once `length` knows how long it is and it is there.
    pub(crate) async fn exchange(
        &mut self,
        request: &[u8],
        length: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<&[u8], Error> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            match length(&self.buffer) {
                Some(length) if self.buffer.len() >= length => return Ok(&self.buffer[..length]),
                _ => {}
            }
        }
    }
}
