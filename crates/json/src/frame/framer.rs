//! From bytes to slices of whole frames, for every shape, in windows of any size.
//!
//! The framer decides where records begin and end, and nothing else: what is in them is the
//! decoder's business. It is pushed windows and keeps no bytes itself, so memory does not grow with
//! the file: a frame over the limit is skipped while its length is counted.
//!
//! One state machine for all shapes, and so one file: which shape it is may turn out late, and from
//! then on the same states go on.

use distil_plan::{Error, Hint, Plan, Reason, Shape};

use crate::frame::bitmaps::frames_end;
use crate::frame::envelope::{Envelope, Walk};
use crate::frame::first_bytes::{self, First};
use crate::frame::list::Frames;
use crate::frame::path_framer::PathFramer;
use crate::parse::scan::FrameScan;
use crate::parse::tape::skip_blanks;

/// What to do next. `used` bytes of the window are done with.
#[derive(Debug)]
pub enum Step {
    /// The bytes before `end` are whole frames and separators.
    Slice {
        /// End of the slice in the window.
        end: usize,
        /// Bytes done with; the slice among them.
        used: usize,
        /// Where its frames are.
        frames: Frames,
    },
    /// A bad record that was too long to keep, or a bad range.
    Bad {
        /// Bytes done with.
        used: usize,
        /// First byte in the file.
        offset: u64,
        /// Bytes.
        length: u64,
        /// `TooLarge` or `BrokenRange`.
        reason: Reason,
        /// What is wrong.
        detail: String,
    },
    /// Bytes that hold no records.
    Skip {
        /// Bytes done with; at least one, unless only the state changed.
        used: usize,
    },
    /// The window must grow; at the end of the file this is never asked.
    More,
    /// The file is done.
    Done,
    /// The file can't be read as the plan says.
    Fail(Error),
}

/// What may come next in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    FrameOrEnd,
    Frame,
    CommaOrEnd,
}

#[derive(Debug)]
enum State {
    Start,
    Blanks,
    Sniff { seen: usize, line_feed: bool },
    SameLine { end: usize },
    SameLineLarge { start: u64, end: u64 },
    SniffLarge { scan: FrameScan, start: u64, line_feed: bool },
    Document,
    ArrayStart,
    Array(Expect),
    Concatenated,
    Suffix,
    DocumentEnd,
    ArrayEnd,
    Lines,
    SkipFrame { scan: FrameScan, start: u64 },
    SkipLine { start: u64, end: u64 },
    Drain { start: u64, detail: &'static str },
    Path,
    Done,
}

/// The framer of one file.
#[derive(Debug)]
pub struct Framer {
    shape: Shape,
    state: State,
    envelope: Envelope,
    /// Offset in the file of the first byte of the window.
    offset: u64,
    max_record: u64,
    /// Why the bytes end early, when they do.
    cut: Option<String>,
    /// What finds the records of values, where the plan says where they are in them.
    path: Option<Box<PathFramer>>,
}

impl Framer {
    /// A framer at the beginning of a file that was found to have this shape, or has the plan's.
    pub fn of(plan: &Plan, shape: &Shape) -> Self {
        let path = plan.records.as_ref().map(|path| Box::new(PathFramer::new(path, shape, plan)));
        Self { path, ..Self::new(shape, plan.max_record) }
    }

    /// A framer at the beginning of a file.
    pub fn new(shape: &Shape, max_record: u64) -> Self {
        let (path, lenient) = match shape {
            Shape::Document(path) => (path.clone(), false),
            _ => (vec!["records".to_owned()], true),
        };
        Self {
            shape: shape.clone(),
            state: State::Start,
            envelope: Envelope::new(path, lenient),
            offset: 0,
            max_record,
            cut: None,
            path: None,
        }
    }

    /// A framer of lines, from the beginning of one at `offset` of a file.
    pub fn lines_from(plan: &Plan, offset: u64) -> Self {
        let framer = Self::of(plan, &Shape::Lines);
        let state = if framer.path.is_some() { State::Path } else { State::Lines };
        Self { state, offset, ..framer }
    }

    /// Tells, before the step that sees the end of the file, that the bytes ended early (a compressed
    /// stream broke): whatever could still go on counts as unfinished, and the file ends with a bad
    /// range.
    pub fn cut(&mut self, why: impl Into<String>) {
        self.cut = Some(why.into());
    }

    /// The shape; once the first slice is there it is never `auto`, but for records under a path, which may
    /// be met before their value ends.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Values that have no records at the path of the plan, and nulls among the records.
    pub fn passed_over(&self) -> PassedOver {
        match &self.path {
            Some(path) => PassedOver { without: path.walk().without, holes: path.walk().holes },
            None => PassedOver::default(),
        }
    }

    /// Names of the members beside the records of the first value, but for lines.
    pub fn ignored_members(&self) -> &[String] {
        if let Some(path) = &self.path {
            // Lines are read in slices, of which only one has the first value.
            return if self.shape == Shape::Lines { &[] } else { path.walk().ignored() };
        }
        match self.shape {
            Shape::Document(_) => self.envelope.ignored(),
            // The walk that found out that there is no document saw the members of a record.
            _ => &[],
        }
    }

    /// Offset in the file of the first byte of the next window.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Looks at the window, which begins where the last step's `used` ended; `eof` says that
    /// nothing follows it.
    pub fn step(&mut self, window: &[u8], eof: bool) -> Step {
        let step = self.decide(window, eof);
        if let Step::Slice { used, .. } | Step::Bad { used, .. } | Step::Skip { used } = step {
            self.offset += used as u64;
        }
        step
    }

    fn decide(&mut self, window: &[u8], eof: bool) -> Step {
        match &mut self.state {
            State::Start => self.start(window, eof),
            State::Blanks => self.first_byte(window, eof),
            State::Sniff { .. } => self.sniff(window, eof),
            State::SameLine { end } => match window.get(*end) {
                None if !eof => Step::More,
                next => {
                    let is_next_value = next == Some(&b'{');
                    self.become_frames(is_next_value)
                }
            },
            State::SniffLarge { .. } => self.sniff_large(window, eof),
            State::SameLineLarge { start, end } => {
                let (start, end) = (*start, *end);
                match window.first() {
                    None if !eof => Step::More,
                    Some(b'{') => {
                        self.shape = Shape::Concatenated;
                        self.state = State::Concatenated;
                        self.too_large_at(start, end, 0)
                    }
                    _ => {
                        self.shape = Shape::Lines;
                        self.go(0, State::SkipLine { start, end })
                    }
                }
            }
            State::Document => {
                let (used, walk) = self.envelope.feed(window);
                match walk {
                    Walk::Array => self.go(used, State::Array(Expect::FrameOrEnd)),
                    Walk::Closed => Step::Fail(self.no_array()),
                    Walk::Wrong(what) => Step::Fail(self.wrong(what, used)),
                    Walk::Broken(what) => self.drain_token(used, what),
                    Walk::More if eof && !self.envelope.started() && self.cut.is_none() => {
                        Step::Fail(self.no_array())
                    }
                    Walk::More if eof => {
                        self.drain_token(used, "the file ends before the array of records")
                    }
                    Walk::More if used == 0 => Step::More,
                    Walk::More => Step::Skip { used },
                }
            }
            State::ArrayStart => {
                let at = skip_blanks(window, 0);
                match window.get(at) {
                    Some(b'[') => self.go(at + 1, State::Array(Expect::FrameOrEnd)),
                    None if !eof && at == 0 => Step::More,
                    None if !eof => Step::Skip { used: at },
                    None if self.cut.is_some() => self.finished(at),
                    _ => Step::Fail(
                        Error::input("the file does not begin with an array")
                            .at("", Some(self.offset + at as u64))
                            .help(Hint::set("let the file tell", "shape", "auto")),
                    ),
                }
            }
            State::Array(expect) => {
                let expect = *expect;
                self.array(window, eof, expect)
            }
            State::Concatenated => self.concatenated(window, eof),
            State::Suffix => {
                let (used, walk) = self.envelope.feed(window);
                match walk {
                    Walk::Closed => self.go(used, State::DocumentEnd),
                    Walk::Wrong(what) => Step::Fail(self.wrong(what, used)),
                    Walk::Broken(what) => self.drain_token(used, what),
                    Walk::Array => Step::Fail(self.wrong("a second array".to_owned(), used)),
                    Walk::More if eof => {
                        self.drain_token(used, "the file ends inside the document")
                    }
                    Walk::More if used == 0 => Step::More,
                    Walk::More => Step::Skip { used },
                }
            }
            State::DocumentEnd => {
                let at = skip_blanks(window, 0);
                match window.get(at) {
                    Some(_) => Step::Fail(
                        Error::input("more than one value in a file that begins with a document")
                            .at("", Some(self.offset + at as u64))
                            .help(Hint::set(
                                "read every value of the file as a record",
                                "shape",
                                "concatenated",
                            ))
                            .help(Hint::set("or read every line as one", "shape", "lines"))
                            .help(Hint::set(
                                "or take the elements of `records` for records",
                                "records",
                                "/records",
                            )),
                    ),
                    None if eof => self.finished(at),
                    None if at == 0 => Step::More,
                    None => Step::Skip { used: at },
                }
            }
            State::ArrayEnd => {
                let at = skip_blanks(window, 0);
                match window.get(at) {
                    // A shape that was not seen, and no damage: to read on would lose all that follows.
                    Some(b'[') => Step::Fail(
                        Error::input("the file is not one array: each line or value of it is one")
                            .at("", Some(self.offset + at as u64))
                            .help(Hint::set(
                                "take the elements of each array as records",
                                "records",
                                "/*",
                            )),
                    ),
                    Some(_) => self.drain(at, "more follows the array"),
                    None if eof => self.finished(at),
                    None if at == 0 => Step::More,
                    None => Step::Skip { used: at },
                }
            }
            State::Lines => self.lines(window, eof),
            State::SkipFrame { scan, start } => {
                let start = *start;
                let end = scan.advance(window, 0);
                let whole = end.is_some() || eof && scan.ends_at_eof() && self.cut.is_none();
                let used = end.unwrap_or(window.len());
                if whole {
                    self.state = self.after_frame();
                    self.too_large(start, used, used)
                } else if eof {
                    self.state = State::Drain { start, detail: "the file ends inside a value" };
                    Step::Skip { used }
                } else if used == 0 {
                    Step::More
                } else {
                    Step::Skip { used }
                }
            }
            State::SkipLine { start, end } => {
                let stop = memchr::memchr(b'\n', window);
                let line = &window[..stop.unwrap_or(window.len())];
                let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r');
                if let Some(last) = line.iter().rposition(|b| !blank(b)) {
                    *end = self.offset + last as u64 + 1;
                }
                let (start, end) = (*start, *end);
                match stop {
                    Some(at) => {
                        self.state = State::Lines;
                        self.too_large_at(start, end, at + 1)
                    }
                    None if eof && self.cut.is_some() => {
                        let detail = "the file ends inside a line";
                        self.go(window.len(), State::Drain { start, detail })
                    }
                    None if eof => {
                        self.state = State::Done;
                        self.too_large_at(start, end, window.len())
                    }
                    None if window.is_empty() => Step::More,
                    None => Step::Skip { used: window.len() },
                }
            }
            State::Drain { start, detail } => {
                if !eof {
                    return if window.is_empty() {
                        Step::More
                    } else {
                        Step::Skip { used: window.len() }
                    };
                }
                let offset = *start;
                let detail = self.cut.take().unwrap_or_else(|| (*detail).to_owned());
                let end = self.offset + window.len() as u64;
                self.state = State::Done;
                Step::Bad {
                    used: window.len(),
                    offset,
                    length: end - offset,
                    reason: Reason::BrokenRange,
                    detail,
                }
            }
            State::Path => {
                let Some(path) = &mut self.path else { return Step::Done };
                let step = path.step(window, self.offset, eof, &mut self.cut);
                match path.shape() {
                    Some(shape) => self.shape = shape,
                    // A file without a value.
                    None if matches!(step, Step::Done) => self.shape = Shape::Lines,
                    None => {}
                }
                step
            }
            State::Done => Step::Done,
        }
    }

    fn go(&mut self, used: usize, state: State) -> Step {
        self.state = state;
        Step::Skip { used }
    }

    fn drain(&mut self, at: usize, detail: &'static str) -> Step {
        let start = self.offset + at as u64;
        self.go(at, State::Drain { start, detail })
    }

    /// The bad range begins with the token that does not fit, which may lie before the window.
    fn drain_token(&mut self, used: usize, detail: &'static str) -> Step {
        let start = self.offset + used as u64 - self.envelope.token_length();
        self.go(used, State::Drain { start, detail })
    }

    /// Nothing more is needed of the file.
    fn finished(&mut self, at: usize) -> Step {
        match self.cut {
            Some(_) => self.drain(at, ""),
            None => self.go(at, State::Done),
        }
    }

    fn wrong(&self, what: String, at: usize) -> Error {
        Error::input(what).at("", Some(self.offset + at as u64)).help(Hint::set(
            "name the array of records",
            "shape",
            "/MEMBER",
        ))
    }

    fn no_array(&self) -> Error {
        Error::input(format!("no array of records at {}", self.shape)).help(Hint::set(
            "name the array of records",
            "shape",
            "/MEMBER",
        ))
    }

    fn too_large(&self, start: u64, end: usize, used: usize) -> Step {
        self.too_large_at(start, self.offset + end as u64, used)
    }

    fn too_large_at(&self, start: u64, end: u64, used: usize) -> Step {
        Step::Bad {
            used,
            offset: start,
            length: end - start,
            reason: Reason::TooLarge,
            detail: too_large_detail(self.max_record),
        }
    }

    /// Where the framer stands after a frame.
    fn after_frame(&self) -> State {
        match self.shape {
            Shape::Concatenated => State::Concatenated,
            _ => State::Array(Expect::CommaOrEnd),
        }
    }

    fn start(&mut self, window: &[u8], eof: bool) -> Step {
        if window.len() < 4 && !eof {
            return Step::More;
        }
        let utf16 = matches!(
            window,
            [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, 1..=255, ..] | [1..=255, 0, ..]
        );
        let utf32 = matches!(window, [0, 0, 0, 1..=255, ..] | [0, 0, 0xFE, 0xFF, ..]);
        if utf16 || utf32 {
            return Step::Fail(
                Error::input("the file is UTF-16 or UTF-32, JSON must be UTF-8")
                    .at("", Some(0))
                    .help("convert it first: iconv -f UTF-16 -t UTF-8"),
            );
        }
        match first_bytes::binary(window, eof) {
            First::Other(error) => return Step::Fail(error),
            First::More => return Step::More,
            First::Json => {}
        }
        let used = if window.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        self.go(
            used,
            match self.shape {
                Shape::Auto => State::Blanks,
                _ if self.path.is_some() => State::Path,
                Shape::Lines => State::Lines,
                Shape::Concatenated => State::Concatenated,
                Shape::Array => State::ArrayStart,
                Shape::Document(_) => State::Document,
            },
        )
    }

    /// `auto`: the first byte that is not blank decides.
    fn first_byte(&mut self, window: &[u8], eof: bool) -> Step {
        let at = skip_blanks(window, 0);
        if window.get(at).is_some_and(|byte| *byte != b'{') {
            match first_bytes::text(&window[at..], eof) {
                First::Other(error) => return Step::Fail(error),
                First::More if at > 0 => return Step::Skip { used: at },
                First::More => return Step::More,
                First::Json => {}
            }
        }
        match window.get(at) {
            Some(_) if self.path.is_some() => self.go(at, State::Path),
            None if eof && self.path.is_some() => self.go(at, State::Path),
            Some(b'[') if !first_bytes::is_prefixed(&window[at..]) => {
                self.shape = Shape::Array;
                self.go(at, State::ArrayStart)
            }
            Some(b'{') => self.go(at, State::Sniff { seen: 0, line_feed: false }),
            None if !eof && at == 0 => Step::More,
            None if !eof => Step::Skip { used: at },
            _ => {
                self.shape = Shape::Lines;
                self.go(at, State::Lines)
            }
        }
    }

    fn becomes_document(&mut self, used: usize) -> Step {
        self.shape = Shape::Document(vec!["records".to_owned()]);
        self.go(used, State::Array(Expect::FrameOrEnd))
    }

    /// `auto`, in an object: the window is kept until the object says what it is.
    fn sniff(&mut self, window: &[u8], eof: bool) -> Step {
        let State::Sniff { seen, line_feed } = &mut self.state else { return Step::Done };
        let fresh = window.get(*seen..).unwrap_or_default();
        let (used, walk) = self.envelope.feed(fresh);
        *line_feed |= memchr::memchr(b'\n', &fresh[..used]).is_some();
        *seen += used;
        let (end, line_feed) = (*seen, *line_feed);
        match walk {
            Walk::Array => self.becomes_document(end),
            Walk::Wrong(what) => Step::Fail(self.wrong(what, end)),
            Walk::More if !eof => {
                if (window.len() as u64) <= self.max_record {
                    return Step::More;
                }
                let mut scan = FrameScan::default();
                scan.advance(window, 0);
                let start = self.offset;
                self.go(window.len(), State::SniffLarge { scan, start, line_feed })
            }
            Walk::Closed if !line_feed => self.go(0, State::SameLine { end }),
            _ => self.become_frames(line_feed),
        }
    }

    /// `auto`: the file is values one after another on any lines, or one on each.
    fn become_frames(&mut self, concatenated: bool) -> Step {
        let (shape, state) = match concatenated {
            true => (Shape::Concatenated, State::Concatenated),
            false => (Shape::Lines, State::Lines),
        };
        self.shape = shape;
        self.go(0, state)
    }

    /// `auto`, in an object that is longer than any record: if it is no document, it is a record that
    /// is too large.
    fn sniff_large(&mut self, window: &[u8], eof: bool) -> Step {
        let State::SniffLarge { scan, start, line_feed } = &mut self.state else {
            return Step::Done;
        };
        let (used, walk) = self.envelope.feed(window);
        scan.advance(&window[..used], 0);
        *line_feed |= memchr::memchr(b'\n', &window[..used]).is_some();
        let (scan, start, line_feed) = (*scan, *start, *line_feed);
        match walk {
            Walk::Array => self.becomes_document(used),
            Walk::Wrong(what) => Step::Fail(self.wrong(what, used)),
            Walk::More if !eof && used == 0 => Step::More,
            Walk::More if !eof => Step::Skip { used },
            Walk::Closed if !line_feed => {
                let end = self.offset + used as u64;
                self.go(used, State::SameLineLarge { start, end })
            }
            _ if !line_feed => {
                self.shape = Shape::Lines;
                let end = self.offset + used as u64;
                self.go(used, State::SkipLine { start, end })
            }
            Walk::Closed => {
                self.shape = Shape::Concatenated;
                self.state = State::Concatenated;
                self.too_large(start, used, used)
            }
            _ => {
                self.shape = Shape::Concatenated;
                self.go(used, State::SkipFrame { scan, start })
            }
        }
    }

    fn array(&mut self, window: &[u8], eof: bool, mut expect: Expect) -> Step {
        let mut at = 0;
        let mut frames = 0usize;
        loop {
            at = skip_blanks(window, at);
            let Some(&byte) = window.get(at) else {
                if frames > 0 || (at > 0 && !eof) {
                    self.state = State::Array(expect);
                    return self.slice(frames, at, at);
                }
                return if eof {
                    self.drain(at, "the file ends inside the array")
                } else {
                    Step::More
                };
            };
            match (expect, byte) {
                (Expect::CommaOrEnd, b',') => {
                    at += 1;
                    expect = Expect::Frame;
                }
                (Expect::CommaOrEnd | Expect::FrameOrEnd, b']') => {
                    self.state = match self.shape {
                        Shape::Array => State::ArrayEnd,
                        _ => {
                            self.envelope.resume();
                            State::Suffix
                        }
                    };
                    return self.slice(frames, at, at + 1);
                }
                (Expect::CommaOrEnd, _) => {
                    return self.broken(frames, at, "expected `,` or `]` after a record");
                }
                (_, b',' | b']' | b'}') => {
                    return self.broken(frames, at, "expected a record");
                }
                _ => {
                    if matches!(byte, b'{' | b'[')
                        && let Some(end) = frames_end(window, at, true)
                    {
                        at = end;
                        frames += 1;
                        expect = Expect::CommaOrEnd;
                        continue;
                    }
                    let mut scan = FrameScan::default();
                    match scan.advance(window, at) {
                        Some(end) => at = end,
                        None if eof && scan.ends_at_eof() && self.cut.is_none() => {
                            at = window.len()
                        }
                        None => {
                            self.state = State::Array(expect);
                            return self.unfinished(window, eof, frames, at, scan);
                        }
                    }
                    frames += 1;
                    expect = Expect::CommaOrEnd;
                }
            }
        }
    }

    fn concatenated(&mut self, window: &[u8], eof: bool) -> Step {
        let mut at = 0;
        let mut frames = 0usize;
        loop {
            at = skip_blanks(window, at);
            let Some(&byte) = window.get(at) else {
                if at > 0 {
                    return self.slice(frames, at, at);
                }
                return if eof { self.finished(0) } else { Step::More };
            };
            if matches!(byte, b',' | b':' | b']' | b'}') {
                return self.broken(frames, at, "expected a value");
            }
            if matches!(byte, b'{' | b'[')
                && let Some(end) = frames_end(window, at, false)
            {
                at = end;
                frames += 1;
                continue;
            }
            let mut scan = FrameScan::default();
            match scan.advance(window, at) {
                Some(end) => at = end,
                None if eof && scan.ends_at_eof() && self.cut.is_none() => at = window.len(),
                None => return self.unfinished(window, eof, frames, at, scan),
            }
            frames += 1;
        }
    }

    fn slice(&self, frames: usize, end: usize, used: usize) -> Step {
        if frames == 0 {
            return Step::Skip { used };
        }
        Step::Slice { end, used, frames: Frames::Blanks }
    }

    /// Hands out the frames before the break first; the rest of the file is a bad range.
    fn broken(&mut self, frames: usize, at: usize, detail: &'static str) -> Step {
        let start = self.offset + at as u64;
        self.state = State::Drain { start, detail };
        self.slice(frames, at, at)
    }

    /// A frame that does not end in the window: the frames before it go out, then the window grows
    /// up to the limit, then the frame is skipped.
    fn unfinished(
        &mut self,
        window: &[u8],
        eof: bool,
        frames: usize,
        at: usize,
        scan: FrameScan,
    ) -> Step {
        if eof {
            return self.broken(frames, at, "the file ends inside a value");
        }
        if at > 0 {
            // What came before the frame was separators at most: the state after them must not be
            // lost, and it is the one that a frame may follow.
            if let State::Array(expect) = &mut self.state
                && *expect == Expect::CommaOrEnd
            {
                *expect = Expect::Frame;
            }
            return self.slice(frames, at, at);
        }
        if window.len() as u64 <= self.max_record {
            return Step::More;
        }
        let start = self.offset;
        self.go(window.len(), State::SkipFrame { scan, start })
    }

    fn lines(&mut self, window: &[u8], eof: bool) -> Step {
        if let Some(last) = memchr::memrchr(b'\n', window) {
            return Step::Slice { end: last + 1, used: last + 1, frames: Frames::Lines };
        }
        let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r');
        let first = window.iter().position(|b| !blank(b)).unwrap_or(window.len());
        if eof && self.cut.is_some() {
            return self.drain(first, "the file ends inside a line");
        }
        if eof {
            self.state = State::Done;
            let end = window.len();
            return Step::Slice { end, used: end, frames: Frames::Lines };
        }
        if first > 0 {
            return Step::Skip { used: first };
        }
        match window.iter().rposition(|b| !blank(b)) {
            Some(last) if last as u64 >= self.max_record => {
                let (start, end) = (self.offset, self.offset + last as u64 + 1);
                self.go(window.len(), State::SkipLine { start, end })
            }
            _ => Step::More,
        }
    }
}

/// What a framer found beside records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// Values that have no records at the path of the plan.
    pub without: u64,
    /// Nulls among the records.
    pub holes: u64,
}

/// The detail of a record that is too large, wherever that is found.
pub(crate) fn too_large_detail(max_record: u64) -> String {
    format!("the record is longer than {max_record} bytes, the most that `max_record` allows")
}
