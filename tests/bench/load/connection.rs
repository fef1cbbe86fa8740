//! One keep-alive connection: a request is bytes, an answer is read in place.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// More headers than the shop ever sends.
const HEADERS_MAX: usize = 32;

/// Answers grow the buffer up to this size; nothing the generator asks for is longer.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Room for an order's answer.
const ANSWER_BYTES: usize = 2 * 1024;

/// A connection to the shop.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// The request to send.
    pub(crate) request: Vec<u8>,
    answer: Vec<u8>,
}

/// An answer, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// `Location`.
    pub(crate) location: Option<&'a [u8]>,
    /// `Retry-After`, where it is a number of seconds.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            request: Vec::with_capacity(ANSWER_BYTES),
            answer: vec![0; ANSWER_BYTES],
        })
    }

    /// Sends the request and reads its answer.
    pub(crate) async fn exchange(&mut self) -> anyhow::Result<Answer<'_>> {
        self.stream
            .write_all(&self.request)
            .await
            .context("a request could not be sent")?;
        let mut filled = 0;
        let length = loop {
            if filled == self.answer.len() {
                ensure!(filled < ANSWER_BYTES_MAX, "an answer is too long");
                self.answer.resize(2 * filled, 0);
            }
            let read = self
                .stream
                .read(&mut self.answer[filled..])
                .await
                .context("an answer could not be read")?;
            ensure!(read > 0, "the connection ended before the answer");
            filled += read;
            if let Some(length) = whole_length(&self.answer[..filled])? {
                break length;
            }
        };
        ensure!(filled == length, "more came than the answer");
        parse(&self.answer[..length])
    }
}

/// The length of the answer these bytes begin with, once all of it is there.
fn whole_length(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes)? else {
        return Ok(None);
    };
    let body: usize = number(response.headers, "content-length")
        .context("an answer does not say how long it is")?;
    Ok((bytes.len() >= head + body).then_some(head + body))
}

fn parse(bytes: &[u8]) -> anyhow::Result<Answer<'_>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes)? else {
        bail!("an answer has no end of its head");
    };
    Ok(Answer {
        status: response.code.context("an answer has no status")?,
        location: value(response.headers, "location"),
        retry_after: number(response.headers, "retry-after").map(Duration::from_secs),
        body: &bytes[head..],
    })
}

fn value<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a [u8]> {
    headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value)
}

fn number<T: std::str::FromStr>(headers: &[httparse::Header<'_>], name: &str) -> Option<T> {
    str::from_utf8(value(headers, name)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACED: &[u8] =
        b"HTTP/1.1 201 Created\r\nLocation: /api/v1/orders/7\r\ncontent-length: 2\r\n\r\n{}";

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        for length in 0..PLACED.len() {
            assert_eq!(whole_length(&PLACED[..length]).unwrap(), None, "{length}");
        }
        assert_eq!(whole_length(PLACED).unwrap(), Some(PLACED.len()));
        assert!(whole_length(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn an_answer_says_where_the_order_is_or_when_to_come_again() {
        let placed = parse(PLACED).unwrap();
        let expected = Answer {
            status: 201,
            location: Some(b"/api/v1/orders/7"),
            retry_after: None,
            body: b"{}",
        };
        assert_eq!(placed, expected);
        let busy = b"HTTP/1.1 503 Busy\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(
            parse(busy).unwrap().retry_after,
            Some(Duration::from_secs(2))
        );
    }
}
