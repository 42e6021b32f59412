//! What a proxy knows of a request, and what it can do to one.

use std::time::Duration;

use crate::wire::Head;

/// What a request asks a store of objects for; told by its method and its query alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A whole object, or a range of one: read, written, looked at or removed, by the method.
    Object,
    /// A page of the objects of a bucket.
    List,
    /// A page of the uploads that were begun in a bucket.
    Uploads,
    /// An upload is begun. Azure has no request for it.
    Begin,
    /// A part of an upload: a block of Azure.
    Part,
    /// The parts become an object.
    Complete,
    /// The parts are given up. Azure has no request for it.
    Abort,
    /// Many objects are removed.
    RemoveMany,
}

impl Kind {
    fn of(method: &str, target: &str) -> Self {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let pair = |wanted: &str| query.split('&').any(|pair| pair == wanted);
        let name =
            |wanted: &str| query.split('&').any(|pair| pair.split('=').next() == Some(wanted));
        match method {
            "GET" if name("list-type") || pair("comp=list") => Self::List,
            "GET" if name("uploads") => Self::Uploads,
            "POST" if name("uploads") => Self::Begin,
            "PUT" if name("partNumber") || pair("comp=block") => Self::Part,
            "POST" if name("uploadId") => Self::Complete,
            "PUT" if pair("comp=blocklist") => Self::Complete,
            "DELETE" if name("uploadId") => Self::Abort,
            "POST" if name("delete") || pair("comp=batch") => Self::RemoveMany,
            _ => Self::Object,
        }
    }
}

/// A request that came to a proxy.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, say.
    pub method: String,
    /// The path and the query, as they were sent.
    pub target: String,
    /// What it asks for.
    pub kind: Kind,
    /// How many requests with this method and of this kind came before.
    pub ordinal: usize,
    /// How many requests came before for just this: the same method, target and range. The first try is 0,
    /// whatever is sent at the same time.
    pub attempt: usize,
    pub(super) head: Head,
}

impl Request {
    pub(super) fn new(head: Head, before: &[Self]) -> Self {
        let (method, target) = (head.word(0).to_owned(), head.word(1).to_owned());
        let kind = Kind::of(&method, &target);
        let mut request = Self { method, target, kind, ordinal: 0, attempt: 0, head };
        request.ordinal = before.iter().filter(|other| other.is(&request.method, kind)).count();
        request.attempt = before.iter().filter(|other| other.asks_as(&request)).count();
        request
    }

    /// Whether it has this method and is of this kind.
    pub fn is(&self, method: &str, kind: Kind) -> bool {
        self.method == method && self.kind == kind
    }

    /// The value of a header, whatever case its name is in.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    fn asks_as(&self, other: &Self) -> bool {
        self.is(&other.method, other.kind)
            && self.target == other.target
            && self.header("range") == other.header("range")
    }
}

/// What happens to a request, instead of being passed on and answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// It is answered with this status and the error of S3 that goes with it, and not passed on.
    Status(u16),
    /// It is answered with this status and this body, and not passed on.
    Answer(u16, String),
    /// It is passed on; what is answered is this status, as by a store that fails after it has acted.
    StatusAfter(u16),
    /// It is passed on; what is answered is this status and this body.
    AnswerAfter(u16, String),
    /// It is passed on; of the body of the answer so many bytes come, and then the connection ends.
    CutBody(u64),
    /// The connection ends, and the request is not passed on.
    BreakBefore,
    /// The request is passed on, and the connection ends when the answer is there: whoever sent it can't know
    /// what was done.
    BreakAfter,
    /// It waits so long before it is passed on.
    Delay(Duration),
    /// It waits until so many requests are under way at once, this one counted, or were before; then it is
    /// passed on.
    Gather(usize),
    /// It is neither passed on nor answered, until the client or the proxy ends.
    Hang,
}

/// The body of an error of S3. Clients of Azure go by the status.
pub(super) fn error_body(status: u16) -> String {
    let code = match status {
        400 => "BadRequest",
        401 | 403 => "AccessDenied",
        404 => "NoSuchKey",
        409 => "ConditionalRequestConflict",
        412 => "PreconditionFailed",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "SlowDown",
        _ => "Unknown",
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Error><Code>{code}</Code><Message>injected by a test</Message></Error>"
    )
}
