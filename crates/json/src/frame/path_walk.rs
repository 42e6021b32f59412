//! The walk through one value to the records under a path: a strict parser of the text around them, which
//! may be longer than memory, and a finder of frames where they are.

use distil_plan::{Added, PathStep, RecordsPath};

use crate::frame::added::AddedMembers;
use crate::frame::bitmaps::frames_end;
use crate::frame::envelope::Ignored;
use crate::frame::list::FrameList;
use crate::frame::syntax::{Event, Syntax};
use crate::parse::scan::FrameScan;
use crate::parse::tape::unescape;

/// What the bytes of a window led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// More bytes are needed behind those that were not used.
    More,
    /// The value ended.
    Closed,
    /// The first byte not used is invalid here, or the bytes end too early.
    Broken(&'static str),
    /// A record that began at this offset and ended with the last byte used is longer than any may be; whether it
    /// was the whole value.
    TooLarge(u64, bool),
    /// The file can't be what the plan says.
    Wrong(String),
}

/// What follows a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follows {
    /// More of the file.
    More,
    /// Nothing that is there: the stream was cut, so that a number at the end may have more digits.
    Cut,
    /// The end of the value's text.
    End,
}

impl Follows {
    fn is_end(self) -> bool {
        self != Self::More
    }
}

/// An open object or list on the way to records. They are the outermost ones of all that are open.
#[derive(Clone, Copy, Debug)]
struct OnPath {
    /// The step that its members or elements take; the length of the path in the array of records.
    step: usize,
    is_object: bool,
    /// Elements that began.
    elements: u64,
    /// The next value is that of the member that the step names.
    is_named: bool,
    /// Whether the member that the step names was there.
    was_named: bool,
}

/// Where a value that is about to begin stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Beside,
    /// Before the step of this number.
    Before(usize),
    /// Where the path ends; an array there gives its elements.
    End,
    /// An element of the array of records.
    Element,
}

/// The walk through the values of a file, one after another.
#[derive(Debug)]
pub(crate) struct PathWalk {
    path: Vec<PathStep>,
    syntax: Syntax,
    on_path: Vec<OnPath>,
    added: AddedMembers,
    /// The text of added members in the list at hand, while none of them changes.
    added_range: Option<(usize, usize)>,
    max_record: u64,
    /// A record that is longer than any may be, and where it began.
    skipped: Option<(FrameScan, u64)>,
    /// Whether the value has records.
    found: bool,
    is_first: bool,
    ignored: Ignored,
    /// Values that ended without records.
    pub(crate) without: u64,
    /// Nulls among records.
    pub(crate) holes: u64,
    /// Arrays of records that were met where the path ends.
    pub(crate) arrays: u64,
    /// Elements of arrays that a name led to, as an index.
    pub(crate) indexed: u64,
}

impl PathWalk {
    pub(crate) fn new(path: &RecordsPath, added: &[Added], max_record: u64) -> Self {
        Self {
            path: path.0.clone(),
            syntax: Syntax::new(),
            on_path: Vec::new(),
            added: AddedMembers::new(path, added),
            added_range: None,
            max_record,
            skipped: None,
            found: false,
            is_first: true,
            ignored: Ignored::default(),
            without: 0,
            holes: 0,
            arrays: 0,
            indexed: 0,
        }
    }

    /// Names of members beside the records of the first value, each once, in order.
    pub(crate) fn ignored(&self) -> &[String] {
        self.ignored.names()
    }

    /// Bytes used of the token that is unfinished, or that the next byte breaks.
    pub(crate) fn token_length(&self) -> u64 {
        self.syntax.token_length()
    }

    /// Where the record began that was too long to keep, and has not ended.
    pub(crate) fn skipped_from(&self) -> Option<u64> {
        self.skipped.map(|(_, start)| start)
    }

    /// The next byte begins a value.
    pub(crate) fn begin(&mut self) {
        self.syntax = Syntax::new();
        self.on_path.clear();
        self.found = false;
        self.skipped = None;
        self.added.begin();
    }

    /// A list that nothing was added to is at hand.
    pub(crate) fn begin_list(&mut self) {
        self.added_range = None;
    }

    /// Goes on from `at` in a window whose first byte stands at `offset` of the file. Returns the end of what is used.
    pub(crate) fn advance(
        &mut self,
        window: &[u8],
        mut at: usize,
        (offset, follows): (u64, Follows),
        list: &mut FrameList,
    ) -> (usize, Outcome) {
        let is_end = follows.is_end();
        if let Some((scan, start)) = &mut self.skipped {
            let end = scan.advance(window, at);
            if end.is_none() && !(follows == Follows::End && scan.ends_at_eof()) {
                let ended = Outcome::Broken("the file ends inside a value");
                return (window.len(), if is_end { ended } else { Outcome::More });
            }
            let start = *start;
            self.skipped = None;
            let is_closed = self.syntax.value_taken() == Event::Closed;
            if is_closed {
                self.closed();
            }
            return (end.unwrap_or(window.len()), Outcome::TooLarge(start, is_closed));
        }
        while let Some(&byte) = window.get(at) {
            if self.syntax.begins_value(byte) {
                match self.value(window, at, (offset, follows), list) {
                    Next::Feed => {}
                    Next::At(next) => {
                        at = next;
                        continue;
                    }
                    Next::Stop(used, outcome) => return (used, outcome),
                }
            }
            match self.syntax.feed(byte) {
                Ok(Event::None) => {
                    let depth = self.syntax.depth();
                    if depth < self.on_path.len() {
                        self.on_path.truncate(depth);
                    }
                    self.added.depth(depth);
                }
                Ok(Event::Name) => {
                    if let Err(outcome) = self.name_ended() {
                        return (at, outcome);
                    }
                }
                Ok(Event::Closed) => {
                    self.closed();
                    return (at + 1, Outcome::Closed);
                }
                Err(what) => return (at, Outcome::Broken(what)),
            }
            at += 1;
        }
        let ended = Outcome::Broken("the file ends inside a value");
        (at, if is_end { ended } else { Outcome::More })
    }

    fn closed(&mut self) {
        self.without += u64::from(!self.found);
        self.is_first = false;
        self.on_path.clear();
    }

    /// Where the value that is about to begin stands.
    fn place(&mut self) -> Place {
        let depth = self.syntax.depth();
        if self.on_path.len() != depth {
            return Place::Beside;
        }
        let Some(around) = self.on_path.last_mut() else {
            return self.before(0);
        };
        let element = around.elements;
        around.elements += u64::from(!around.is_object);
        let next = around.step + 1;
        let is_array = !around.is_object;
        match self.path.get(around.step) {
            None => Place::Element,
            Some(PathStep::Name(_)) if around.is_object => {
                match std::mem::take(&mut around.is_named) {
                    true => self.before(next),
                    false => Place::Beside,
                }
            }
            Some(PathStep::Name(name)) if name.parse() == Ok(element) => {
                self.indexed += 1;
                self.before(next)
            }
            Some(PathStep::Name(_)) => Place::Beside,
            Some(PathStep::Each) if is_array && next == self.path.len() => Place::Element,
            Some(PathStep::Each | PathStep::Member(_)) => self.before(next),
        }
    }

    fn before(&self, step: usize) -> Place {
        if step == self.path.len() { Place::End } else { Place::Before(step) }
    }

    /// A value is about to begin: finds out what it is, and takes it if it is a record.
    fn value(
        &mut self,
        window: &[u8],
        at: usize,
        (offset, follows): (u64, Follows),
        list: &mut FrameList,
    ) -> Next {
        let is_end = follows.is_end();
        let byte = window[at];
        // Whatever is read ahead needs the same answer when there is more of it.
        let around = self.on_path.last().copied();
        let place = self.place();
        let ahead = self.added.value(&window[at..], is_end, self.max_record);
        match ahead {
            Ok(true) => self.added_range = None,
            Ok(false) => {}
            Err(stop) => {
                if let (Some(around), Some(last)) = (around, self.on_path.last_mut()) {
                    *last = around;
                }
                return Next::Stop(at, stop);
            }
        }
        let is_root = self.syntax.depth() == 0;
        let is_open = matches!(byte, b'{' | b'[');
        let step = match place {
            Place::Beside => return Next::Feed,
            Place::Before(step) => step,
            Place::End if byte == b'[' => self.path.len(),
            Place::End | Place::Element => {
                return self.record(window, at, (offset, follows), (list, place, around));
            }
        };
        if is_root && !is_open {
            // No value of a file that has records in its values is a number or a text.
            return self.record(window, at, (offset, follows), (list, place, around));
        }
        let leads_on = match self.path.get(step) {
            None => true,
            Some(PathStep::Name(name)) => byte == b'{' || byte == b'[' && is_index(name),
            Some(PathStep::Each) => is_open,
            Some(PathStep::Member(_)) => byte == b'{',
        };
        if leads_on {
            self.found |= step == self.path.len();
            self.arrays += u64::from(step == self.path.len());
            if let Err(stop) = self.added.enter(step, &window[at..], is_end, self.max_record) {
                if let (Some(around), Some(last)) = (around, self.on_path.last_mut()) {
                    *last = around;
                }
                return Next::Stop(at, stop);
            }
            self.added_range = None;
            self.on_path.push(OnPath {
                step,
                is_object: byte == b'{',
                elements: 0,
                is_named: false,
                was_named: false,
            });
        }
        Next::Feed
    }

    /// Takes a record: its frame is listed, if it is whole, and not a hole.
    fn record(
        &mut self,
        window: &[u8],
        at: usize,
        (offset, follows): (u64, Follows),
        (list, place, around): (&mut FrameList, Place, Option<OnPath>),
    ) -> Next {
        if matches!(window[at], b',' | b']' | b'}') {
            return Next::Stop(at, Outcome::Broken("expected a record"));
        }
        let mut scan = FrameScan::default();
        let many = match place {
            Place::Element if matches!(window[at], b'{' | b'[') => frames_end(window, at, true),
            _ => None,
        };
        let end = match many.or_else(|| scan.advance(window, at)) {
            Some(end) => end,
            None if follows == Follows::End && scan.ends_at_eof() => window.len(),
            None if follows.is_end() => {
                return Next::Stop(at, Outcome::Broken("the file ends inside a value"));
            }
            None if (window.len() - at) as u64 > self.max_record => {
                self.found = true;
                self.skipped = Some((scan, offset + at as u64));
                return Next::Stop(window.len(), Outcome::More);
            }
            None => {
                if let (Some(around), Some(last)) = (around, self.on_path.last_mut()) {
                    *last = around;
                }
                return Next::Stop(at, Outcome::More);
            }
        };
        let is_null = &window[at..end] == b"null";
        let is_hole = is_null && self.syntax.depth() > 0;
        if !is_null {
            self.found = true;
            // A value of the file that is itself the record has nothing around it.
            let added = match self.added_range {
                _ if self.syntax.depth() == 0 => (0, 0),
                Some(range) => range,
                None => self.added.write(&mut list.added),
            };
            self.added_range = (self.syntax.depth() > 0).then_some(added);
            list.push(at, end, added);
            self.added.met_record();
        } else if is_hole && (place == Place::Element || self.is_in_map()) {
            self.holes += 1;
        }
        if self.syntax.value_taken() == Event::Closed {
            self.closed();
            return Next::Stop(end, Outcome::Closed);
        }
        Next::At(end)
    }

    /// Whether the value at hand is one of many by its step.
    fn is_in_map(&self) -> bool {
        let step = self.on_path.last().and_then(|around| self.path.get(around.step));
        matches!(step, Some(PathStep::Each | PathStep::Member(_)))
    }

    /// The name of a member is known.
    fn name_ended(&mut self) -> Result<(), Outcome> {
        let depth = self.syntax.depth();
        let raw = self.syntax.name();
        let is_on_path = self.on_path.len() == depth;
        self.added.name(
            raw,
            depth,
            if is_on_path { self.on_path.last().map(|a| a.step) } else { None },
        )?;
        let Some(around) = self.on_path.last_mut().filter(|_| is_on_path) else { return Ok(()) };
        match self.path.get(around.step) {
            Some(PathStep::Name(expected)) => {
                let mut name = Vec::with_capacity(raw.len());
                unescape(raw, &mut name);
                if name != expected.as_bytes() {
                    if self.is_first {
                        self.ignored.note(&name);
                    }
                    return Ok(());
                }
                if std::mem::replace(&mut around.was_named, true) {
                    let name = String::from_utf8_lossy(&name);
                    return Err(Outcome::Wrong(format!("the member `{name}` occurs twice")));
                }
                around.is_named = true;
            }
            Some(PathStep::Member(_)) => {
                if self.syntax.is_name_cut() {
                    let what = "a member name is too long for a column";
                    return Err(Outcome::Broken(what));
                }
                self.added.map_name(around.step, raw);
                self.added_range = None;
            }
            Some(PathStep::Each) | None => {}
        }
        Ok(())
    }
}

/// What to do about a value.
enum Next {
    /// Parse it.
    Feed,
    /// Go on here: it was taken.
    At(usize),
    /// Return.
    Stop(usize, Outcome),
}

fn is_index(name: &str) -> bool {
    name == "0" || !name.starts_with('0') && name.parse::<u64>().is_ok()
}
