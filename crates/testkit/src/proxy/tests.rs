//! What goes through a proxy, and what does not.

use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

use super::{Fault, Kind, Proxy};
use crate::wire::{Answer, Head, ask};

/// A server that keeps what it was sent, byte for byte, and gives one answer to everything.
struct Upstream {
    address: String,
    came: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    fn new(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let came = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&came);
        let serve = move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut from = BufReader::new(stream.try_clone().unwrap());
                let head = Head::read(&mut from).unwrap().unwrap();
                let mut body = Vec::new();
                head.request_body().unwrap().pass(&mut from, &mut body).unwrap();
                kept.lock().unwrap().push(head.0 + &String::from_utf8(body).unwrap());
                stream.write_all(answer.as_bytes()).unwrap();
            }
        };
        Builder::new().spawn(serve).unwrap();
        Self { address, came }
    }

    fn came(&self) -> usize {
        self.came.lock().unwrap().len()
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

fn before(answer: &'static str) -> (Upstream, Proxy) {
    let upstream = Upstream::new(answer);
    let proxy = Proxy::new(&upstream.address);
    (upstream, proxy)
}

/// A connection to a proxy, and what it says back to these bytes, which are the last.
fn say(proxy: &Proxy, text: &str) -> String {
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

fn get(proxy: &Proxy) -> std::io::Result<Answer> {
    ask(&proxy.address(), "GET", "/bucket/key", &[], &[])
}

fn with(answer: &'static str, fault: Fault) -> (Upstream, Proxy) {
    let (upstream, proxy) = before(answer);
    proxy.inject(move |_| Some(fault.clone()));
    (upstream, proxy)
}

#[test]
fn every_byte_is_passed_on() {
    let answer = "HTTP/1.1 200 OK\r\nx-Odd:  case \r\nTransfer-Encoding: chunked\r\n\r\n\
                  5;extension\r\nhello\r\n0\r\nTrailer: x\r\n\r\n";
    let (upstream, proxy) = before(answer);
    let request = "PUT /b/a%20b?x HTTP/1.1\r\nhOsT: s3.example\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
    assert_eq!(say(&proxy, request), answer);
    assert_eq!(*upstream.came.lock().unwrap(), [request]);
    assert_eq!((proxy.bytes_sent(), proxy.bytes_received()), (28, 37));
    let request = &proxy.requests()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("PUT", "/b/a%20b?x"));
    assert_eq!(request.header("Host"), Some("s3.example"));
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    for (method, answer) in [
        ("GET", OK),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        ("DELETE", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
    ] {
        let (upstream, proxy) = before(answer);
        let request = format!("{method} /b/a HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(say(&proxy, &request.repeat(2)), answer.repeat(2), "{method}");
        assert_eq!(upstream.came(), 2);
        assert_eq!(proxy.count(method, Kind::Object), 2);
    }
}

#[test]
fn an_answer_that_ends_with_its_connection_ends_both() {
    let request = "GET /b/a HTTP/1.1\r\n\r\n";
    let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";
    let (_upstream, proxy) = before(answer);
    assert_eq!(say(&proxy, &request.repeat(2)), answer);
}

#[test]
fn a_client_that_waits_is_told_to_go_on() {
    let (_upstream, proxy) = before(OK);
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    let head = "PUT /b/a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut from = BufReader::new(stream.try_clone().unwrap());
    assert_eq!(Head::read(&mut from).unwrap().unwrap().status(), 100);
    stream.write_all(b"ab").unwrap();
    assert_eq!(Head::read(&mut from).unwrap().unwrap().status(), 200);
}

#[test]
fn a_status_is_answered_before_or_after_the_server_acts() {
    for (fault, status, came) in [
        (Fault::Status(503), 503, 0),
        (Fault::Status(429), 429, 0),
        (Fault::Answer(200, "<Error/>".to_owned()), 200, 0),
        (Fault::StatusAfter(500), 500, 1),
        (Fault::AnswerAfter(200, "<Error/>".to_owned()), 200, 1),
    ] {
        let (upstream, proxy) = with(OK, fault);
        let answer = get(&proxy).unwrap();
        assert_eq!((answer.head.status(), upstream.came()), (status, came));
        assert!(answer.text().contains("<Error"), "{answer:?}");
    }
}

#[test]
fn a_connection_ends_before_or_after_the_server_acts() {
    for (fault, came) in [(Fault::BreakBefore, 0), (Fault::BreakAfter, 1)] {
        let (upstream, proxy) = with(OK, fault);
        assert!(get(&proxy).is_err());
        assert_eq!(upstream.came(), came);
    }
}

#[test]
fn a_body_is_cut_where_it_was_said() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (answer, body) in [(OK, "hello"), (chunked, "5\r\nhello\r\n0\r\n\r\n")] {
        for length in 0..=body.len() {
            let (_upstream, proxy) = with(answer, Fault::CutBody(length as u64));
            let said = say(&proxy, "GET /b/a HTTP/1.1\r\n\r\n");
            assert_eq!(said, answer[..answer.len() - body.len() + length]);
        }
    }
}

#[test]
fn requests_are_told_apart_by_what_they_ask_for() {
    let (_upstream, proxy) = before(OK);
    for (method, target, kind) in [
        ("GET", "/b/a", Kind::Object),
        ("GET", "/b?list-type=2&prefix=a", Kind::List),
        ("GET", "/a/b?restype=container&comp=list", Kind::List),
        ("GET", "/b?uploads", Kind::Uploads),
        ("POST", "/b/a?uploads", Kind::Begin),
        ("POST", "/b/a?uploads=", Kind::Begin),
        ("PUT", "/b/a?partNumber=1&uploadId=u", Kind::Part),
        ("PUT", "/b/a?comp=block&blockid=1", Kind::Part),
        ("POST", "/b/a?uploadId=u", Kind::Complete),
        ("PUT", "/b/a?comp=blocklist", Kind::Complete),
        ("DELETE", "/b/a?uploadId=u", Kind::Abort),
        ("POST", "/b?delete", Kind::RemoveMany),
        ("PUT", "/b/uploads", Kind::Object),
    ] {
        ask(&proxy.address(), method, target, &[], &[]).unwrap();
        assert_eq!(proxy.requests().last().unwrap().kind, kind, "{method} {target}");
    }
}

#[test]
fn first_tries_are_told_apart_from_later_ones() {
    let (_upstream, proxy) = before(OK);
    proxy.inject(|request| (request.attempt == 0).then_some(Fault::Status(503)));
    let ranged = |target, range| {
        let headers = [("Range", range)];
        let answer = ask(&proxy.address(), "GET", target, &headers, &[]).unwrap();
        let request = proxy.requests().pop().unwrap();
        (answer.head.status(), request.ordinal, request.attempt)
    };
    assert_eq!(ranged("/b/a", "bytes=0-1"), (503, 0, 0));
    assert_eq!(ranged("/b/a", "bytes=2-3"), (503, 1, 0));
    assert_eq!(ranged("/b/a", "bytes=0-1"), (200, 2, 1));
    assert_eq!(ranged("/b/c", "bytes=0-1"), (503, 3, 0));
    assert_eq!(ranged("/b/a", "bytes=2-3"), (200, 4, 1));
}

#[test]
fn requests_wait_for_each_other() {
    let (_upstream, proxy) = with(OK, Fault::Gather(3));
    let ask_once = |address: String| {
        Builder::new().spawn(move || ask(&address, "GET", "/b/a", &[], &[]).unwrap()).unwrap()
    };
    let asking: Vec<JoinHandle<Answer>> = (0..3).map(|_| ask_once(proxy.address())).collect();
    for answer in asking {
        assert_eq!(answer.join().unwrap().head.status(), 200);
    }
    assert_eq!(proxy.most_at_once(), 3);
    // What was at once before counts no more.
    proxy.inject(|_| None);
    get(&proxy).unwrap();
    assert_eq!(proxy.most_at_once(), 1);
}

#[test]
fn what_hangs_ends_with_the_proxy() {
    for fault in [Fault::Hang, Fault::Gather(2)] {
        let (upstream, proxy) = with(OK, fault);
        let address = proxy.address();
        let asking =
            Builder::new().spawn(move || ask(&address, "GET", "/b/a", &[], &[]).is_err()).unwrap();
        while proxy.requests().is_empty() {
            std::thread::yield_now();
        }
        drop(proxy);
        assert!(asking.join().unwrap());
        assert_eq!(upstream.came(), 0);
    }
}

#[test]
fn a_script_that_panics_ends_the_connection() {
    let (_upstream, proxy) = before(OK);
    proxy.inject(|request| panic!("{} was not expected", request.target));
    assert!(get(&proxy).is_err());
    proxy.inject(|_| None);
    get(&proxy).unwrap();
    assert_eq!((proxy.most_at_once(), proxy.requests().len()), (1, 2));
}

#[test]
fn nobody_behind_it_is_nobody_before_it() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    assert!(get(&Proxy::new(&nobody)).is_err());
}
