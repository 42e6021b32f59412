//! HTTP/1.1 by hand: as much of it as test servers and their clients need.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// The lines of a request or a response before its body, as they came.
#[derive(Clone, Debug)]
pub(crate) struct Head(pub(crate) String);

impl Head {
    /// The next one of a connection; `None` if the other side has closed it instead.
    pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut text = Vec::new();
        loop {
            let before = text.len();
            if from.read_until(b'\n', &mut text)? == 0 {
                return if text.is_empty() { Ok(None) } else { Err(cut_off()) };
            }
            if matches!(&text[before..], b"\r\n" | b"\n") {
                let text = String::from_utf8(text).map_err(|_| io::ErrorKind::InvalidData)?;
                return Ok(Some(Self(text)));
            }
        }
    }

    /// A word of the first line: of a request its method and its target, of a response its version and
    /// its status.
    pub(crate) fn word(&self, at: usize) -> &str {
        let line = self.0.lines().next().unwrap_or_default();
        line.split(' ').nth(at).unwrap_or_default()
    }

    /// The status of a response.
    pub(crate) fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or_default()
    }

    /// The value of a header, whatever case its name is in.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Whether a header has this value, in any case.
    pub(crate) fn says(&self, name: &str, value: &str) -> bool {
        self.header(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
    }

    /// How the end of the body is told: of a request.
    pub(crate) fn request_body(&self) -> io::Result<Body> {
        Ok(self.told()?.unwrap_or(Body::Length(0)))
    }

    /// How the end of the body is told: of the response to a request with this method.
    pub(crate) fn response_body(&self, method: &str) -> io::Result<Body> {
        let none = method == "HEAD" || matches!(self.status(), 100..=199 | 204 | 304);
        Ok(if none { Body::Length(0) } else { self.told()?.unwrap_or(Body::UntilClosed) })
    }

    fn told(&self) -> io::Result<Option<Body>> {
        if self.says("transfer-encoding", "chunked") {
            return Ok(Some(Body::Chunked));
        }
        let length = self.header("content-length").map(str::parse).transpose();
        Ok(length.map_err(|_| io::ErrorKind::InvalidData)?.map(Body::Length))
    }
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Body {
    /// By the number of its bytes.
    Length(u64),
    /// By an empty chunk after the others.
    Chunked,
    /// By the end of the connection.
    UntilClosed,
}

impl Body {
    /// Passes a body on as it comes, with what is around its chunks.
    pub(crate) fn pass(self, from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Length(length) => pass(length, from, to),
            Self::UntilClosed => io::copy(from, to).map(drop),
            Self::Chunked => {
                while let length @ 1.. = pass_length(from, to)? {
                    pass(length + 2, from, to)?;
                }
                // What may follow the chunks ends with an empty line.
                while !matches!(pass_line(from, to)?.as_slice(), b"\r\n" | b"\n") {}
                Ok(())
            }
        }
    }

    /// A whole body, without what is around its chunks.
    fn read(self, from: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut found = Vec::new();
        if self != Self::Chunked {
            self.pass(from, &mut found)?;
            return Ok(found);
        }
        while let length @ 1.. = pass_length(from, &mut io::sink())? {
            pass(length, from, &mut found)?;
            pass(2, from, &mut io::sink())?;
        }
        Ok(found)
    }
}

fn pass(length: u64, from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    let passed = io::copy(&mut from.take(length), to)?;
    if passed == length { Ok(()) } else { Err(cut_off()) }
}

fn pass_line(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line)? == 0 {
        return Err(cut_off());
    }
    to.write_all(&line)?;
    Ok(line)
}

/// Passes the line before a chunk on: the chunk's length.
fn pass_length(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<u64> {
    let line = pass_line(from, to)?;
    let line = String::from_utf8_lossy(&line);
    let digits = line.split(';').next().unwrap_or_default().trim();
    u64::from_str_radix(digits, 16).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn cut_off() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as text, for messages and for what is XML.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends one request on a connection of its own, and waits for the response.
pub(crate) fn ask(
    address: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\n");
    head += &format!("Connection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(&[head.as_bytes(), b"\r\n", body].concat())?;
    let mut reader = BufReader::new(stream);
    let head = Head::read(&mut reader)?.ok_or_else(cut_off)?;
    let body = head.response_body(method)?.read(&mut reader)?;
    Ok(Answer { head, body })
}
