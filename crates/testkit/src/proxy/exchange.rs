//! One connection of a client: its requests, and what becomes of each.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread::sleep;

use super::request::error_body;
use super::{Fault, Request, Shared};
use crate::wire::{Body, Head};

/// Serves a client until one of the two closes the connection.
pub(super) fn serve(shared: &Arc<Shared>, client: &TcpStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    let (mut from, mut to) = (BufReader::new(client), client);
    while let Some(head) = Head::read(&mut from)? {
        let (running, request, fault) = shared.enter(head);
        if request.head.says("expect", "100-continue") {
            to.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        // All of it, before anything is answered: to close a connection with something unread would take the
        // answer from the client.
        let mut body = Vec::new();
        request.head.request_body()?.pass(&mut from, &mut body)?;
        sleep(shared.latency());
        let exchange = Exchange { shared, request: &request, body: &body };
        let answer = exchange.answer(fault, &mut from)?;
        // Over before the client knows, so that its next request is not at once with this one.
        drop(running);
        to.write_all(&answer.bytes)?;
        if answer.last || request.head.says("connection", "close") {
            break;
        }
    }
    Ok(())
}

/// What the client gets, and whether the connection ends then.
struct Reply {
    bytes: Vec<u8>,
    last: bool,
}

/// A request that came as a whole.
struct Exchange<'a> {
    shared: &'a Shared,
    request: &'a Request,
    body: &'a [u8],
}

impl Exchange<'_> {
    fn answer(&self, fault: Option<Fault>, from: &mut impl Read) -> io::Result<Reply> {
        let nothing = Reply { bytes: Vec::new(), last: true };
        match fault {
            None => return self.pass_on(u64::MAX),
            Some(Fault::CutBody(length)) => {
                return self.pass_on(length).map(|reply| Reply { last: true, ..reply });
            }
            Some(Fault::Delay(time)) => {
                sleep(time);
                return self.pass_on(u64::MAX);
            }
            Some(Fault::Gather(number)) => {
                self.shared.gather(number)?;
                return self.pass_on(u64::MAX);
            }
            Some(Fault::StatusAfter(_) | Fault::AnswerAfter(..) | Fault::BreakAfter) => {
                self.pass_on(0)?;
            }
            // What the client sends is nothing to us; that it ends is.
            Some(Fault::Hang) => drop(io::copy(from, &mut io::sink())?),
            Some(Fault::Status(_) | Fault::Answer(..) | Fault::BreakBefore) => {}
        }
        Ok(match fault {
            Some(Fault::Status(status) | Fault::StatusAfter(status)) => {
                self.say(status, &error_body(status))
            }
            Some(Fault::Answer(status, body) | Fault::AnswerAfter(status, body)) => {
                self.say(status, &body)
            }
            _ => nothing,
        })
    }

    /// Sends the request to the server on a connection of its own. Of the body of its answer, so many bytes
    /// are for the client.
    fn pass_on(&self, length: u64) -> io::Result<Reply> {
        let mut upstream = TcpStream::connect(&self.shared.upstream)?;
        upstream.set_nodelay(true)?;
        upstream.write_all(self.request.head.0.as_bytes())?;
        upstream.write_all(self.body)?;
        let mut from = BufReader::new(upstream);
        let head = loop {
            let head = Head::read(&mut from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            // The client was told already to go on.
            if head.status() != 100 {
                break head;
            }
        };
        let told = head.response_body(&self.request.method)?;
        let mut body = Vec::new();
        told.pass(&mut from, &mut body)?;
        self.shared.count_bytes(self.body.len(), body.len());
        let last = told == Body::UntilClosed || head.says("connection", "close");
        body.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(Reply { bytes: [head.0.into_bytes(), body].concat(), last })
    }

    /// Answers in the server's place.
    fn say(&self, status: u16, body: &str) -> Reply {
        let body = if self.request.method == "HEAD" { "" } else { body };
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} Injected\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n\r\n"
        );
        Reply { bytes: format!("{head}{body}").into_bytes(), last: false }
    }
}
