//! One HTTP/1.1 connection that is kept: little more than the bytes, so that the client costs little
//! beside the server that it measures.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::Outcome;

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
pub(crate) struct Answer {
    /// Its status line and headers.
    pub(crate) head: String,
    /// Its body; of one in chunks with their sizes between.
    pub(crate) body: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
        })
    }

    /// Sends a request and reads its whole answer. Anything but a 2xx is a fault.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Outcome<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let text = std::str::from_utf8(self.buffer.get(..head).unwrap_or_default())?.to_owned();
        if let Some(length) = header(&text, "content-length") {
            let end = head + length.parse::<usize>()?;
            while self.buffer.len() < end {
                self.more().await?;
            }
        } else if header(&text, "transfer-encoding").is_some() {
            self.chunks(head).await?;
        }
        let body = self.buffer.get(head..).unwrap_or_default().to_vec();
        if !text.starts_with("HTTP/1.1 2") {
            return Err(format!("{text}{}", String::from_utf8_lossy(&body)).into());
        }
        Ok(Answer { head: text, body })
    }

    /// Reads until the last, empty chunk.
    async fn chunks(&mut self, mut at: usize) -> Outcome {
        loop {
            let rest = self.buffer.get(at..).unwrap_or_default();
            let Some(line) = find(rest, b"\r\n") else {
                self.more().await?;
                continue;
            };
            let digits = std::str::from_utf8(rest.get(..line).unwrap_or_default())?;
            let size = usize::from_str_radix(digits, 16)?;
            at += line + 2 + size + 2;
            while self.buffer.len() < at {
                self.more().await?;
            }
            if size == 0 {
                return Ok(());
            }
        }
    }

    async fn more(&mut self) -> Outcome {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        Ok(())
    }
}

/// The value of a header.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim())
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|w| w == what)
}

/// A GET as somebody, or as nobody.
pub(crate) fn get(path: &str, cookie: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: tidings\r\ncookie: {cookie}\r\n\r\n").into_bytes()
}

/// A POST of JSON as somebody, or as nobody.
pub(crate) fn post(path: &str, cookie: &str, body: &str) -> Vec<u8> {
    send("POST", path, cookie, body)
}

/// A request with JSON.
pub(crate) fn send(method: &str, path: &str, cookie: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: tidings\r\ncookie: {cookie}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
